"""Brings missing prices and exchange rates into the ledger: what is held now first, then legs, then the closes of past days.

Every answer is committed as it comes, so a run that is cut off has lost nothing and the next one goes on. A source that fails
costs its own answers only: the next source is asked, and what nobody answered is noted with its reason and asked again later.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Iterable, Sequence

from msgspec import Struct

from omnifolio.ledger import quotes, rates, wanted
from omnifolio.model.clock import DAY_MS, HOUR_MS, Clock, EpochMs
from omnifolio.model.errors import EgressRefused, VenueBusy, VenueError, VenueUnavailable
from omnifolio.model.facts import Quote
from omnifolio.model.prices import ALL_TIME, Absence, Reason, Wanted, bucket_of
from omnifolio.pricing.contract import ANSWER_BYTES_MAX, Ask, Found, PriceSource
from omnifolio.pricing.registry import Sources
from omnifolio.store.engine import Store
from omnifolio.transport.egress import Answer, Egress

WANTS_MAX = 5_000
"""Prices asked in one run."""
PUT_MAX = 250
"""Prices in one transaction, and rates in ten times as many: keeps each below 50 ms."""
RATES_INTERVAL_MS = 3 * HOUR_MS
"""Exchange rates are asked at most this often."""
CLOSES_INTERVAL_MS = HOUR_MS
"""How often the closes of past days are looked over when nothing was missing."""
RECENT_MS = 60 * DAY_MS
"""The days of rates that are brought before anything else."""
RATES_MARGIN_MS = 31 * DAY_MS
"""Rates begin this long before the first transaction, so that its day has one."""
RATES_FIRST = EpochMs(1_230_768_000_000)
"""2009-01-01: no coin is older."""

_log = logging.getLogger(__name__)


class Refreshed(Struct, frozen=True, kw_only=True):
    """What a run did. `more`: there was more to ask than one run may. `failed` names the sources that did not answer."""

    asked: int
    quoted: int
    absent: int
    suspect: int
    rates: int
    failed: tuple[str, ...]
    more: bool


async def refresh_quotes(
    store: Store,
    sources: Sources,
    egress: Egress,
    clock: Clock,
    *,
    wants_max: int = WANTS_MAX,
    with_closes: bool = True,
) -> Refreshed:
    """One bounded run; `with_closes` also brings the closes of past days, which are many.

    The way out must be open for the sources (`Sources.open_way`). Raises only StoreUnavailable: sources that fail are named in
    the result.
    """
    run = _Run(store, sources, egress, clock)
    await store.write_sync(wanted.adopt, sources.digest())
    await run.bring_rates(since=None)
    left = wants_max
    current = await store.read(wanted.held_now, now=run.now)
    left -= await run.bring(current[:left])
    first = await store.read(wanted.first_event)
    if first is not None:
        await run.bring_rates(since=max(RATES_FIRST, EpochMs(first - RATES_MARGIN_MS)))
    had_legs = False
    for page in await store.read(wanted.legs_pages, transactions_max=left) if left > 0 else ():
        left -= await run.bring(page.wants)  # a page is whole commits, so it may go over the limit by one of them
        await store.write_sync(wanted.mark_legs, page)
        had_legs = True
    if left > 0:
        left -= await run.bring(await store.read(quotes.retries, now=run.now, wants_max=left))
    is_due = had_legs or run.now - await store.read(wanted.last_done, "closes") >= CLOSES_INTERVAL_MS
    if with_closes and is_due and left > 0:
        left -= await run.bring(await store.read(wanted.closes_wanted, now=run.now, wants_max=left))
        if left > 0:
            await store.write_sync(wanted.mark_done, "closes", run.now)
    return run.result(more=left <= 0)


class _Run:
    """One run: its instant, what it has counted, and the sources that it gave up on."""

    def __init__(self, store: Store, sources: Sources, egress: Egress, clock: Clock) -> None:
        self._store, self._sources, self._egress = store, sources, egress
        self.now = clock.now()
        self._counts: Counter[str] = Counter()
        self._failed: dict[str, None] = {}
        self._down: set[str] = set()

    def result(self, *, more: bool) -> Refreshed:
        counts = self._counts
        return Refreshed(
            asked=counts["asked"],
            quoted=counts["quoted"],
            absent=counts["absent"],
            suspect=counts["suspect"],
            rates=counts["rates"],
            failed=tuple(self._failed),
            more=more,
        )

    async def bring(self, wants: Sequence[Wanted]) -> int:
        """Asks the sources, in their order, for what is still missing of `wants`; gives how many that were."""
        count = 0
        for start in range(0, len(wants), PUT_MAX * 8):
            missing = await self._store.read(quotes.missing, wants[start : start + PUT_MAX * 8], now=self.now)
            await self._bring(missing)
            count += len(missing)
        return count

    async def _bring(self, wants: Sequence[Wanted]) -> None:
        self._counts["asked"] += len(wants)
        left = list(wants)
        reasons: dict[Wanted, Reason] = {}
        for source in self._sources.prices:
            mine = [want for want in left if source.covers(want)]
            if not mine:
                continue
            for want in mine:
                reasons.setdefault(want, "no_source")
            answered: set[Wanted] = set()
            for ask in source.plan(mine, now=self.now):
                found = await self._found(source, ask)
                if found is None:
                    reasons.update((want, "source_failed") for want in ask.wants if reasons[want] != "spike")
                    continue
                suspects = await self._store_found(ask, found)
                reasons.update((want, "spike") for want in suspects)
                answered |= set(_quoted(ask.wants, found)) - set(suspects)
            left = [want for want in left if want not in answered]
        self._counts["absent"] += len(left)
        await self._store_absences(left, reasons)

    async def _found(self, source: PriceSource, ask: Ask) -> Found | None:
        """What the source answered; None when it failed, and for the rest of the run once it is down or busy."""
        if source.id in self._down:
            return None
        try:
            return source.parse(ask, await self._answers(ask))
        except (VenueError, EgressRefused) as error:
            self._failed[source.id] = None
            if isinstance(error, VenueUnavailable | VenueBusy | EgressRefused):
                self._down.add(source.id)
            _log.warning("fail_price_source source=%s code=%s wants=%d", source.id, error.code, len(ask.wants))
            return None

    async def _answers(self, ask: Ask) -> list[Answer]:
        return [
            await self._egress.request(
                venue=request.host,
                method=request.method,
                url=request.url,
                headers=request.headers,
                body=request.body,
                cost=request.cost,
                is_read=True,  # a price source's POST is a question too, so it may be repeated
                bytes_max=ANSWER_BYTES_MAX,
            )
            for request in ask.requests
        ]

    async def _store_found(self, ask: Ask, found: Found) -> list[Wanted]:
        """Commits the prices, marks the wants that got a coarser one, and gives the wants whose price was not believed."""
        suspects: list[Quote] = []
        for start in range(0, len(found.quotes), PUT_MAX):
            stored = await self._store.write_sync(quotes.put, found.quotes[start : start + PUT_MAX])
            suspects.extend(stored.suspects)
        self._counts["quoted"] += len(found.quotes) - len(suspects)
        self._counts["suspect"] += len(suspects)
        doubtful = _quoted(ask.wants, Found(quotes=tuple(suspects)))
        exact = {(item.token, item.resolution, item.bucket) for item in found.quotes}
        coarse = [
            want
            for want in _quoted(ask.wants, found)
            if (want.token, want.resolution, want.bucket) not in exact and want not in doubtful
        ]
        await self._store_absences(coarse, dict.fromkeys(coarse, "coarser"))
        return doubtful

    async def _store_absences(self, wants: Sequence[Wanted], reasons: "dict[Wanted, Reason]") -> None:
        """Notes why these have no price; a token that no source can know is noted once for all time."""
        absences: dict[tuple[str, int, int], Absence] = {}
        for want in wants:
            reason = reasons.get(want)
            resolution, bucket = (ALL_TIME, EpochMs(0)) if reason is None else (want.resolution, want.bucket)
            absences[want.token, resolution, bucket] = Absence(
                token=want.token,
                bucket=bucket,
                resolution=resolution,
                reason=reason or "no_source",
                source="",
                observed_at=self.now,
            )
        every = list(absences.values())
        for start in range(0, len(every), PUT_MAX):
            await self._store.write_sync(quotes.put, (), every[start : start + PUT_MAX])

    async def bring_rates(self, *, since: EpochMs | None) -> None:
        """Asks for the exchange rates that are not stored: the recent ones, or all `since` a day."""
        span = await self._store.read(rates.rates_span)
        today = bucket_of(self.now, DAY_MS)
        if since is None:
            task, first, is_needed = "rates", EpochMs(today - RECENT_MS), span is None or span[1] < today
        else:
            task, first = "rates-history", bucket_of(since, DAY_MS)
            is_needed = span is None or span[0] > first + RATES_MARGIN_MS // 2
        if not is_needed or self.now - await self._store.read(wanted.last_done, task) < RATES_INTERVAL_MS:
            return
        source = self._sources.rates
        ask = source.plan_rates(first, today, now=self.now)
        try:
            found = await asyncio.to_thread(source.parse_rates, ask, await self._answers(ask))
        except (VenueError, EgressRefused) as error:
            self._failed[source.id] = None
            _log.warning("fail_rate_source source=%s code=%s", source.id, error.code)
            return
        kept = [rate for rate in found if rate.day >= RATES_FIRST]
        for start in range(0, len(kept), PUT_MAX * 10):
            self._counts["rates"] += await self._store.write_sync(rates.put_rates, kept[start : start + PUT_MAX * 10])
        await self._store.write_sync(wanted.mark_done, task, self.now)


def _quoted(wants: Iterable[Wanted], found: Found) -> list[Wanted]:
    """Those of the wants for which there is a quote: of their own bucket, or of the hour where a minute was wanted."""
    there = {(item.token, item.resolution, item.bucket) for item in found.quotes}
    return [
        want
        for want in wants
        if (want.token, want.resolution, want.bucket) in there
        or (want.resolution < HOUR_MS and (want.token, HOUR_MS, bucket_of(want.at, HOUR_MS)) in there)
    ]
