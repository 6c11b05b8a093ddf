"""The ends of transfers: legs of live deposits and withdrawals, each of which may be one side of a transfer.

An end is read from its transaction and leg as they stand, and what it belongs to (its asset, its wallet's address) is applied
then. With every commit only that is stored by which no other index finds it, as small numbers: its event on a chain, and the
first and last characters of whom it was sent to.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from functools import lru_cache

import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.engine import Connection

from omnifolio.catalog.assets import Assets
from omnifolio.ledger.fold import Event
from omnifolio.meaning.classify import TYPE_NUMBERS
from omnifolio.meaning.transfers import RULES, End, plain_address, plain_event
from omnifolio.model.amounts import ZERO, total
from omnifolio.model.clock import EpochMs
from omnifolio.model.ids import AccountId, UserId
from omnifolio.model.tokens import TokenId
from omnifolio.store import bulk
from omnifolio.store.lists import any_of, any_of_text, given
from omnifolio.store.reading import Reading
from omnifolio.store.schema import ends

Row = tuple[int, int, int]
LegTuple = tuple[int, str, int, int, str, str, str | None, int, int]
"""A leg as it is stored: transaction, key, wallet, token, amount, role, counterparty, type and instant."""
COLUMNS = ("user_id", "number", "transaction_id")
_SIGN = {"deposit": 1, "withdrawal": -1}
"""Which types have ends, and the sign of the legs that are."""
_STATUSES = ("confirmed", "pending")
_NO_TRANSFER = "liquidation"
_MASK_HEAD, _MASK_TAIL = 4, 4
_NUMBER_BYTES = 8
KINDS_MAX = 50_000
"""Tokens whose assets are remembered: a user may hold thousands, and every page asks about all of them."""

_user: sa.BindParameter[int] = sa.bindparam("user")
_mine = sa.select(ends.c.transaction_id).where(ends.c.user_id == _user, any_of(ends.c.number, "numbers"))
_known_by = Reading(_mine.distinct())
_shared = Reading(
    sa.select(ends.c.number)
    .where(ends.c.user_id == _user, any_of(ends.c.number, "numbers"))
    .group_by(ends.c.number)
    .having(sa.func.count() > 1)
)
_drop_of_user = sa.delete(ends).where(ends.c.user_id == _user)

_IS_END = (
    "t.state = 'live' AND t.status IN ('confirmed', 'pending') AND (t.subtype IS NULL OR t.subtype <> 'liquidation') "
    f"AND l.role <> 'fee' AND k.kind <> 'fiat' AND ((l.type_number = {TYPE_NUMBERS['deposit']} AND l.amount <> '0' "
    f"AND l.amount NOT LIKE '-%') OR (l.type_number = {TYPE_NUMBERS['withdrawal']} AND l.amount LIKE '-%'))"
)
_TYPES = f"{TYPE_NUMBERS['deposit']}, {TYPE_NUMBERS['withdrawal']}"
_FEES = "FROM legs f WHERE f.transaction_id = l.transaction_id AND f.role = 'fee' AND f.token_id = l.token_id"
_MORE = "JOIN wallets w ON w.id = l.wallet_id JOIN accounts a ON a.id = t.account_id JOIN tokens k ON k.id = l.token_id"
# What one wallet or one chain tells of itself is none of its own other sides; of a user's other places each is one range of legs.
_PLACES = {
    "sqlite": (
        "WITH p AS MATERIALIZED (SELECT json_extract(value, '$[0]') wallet, json_extract(value, '$[1]') token "
        "FROM json_each(:pairs)), s AS MATERIALIZED (SELECT json_extract(value, '$[0]') start, json_extract(value, '$[1]') stop "
        "FROM json_each(:spans)) ",
        "FROM p CROSS JOIN s CROSS JOIN legs l CROSS JOIN transactions t",
    ),
    "postgresql": (
        "",
        "FROM unnest(CAST(:wallets AS BIGINT[]), CAST(:tokens AS BIGINT[])) p(wallet, token) "
        "CROSS JOIN unnest(CAST(:starts AS BIGINT[]), CAST(:stops AS BIGINT[])) s(start, stop) "
        "CROSS JOIN legs l CROSS JOIN transactions t",
    ),
}


def _reading(start: str, which: str, *, places: bool = False) -> Reading:
    """The ends among the legs `l` of the transactions `t` of which `start` and `which` tell, in both dialects."""
    found = {}
    for dialect, all_of in {"sqlite": "group_concat", "postgresql": "string_agg"}.items():
        with_, from_ = _PLACES[dialect] if places else ("", start)
        found[dialect] = sa.text(
            f"{with_}SELECT l.transaction_id, l.key, t.account_id, l.wallet_id, l.amount, "
            f"(SELECT {all_of}(f.amount, ' ') {_FEES}), t.at, t.event, l.counterparty, t.name, w.address, a.venue, k.token "
            f"{from_} {_MORE} WHERE {which.format(ids=any_of_text(dialect, 'ids'))} AND {_IS_END}"
        )
    return Reading(found)


# By the primary key: as a plain column the user would have SQLite read all transactions of that user.
_of_transactions = _reading("FROM transactions t JOIN legs l ON l.transaction_id = t.id", "t.id {ids} AND t.user_id + 0 = :user")
_all_of = "FROM accounts o JOIN transactions t ON t.account_id = o.id JOIN legs l ON l.transaction_id = t.id"
_ALL = "o.user_id = :user AND t.type IN ('deposit', 'withdrawal')"
_of_account = _reading(_all_of, f"o.id = :account AND {_ALL}")
_of_user = _reading(_all_of, _ALL)
_within = _reading(
    "",
    f"l.wallet_id = p.wallet AND l.token_id = p.token AND l.type_number IN ({_TYPES}) AND l.at BETWEEN s.start AND s.stop "
    "AND t.id = l.transaction_id AND t.user_id = :user "
    "AND (t.event IS NULL OR substr(t.event, 1, CAST(:length AS INTEGER)) <> :chain)",
    places=True,
)
_parties = Reading(
    {
        dialect: sa.text(
            "SELECT DISTINCT l.counterparty FROM ends e JOIN transactions t ON t.id = e.transaction_id "
            "JOIN legs l ON l.transaction_id = t.id JOIN tokens k ON k.id = l.token_id WHERE e.user_id = :user "
            f"AND e.number {any_of_text(dialect, 'numbers')} AND t.user_id = :user AND l.amount LIKE '-%' AND {_IS_END}"
        )
        for dialect in _PLACES
    }
)
_holders = Reading(
    {
        dialect: sa.text(
            f"SELECT s.token_id, k.token, {all_of} FROM accounts a JOIN wallets w ON w.account_id = a.id "
            "JOIN sums s ON s.wallet_id = w.id JOIN tokens k ON k.id = s.token_id WHERE a.user_id = :user "
            "GROUP BY s.token_id, k.token"
        )
        for dialect, all_of in {
            "sqlite": "group_concat(s.wallet_id, ' ')",
            "postgresql": "string_agg(CAST(s.wallet_id AS TEXT), ' ')",
        }.items()
    }
)


class Filed(Struct, frozen=True, gc=False):
    """The ends of a transaction as a commit has concluded it: what stands for its event and for whom it was sent to, and where
    they are: wallets and tokens."""

    number: int
    event: int | None
    parties: tuple[int, ...]
    places: tuple[tuple[int, int], ...]


def digest_of(assets: Assets) -> bytes:
    """Under which assets and rules links are concluded."""
    return hashlib.sha256(f"{RULES} {assets.digest}".encode()).digest()


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


def filed(number: int, event: Event, rows: Iterable[LegTuple], is_fiat: Callable[[int], bool]) -> Filed | None:
    """The ends of a transaction as it was concluded just now, if it has any. `rows` are its legs."""
    if event.status not in _STATUSES or event.subtype == _NO_TRANSFER:
        return None
    is_out = event.type == "withdrawal"
    parties: tuple[int, ...] = ()
    places: list[tuple[int, int]] = []
    for _, _, wallet, token, amount, role, party, _, _ in rows:
        if role != "fee" and (amount[0] == "-") is is_out and amount != "0" and not is_fiat(token):
            places.append((wallet, token))
            if is_out and (mask := mask_of(party)) is not None:
                parties = (*parties, _number(mask))
    if not places:
        return None
    plain = plain_event(event.event)
    return Filed(number, None if plain is None else _number(plain), parties, tuple(places))


def keep(conn: Connection, user: UserId, new: Iterable[Filed]) -> None:
    """Stores by what the ends of transactions are found."""
    rows: list[Row] = []
    for item in new:
        if item.event is not None:
            rows.append((user, item.event, item.number))
        if item.parties:
            rows += {(user, party, item.number) for party in item.parties}
    _put(conn, rows)


def drop(conn: Connection, user: UserId, gone: Iterable[End]) -> None:
    """Takes away by what ends were found."""
    bulk.delete(conn, ends, COLUMNS, sorted({row for end in gone for row in _rows_of(user, end)}))


def refill(conn: Connection, user: UserId, all_: Iterable[End]) -> None:
    """Stores anew by what all ends of a user are found."""
    conn.execute(_drop_of_user, {"user": user})
    _put(conn, {row for end in all_ for row in _rows_of(user, end)})


def parties(conn: Connection, user: UserId, masks: Iterable[str]) -> Mapping[str, set[str]]:
    """The addresses that the user has sent to, by their first and last characters, where these are some of `masks`."""
    wanted = set(masks)
    found: dict[str, set[str]] = {}
    if wanted:
        numbers = sorted(_number(mask) for mask in wanted)
        for (told,) in _parties.rows(conn, user=user, numbers=given(conn, numbers)):
            mask, party = mask_of(told), plain_address(told)
            if mask in wanted and party is not None:
                found.setdefault(mask, set()).add(party)
    return found


def _put(conn: Connection, rows: Iterable[Row]) -> None:
    # In the order of the table, so that its pages are found one after the other.
    bulk.insert(conn, ends, COLUMNS, sorted(rows))


def _rows_of(user: UserId, end: End) -> Iterator[Row]:
    if end.event is not None:
        yield user, _number(end.event), end.number
    if end.is_out and (mask := mask_of(end.party)) is not None:
        yield user, _number(mask), end.number


def _number(text: str) -> int:
    """63 bits that stand for a text: what two texts may share only makes a few more rows be read, which are compared."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=_NUMBER_BYTES).digest(), "big") >> 1


