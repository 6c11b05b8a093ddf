"""Prices in the ledger: what is stored of them, what is believed, and the price of many tokens at many instants at once.

A usable price, once stored, stays: a total that was shown can be shown again. A price more than ten times away from its
neighbours in time is kept as suspect and enters no value until a second source says the same. A row without a price is a known
absence with its reason, so that nobody asks again at once. What a user has set as a price wins over every source.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import cast

import msgspec
import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.engine import Connection

from omnifolio.ledger import overrides, spikes
from omnifolio.model.accounts import Principal
from omnifolio.model.amounts import canonical
from omnifolio.model.clock import DAY_MS, HOUR_MS, MINUTE_MS, EpochMs
from omnifolio.model.errors import NotFound
from omnifolio.model.facts import Quote
from omnifolio.model.prices import (
    ALL_TIME,
    BRIDGE,
    RESOLUTIONS,
    Absence,
    Price,
    Quotes,
    Reason,
    Unpriced,
    Wanted,
    bucket_of,
)
from omnifolio.model.tokens import TokenId
from omnifolio.store import bulk
from omnifolio.store.lists import any_of
from omnifolio.store.schema import quotes, tokens

CARRY_MAX_MS = 3 * DAY_MS
"""A price is carried forward for at most this long."""
RETRY_MS: Mapping[Reason, int] = {"source_failed": 10 * MINUTE_MS, "no_source": 7 * DAY_MS, "spike": DAY_MS}
"""How long after an absence was noted the sources are asked again. Others are not asked again."""
CHUNK = 500
"""Ids in one statement, and wanted prices in one."""

_COLUMNS = ("token_id", "currency", "resolution", "bucket", "price", "source", "route", "reason", "observed_at")

_ASKED = {
    "sqlite": "(SELECT json_extract(value, '$[0]') AS t, json_extract(value, '$[1]') AS a, json_extract(value, '$[2]') AS r "
    "FROM json_each(:asked)) w",
    "postgresql": "(SELECT CAST(value->>0 AS BIGINT) AS t, CAST(value->>1 AS BIGINT) AS a, CAST(value->>2 AS BIGINT) AS r "
    "FROM json_array_elements(CAST(:asked AS json))) w",
}
"""The rows of a JSON array [[token, instant, resolution] …] as a table: one parameter, however many are asked."""

_FOUND = "w.t, w.a, q.resolution, q.bucket, q.price, q.source, q.route, q.reason, q.observed_at"
_MINE = f"q.token_id = w.t AND q.currency = '{BRIDGE}' AND q.resolution ="
_USABLE = "p.price IS NOT NULL AND p.reason = ''"
_TOLERANCE = sa.bindparam("tolerance", type_=sa.BigInteger)


def _nearest(resolution: int, where: str, order: str) -> str:
    """The bucket of the nearest row of one resolution on one side of the asked instant."""
    return (
        f"(SELECT p.bucket FROM quotes p WHERE p.token_id = w.t AND p.currency = '{BRIDGE}' AND p.resolution = {resolution} "
        f"AND {where} ORDER BY p.bucket {order} LIMIT 1)"
    )


def _minute_sql(asked: str) -> sa.TextClause:
    """Per asked (token, minute): the newest usable minute's row within the tolerance."""
    recent = f"p.bucket <= w.a AND p.bucket >= w.a - :tolerance AND {_USABLE}"
    statement = f"SELECT {_FOUND} FROM {asked} CROSS JOIN quotes q WHERE {_MINE} {MINUTE_MS} AND q.bucket = "
    return sa.text(statement + _nearest(MINUTE_MS, recent, "DESC")).bindparams(_TOLERANCE)


def _other_sql(asked: str) -> sa.TextClause:
    """Per asked (token, minute): each resolution's newest usable row and newest absence, and the token's own absence."""
    parts = [f"SELECT {_FOUND} FROM {asked} CROSS JOIN quotes q WHERE {_MINE} {ALL_TIME} AND q.bucket = 0"]
    for resolution in RESOLUTIONS:
        usable = f"p.bucket <= w.a AND p.bucket > w.a - {CARRY_MAX_MS + resolution} AND {_USABLE}"
        absent = f"p.bucket <= w.a AND p.bucket > w.a - {resolution} - :tolerance AND NOT ({_USABLE})"
        parts += [
            f"SELECT {_FOUND} FROM {asked} CROSS JOIN quotes q "
            f"WHERE {_MINE} {resolution} AND q.bucket = {_nearest(resolution, where, 'DESC')}"
            for where in (usable, absent)
        ]
    return sa.text(" UNION ALL ".join(parts)).bindparams(_TOLERANCE)


