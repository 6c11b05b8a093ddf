"""Reading facts: balances as observed, pages of transactions, and what a reader needs to know of an account.

Every query names the user of the principal; ids of other users are simply not there.
"""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.engine import Connection

from omnifolio.ledger.claims import decode_claim
from omnifolio.ledger.snapshots import doubted_tokens
from omnifolio.model.accounts import Principal
from omnifolio.model.clock import EpochMs
from omnifolio.model.errors import NotFound
from omnifolio.model.facts import Role
from omnifolio.model.ids import AccountId, TransactionId, WalletId
from omnifolio.model.tokens import TokenId
from omnifolio.store.lists import any_of
from omnifolio.store.reading import Reading
from omnifolio.store.schema import (
    accounts,
    claims,
    cursors,
    legs,
    observations,
    sums,
    tokens,
    transactions,
    wallets,
)

PAGE_MAX = 1000
"""Transactions on one page at the most."""

_user: sa.BindParameter[int] = sa.bindparam("user")
_account: sa.BindParameter[int] = sa.bindparam("account")
_owned = sa.select(accounts.c.id).where(accounts.c.user_id == _user, accounts.c.is_deleted == 0)
_venues = sa.select(accounts.c.id, accounts.c.venue).where(accounts.c.user_id == _user, accounts.c.is_deleted == 0)

_wallets = Reading(
    sa.select(wallets.c.id, wallets.c.account_id, wallets.c.key, wallets.c.name, wallets.c.address)
    .where(wallets.c.account_id.in_(_owned))
    .order_by(wallets.c.id)
)
# Walked from the wallets to what each holds now; CROSS JOIN keeps SQLite from walking every amount that was ever observed.
_OF_USER = (
    "FROM accounts a CROSS JOIN wallets w CROSS JOIN {0} WHERE a.user_id = :user AND a.is_deleted = 0 "
    "AND (CAST(:account AS BIGINT) IS NULL OR a.id = :account) AND w.account_id = a.id "
)
_JOINED = {
    "sqlite": "group_concat({0}.token_id, ' ') || '/' || group_concat({0}.amount, ' ')",
    "postgresql": "string_agg(CAST({0}.token_id AS TEXT), ' ') || '/' || string_agg({0}.amount, ' ')",
}
"""All tokens and amounts of a wallet in one text, `1 7 3/0.5 -20 4`: a row for each of them costs three times as much."""
_balances = Reading(
    {
        dialect: sa.text(
            f"SELECT a.id, s.wallet_id, s.product, s.last_seen, s.suspect, (SELECT {joined.format('o')} FROM observations o "
            "WHERE o.wallet_id = s.wallet_id AND o.product = s.product AND o.until IS NULL) "
            + _OF_USER.format("snapshots s")
            + "AND s.wallet_id = w.id ORDER BY a.id, s.wallet_id, s.product"
        )
        for dialect, joined in _JOINED.items()
    }
)
_sums = Reading(
    {
        dialect: sa.text(
            f"SELECT w.id, (SELECT {joined.format('s')} FROM sums s WHERE s.wallet_id = w.id AND s.amount <> '0') "
            "FROM accounts a CROSS JOIN wallets w WHERE a.user_id = :user AND a.is_deleted = 0 "
            "AND (CAST(:account AS BIGINT) IS NULL OR a.id = :account) AND w.account_id = a.id"
        )
        for dialect, joined in _JOINED.items()
    }
)
_transaction_columns = (
    transactions.c.id,
    transactions.c.account_id,
    transactions.c.seq,
    transactions.c.state,
    transactions.c.merged_into,
    transactions.c.at,
    transactions.c.type,
    transactions.c.subtype,
    transactions.c.status,
    transactions.c.name,
    transactions.c.label,
    transactions.c.event,
    transactions.c.confirmed_at,
    transactions.c.finality,
)
_one = sa.select(*_transaction_columns).where(
    transactions.c.id == sa.bindparam("transaction"), transactions.c.account_id == _account, transactions.c.user_id == _user
)
_by_ids = sa.select(*_transaction_columns).where(any_of(transactions.c.id, "ids"))
_mine_by_ids = _by_ids.where(transactions.c.user_id == _user, transactions.c.state == "live")
_legs = (
    sa.select(
        legs.c.transaction_id, legs.c.key, legs.c.wallet_id, legs.c.token_id, legs.c.amount, legs.c.role, legs.c.counterparty
    )
    .where(any_of(legs.c.transaction_id, "ids"))
    .order_by(legs.c.transaction_id, legs.c.key)
)
_owns = sa.select(accounts.c.id).where(accounts.c.id == _account, accounts.c.user_id == _user, accounts.c.is_deleted == 0)
_ticker_tokens = sa.select(tokens.c.id).where(tokens.c.ticker == sa.bindparam("ticker"))
_wallet_of = sa.select(wallets.c.id).where(wallets.c.account_id == _account, wallets.c.key == sa.bindparam("key"))
_known_tokens = sa.union(
    sa.select(tokens.c.token)
    .join(observations, observations.c.token_id == tokens.c.id)
    .join(wallets, wallets.c.id == observations.c.wallet_id)
    .where(wallets.c.account_id == _account),
    sa.select(tokens.c.token)
    .join(sums, sums.c.token_id == tokens.c.id)
    .join(wallets, wallets.c.id == sums.c.wallet_id)
    .where(wallets.c.account_id == _account),
)
_known_cursors = sa.select(cursors.c.stream, cursors.c.token).where(cursors.c.account_id == _account)
_provisional = sa.select(claims.c.height, claims.c.payload).where(
    claims.c.account_id == _account,
    claims.c.finality == "provisional",
    claims.c.is_withdrawn == 0,
    claims.c.height.is_not(None),
)


