"""What a price source is asked and what it must give back: the joint between sources and everything that stores prices.

A source plans requests out of what is wanted and parses their answers; it sends nothing itself, so that every recorded answer is
a test. What it does not list it names; what it gives is exact.
"""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Protocol, TypeVar

import msgspec
from msgspec import Struct

from omnifolio.model import amounts
from omnifolio.model.clock import DAY_MS, HOUR_MS, MINUTE_MS, EpochMs
from omnifolio.model.errors import InvalidAmount, ResponseTooLarge, VenueBadResponse, VenueBanned, VenueBusy, VenueUnavailable
from omnifolio.model.facts import Quote
from omnifolio.model.prices import BRIDGE, NOW_INTERVAL_MS, Absence, Rate, Reason, Wanted, bucket_of
from omnifolio.transport.egress import Answer

T = TypeVar("T")

ANSWER_BYTES_MAX = 16 * 1024 * 1024
"""No answer of a price source is larger than this."""
CLOSE_DISTANCE_MS = DAY_MS // 2
"""A price this far from a day's end can still be its close."""


class Request(Struct, frozen=True, kw_only=True):
    """One HTTP request. `host` is the id of the source whose server it goes to; `cost` its weight in that server's limits."""

    host: str
    method: str = "GET"
    url: str
    headers: Mapping[str, str] = {}
    body: bytes | None = None
    cost: int = 1


class Endpoint(Struct, frozen=True, kw_only=True):
    """One kind of request that a source makes, for the allow-list of the way out.

    `url` is origin and path; `{name}` in it stands for one path segment. `is_configured`: the operator wrote the base URL.
    """

    host: str
    method: str
    url: str
    is_configured: bool


class Ask(Struct, frozen=True, kw_only=True):
    """Requests whose answers are parsed together, and the prices that they are to bring."""

    requests: tuple[Request, ...]
    wants: tuple[Wanted, ...]


class Found(Struct, frozen=True, kw_only=True):
    """What a source answered: prices, and the named absence of what it does not have."""

    quotes: tuple[Quote, ...] = ()
    absences: tuple[Absence, ...] = ()


class PriceSource(Protocol):
    """One source of prices: stateless, pure."""

    id: str

    def endpoints(self) -> Sequence[Endpoint]:
        """Everything that `plan` may ask."""
        ...

    def covers(self, want: Wanted) -> bool:
        """Whether the source can know this token at that time, judged without asking it."""
        ...

    def plan(self, wants: Sequence[Wanted], *, now: EpochMs) -> Sequence[Ask]:
        """The requests that bring the wanted prices, within the source's own limits. All of `wants` are covered."""
        ...

    def parse(self, ask: Ask, answers: Sequence[Answer]) -> Found:
        """The prices in the answers to one ask. Every want is either quoted or absent. Raises: VenueError and its kin."""
        ...


class RateSource(Protocol):
    """One source of daily exchange rates."""

    id: str

    def endpoints(self) -> Sequence[Endpoint]:
        """Everything that `plan_rates` may ask."""
        ...

    def plan_rates(self, first: EpochMs, last: EpochMs, *, now: EpochMs) -> Ask:
        """The requests that bring the rates of the days from `first` to `last`."""
        ...

    def parse_rates(self, ask: Ask, answers: Sequence[Answer]) -> Sequence[Rate]:
        """The rates in the answers. Raises: VenueError and its kin."""
        ...


def endpoints_of(host: str, *paths: str, base: str, default: str, method: str = "GET") -> tuple[Endpoint, ...]:
    """The endpoints under a base URL, which is the operator's where it is not the default."""
    return tuple(Endpoint(host=host, method=method, url=base + path, is_configured=base != default) for path in paths)


