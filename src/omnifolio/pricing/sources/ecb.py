"""The euro foreign exchange reference rates of the European Central Bank: one per currency and working day, since 1999.

Two files: all days, and the last 90. The XML is read as a stream of start tags; a document type, an entity or a size beyond the
limit is refused. Source: https://www.ecb.europa.eu/stats/policy_and_exchange_rates/euro_reference_exchange_rates.
"""

import re
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import NoReturn
from xml.parsers import expat

from omnifolio.model import amounts
from omnifolio.model.clock import DAY_MS, EpochMs, start_of_day
from omnifolio.model.errors import InvalidAmount, VenueBadResponse
from omnifolio.model.prices import Rate
from omnifolio.pricing.contract import Ask, Endpoint, Request, body_of, endpoints_of
from omnifolio.transport.egress import Answer

BASE_URL = "https://www.ecb.europa.eu"
RECENT_MS = 80 * DAY_MS
"""What begins later than this before now is in the small file, which holds 90 days."""
RATES_MAX = 1_000_000
"""Rates in one file: forty currencies for a century."""

_CURRENCY = re.compile(r"[A-Z]{3}")


class Ecb:
    """The rate source `ecb`."""

    id = "ecb"

    def __init__(self, *, base_url: str = BASE_URL) -> None:
        self._base = base_url.rstrip("/")

    def endpoints(self) -> Sequence[Endpoint]:
        return endpoints_of(self.id, "/stats/eurofxref/{file}", base=self._base, default=BASE_URL)

    def plan_rates(self, first: EpochMs, last: EpochMs, *, now: EpochMs) -> Ask:
        assert first <= last, "a span of days begins before it ends"
        name = "eurofxref-hist-90d.xml" if first >= now - RECENT_MS else "eurofxref-hist.xml"
        return Ask(requests=(Request(host=self.id, url=f"{self._base}/stats/eurofxref/{name}"),), wants=())

    def parse_rates(self, ask: Ask, answers: Sequence[Answer]) -> Sequence[Rate]:
        (answer,) = answers
        reader = _Reader(answer.received_at)
        reader.read(body_of(self.id, answer))
        if not reader.rates:
            raise VenueBadResponse("ecb: the answer holds no rates")
        return reader.rates


class _Reader:
    """Collects `<Cube time=…>` and the `<Cube currency=… rate=…>` within."""

    def __init__(self, observed_at: EpochMs) -> None:
        self.rates: list[Rate] = []
        self._observed_at = observed_at
        self._day: EpochMs | None = None

    def read(self, body: bytes) -> None:
        parser = expat.ParserCreate()
        parser.StartElementHandler = self._start
        parser.StartDoctypeDeclHandler = _refuse
        parser.EntityDeclHandler = _refuse
        try:
            parser.Parse(body, True)
        except expat.ExpatError as error:
            raise VenueBadResponse(f"ecb: the answer is not XML ({expat.errors.messages.get(error.code, 'error')})") from None

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if name.rpartition(":")[2] != "Cube":
            return
        if "time" in attributes:
            try:
                self._day = start_of_day(date.fromisoformat(attributes["time"]))
            except ValueError:
                raise VenueBadResponse("ecb: a day is not a date") from None
        elif "currency" in attributes:
            self._add(attributes["currency"], attributes.get("rate", ""))

    def _add(self, currency: str, text: str) -> None:
        if self._day is None or not _CURRENCY.fullmatch(currency) or len(self.rates) >= RATES_MAX:
            raise VenueBadResponse("ecb: a rate stands where none may be")
        if text in ("", "N/A"):
            return
        self.rates.append(Rate(currency=currency, day=self._day, rate=_rate(text), source=Ecb.id, observed_at=self._observed_at))


def _rate(text: str) -> Decimal:
    try:
        rate = amounts.parse_amount(text, where="rate")
    except InvalidAmount:
        raise VenueBadResponse("ecb: a rate is not a number") from None
    if rate <= 0:
        raise VenueBadResponse("ecb: a rate is not positive")
    return rate


def _refuse(*_declaration: object) -> NoReturn:
    raise VenueBadResponse("ecb: the answer declares a document type or entities, which rates never need")