class Ends:
    """The ends of one user, read as they are asked for, with the assets applied; without those of an account that goes."""

    def __init__(self, conn: Connection, user: UserId, assets: Assets, *, without: AccountId | None = None) -> None:
        self.conn, self.user, self._assets, self._without = conn, user, assets, without
        self._tokens: dict[str, list[int]] | None = None
        self._kinds: dict[int, tuple[str, ...]] = {}
        self._in: dict[int, list[int]] = {}

    def of_transactions(self, numbers: Iterable[int]) -> list[End]:
        """Those of some transactions."""
        wanted = sorted(set(numbers))
        return self._made(_of_transactions.rows(self.conn, user=self.user, ids=given(self.conn, wanted))) if wanted else []

    def of_events(self, events: Iterable[str]) -> list[End]:
        """Those of some events on chains."""
        wanted = set(events)
        return [end for end in self.of_transactions(self._known(_known_by, map(_number, wanted))) if end.event in wanted]

    def shared(self, events: Iterable[str]) -> set[str]:
        """Those of some events on chains that the ends of more than one transaction have."""
        wanted = {_number(event): event for event in set(events)}
        return {wanted[number] for number in self.crowded(wanted)}

    def crowded(self, numbers: Iterable[int]) -> set[int]:
        """Those of some numbers by which the ends of more than one transaction are found."""
        return self._known(_shared, numbers)

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
        held = self._held()
        tokens = {number for asset in assets for number in held.get(asset, ())}
        pairs = sorted((other, number) for number in tokens for other in self._in[number] if other != wallet)
        if not spans or not pairs:
            return []
        # Without a chain nothing is left of the events, which is not what they are compared with.
        own = (len(chain) + 1, f"{chain}:") if chain is not None else (0, ":")
        asked: dict[str, object] = {"user": self.user, "length": own[0], "chain": own[1]}
        if self.conn.dialect.name == "sqlite":
            asked |= {"pairs": given(self.conn, pairs), "spans": given(self.conn, spans)}
        else:
            asked |= {"wallets": [pair[0] for pair in pairs], "tokens": [pair[1] for pair in pairs]}
            asked |= {"starts": [span[0] for span in spans], "stops": [span[1] for span in spans]}
        return self._made(_within.rows(self.conn, **asked))

    def meets(self, wallet: int, token: int) -> bool:
        """Whether another wallet of the user has ever held what may be the same asset as a token of this one."""
        held = self._held()
        alike = {number for asset in self._kinds.get(token, ()) for number in held[asset]}
        return any(other != wallet for number in alike for other in self._in[number])

    def _held(self) -> Mapping[str, Sequence[int]]:
        """The user's tokens by each asset that they may be, and by their own ids."""
        if self._tokens is None:
            self._tokens = {}
            for number, token, wallets in _holders.rows(self.conn, user=self.user):
                self._in[number] = [int(wallet) for wallet in wallets.split(" ")]
                self._kinds[number] = _kinds_of(self._assets, token)
                for asset in self._kinds[number]:
                    self._tokens.setdefault(asset, []).append(number)
        return self._tokens

    def _known(self, reading: Reading, numbers: Iterable[int]) -> set[int]:
        wanted = sorted(numbers)
        return {row[0] for row in reading.rows(self.conn, user=self.user, numbers=given(self.conn, wanted))} if wanted else set()

    def _made(self, rows: Iterable[Sequence[object]]) -> list[End]:
        return [_end(self._assets.of, row) for row in rows if row[2] != self._without]