class WalletRow(Struct, frozen=True):
    """A wallet with its integer."""

    id: WalletId
    account: AccountId
    key: str
    name: str
    address: str | None


class Held(Struct, frozen=True, gc=False):
    """An observed balance; `text` is its amount in canonical form. `is_suspect`: the latest look lacks it, which is not believed
    yet. Given by position, because there are many."""

    account: AccountId
    wallet: WalletId
    product: str
    token: int
    amount: Decimal
    text: str
    last_seen: EpochMs
    is_suspect: bool


class Look(Struct, frozen=True, kw_only=True):
    """What was last seen of one product in a wallet, in columns: the nth token, amount and text are one balance.

    A user has hundreds of balances; columns are worked on without an object for each. `doubted` are the tokens that the latest
    look lacks, which is not believed yet; `texts` are the amounts in canonical form.
    """

    account: AccountId
    wallet: WalletId
    product: str
    last_seen: EpochMs
    doubted: frozenset[int]
    tokens: Sequence[int]
    texts: Sequence[str]
    amounts: Sequence[Decimal]

    def held(self) -> list[Held]:
        """The balances one by one."""
        return [
            Held(self.account, self.wallet, self.product, token, amount, text, self.last_seen, token in self.doubted)
            for token, amount, text in zip(self.tokens, self.amounts, self.texts, strict=True)
        ]


class StoredLeg(Struct, frozen=True, kw_only=True):
    """A leg by integers."""

    key: str
    wallet: WalletId
    token: int
    amount: Decimal
    role: Role
    counterparty: str | None


class StoredTransaction(Struct, frozen=True, kw_only=True):
    """A transaction as the ledger concluded it."""

    id: TransactionId
    account: AccountId
    seq: int
    at: EpochMs
    type: str
    subtype: str | None
    status: str
    name: str
    label: str
    event: str | None
    confirmed_at: EpochMs | None
    finality: str
    legs: tuple[StoredLeg, ...]


class Filter(Struct, frozen=True, kw_only=True):
    """Which transactions of an account, and in which order. Both instants are included."""

    start: EpochMs
    end: EpochMs
    limit: int
    is_ascending: bool = False
    last: TransactionId | None = None
    ticker: str | None = None
    wallet: str | None = None
    types: tuple[str, ...] = ()


class KnownOf(Struct, frozen=True, kw_only=True):
    """What the ledger holds of an account that a reader may need."""

    tokens: frozenset[TokenId]
    cursors: Mapping[str, str]
    provisional: Mapping[int, str]


def wallets_of(conn: Connection, principal: Principal) -> Sequence[WalletRow]:
    """All wallets of the user."""
    return [WalletRow(*row) for row in _wallets.rows(conn, user=principal.data_user)]


