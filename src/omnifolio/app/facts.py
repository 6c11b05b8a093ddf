"""Everything that the ledger holds of a user as plain lines: one JSON object for each balance, position, transaction and problem.

The same lines come from `omnifolio replay` and from the sandbox's truth, so that the three can be compared as they stand.
"""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from msgspec import structs
from sqlalchemy.engine import Connection

from omnifolio.ledger import accounts, coverage, positions, read
from omnifolio.ledger.positions import HeldPosition
from omnifolio.ledger.tokens import TokenRow, by_number
from omnifolio.model.accounts import Principal
from omnifolio.model.amounts import canonical
from omnifolio.model.clock import EpochMs
from omnifolio.model.ids import AccountId, TransactionId, WalletId

Line = dict[str, Any]

END_OF_TIME = EpochMs(2**53)


def account_facts(conn: Connection, principal: Principal, account: AccountId) -> list[Line]:
    """Balances by (wallet, product, token), positions by (wallet, scope, key), transactions by (time, name), then problems.

    Raises: NotFound.
    """
    keys = {wallet.id: wallet.key for wallet in read.wallets_of(conn, principal) if wallet.account == account}
    held = [row for row in read.balances(conn, principal) if row.account == account]
    rows = list(every_transaction(conn, principal, account))
    tokens = by_number(conn, {row.token for row in held} | {leg.token for row in rows for leg in row.legs})
    return [
        *sorted((_balance(row, keys, tokens) for row in held), key=lambda b: (b["wallet"], b["product"], b["asset_id"])),
        *(_position(item, keys) for item in positions.held(conn, principal, account)),
        *sorted((_transaction(row, keys, tokens) for row in rows), key=lambda t: (t["at"], t["ref"])),
        *problems(conn, account),
    ]


def every_transaction(conn: Connection, principal: Principal, account: AccountId) -> Iterator[read.StoredTransaction]:
    """All live transactions of an account, oldest first, page by page."""
    last: TransactionId | None = None
    while True:
        wanted = read.Filter(start=EpochMs(0), end=END_OF_TIME, limit=read.PAGE_MAX, is_ascending=True, last=last)
        page = read.page(conn, principal, account, wanted)
        yield from page
        if len(page) < read.PAGE_MAX:
            return
        last = page[-1].id


def problems(conn: Connection, account: AccountId) -> list[Line]:
    """What could not be read, as lines."""
    return [
        {"kind": "problem", "code": gap.code, "where": gap.stream, "text": gap.text} for gap in coverage.gaps_of(conn, account)
    ]


def user_facts(conn: Connection, principal: Principal, now: EpochMs) -> dict[AccountId, Sequence[Line]]:
    """The facts of each of the user's accounts."""
    return {account.id: account_facts(conn, principal, account.id) for account in accounts.listed(conn, principal, now)}


def _balance(row: read.Held, keys: Mapping[WalletId, str], tokens: Mapping[int, TokenRow]) -> Line:
    token = tokens[row.token]
    return {
        "kind": "balance",
        "wallet": keys[row.wallet],
        "asset": token.ticker,
        "asset_id": token.id,
        "product": row.product,
        "amount": canonical(row.amount),
    }


def _position(item: HeldPosition, keys: Mapping[WalletId, str]) -> Line:
    found = item.position
    told = {field.name: getattr(found, field.name) for field in structs.fields(found) if field.name not in ("kind", "components")}
    return {
        "kind": "position",
        "wallet": keys[item.wallet],
        "scope": item.scope,
        "type": found.kind,
        **{name: canonical(value) if isinstance(value, Decimal) else value for name, value in told.items()},
        "components": [
            {"role": part.role, "asset_id": part.token, "amount": canonical(part.amount)} for part in found.components
        ],
    }


def _transaction(row: read.StoredTransaction, keys: Mapping[WalletId, str], tokens: Mapping[int, TokenRow]) -> Line:
    return {
        "kind": "transaction",
        "ref": row.name,
        "event": row.event,
        "at": row.at,
        "type": row.type,
        "subtype": row.subtype,
        "status": row.status,
        "legs": [
            {
                "wallet": keys[leg.wallet],
                "asset": tokens[leg.token].ticker,
                "asset_id": tokens[leg.token].id,
                "amount": canonical(leg.amount),
                "role": leg.role,
                "counterparty": leg.counterparty,
            }
            for leg in row.legs
        ],
    }
