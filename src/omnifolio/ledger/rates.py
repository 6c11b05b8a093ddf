"""Daily exchange rates in the ledger: units of a currency for one euro, as published, and the rate that holds on a day."""

from collections.abc import Iterable, Sequence
from datetime import date

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from omnifolio.model.amounts import canonical, parse_amount
from omnifolio.model.clock import DAY_MS, EpochMs, start_of_day
from omnifolio.model.prices import EURO, RATE_AGE_MAX_DAYS, Rate, Rates
from omnifolio.store import bulk
from omnifolio.store.schema import rates

CHUNK = 1_000
"""Rates in one statement."""

_COLUMNS = ("currency", "day", "rate", "source", "observed_at")
_ASKED = {
    "sqlite": "(SELECT json_extract(value, '$[0]') AS c, json_extract(value, '$[1]') AS d FROM json_each(:asked)) w",
    "postgresql": "(SELECT value->>0 AS c, CAST(value->>1 AS BIGINT) AS d FROM json_array_elements(CAST(:asked AS json))) w",
}
_HOLDING = {
    dialect: sa.text(
        f"SELECT w.c, w.d, r.rate FROM {asked} CROSS JOIN rates r WHERE r.currency = w.c AND r.day = "
        f"(SELECT p.day FROM rates p WHERE p.currency = w.c AND p.day <= w.d AND p.day >= w.d - {RATE_AGE_MAX_DAYS * DAY_MS} "
        "ORDER BY p.day DESC LIMIT 1)"
    )
    for dialect, asked in _ASKED.items()
}
_STORED = {
    dialect: sa.text(f"SELECT w.c, w.d, r.rate FROM {asked} CROSS JOIN rates r WHERE r.currency = w.c AND r.day = w.d")
    for dialect, asked in _ASKED.items()
}
_SPAN = sa.select(sa.func.min(rates.c.day), sa.func.max(rates.c.day)).where(rates.c.currency == "USD")
_LOCK = sa.text(
    "INSERT INTO price_state (key, version) VALUES ('rates', 0) ON CONFLICT (key) DO UPDATE SET version = price_state.version"
)
_BUMP = sa.text("UPDATE price_state SET version = version + 1 WHERE key = 'rates'")


def put_rates(conn: Connection, published: Sequence[Rate]) -> int:
    """Stores published rates and gives how many were new or corrected; the publisher's correction of a day replaces it."""
    conn.execute(_LOCK)
    before = {}
    for start in range(0, len(published), CHUNK):
        asked = [[rate.currency, rate.day] for rate in published[start : start + CHUNK]]
        for currency, day, text in conn.execute(_STORED[conn.dialect.name], {"asked": _json(asked)}):
            before[currency, day] = text
    rows = {
        (rate.currency, rate.day): (canonical(rate.rate), rate.source, rate.observed_at)
        for rate in published
        if rate.currency != EURO and before.get((rate.currency, rate.day)) != canonical(rate.rate)
    }
    bulk.insert(conn, rates, _COLUMNS, [(*key, *row) for key, row in sorted(rows.items())], or_replace=True)
    if rows:
        conn.execute(_BUMP)
    return len(rows)


def lookup_rates(conn: Connection, *, currencies: Iterable[str], days: Iterable[date]) -> Rates:
    """The rates of the currencies that hold on the days: each the last one published on or before it, if not too old."""
    dates = sorted({start_of_day(day) for day in days})
    asked = [[currency, day] for currency in sorted(set(currencies) - {EURO}) for day in dates]
    found = {}
    for start in range(0, len(asked), CHUNK):
        for currency, day, text in conn.execute(_HOLDING[conn.dialect.name], {"asked": _json(asked[start : start + CHUNK])}):
            found[currency, EpochMs(day)] = parse_amount(text, where="rate")
    return Rates(found)


def rates_span(conn: Connection) -> tuple[EpochMs, EpochMs] | None:
    """The first and the last day for which rates are stored; None without any."""
    first, last = conn.execute(_SPAN).one()
    return None if first is None else (EpochMs(first), EpochMs(last))


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