def _neighbour_sql(asked: str) -> sa.TextClause:
    """Per asked (token, bucket): the nearest usable row of each resolution before (or at) it and after it."""
    before = f"p.bucket <= w.a AND p.bucket >= w.a - {spikes.NEIGHBOUR_MS} AND {_USABLE}"
    after = f"p.bucket > w.a AND p.bucket <= w.a + {spikes.NEIGHBOUR_MS} AND {_USABLE}"
    parts = [
        f"SELECT w.t, q.bucket, q.price FROM {asked} CROSS JOIN quotes q "
        f"WHERE {_MINE} {resolution} AND q.bucket = {_nearest(resolution, where, order)}"
        for resolution in RESOLUTIONS
        for where, order in ((before, "DESC"), (after, "ASC"))
    ]
    return sa.text(" UNION ".join(parts))


_SAME_MINUTE = {
    dialect: sa.text(
        f"SELECT {_FOUND} FROM {asked} CROSS JOIN quotes q WHERE {_MINE} {MINUTE_MS} AND q.bucket = w.a "
        "AND q.price IS NOT NULL AND q.reason = ''"
    )
    for dialect, asked in _ASKED.items()
}
_RECENT_MINUTE = {dialect: _minute_sql(asked) for dialect, asked in _ASKED.items()}
_OTHER = {dialect: _other_sql(asked) for dialect, asked in _ASKED.items()}
_NEIGHBOURS = {dialect: _neighbour_sql(asked) for dialect, asked in _ASKED.items()}
_STORED = {
    dialect: sa.text(f"SELECT {_FOUND} FROM {asked} CROSS JOIN quotes q WHERE {_MINE} w.r AND q.bucket = w.a")
    for dialect, asked in _ASKED.items()
}
_TOKEN_KEYS = sa.select(tokens.c.token, tokens.c.id).where(any_of(tokens.c.token, "ids"))
_RETRIES = {
    reason: sa.text(
        "SELECT t.token, t.ticker, q.resolution, q.bucket FROM quotes q JOIN tokens t ON t.id = q.token_id "
        f"WHERE q.reason = '{reason}' AND q.observed_at <= :before AND q.resolution > {ALL_TIME} "
        "ORDER BY q.observed_at LIMIT :most"
    ).bindparams(sa.bindparam("before", type_=sa.BigInteger), sa.bindparam("most", type_=sa.BigInteger))
    for reason in RETRY_MS
}
_LOCK = sa.text(
    "INSERT INTO price_state (key, version) VALUES ('quotes', 0) ON CONFLICT (key) DO UPDATE SET version = price_state.version"
)
_BUMP = sa.text("UPDATE price_state SET version = version + 1 WHERE key = 'quotes'")
_VERSION = sa.text("SELECT COALESCE(SUM(version), 0) FROM price_state WHERE key IN ('quotes', 'rates')")


class Stored(Struct, frozen=True, kw_only=True):
    """What a `put` changed: rows written, and the prices that were not believed."""

    rows: int
    suspects: tuple[Quote, ...] = ()


class _Row(Struct, frozen=True):
    """One stored row of quotes, as the statements above give it."""

    token: int
    asked: EpochMs
    resolution: int
    bucket: EpochMs
    price: str | None
    source: str
    route: str
    reason: str
    observed_at: EpochMs

    @property
    def is_usable(self) -> bool:
        return self.price is not None and not self.reason


