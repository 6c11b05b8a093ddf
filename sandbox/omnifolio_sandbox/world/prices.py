"""What everything costs at every minute, and what a euro buys on every working day: pure functions of the time.

Prices wander around each asset's anchor as a sum of smooth waves of different lengths, in whole parts per million, so
they are exact, positive for every instant, and equal on every machine.
"""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache

from omnifolio_sandbox.amounts import near, significant
from omnifolio_sandbox.clock import MS_PER_MINUTE
from omnifolio_sandbox.world.dice import number
from omnifolio_sandbox.world.tokens import ASSETS, STABLE, is_priced, ticker_of

PRICE_DIGITS = 8
PPM = 1_000_000
MINUTES_PER_DAY = 1440
# (length of the wave in minutes, height in parts per million): together below 1, so that a price is never zero.
WAVES = (
    (400 * MINUTES_PER_DAY, 420_000),
    (60 * MINUTES_PER_DAY, 150_000),
    (5 * MINUTES_PER_DAY, 50_000),
    (360, 9_000),
    (7, 900),
)
STABLE_WAVES = ((20 * MINUTES_PER_DAY, 900), (360, 300))
FX_ANCHORS = {"USD": "1.0905", "GBP": "0.8540", "CHF": "0.9620", "JPY": "161.40", "CAD": "1.4770", "AUD": "1.6480"}
FX_PLACES = {"JPY": 2}
FX_WAVES = ((500, 40_000), (90, 18_000), (9, 5_000), (1, 1_500))  # lengths in days


@lru_cache(maxsize=200_000)
def _knot(name: str, length: int, place: int) -> int:
    """A number from -PPM to PPM at each multiple of a wave's length."""
    return number("knot", name, length, place) % (2 * PPM + 1) - PPM


def _wander(name: str, moment: int, waves: tuple[tuple[int, int], ...]) -> int:
    """Sum of the waves at `moment` (in the waves' own unit), in parts per million."""
    total = 0
    for length, height in waves:
        place, rest = divmod(moment, length)
        low, high = _knot(name, length, place), _knot(name, length, place + 1)
        total += height * (low * (length - rest) + high * rest) // (length * PPM)
    return total


@lru_cache(maxsize=100_000)
def ticker_price(ticker: str, minute: int) -> Decimal | None:
    """USD price of a ticker at a minute since the epoch, 8 significant digits; None where nothing prices it."""
    asset = ASSETS.get(ticker)
    if ticker == "USD":
        return Decimal(1)
    if asset is None or asset.anchor is None:
        return None
    waves = STABLE_WAVES if asset.kind == STABLE else WAVES
    return significant(asset.anchor * (PPM + _wander(ticker, minute, waves)) / PPM, PRICE_DIGITS)


def token_price(venue: str, code: str, at_ms: int) -> Decimal | None:
    """USD price of a venue's token in the minute that holds `at_ms`; fiat at the day's reference rate."""
    if not is_priced(venue, code):
        return None
    ticker = ticker_of(venue, code)
    if ticker == "EUR":
        return eur_rate("USD", day_of(at_ms))
    return ticker_price(ticker, at_ms // MS_PER_MINUTE)


def day_of(at_ms: int) -> date:
    """The UTC date of an instant."""
    return datetime.fromtimestamp(at_ms // 1000, UTC).date()


def _easter(year: int) -> date:
    """Easter Sunday (the anonymous Gregorian rule)."""
    a, b, c = year % 19, year // 100, year % 100
    h = (19 * a + b - b // 4 - (b - (b + 8) // 25 + 1) // 3 + 15) % 30
    weekday = (32 + 2 * (b % 4) + 2 * (c // 4) - h - c % 4) % 7
    m = (a + 11 * h + 22 * weekday) // 451
    month, day = divmod(h + weekday - 7 * m + 114, 31)
    return date(year, month, day + 1)


@lru_cache(maxsize=20_000)
def is_working_day(day: date) -> bool:
    """Whether reference rates are published on this date: no weekend, no closing day of the euro's payment system."""
    if day.weekday() >= 5 or (day.month, day.day) in {(1, 1), (5, 1), (12, 25), (12, 26)}:
        return False
    easter = _easter(day.year)
    return day not in {easter - timedelta(days=2), easter + timedelta(days=1)}


@lru_cache(maxsize=50_000)
def published_rate(currency: str, day: date) -> Decimal | None:
    """Units of `currency` for one euro as published on `day`; None on days without publication."""
    if not is_working_day(day):
        return None
    anchor = Decimal(FX_ANCHORS[currency])
    raw = anchor * (PPM + _wander(f"EUR{currency}", day.toordinal(), FX_WAVES)) / PPM
    return near(raw, FX_PLACES.get(currency, 4))


def eur_rate(currency: str, day: date) -> Decimal:
    """The last published rate on or before `day`."""
    rate = published_rate(currency, day)
    while rate is None:
        day -= timedelta(days=1)
        rate = published_rate(currency, day)
    return rate