def body_of(source: str, answer: Answer) -> bytes:
    """The body of a successful answer. Raises: VenueBusy, VenueBanned, VenueUnavailable, VenueBadResponse, ResponseTooLarge."""
    if answer.status in (418, 429):
        raw = answer.headers.get("retry-after", "")
        kind = VenueBanned if answer.status == 418 else VenueBusy
        raise kind(f"{source} asked us to slow down", retry_after_s=float(raw) if raw.isdecimal() and len(raw) < 8 else 0.0)
    if answer.status >= 500:
        raise VenueUnavailable(f"{source} answered with status {answer.status}")
    if answer.status != 200:
        raise VenueBadResponse(f"{source} answered with status {answer.status}")
    if len(answer.body) > ANSWER_BYTES_MAX:
        raise ResponseTooLarge(f"{source}: the answer has more than {ANSWER_BYTES_MAX} bytes")
    return answer.body


def decoded(source: str, answer: Answer, decoder: "msgspec.json.Decoder[T]") -> T:
    """The answer's JSON in the shape of the decoder. Raises: VenueBadResponse, and what `body_of` raises."""
    body = body_of(source, answer)
    try:
        return decoder.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        raise VenueBadResponse(f"{source}: the answer is not what its documentation says") from None


def usable(price: Decimal | None) -> Decimal | None:
    """`price` if it can be one: finite, positive, within the limits of amounts; else None."""
    if price is None:
        return None
    try:
        value = amounts.bounded(price, where="price")
    except InvalidAmount:
        return None
    return value if value > 0 else None


def quote(want: Wanted, price: Decimal, *, source: str, observed_at: EpochMs, resolution: int, route: str = "") -> Quote:
    """The quote that answers `want` in a bucket of the given length."""
    return Quote(
        token=want.token,
        currency=BRIDGE,
        bucket=bucket_of(want.at, resolution),
        resolution=resolution,
        price=price,
        source=source,
        route=route,
        observed_at=observed_at,
    )


def absence(want: Wanted, reason: Reason, *, source: str, observed_at: EpochMs) -> Absence:
    """That `want` stays open, and why."""
    return Absence(
        token=want.token,
        bucket=want.bucket,
        resolution=want.resolution,
        reason=reason,
        source=source,
        observed_at=observed_at,
    )


def settle(
    want: Wanted, points: Sequence[tuple[EpochMs, Decimal]], *, source: str, observed_at: EpochMs, route: str = ""
) -> Quote | None:
    """The quote for `want` out of prices at instants (sorted by time): the nearest one, in the finest bucket honest for it.

    A price of the wanted instant's own minute makes a minute's quote, one within an hour an hour's; a day's close is made by the
    nearest price within half a day. None when all are further away: a price from elsewhere in the day is no close.
    """
    place = bisect_left(points, want.at, key=lambda point: point[0])
    near = points[max(place - 1, 0) : place + 1]
    if not near:
        return None
    at, price = min(near, key=lambda point: abs(point[0] - want.at))
    distance = abs(at - want.at)
    if want.resolution == DAY_MS:
        resolution = DAY_MS if distance <= CLOSE_DISTANCE_MS else 0
    elif bucket_of(at, MINUTE_MS) == bucket_of(want.at, MINUTE_MS):
        resolution = want.resolution
    else:
        resolution = HOUR_MS if distance <= HOUR_MS else 0
    if not resolution:
        return None
    return quote(want, price, source=source, observed_at=observed_at, resolution=resolution, route=route)


def settle_now(want: Wanted, price: Decimal, *, at: EpochMs, source: str, observed_at: EpochMs, route: str = "") -> Quote | None:
    """The quote for a price of now that the source last updated at `at`: it holds in the wanted minute if it is recent."""
    if abs(want.at - at) <= NOW_INTERVAL_MS:
        at = want.at
    return settle(want, [(at, price)], source=source, observed_at=observed_at, route=route)


def is_now(want: Wanted, now: EpochMs) -> bool:
    """Whether a source's current price answers the want."""
    return want.resolution == MINUTE_MS and abs(now - want.at) <= NOW_INTERVAL_MS


def answer_all(wants: Sequence[Wanted], quotes: Mapping[Wanted, Quote | None], *, source: str, observed_at: EpochMs) -> Found:
    """What was found for all `wants`: their quotes, and `no_source` for the others."""
    found = tuple(item for want in wants if (item := quotes.get(want)) is not None)
    absent = tuple(
        absence(want, "no_source", source=source, observed_at=observed_at) for want in wants if quotes.get(want) is None
    )
    return Found(quotes=found, absences=absent)
