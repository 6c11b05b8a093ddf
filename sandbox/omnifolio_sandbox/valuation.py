"""What the world's holdings and movements were worth: one value per trade, in US dollars and euros, exact.

USD is the bridge: a euro value is the USD value divided by the reference rate of the day, rounded half-even to 12
places; nothing else is rounded. What nothing prices has no value (None), never zero.
"""

from decimal import Decimal

from omnifolio_sandbox.amounts import divide, text
from omnifolio_sandbox.world.book import PRINCIPAL, Event, Leg
from omnifolio_sandbox.world.prices import day_of, eur_rate, token_price
from omnifolio_sandbox.world.tokens import FIAT, STABLE, kind_of, ticker_of, token_id

EUR_PLACES = 12
MAJORS = ("BTC", "ETH")
Value = dict[str, str] | None


def usd_of(venue: str, code: str, amount: Decimal, at_ms: int) -> Decimal | None:
    """`amount` at the token's own quote in the minute of `at_ms`; None without a price."""
    price = token_price(venue, code, at_ms)
    return None if price is None else amount * price


def shown(usd: Decimal | None, at_ms: int) -> Value:
    """A USD amount in both currencies, as canonical strings."""
    if usd is None:
        return None
    return {"USD": text(usd), "EUR": text(divide(usd, eur_rate("USD", day_of(at_ms)), EUR_PLACES))}


def leg_values(venue: str, event: Event) -> list[Decimal | None]:
    """USD value of each leg of an event, in their order.

    A trade has one value: that of its fiat leg, else of its stablecoin leg, else of its major leg, else of its first
    priced leg by token id; the opposite leg takes it with its own sign. Dust (several tokens into one), fees and
    everything that is no trade are valued leg by leg.
    """
    own = [usd_of(venue, leg.code, leg.amount, event.at) for leg in event.legs]
    principals = [place for place, leg in enumerate(event.legs) if leg.role == PRINCIPAL]
    if event.type != "trade" or len(principals) != 2:
        return own
    priced = [place for place in principals if own[place] is not None]
    if not priced:
        return own
    anchor = min(priced, key=lambda place: _rank(venue, event.legs[place]))
    value = own[anchor]
    assert value is not None
    other = principals[1] if principals[0] == anchor else principals[0]
    own[other] = -value
    return own


def _rank(venue: str, leg: Leg) -> tuple[int, str]:
    kind, ticker = kind_of(venue, leg.code), ticker_of(venue, leg.code)
    if kind == FIAT:
        return 0, ticker
    if kind == STABLE:
        return 1, ticker
    if ticker in MAJORS:
        return 2 + MAJORS.index(ticker), ticker
    return 9, token_id(venue, leg.code)
