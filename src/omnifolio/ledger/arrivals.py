"""How tokens came to a user, and whom the user has sent to: the facts by which spam is told from the rest."""

from collections.abc import Iterable, Mapping

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from omnifolio.ledger.ends import parties
from omnifolio.meaning.spam import Past
from omnifolio.model.accounts import Principal
from omnifolio.store.lists import given
from omnifolio.store.reading import Reading

NOBODY = "0x" + "0" * 40
"""Where an EVM contract sends from when it makes a token."""

_OWN = "SELECT o.address FROM wallets o JOIN accounts b ON b.id = o.account_id WHERE b.user_id = :user AND o.address IS NOT NULL"
_KNOWN = (
    "EXISTS (SELECT 1 FROM legs f WHERE f.transaction_id = l.transaction_id AND f.amount LIKE '-%') "
    "OR EXISTS (SELECT 1 FROM links k WHERE k.target_id = l.transaction_id AND k.state = 'linked') "
    f"OR l.counterparty IN ({_OWN}) "
    "OR EXISTS (SELECT 1 FROM overlays y WHERE y.user_id = :user AND y.kind = 'label' "
    "AND y.target = 'address:' || l.counterparty)"
)
"""The user paid for it, or it came from a wallet of the user's, or from somebody whom the user has named."""
_past = Reading(
    {
        dialect: sa.text(
            f"SELECT l.token_id, MAX(CASE WHEN {_KNOWN} THEN 1 ELSE 0 END), "
            f"MAX(CASE WHEN l.counterparty = '{NOBODY}' THEN 1 ELSE 0 END) "
            f"FROM accounts a JOIN wallets w ON w.account_id = a.id CROSS JOIN {tokens} "
            "JOIN legs l ON l.wallet_id = w.id AND l.token_id = t.value "
            "WHERE a.user_id = :user AND a.is_deleted = 0 GROUP BY l.token_id"
        )
        for dialect, tokens in {
            "sqlite": "json_each(:tokens) t",
            "postgresql": "unnest(CAST(:tokens AS BIGINT[])) t(value)",
        }.items()
    }
)


def past_of(conn: Connection, principal: Principal, tokens: Iterable[int]) -> Mapping[int, Past]:
    """How these tokens came to the user; without those of which no history tells."""
    wanted = sorted(tokens)
    if not wanted:
        return {}
    rows = _past.rows(conn, user=principal.data_user, tokens=given(conn, wanted))
    return {row[0]: Past(is_unsolicited=not row[1], is_minted=bool(row[2])) for row in rows}


def sent_to(conn: Connection, principal: Principal, masks: Iterable[str]) -> Mapping[str, set[str]]:
    """The addresses that the user has sent to, by their first and last characters, where these are some of `masks`."""
    return parties(conn, principal.data_user, masks)