def put(conn: Connection, found: Sequence[Quote], absences: Sequence[Absence] = ()) -> Stored:
    """Stores prices and named absences, and says which prices were not believed.

    A usable price stays as it is. A suspect one becomes usable when another source comes within a quarter of it. The tokens
    must be known to the ledger. Raises: NotFound.
    """
    if not found and not absences:
        return Stored(rows=0)
    conn.execute(_LOCK)  # two writers must not judge the same bucket at once
    keys = _keys_of(conn, {item.token for item in found} | {item.token for item in absences})
    slots: dict[_Slot, Quote] = {}
    for item in found:
        assert item.currency == BRIDGE, "sources quote in the bridge currency"
        slots.setdefault((keys[item.token], item.resolution, item.bucket), item)
    empty = {(keys[item.token], item.resolution, item.bucket): item for item in absences}
    before = _stored(conn, [*slots, *empty])
    rows: dict[_Slot, tuple[object, ...]] = {}
    newcomers: dict[_Slot, Quote] = {}
    suspects: list[Quote] = []
    for slot, item in slots.items():
        old = before.get(slot)
        if old is None or old.price is None:
            newcomers[slot] = item
        elif old.reason and old.source == item.source:
            suspects.append(item)
            rows[slot] = (old.price, old.source, old.route, old.reason, item.observed_at)
        elif old.reason and spikes.within(Decimal(old.price), item.price, spikes.AGREEMENT_MAX):
            rows[slot] = (old.price, old.source, f"{old.route}; confirmed by {item.source}".lstrip("; "), "", old.observed_at)
        elif old.reason:
            newcomers[slot] = item
    for slot, is_believed in _verdicts(conn, newcomers).items():
        item = newcomers[slot]
        if not is_believed:
            suspects.append(item)
        if is_believed or before.get(slot) is None or before[slot].price is None:
            rows[slot] = (canonical(item.price), item.source, item.route, "" if is_believed else "spike", item.observed_at)
    for slot, gone in empty.items():
        if slot not in slots and (slot not in before or before[slot].price is None):
            rows[slot] = (None, gone.source, "", gone.reason, gone.observed_at)
    _write(conn, rows, before)
    return Stored(rows=len(rows), suspects=tuple(suspects))


def missing(conn: Connection, wanted: Sequence[Wanted], *, now: EpochMs) -> list[Wanted]:
    """Those of `wanted` that no source has answered yet, or whose absence is old enough to ask again. Raises: NotFound."""
    if not wanted:
        return []
    keys = _keys_of(conn, {want.token for want in wanted})
    slots = {(keys[want.token], want.resolution, want.bucket): want for want in wanted}
    general: dict[_Slot, None] = {(key, ALL_TIME, EpochMs(0)): None for key in keys.values()}
    before = _stored(conn, [*slots, *general])
    return [
        want
        for slot, want in slots.items()
        if not _is_answered(before.get(slot), now) and not _is_answered(before.get((slot[0], ALL_TIME, EpochMs(0))), now)
    ]


def retries(conn: Connection, *, now: EpochMs, wants_max: int) -> list[Wanted]:
    """What was asked in vain long enough ago to be asked again, the longest-waiting first."""
    wants: list[Wanted] = []
    for reason, retry_ms in RETRY_MS.items():
        values = {"before": now - retry_ms, "most": wants_max - len(wants)}
        for token, ticker, resolution, bucket in conn.execute(_RETRIES[reason], values):
            at = bucket + resolution - 1 if resolution == DAY_MS else bucket
            wants.append(Wanted(token=TokenId(token), ticker=ticker, at=EpochMs(at), resolution=resolution))
    return wants


def lookup(conn: Connection, asked: Iterable[tuple[int, EpochMs]], *, principal: Principal | None, tolerance_ms: int) -> Quotes:
    """The price of every asked token at its instant, in two statements for any number up to CHUNK.

    The minute's price if there is one, else the hour's, else the day's; else the newest of the CARRY_MAX_MS before, marked stale
    when it is older than `tolerance_ms` (0 for what is past, NOW_INTERVAL_MS for the price of now, which may then also stand
    before an hour's). `principal` brings in what its user has set, with one more statement; None leaves that out.
    """
    wanted = {(key, bucket_of(at, MINUTE_MS)): at for key, at in asked}
    minutes = (_RECENT_MINUTE if tolerance_ms else _SAME_MINUTE)[conn.dialect.name]
    tolerance = {"tolerance": tolerance_ms} if tolerance_ms else {}
    found: dict[tuple[int, EpochMs], Price | Unpriced] = {}
    for row in _rows(conn, minutes, list(wanted), tolerance):
        found[row.token, row.asked] = _price(row, is_stale=False)
    left: dict[tuple[int, EpochMs], list[_Row]] = {place: [] for place in wanted if place not in found}
    for row in _rows(conn, _OTHER[conn.dialect.name], list(left), {"tolerance": tolerance_ms}):
        left[row.token, row.asked].append(row)
    found.update({place: _settled(rows, at=place[1], tolerance_ms=tolerance_ms) for place, rows in left.items()})
    if principal is not None:
        found.update(overrides.among(conn, principal, wanted))
    return Quotes(found)


def version(conn: Connection) -> int:
    """A number that rises with every change of prices or rates."""
    return int(conn.execute(_VERSION).scalar_one())