def venues_of(conn: Connection, principal: Principal) -> Mapping[AccountId, str]:
    """The venue of each account of the user."""
    return {AccountId(row[0]): row[1] for row in conn.execute(_venues, {"user": principal.data_user})}


def looks(conn: Connection, principal: Principal, account: AccountId | None = None) -> list[Look]:
    """Everything that the user holds, or that one account holds, by account, wallet and product."""
    found: list[Look] = []
    for number, wallet, product, last_seen, suspect, joined in _balances.rows(conn, user=principal.data_user, account=account):
        pairs = sorted(_parted(joined))
        texts = [text for _token, text in pairs]
        found.append(
            Look(
                account=number,
                wallet=wallet,
                product=product,
                last_seen=last_seen,
                doubted=frozenset() if suspect is None else doubted_tokens(suspect),
                tokens=[token for token, _text in pairs],
                texts=texts,
                amounts=list(map(Decimal, texts)),
            )
        )
    return found


def balances(conn: Connection, principal: Principal, account: AccountId | None = None) -> list[Held]:
    """As `looks`, one by one: by account, wallet, product and token."""
    return [held for look in looks(conn, principal, account) for held in look.held()]


def calculated(conn: Connection, principal: Principal, account: AccountId | None = None) -> Mapping[WalletId, Mapping[int, str]]:
    """The sums of all legs by wallet and token, as canonical texts and without zeros, of all accounts of the user or of one."""
    rows = _sums.rows(conn, user=principal.data_user, account=account)
    return {wallet: dict(_parted(joined)) for wallet, joined in rows}


def _parted(joined: str | None) -> Iterable[tuple[int, str]]:
    """The tokens and amounts that a statement has joined; none for a wallet that is empty."""
    if joined is None:
        return ()
    tokens, _, amounts = joined.partition("/")
    return zip(map(int, tokens.split(" ")), amounts.split(" "), strict=True)


def transaction(conn: Connection, principal: Principal, account: AccountId, number: TransactionId) -> StoredTransaction:
    """One live transaction; an id that was merged into another leads to that one. Raises: NotFound."""
    values = {"transaction": number, "account": account, "user": principal.data_user}
    row = conn.execute(_one, values).one_or_none()
    while row is not None and row.state == "merged":
        row = conn.execute(_one, values | {"transaction": row.merged_into}).one_or_none()
    if row is None or row.state != "live":
        raise NotFound("no transaction has this id")
    return _with_legs(conn, [row])[0]


def page(conn: Connection, principal: Principal, account: AccountId, wanted: Filter) -> Sequence[StoredTransaction]:
    """Transactions of one account by (time, id), after the transaction `last`. Raises: NotFound."""
    values = {"account": account, "user": principal.data_user}
    if conn.execute(_owns, values).first() is None:
        raise NotFound("no account has this id")
    edge = None
    if wanted.last is not None:
        row = conn.execute(_one, values | {"transaction": wanted.last}).one_or_none()
        if row is None:
            raise NotFound("no transaction has the id given as last")
        edge = (row.at, row.id)
    ids = _page_ids(conn, account, wanted, edge)
    if not ids:
        return []
    rows = {row.id: row for row in conn.execute(_by_ids, {"ids": ids})}
    return _with_legs(conn, [rows[number] for number in ids])


def by_ids(conn: Connection, principal: Principal, numbers: Sequence[TransactionId]) -> Sequence[StoredTransaction]:
    """The live ones among these transactions of the user, in the given order."""
    rows = {row.id: row for row in conn.execute(_mine_by_ids, {"ids": list(numbers), "user": principal.data_user})}
    return _with_legs(conn, [rows[number] for number in numbers if number in rows])


def known(conn: Connection, principal: Principal, account: AccountId) -> KnownOf:
    """What a reader may ask about: tokens ever seen, bookmarks, provisional blocks. Raises: NotFound."""
    values = {"account": account, "user": principal.data_user}
    if conn.execute(_owns, values).first() is None:
        raise NotFound("no account has this id")
    blocks: dict[int, str] = {}
    for row in conn.execute(_provisional, {"account": account}):
        block_hash = decode_claim(row.payload).block_hash
        if block_hash is not None:
            blocks[row.height] = block_hash
    return KnownOf(
        tokens=frozenset(TokenId(row[0]) for row in conn.execute(_known_tokens, {"account": account})),
        cursors={row[0]: row[1] for row in conn.execute(_known_cursors, {"account": account})},
        provisional=blocks,
    )