@lru_cache(maxsize=KINDS_MAX)
def _kinds_of(assets: Assets, token: TokenId) -> tuple[str, ...]:
    """What a token's ends may have as their asset."""
    return (token, *assets.ever(token))


def _end(asset_of: Callable[[TokenId, EpochMs], object], row: Sequence[object]) -> End:
    number, key, account, wallet, amount, fees, at, event, party, name, address, venue, token = row
    asset = asset_of(token, at)  # type: ignore[arg-type]
    value = Decimal(amount)  # type: ignore[arg-type]
    return End(
        number=number, key=key, account=account, wallet=wallet, venue=venue,  # type: ignore[arg-type]
        asset=token if asset is None else asset.id,  # type: ignore[arg-type, attr-defined]
        is_reviewed=asset is not None, is_out=value < ZERO, amount=abs(value), at=at,  # type: ignore[arg-type]
        fee=ZERO if fees is None else total(-Decimal(fee) for fee in str(fees).split(" ")),
        event=plain_event(event), own=plain_address(address), party=plain_address(party), name=name,  # type: ignore[arg-type]
    )  # fmt: skip


def spans_of(windows: Mapping[object, tuple[int, int]] | Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Stretches of time joined where they meet."""
    found: list[tuple[int, int]] = []
    for start, stop in sorted(windows.values() if isinstance(windows, Mapping) else windows):
        if found and start <= found[-1][1] + 1:
            found[-1] = (found[-1][0], max(found[-1][1], stop))
        else:
            found.append((start, stop))
    return found
