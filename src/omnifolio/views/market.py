"""Prices and rates of the moment for many balances: what a page of values needs, read once and kept while nothing changed.

A price that was read at a version of the stored prices holds until that version changes, or until its minute is over (then it
may have become stale).
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from sqlalchemy.engine import Connection

from omnifolio.ledger import quotes
from omnifolio.ledger.overview import PriceTerms
from omnifolio.ledger.rates import lookup_rates
from omnifolio.ledger.tokens import TokenRow, by_number
from omnifolio.model.accounts import Principal
from omnifolio.model.clock import MINUTE_MS, EpochMs, day_of
from omnifolio.model.errors import InvalidField
from omnifolio.model.prices import BRIDGE, EURO, NOW_INTERVAL_MS, Price, Rates, Unpriced, bucket_of
from omnifolio.views.spam import is_foreign

TOKENS_MAX = 100_000
"""Tokens and prices that are kept at the most."""
CURRENCY_LENGTH = 3


class Tokens(NamedTuple):
    """Tokens by the ledger's number, the ISO 4217 codes of those that are fiat money, and which ones anybody may have made."""

    rows: Mapping[int, TokenRow]
    fiat: Mapping[int, str]
    foreign: frozenset[int]


class Prices(NamedTuple):
    """Prices now by the ledger's number of the token, or why there is none. `plain` are those in dollars that are not stale."""

    found: Mapping[int, Price | Unpriced]
    plain: Mapping[int, Price]


class _Kept(NamedTuple):
    version: int
    minute: EpochMs
    prices: Prices


_NO_TOKENS, _NONE = Tokens({}, {}, frozenset()), Prices({}, {})


class Market:
    """Tokens, and the prices of the running minute, shared by all users of a process.

    Tokens never change. Prices that a user has set are looked up each time.
    """

    def __init__(self) -> None:
        self._kept = _Kept(-1, EpochMs(0), _NONE)
        self._tokens = _NO_TOKENS

    def tokens(self, conn: Connection, numbers: set[int]) -> Tokens:
        """At least the tokens with these numbers."""
        known = self._tokens
        missing = numbers.difference(known.rows)
        if missing:
            read = by_number(conn, missing)
            # A new mapping each time: reads run in several threads, and none may see one that is being filled.
            fiat = {number: row.ticker for number, row in read.items() if row.kind == "fiat"}
            foreign = known.foreign | {number for number, row in read.items() if is_foreign(row)}
            known = Tokens({**known.rows, **read}, {**known.fiat, **fiat}, foreign)
            self._tokens = known if len(known.rows) <= TOKENS_MAX else _NO_TOKENS
        return known

    def prices(self, conn: Connection, principal: Principal, wanted: set[int], *, terms: PriceTerms, now: EpochMs) -> Prices:
        """The prices now of at least these tokens."""
        if terms.has_own:
            own = quotes.lookup(conn, [(token, now) for token in wanted], principal=principal, tolerance_ms=NOW_INTERVAL_MS)
            return _sorted({token: own.at(token, now) for token in wanted})
        minute = bucket_of(now, MINUTE_MS)
        kept = self._kept
        known = kept.prices if (kept.version, kept.minute) == (terms.version, minute) else _NONE
        missing = wanted.difference(known.found)
        if missing:
            looked = quotes.lookup(conn, [(token, now) for token in missing], principal=None, tolerance_ms=NOW_INTERVAL_MS)
            known = _sorted({**known.found, **{token: looked.at(token, now) for token in missing}})
            if len(known.found) <= TOKENS_MAX:
                self._kept = _Kept(terms.version, minute, known)
        return known


def _sorted(found: Mapping[int, Price | Unpriced]) -> Prices:
    plain = {
        token: price
        for token, price in found.items()
        if isinstance(price, Price) and price.currency == BRIDGE and not price.is_stale
    }
    return Prices(found, plain)


def rates_for(conn: Connection, *, currency: str, sources: Iterable[str], times: Iterable[EpochMs]) -> Rates:
    """The reference rates between `currency`, the bridge and the `sources` on the days of `times`."""
    needed = {currency, *sources}
    if needed <= {currency}:
        return Rates({})
    return lookup_rates(conn, currencies=needed | {BRIDGE}, days={day_of(at) for at in times})


def check_currency(conn: Connection, currency: str, now: EpochMs) -> None:
    """Raises: InvalidField when no exchange rate is known for `currency` today."""
    if currency in (BRIDGE, EURO):
        return
    known = len(currency) == CURRENCY_LENGTH and currency.isascii() and currency.isalpha() and currency.isupper()
    day = day_of(now)
    if not known or isinstance(lookup_rates(conn, currencies=[currency], days=[day]).per_euro(currency, day), Unpriced):
        raise InvalidField(f"fiat: no exchange rate is known for {currency[:8]!r}; use an ISO 4217 code such as USD or EUR")