_Slot = tuple[int, int, EpochMs]
"""Where one row of quotes stands: token, resolution, bucket."""


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _keys_of(conn: Connection, ids: Iterable[TokenId]) -> dict[TokenId, int]:
    """The ledger's integers of tokens. Raises: NotFound."""
    wanted = sorted(set(ids))
    keys: dict[TokenId, int] = {TokenId(row[0]): row[1] for row in conn.execute(_TOKEN_KEYS, {"ids": wanted})}
    unknown = next((token for token in wanted if token not in keys), None)
    if unknown is not None:
        raise NotFound(f"price of {unknown}: the ledger knows no such token")
    return keys


def _stored(conn: Connection, slots: Sequence[_Slot]) -> dict[_Slot, _Row]:
    """The rows that stand in these places."""
    found: dict[_Slot, _Row] = {}
    for start in range(0, len(slots), CHUNK):
        chunk = [[key, bucket, resolution] for key, resolution, bucket in slots[start : start + CHUNK]]
        for row in conn.execute(_STORED[conn.dialect.name], {"asked": _json(chunk)}):
            found[row[0], row[2], row[3]] = _Row(*row)
    return found


def _rows(
    conn: Connection, statement: sa.TextClause, places: Sequence[tuple[int, EpochMs]], values: Mapping[str, int]
) -> Iterator[_Row]:
    """What a statement gives for (token, minute) places."""
    for start in range(0, len(places), CHUNK):
        asked = _json([(key, at, 0) for key, at in places[start : start + CHUNK]])
        for row in conn.execute(statement, {"asked": asked, **values}):
            yield _Row(*row)


def _verdicts(conn: Connection, newcomers: Mapping[_Slot, Quote]) -> dict[_Slot, bool]:
    """Which new prices are believed beside their stored neighbours."""
    known: dict[int, set[spikes.Point]] = {}
    slots = sorted(newcomers, key=lambda slot: (slot[0], slot[2], slot[1]))
    for start in range(0, len(slots), CHUNK):
        chunk = [[slot[0], slot[2], 0] for slot in slots[start : start + CHUNK]]
        for row in conn.execute(_NEIGHBOURS[conn.dialect.name], {"asked": _json(chunk)}):
            known.setdefault(row[0], set()).add((row[1], Decimal(row[2])))
    verdicts: dict[_Slot, bool] = {}
    for key in dict.fromkeys(slot[0] for slot in slots):
        mine = [slot for slot in slots if slot[0] == key]
        points = [(slot[2], newcomers[slot].price) for slot in mine]
        verdicts.update(zip(mine, spikes.believed(points, list(known.get(key, ()))), strict=True))
    return verdicts


def _write(conn: Connection, rows: Mapping[_Slot, tuple[object, ...]], before: Mapping[_Slot, _Row]) -> None:
    """Writes rows, and counts up the version if a price or a reason is another than before."""
    bulk.insert(
        conn,
        quotes,
        _COLUMNS,
        [(key, BRIDGE, resolution, bucket, *row) for (key, resolution, bucket), row in sorted(rows.items())],
        or_replace=True,
    )
    if any(slot not in before or (before[slot].price, before[slot].reason) != (row[0], row[3]) for slot, row in rows.items()):
        conn.execute(_BUMP)


def _is_answered(row: _Row | None, now: EpochMs) -> bool:
    """Whether asking again makes no sense yet."""
    if row is None:
        return False
    retry_ms = RETRY_MS.get(cast("Reason", row.reason))
    return retry_ms is None or now - row.observed_at < retry_ms


def _settled(rows: Sequence[_Row], *, at: EpochMs, tolerance_ms: int) -> Price | Unpriced:
    """The one answer out of all rows that were found for an instant whose minute has no price."""
    usable = {row.resolution: row for row in rows if row.is_usable}
    for resolution in (HOUR_MS, DAY_MS):
        row = usable.get(resolution)
        if row is not None and row.bucket == bucket_of(at, resolution):
            return _price(row, is_stale=False)
    if usable:
        newest = max(usable.values(), key=lambda row: (row.bucket + row.resolution, -row.resolution))
        return _price(newest, is_stale=at - (newest.bucket + newest.resolution) > tolerance_ms)
    reasons = {row.reason for row in rows}
    for reason in ("spike", "source_failed", "no_source", "coarser"):
        if reason in reasons:
            return Unpriced("no_source" if reason == "coarser" else cast("Reason", reason))
    return Unpriced("not_asked")


def _price(row: _Row, *, is_stale: bool) -> Price:
    assert row.price is not None
    return Price(
        price=Decimal(row.price),
        currency=BRIDGE,
        bucket=row.bucket,
        resolution=row.resolution,
        source=row.source,
        route=row.route,
        observed_at=row.observed_at,
        is_stale=is_stale,
    )
