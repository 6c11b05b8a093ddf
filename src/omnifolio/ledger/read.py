"""Reading facts: balances as observed, pages of transactions, and what a reader needs to know of an account.

Every query names the user of the principal; ids of other users are simply not there.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import msgspec
import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.engine import Connection

from omnifolio.ledger.claims import decode_claim
from omnifolio.ledger.snapshots import doubted_tokens
from omnifolio.ledger.walk import PAGE_MAX as PAGE_MAX  # noqa: PLC0414 - who reads pages finds it here
from omnifolio.ledger.walk import Filter as Filter  # noqa: PLC0414 - likewise
from omnifolio.ledger.walk import page_ids
from omnifolio.model.accounts import Principal
from omnifolio.model.clock import EpochMs
from omnifolio.model.errors import NotFound
from omnifolio.model.facts import Role
from omnifolio.model.ids import AccountId, TransactionId, WalletId
from omnifolio.model.tokens import TokenId
from omnifolio.store.lists import any_of_text, given
from omnifolio.store.reading import Reading
from omnifolio.store.schema import (
    accounts,
    claims,
    cursors,
    observations,
    sums,
    tokens,
    transactions,
    wallets,
)

_user: sa.BindParameter[int] = sa.bindparam("user")
_account: sa.BindParameter[int] = sa.bindparam("account")
_owned = sa.select(accounts.c.id).where(accounts.c.user_id == _user, accounts.c.is_deleted == 0)
_venues = sa.select(accounts.c.id, accounts.c.venue).where(accounts.c.user_id == _user, accounts.c.is_deleted == 0)

_wallets = Reading(
    sa.select(wallets.c.id, wallets.c.account_id, wallets.c.key, wallets.c.name, wallets.c.address)
    .where(wallets.c.account_id.in_(_owned))
    .order_by(wallets.c.id)
)
_JSON = {
    "sqlite": "json_group_object({0}.token_id, {0}.amount)",
    "postgresql": "CAST(json_object_agg({0}.token_id, {0}.amount) AS TEXT)",
}
"""All amounts of a wallet by token in one text, `{"1":"0.5","7":"-20"}`: a row for each of them costs three times as much."""
# Walked from the wallets to what each holds now; CROSS JOIN keeps SQLite from walking every amount that was ever observed.
_states = Reading(
    {
        dialect: sa.text(
            "SELECT w.id, a.id, w.key, w.name, w.address, s.product, s.last_seen, s.suspect, "
            f"(SELECT {amounts.format('o')} FROM observations o "
            "WHERE o.wallet_id = w.id AND o.product = s.product AND o.until IS NULL), "
            f"(SELECT {amounts.format('c')} FROM sums c WHERE c.wallet_id = w.id AND c.amount <> '0') "
            "FROM accounts a CROSS JOIN wallets w LEFT JOIN snapshots s ON s.wallet_id = w.id "
            "WHERE a.user_id = :user AND a.is_deleted = 0 AND (CAST(:account AS BIGINT) IS NULL OR a.id = :account) "
            "AND w.account_id = a.id ORDER BY a.id, w.id, s.product"
        )
        for dialect, amounts in _JSON.items()
    }
)
_NONE: frozenset[int] = frozenset()
_by_token = msgspec.json.Decoder(dict[int, str]).decode
_LEG = "s.key, s.wallet_id, s.token_id, s.amount, s.role, s.counterparty"
_LEGS_OF = {
    "sqlite": f"json_group_array(json_array({_LEG}))",
    "postgresql": f"CAST(json_agg(json_build_array({_LEG})) AS TEXT)",
}
"""All legs of a transaction in one text, so that a page's rows and their legs are one statement."""
_stored = Reading(
    {
        dialect: sa.text(
            "SELECT t.id, t.account_id, t.seq, t.at, t.type, t.subtype, t.status, t.name, t.label, t.event, t.confirmed_at, "
            f"t.finality, (SELECT {legs_of} FROM legs s WHERE s.transaction_id = t.id) FROM transactions t "
            f"WHERE t.id {any_of_text(dialect, 'ids')} AND +t.user_id = :user AND t.state NOT IN ('merged', 'gone')"
        )
        for dialect, legs_of in _LEGS_OF.items()
    }
)
"""Live transactions by id. User and state are written so that no index but that of the ids can be taken for them."""
_decode_legs = msgspec.json.Decoder(list[tuple[str, WalletId, int, str, Role, str | None]]).decode
_one = sa.select(transactions.c.state, transactions.c.merged_into).where(
    transactions.c.id == sa.bindparam("transaction"), transactions.c.account_id == _account, transactions.c.user_id == _user
)
_asked = Reading(
    {
        dialect: sa.text(
            "SELECT (SELECT t.at FROM transactions t WHERE t.id = :last AND t.account_id = a.id AND t.user_id = :user), "
            "(SELECT w.id FROM wallets w WHERE w.account_id = a.id AND w.key = :wallet), "
            f"(SELECT {joined} FROM tokens k WHERE k.ticker = :ticker) "
            "FROM accounts a WHERE a.id = :account AND a.user_id = :user AND a.is_deleted = 0"
        )
        for dialect, joined in {
            "sqlite": "group_concat(k.id, ' ')",
            "postgresql": "string_agg(CAST(k.id AS TEXT), ' ')",
        }.items()
    }
)
"""What a filter names, in integers: where its last row stands, its wallet, and the tokens of its ticker."""
_owns = sa.select(accounts.c.id).where(accounts.c.id == _account, accounts.c.user_id == _user, accounts.c.is_deleted == 0)
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
# As it is written in the index: SQLite plans a statement anew for each value that decides whether a partial index may be used.
_unsettled = sa.select(claims.c.finality, claims.c.height, claims.c.payload).where(
    claims.c.account_id == _account, claims.c.finality != sa.literal_column("'final'"), claims.c.is_withdrawn == 0
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
    look lacks, which is not believed yet; `texts` are the amounts in canonical form, and `by_token` the same once more.
    """

    account: AccountId
    wallet: WalletId
    product: str
    last_seen: EpochMs
    doubted: frozenset[int]
    tokens: Sequence[int]
    texts: Sequence[str]
    amounts: Sequence[Decimal]
    by_token: Mapping[int, str]

    def held(self) -> list[Held]:
        """The balances one by one."""
        return [
            Held(self.account, self.wallet, self.product, token, amount, text, self.last_seen, token in self.doubted)
            for token, amount, text in zip(self.tokens, self.amounts, self.texts, strict=True)
        ]


class WalletState(Struct, frozen=True):
    """A wallet, what was last seen in it by product, and what its history adds up to.

    `sums` are the sums of all legs by token, as canonical texts and without zeros.
    """

    wallet: WalletRow
    looks: list[Look]
    sums: Mapping[int, str]


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


class KnownOf(Struct, frozen=True, kw_only=True):
    """What the ledger holds of an account that a reader may need."""

    tokens: frozenset[TokenId]
    cursors: Mapping[str, str]
    provisional: Mapping[int, str]
    is_settled: bool
    """Nothing waits for a block, and no block of it may still be replaced."""


def wallets_of(conn: Connection, principal: Principal) -> Sequence[WalletRow]:
    """All wallets of the user."""
    return [WalletRow(*row) for row in _wallets.rows(conn, user=principal.data_user)]


def venues_of(conn: Connection, principal: Principal) -> Mapping[AccountId, str]:
    """The venue of each account of the user."""
    return {AccountId(row[0]): row[1] for row in conn.execute(_venues, {"user": principal.data_user})}


def wallet_states(conn: Connection, principal: Principal, account: AccountId | None = None) -> list[WalletState]:
    """Every wallet of the user, or of one account, with what it holds, by account."""
    found: dict[WalletId, WalletState] = {}
    rows = _states.rows(conn, user=principal.data_user, account=account)
    for wallet, owner, key, name, address, product, last_seen, suspect, held, added_up in rows:
        state = found.get(wallet)
        if state is None:
            purse = WalletRow(wallet, owner, key, name, address)
            state = found[wallet] = WalletState(purse, [], _texts(added_up))
        if product is None:
            continue
        by_token = _texts(held)
        numbers = sorted(by_token)
        texts = [by_token[token] for token in numbers]
        look = Look(
            account=owner,
            wallet=wallet,
            product=product,
            last_seen=last_seen,
            doubted=_NONE if suspect is None else doubted_tokens(suspect),
            tokens=numbers,
            texts=texts,
            amounts=list(map(Decimal, texts)),
            by_token=by_token,
        )
        state.looks.append(look)
    return list(found.values())


def _texts(joined: str | None) -> Mapping[int, str]:
    """The amounts by token that a statement has joined; none for a wallet that is empty."""
    return {} if joined is None else _by_token(joined)


def balances(conn: Connection, principal: Principal, account: AccountId | None = None) -> list[Held]:
    """Everything that the user holds, or that one account holds, one by one: by account, wallet, product and token."""
    return [held for state in wallet_states(conn, principal, account) for look in state.looks for held in look.held()]


def transaction(conn: Connection, principal: Principal, account: AccountId, number: TransactionId) -> StoredTransaction:
    """One live transaction; an id that was merged into another leads to that one. Raises: NotFound."""
    values = {"account": account, "user": principal.data_user}
    row = conn.execute(_one, values | {"transaction": number}).one_or_none()
    while row is not None and row.state == "merged":
        number = row.merged_into
        row = conn.execute(_one, values | {"transaction": number}).one_or_none()
    found = [] if row is None else by_ids(conn, principal, [number])
    if not found:
        raise NotFound("no transaction has this id")
    return found[0]


def page(conn: Connection, principal: Principal, account: AccountId, wanted: Filter) -> Sequence[StoredTransaction]:
    """Transactions of one account by (time, id), after the transaction `last`. Raises: NotFound."""
    asked = {"last": wanted.last, "wallet": wanted.wallet, "ticker": wanted.ticker}
    found = _asked.rows(conn, account=account, user=principal.data_user, **asked)
    if not found:
        raise NotFound("no account has this id")
    at, wallet, numbers = found[0]
    if wanted.last is not None and at is None:
        raise NotFound("no transaction has the id given as last")
    edge = None if wanted.last is None else (at, wanted.last)
    tokens_named = [int(number) for number in numbers.split(" ")] if numbers else []
    return by_ids(conn, principal, page_ids(conn, account, wanted, edge=edge, wallet=wallet, tokens=tokens_named))


def by_ids(conn: Connection, principal: Principal, numbers: Sequence[TransactionId]) -> Sequence[StoredTransaction]:
    """The live ones among these transactions of the user, in the given order."""
    if not numbers:
        return []
    found = {row[0]: row for row in _stored.rows(conn, ids=given(conn, numbers), user=principal.data_user)}
    return [_transaction_of(found[number]) for number in numbers if number in found]


def known(conn: Connection, principal: Principal, account: AccountId) -> KnownOf:
    """What a reader may ask about: tokens ever seen, bookmarks, provisional blocks. Raises: NotFound."""
    values = {"account": account, "user": principal.data_user}
    if conn.execute(_owns, values).first() is None:
        raise NotFound("no account has this id")
    blocks: dict[int, str] = {}
    unsettled = conn.execute(_unsettled, {"account": account}).all()
    for row in unsettled:
        block_hash = decode_claim(row.payload).block_hash
        if row.finality == "provisional" and row.height is not None and block_hash is not None:
            blocks[row.height] = block_hash
    return KnownOf(
        tokens=frozenset(TokenId(row[0]) for row in conn.execute(_known_tokens, {"account": account})),
        cursors={row[0]: row[1] for row in conn.execute(_known_cursors, {"account": account})},
        provisional=blocks,
        is_settled=not unsettled,
    )


def _transaction_of(row: Sequence[Any]) -> StoredTransaction:
    """A row of `_stored`. Rows are unpacked by position: a page has a hundred, and a column by name costs ten times as much."""
    number, account, seq, at, kind, subtype, status, name, label, event, confirmed_at, finality, legs_text = row
    legs = sorted(_decode_legs(legs_text)) if legs_text else ()
    return StoredTransaction(
        id=number,
        account=account,
        seq=seq,
        at=at,
        type=kind,
        subtype=subtype,
        status=status,
        name=name,
        label=label,
        event=event,
        confirmed_at=confirmed_at,
        finality=finality,
        legs=tuple(
            StoredLeg(key=key, wallet=wallet, token=token, amount=Decimal(amount), role=role, counterparty=counterparty)
            for key, wallet, token, amount, role, counterparty in legs
        ),
    )
