"""The ends of transfers as they are stored: legs of live deposits and withdrawals, one row each, kept with every commit.

What an end belongs to (its asset, its wallet's address) is not stored with it; it is applied when ends are read.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal

import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.engine import Connection

from omnifolio.catalog.assets import Assets
from omnifolio.ledger.fold import Event
from omnifolio.ledger.place import Place
from omnifolio.ledger.tokens import by_number
from omnifolio.meaning.transfers import RULES, End, plain_address, plain_event
from omnifolio.model.amounts import ZERO, canonical, total
from omnifolio.model.clock import EpochMs
from omnifolio.model.ids import AccountId, UserId
from omnifolio.model.tokens import TokenId
from omnifolio.store import bulk
from omnifolio.store.lists import any_of, given
from omnifolio.store.reading import Reading
from omnifolio.store.schema import accounts, ends, legs, sums, tokens, transactions, wallets

Row = tuple[int, str, int, int, int, int, str, str, int, str | None, str | None, str | None, str]
COLUMNS = (
    "transaction_id", "key", "user_id", "account_id", "wallet_id", "token_id", "amount", "fee", "at", "event", "party", "mask",
    "name",
)  # fmt: skip
_SIGN = {"deposit": 1, "withdrawal": -1}
"""Which types have ends, and the sign of the legs that are."""
_NO_TRANSFER = "liquidation"
_MASK_HEAD, _MASK_TAIL = 4, 4

_READ = (
    ends.c.transaction_id, ends.c.key, ends.c.account_id, ends.c.wallet_id, ends.c.amount, ends.c.fee, ends.c.at, ends.c.event,
    ends.c.party, ends.c.name, wallets.c.address, accounts.c.venue, tokens.c.token,
)  # fmt: skip
_user: sa.BindParameter[int] = sa.bindparam("user")
_all = (
    sa.select(*_READ)
    .select_from(ends)
    .join(wallets, wallets.c.id == ends.c.wallet_id)
    .join(accounts, accounts.c.id == ends.c.account_id)
    .join(tokens, tokens.c.id == ends.c.token_id)
)
_joined = _all.where(ends.c.user_id == _user)
# By the primary key: as a plain column the user would have SQLite read all ends of that user.
_of_transactions = Reading(_all.where(any_of(ends.c.transaction_id, "ids"), ends.c.user_id + 0 == _user))
_of_events = Reading(_joined.where(any_of(ends.c.event, "events")))
_shared = Reading(
    sa.select(ends.c.event)
    .where(ends.c.user_id == _user, any_of(ends.c.event, "events"))
    .group_by(ends.c.event)
    .having(sa.func.count() > 1)
)
_of_account = Reading(_joined.where(ends.c.account_id == sa.bindparam("account")))
_of_user = Reading(_joined)
_columns = (
    "e.transaction_id, e.key, e.account_id, e.wallet_id, e.amount, e.fee, e.at, e.event, e.party, e.name, w.address, a.venue, "
    "t.token"
)
_tables = "JOIN wallets w ON w.id = e.wallet_id JOIN accounts a ON a.id = e.account_id JOIN tokens t ON t.id = e.token_id"
# The index has wallet and token as well: what cannot be another side is passed over without a look at its row.
_OTHERS = "e.wallet_id <> :wallet AND (e.event IS NULL OR e.event NOT LIKE :events)"
_within = Reading(
    {
        "sqlite": sa.text(
            f"SELECT {_columns} FROM json_each(:spans) s CROSS JOIN ends e {_tables} WHERE e.user_id = :user "
            f"AND e.at BETWEEN json_extract(s.value, '$[0]') AND json_extract(s.value, '$[1]') AND {_OTHERS} "
            "AND e.token_id IN (SELECT value FROM json_each(:tokens))"
        ),
        "postgresql": sa.text(
            f"SELECT {_columns} FROM unnest(CAST(:starts AS BIGINT[]), CAST(:stops AS BIGINT[])) s(start, stop) "
            f"JOIN ends e ON e.user_id = :user AND e.at BETWEEN s.start AND s.stop AND {_OTHERS} "
            f"AND e.token_id = ANY(CAST(:tokens AS BIGINT[])) {_tables}"
        ),
    }
)
_wallets = Reading(
    sa.select(wallets.c.id).join(accounts, accounts.c.id == wallets.c.account_id).where(accounts.c.user_id == _user)
)
_tokens = Reading(
    sa.select(tokens.c.id, tokens.c.token)
    .join(sums, sums.c.token_id == tokens.c.id)
    .join(wallets, wallets.c.id == sums.c.wallet_id)
    .join(accounts, accounts.c.id == wallets.c.account_id)
    .where(accounts.c.user_id == _user)
    .distinct()
)
_drop = sa.delete(ends).where(any_of(ends.c.transaction_id, "ids"))
_drop_of_account = sa.delete(ends).where(ends.c.account_id == sa.bindparam("account"))
_drop_of_user = sa.delete(ends).where(ends.c.user_id == _user)
_live = sa.select(
    transactions.c.id, transactions.c.account_id, transactions.c.type, transactions.c.subtype, transactions.c.at,
    transactions.c.event, transactions.c.name, transactions.c.status,
).where(
    transactions.c.user_id == _user, transactions.c.state == "live",
    sa.or_(*(transactions.c.type == name for name in sorted(_SIGN))),
)  # fmt: skip
_their_legs = sa.select(
    legs.c.transaction_id, legs.c.key, legs.c.wallet_id, legs.c.token_id, legs.c.amount, legs.c.role, legs.c.counterparty
).where(any_of(legs.c.transaction_id, "ids"))


class _Moved(Struct, gc=False):
    """A leg by integers."""

    key: str
    wallet: int
    token: int
    amount: Decimal
    is_fee: bool
    party: str | None


def digest_of(assets: Assets) -> bytes:
    """Under which assets and rules links are concluded."""
    return hashlib.sha256(f"{RULES} {assets.digest}".encode()).digest()


def events_of(rows: Iterable[Row]) -> set[str]:
    """The events on chains of some ends."""
    return {row[9] for row in rows if row[9] is not None}


def may_have(type_: str) -> bool:
    """Whether a transaction of this type may be a side of a transfer."""
    return type_ in _SIGN


def mask_of(address: str | None) -> str | None:
    """The first and last characters of an address, by which people recognise it: what a poisoner imitates."""
    text = plain_address(address)
    if text is None:
        return None
    body = text.removeprefix("0x")
    return f"{body[:_MASK_HEAD]}…{body[-_MASK_TAIL:]}" if len(body) > _MASK_HEAD + _MASK_TAIL else None


def rows_of(place: Place, number: int, event: Event) -> list[Row]:
    """The ends of a transaction as it was concluded just now."""
    if event.type not in _SIGN:
        return []
    moved = [
        _Moved(key, place.wallets[leg.wallet], place.tokens[leg.token].number, leg.amount, leg.role == "fee", leg.counterparty)
        for key, leg in event.legs.items()
        if not place.is_fiat(leg.token)
    ]
    told = event.type, event.subtype, event.status, event.at, event.event, event.name
    return _rows(number, place.user, place.account, told, moved)


def replace(conn: Connection, numbers: Iterable[int], rows: Sequence[Row]) -> None:
    """Writes the ends of transactions over those that were stored for `numbers`."""
    gone = sorted(numbers)
    if gone:
        conn.execute(_drop, {"ids": gone})
    bulk.insert(conn, ends, COLUMNS, rows)


def refill(conn: Connection, user: UserId) -> None:
    """Writes all ends of a user anew from the transactions that stand."""
    conn.execute(_drop_of_user, {"user": user})
    heads = conn.execute(_live, {"user": user}).all()
    moved: dict[int, list[_Moved]] = {row.id: [] for row in heads}
    found = conn.execute(_their_legs, {"ids": sorted(moved)}).all()
    kinds = by_number(conn, {row.token_id for row in found})
    for row in found:
        if kinds[row.token_id].kind != "fiat":
            leg = _Moved(row.key, row.wallet_id, row.token_id, Decimal(row.amount), row.role == "fee", row.counterparty)
            moved[row.transaction_id].append(leg)
    rows: list[Row] = []
    for head in heads:
        told = head.type, head.subtype, head.status, head.at, head.event, head.name
        rows += _rows(head.id, user, head.account_id, told, moved[head.id])
    bulk.insert(conn, ends, COLUMNS, rows)


def drop_account(conn: Connection, account: AccountId) -> None:
    """Takes away the ends of an account that is about to go."""
    conn.execute(_drop_of_account, {"account": account})


class Ends:
    """The ends of one user, read as they are asked for, with the assets applied."""

    def __init__(self, conn: Connection, user: UserId, assets: Assets) -> None:
        self.conn, self.user, self._assets = conn, user, assets
        self._wallets: frozenset[int] | None = None
        self._tokens: dict[str, list[int]] | None = None

    def of_transactions(self, numbers: Iterable[int]) -> list[End]:
        """Those of some transactions."""
        return self._ends(_of_transactions, ids=sorted(set(numbers)))

    def of_events(self, events: Iterable[str]) -> list[End]:
        """Those of some events on chains."""
        return self._ends(_of_events, events=sorted(set(events)))

    def shared(self, events: Iterable[str]) -> set[str]:
        """Those of some events on chains that more than one end has."""
        wanted = sorted(set(events))
        return {row[0] for row in _shared.rows(self.conn, user=self.user, events=given(self.conn, wanted))} if wanted else set()

    def of_account(self, account: AccountId) -> list[End]:
        """Those of an account."""
        return self._made(_of_account.rows(self.conn, user=self.user, account=account))

    def all(self) -> list[End]:
        """All of them."""
        return self._made(_of_user.rows(self.conn, user=self.user))

    def within(self, spans: Sequence[tuple[int, int]], *, assets: Iterable[str], wallet: int, chain: str | None) -> list[End]:
        """Those of some assets (an end's `asset`) in some stretches of time that do not overlap (both ends included).

        Not those of one wallet, or of which one chain tells (0 and None: of all): what is asked about itself is none of its own
        other sides.
        """
        if not spans or self.wallets() == {wallet}:
            return []
        numbers = sorted({number for asset in assets for number in self._numbers().get(asset, ())})
        asked = {
            "user": self.user,
            "wallet": wallet,
            "tokens": given(self.conn, numbers),
            "events": f"{chain}:%" if chain is not None else "",
        }
        if self.conn.dialect.name == "sqlite":
            return self._made(_within.rows(self.conn, spans=given(self.conn, spans), **asked))
        starts, stops = [span[0] for span in spans], [span[1] for span in spans]
        return self._made(_within.rows(self.conn, starts=starts, stops=stops, **asked))

    def _numbers(self) -> Mapping[str, Sequence[int]]:
        """The user's tokens by each asset that they may be, and by their own ids."""
        if self._tokens is None:
            self._tokens = {}
            for number, token in _tokens.rows(self.conn, user=self.user):
                for asset in (token, *self._assets.ever(token)):
                    self._tokens.setdefault(asset, []).append(number)
        return self._tokens

    def wallets(self) -> frozenset[int]:
        """All wallets of the user."""
        if self._wallets is None:
            self._wallets = frozenset(row[0] for row in _wallets.rows(self.conn, user=self.user))
        return self._wallets

    def _ends(self, reading: Reading, **wanted: Sequence[object]) -> list[End]:
        ((name, values),) = wanted.items()
        if not values:
            return []
        return self._made(reading.rows(self.conn, **{"user": self.user, name: given(self.conn, values)}))

    def _made(self, rows: Iterable[Sequence[object]]) -> list[End]:
        return [_end(self._assets.of, row) for row in rows]


def _end(asset_of: Callable[[TokenId, EpochMs], object], row: Sequence[object]) -> End:
    number, key, account, wallet, amount, fee, at, event, party, name, address, venue, token = row
    asset = asset_of(token, at)  # type: ignore[arg-type]
    value = Decimal(amount)  # type: ignore[arg-type]
    return End(
        number=number, key=key, account=account, wallet=wallet, venue=venue,  # type: ignore[arg-type]
        asset=token if asset is None else asset.id,  # type: ignore[arg-type, attr-defined]
        is_reviewed=asset is not None, is_out=value < ZERO, amount=abs(value), fee=Decimal(fee),  # type: ignore[arg-type]
        at=at, event=event, own=plain_address(address), party=party, name=name,  # type: ignore[arg-type]
    )  # fmt: skip


Told = tuple[str, str | None, str, int, str | None, str]
"""Type, subtype, status, instant, event and name of a transaction."""


def _rows(number: int, user: int, account: int, told: Told, moved: Sequence[_Moved]) -> list[Row]:
    kind, subtype, status, at, event, name = told
    if status not in ("confirmed", "pending") or subtype == _NO_TRANSFER:
        return []
    plain, sign = plain_event(event), _SIGN[kind]
    found: list[Row] = []
    for leg in moved:
        if leg.is_fee or leg.amount * sign <= ZERO:
            continue
        fee = total(-other.amount for other in moved if other.is_fee and other.token == leg.token)
        found.append(
            (
                number, leg.key, user, account, leg.wallet, leg.token, canonical(leg.amount), canonical(fee), at, plain,
                plain_address(leg.party), mask_of(leg.party), name,
            )
        )  # fmt: skip
    return found


def spans_of(windows: Mapping[object, tuple[int, int]] | Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Stretches of time joined where they meet."""
    found: list[tuple[int, int]] = []
    for start, stop in sorted(windows.values() if isinstance(windows, Mapping) else windows):
        if found and start <= found[-1][1] + 1:
            found[-1] = (found[-1][0], max(found[-1][1], stop))
        else:
            found.append((start, stop))
    return found