def _page_ids(conn: Connection, account: AccountId, wanted: Filter, edge: tuple[int, int] | None) -> list[int]:
    """The ids of one page. Each filter walks the index that is made for it and stops at the page's end."""
    limit = min(wanted.limit, PAGE_MAX)
    sources: list[tuple[Any, Any, Any]]
    if wanted.ticker is not None:
        numbers = [row[0] for row in conn.execute(_ticker_tokens, {"ticker": wanted.ticker})]
        sources = [(legs.c.at, legs.c.transaction_id, (legs.c.account_id == account) & (legs.c.token_id == n)) for n in numbers]
    elif wanted.wallet is not None:
        found = conn.execute(_wallet_of, {"account": account, "key": wanted.wallet}).scalar_one_or_none()
        sources = [] if found is None else [(legs.c.at, legs.c.transaction_id, legs.c.wallet_id == found)]
    elif wanted.types:
        sources = [
            (transactions.c.at, transactions.c.id, (transactions.c.account_id == account) & (transactions.c.type == kind))
            for kind in wanted.types
        ]
    else:
        sources = [(transactions.c.at, transactions.c.id, transactions.c.account_id == account)]
    picked: set[tuple[int, int]] = set()
    for at, number, condition in sources:
        picked.update(_walk(conn, account, wanted, at=at, number=number, condition=condition, edge=edge, limit=limit))
    ordered = sorted(picked, reverse=not wanted.is_ascending)
    return [number for _at, number in ordered[:limit]]


def _walk(
    conn: Connection,
    account: AccountId,
    wanted: Filter,
    *,
    at: Any,
    number: Any,
    condition: Any,
    edge: tuple[int, int] | None,
    limit: int,
) -> list[tuple[int, int]]:
    statement = sa.select(at, number).where(condition, at >= wanted.start, at <= wanted.end)
    if edge is not None:
        place = sa.tuple_(sa.literal(edge[0], sa.BigInteger), sa.literal(edge[1], sa.BigInteger))
        position = sa.tuple_(at, number)
        statement = statement.where(position > place if wanted.is_ascending else position < place)
    if at is legs.c.at:
        # Several legs of one transaction stand beside each other in the index, so DISTINCT needs no sorting.
        statement = statement.distinct()
        if wanted.types or (wanted.ticker is not None and wanted.wallet is not None):
            statement = _narrowed(conn, account, wanted, statement)
    else:
        statement = statement.where(transactions.c.state == "live")
    order = (at, number) if wanted.is_ascending else (at.desc(), number.desc())
    return [(row[0], row[1]) for row in conn.execute(statement.order_by(*order).limit(limit))]


def _narrowed(conn: Connection, account: AccountId, wanted: Filter, statement: Any) -> Any:
    """The further filters of a walk over legs, checked row by row."""
    if wanted.types:
        statement = statement.join(transactions, transactions.c.id == legs.c.transaction_id).where(
            transactions.c.type.in_(wanted.types)
        )
    if wanted.ticker is not None and wanted.wallet is not None:
        found = conn.execute(_wallet_of, {"account": account, "key": wanted.wallet}).scalar_one_or_none()
        other = legs.alias("other")
        statement = statement.where(
            sa.exists().where(other.c.transaction_id == legs.c.transaction_id, other.c.wallet_id == found)
        )
    return statement


def _with_legs(conn: Connection, rows: Sequence[Any]) -> list[StoredTransaction]:
    legs_of: dict[int, list[StoredLeg]] = {row.id: [] for row in rows}
    for row in conn.execute(_legs, {"ids": list(legs_of)}):
        legs_of[row.transaction_id].append(
            StoredLeg(
                key=row.key,
                wallet=row.wallet_id,
                token=row.token_id,
                amount=Decimal(row.amount),
                role=row.role,
                counterparty=row.counterparty,
            )
        )
    return [
        StoredTransaction(
            id=row.id,
            account=row.account_id,
            seq=row.seq,
            at=row.at,
            type=row.type,
            subtype=row.subtype,
            status=row.status,
            name=row.name,
            label=row.label,
            event=row.event,
            confirmed_at=row.confirmed_at,
            finality=row.finality,
            legs=tuple(legs_of[row.id]),
        )
        for row in rows
    ]
