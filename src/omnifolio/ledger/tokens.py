"""Tokens and wallets by integer: minted at first sight, immutable afterwards."""

from collections.abc import Iterable, Mapping, Sequence

import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.engine import Connection

from omnifolio.model.errors import InvalidField
from omnifolio.model.facts import Wallet
from omnifolio.model.ids import AccountId, WalletId
from omnifolio.model.tokens import TokenFacts, TokenId, TokenKind, token_id
from omnifolio.store.lists import any_of, given
from omnifolio.store.reading import Reading
from omnifolio.store.schema import tokens, wallets


class TokenRow(Struct, frozen=True):
    """A token with its integer."""

    number: int
    id: TokenId
    ticker: str
    name: str
    kind: TokenKind
    decimals: int | None


_by_token = Reading(
    sa.select(tokens.c.id, tokens.c.token, tokens.c.ticker, tokens.c.name, tokens.c.kind, tokens.c.decimals).where(
        any_of(tokens.c.token, "wanted")
    )
)
_by_number = sa.select(tokens.c.id, tokens.c.token, tokens.c.ticker, tokens.c.name, tokens.c.kind, tokens.c.decimals).where(
    any_of(tokens.c.id, "wanted")
)
_wallets = Reading(sa.select(wallets.c.key, wallets.c.id).where(wallets.c.account_id == sa.bindparam("account")))
_add_token: dict[str, sa.Insert] = {
    "sqlite": sqlite_insert(tokens).on_conflict_do_nothing(),
    "postgresql": pg_insert(tokens).on_conflict_do_nothing(),
}
_add_wallet: dict[str, sa.Insert] = {
    "sqlite": sqlite_insert(wallets).on_conflict_do_nothing(),
    "postgresql": pg_insert(wallets).on_conflict_do_nothing(),
}


def intern(conn: Connection, wanted: Iterable[TokenId], facts: Sequence[TokenFacts]) -> Mapping[TokenId, TokenRow]:
    """The rows of `wanted` tokens; those seen for the first time are written from `facts`.

    A token without facts gets the last part of its id as its ticker. Raises: InvalidField for an id of neither form.
    """
    names = sorted({*wanted, *(fact.id for fact in facts)})
    found = _rows(conn, names)
    missing = [name for name in names if name not in found]
    if missing:
        stated = {fact.id: fact for fact in facts}
        # Sorted, so that two writers who meet the same new tokens wait for each other instead of deadlocking.
        conn.execute(_add_token[conn.dialect.name], [_values(stated.get(name) or _unstated(name)) for name in missing])
        found |= _rows(conn, missing)
    return found


def by_number(conn: Connection, numbers: Iterable[int]) -> Mapping[int, TokenRow]:
    """Token rows by their integers."""
    return {row[0]: TokenRow(*row) for row in conn.execute(_by_number, {"wanted": sorted(set(numbers))})}


def by_ids(conn: Connection, wanted: Iterable[TokenId]) -> Mapping[TokenId, TokenRow]:
    """Token rows by their ids; those that were never seen are absent."""
    return _rows(conn, sorted(set(wanted)))


def wallet_ids(
    conn: Connection, account: AccountId, wanted: Iterable[str], facts: Sequence[Wallet], *, seq: int
) -> Mapping[str, WalletId]:
    """The integers of the account's wallets by key; new ones are written from `facts`, or named by their key, under `seq`."""
    found = {key: WalletId(number) for key, number in _wallets.rows(conn, account=account)}
    missing = [key for key in sorted({*wanted, *(fact.key for fact in facts)}) if key not in found]
    if missing:
        stated = {fact.key: fact for fact in facts}
        rows = [stated.get(key) or Wallet(key=key, name=key) for key in missing]
        conn.execute(
            _add_wallet[conn.dialect.name],
            [{"account_id": account, "key": row.key, "name": row.name, "address": row.address, "since": seq} for row in rows],
        )
        found = {key: WalletId(number) for key, number in _wallets.rows(conn, account=account)}
    return found


def _rows(conn: Connection, names: Sequence[TokenId]) -> dict[TokenId, TokenRow]:
    rows = _by_token.rows(conn, wanted=given(conn, names)) if names else ()
    return {TokenId(row[1]): TokenRow(*row) for row in rows}


def _values(fact: TokenFacts) -> dict[str, object]:
    token_id(fact.id)
    if not fact.ticker:
        raise InvalidField(f"token {fact.id}: a token needs a ticker")
    return {"token": fact.id, "ticker": fact.ticker, "name": fact.name, "kind": fact.kind, "decimals": fact.decimals}


def _unstated(name: TokenId) -> TokenFacts:
    return TokenFacts(id=name, ticker=name.rpartition("/")[2].rpartition(":")[2])
