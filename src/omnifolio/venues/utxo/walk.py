"""Both streams of a wallet at an explorer that tells of single addresses: a gap scan address by address, and each one's history.

An address's transactions come newest first, so a walk goes down from the newest block to what was read before, address by
address; the bookmark says how far it has come, and only a walk that has ended lifts the floor. Above the final blocks everything
is read again each time. A page holds whole transactions, so each is a claim by itself, whatever address it was found at.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from urllib.parse import quote

from msgspec import Struct, structs

from omnifolio.catalog.utxo_chains import Source, UtxoChain
from omnifolio.model.clock import EpochMs
from omnifolio.model.errors import VenueBadResponse, VenueBusy, VenueUnavailable
from omnifolio.model.facts import Batch, Claim, Cursor, Evidence, Finality, Interval, Rewind
from omnifolio.venues.contract import Access, received_at
from omnifolio.venues.depth import depth_of
from omnifolio.venues.unwanted import not_wanted
from omnifolio.venues.utxo.blockbook import Blockbook
from omnifolio.venues.utxo.electrum_balances import balances_params, snapshot_of
from omnifolio.venues.utxo.esplora import Esplora
from omnifolio.venues.utxo.marks import BalancesMark, WalkMark, read_mark, write_mark
from omnifolio.venues.utxo.movements import Coin, Transaction, claim_of
from omnifolio.venues.utxo.scan import Scan
from omnifolio.venues.utxo.scripts import address_of
from omnifolio.venues.utxo.site import Site, Stated, StatedCoin, Summary
from omnifolio.venues.utxo.subject import Place, Subject, subject_of

SITES: Mapping[str, Site] = {"esplora": Esplora(), "blockbook": Blockbook()}
AT_ONCE = 8
"""Requests under way at the same time."""
TRIES_MAX = 3
"""Scans while the chain moves under them."""
KNOWN_HEIGHTS_MAX = 200
"""Provisional heights that are compared in one read; each costs a request."""
_SUMMARY, _PAGE, _WAITING, _KNOWN, _TIP = "summary", "page", "waiting", "known", "tip"


class Found(Struct, frozen=True):
    """What a scan found: its end in each branch, the newest block's height, and the summaries with their evidence."""

    ends: tuple[int, ...]
    tip: int
    summaries: dict[Place, Summary]
    evidence: list[Evidence]


class Walk:
    """One read of either stream."""

    def __init__(self, access: Access, subject: Subject, *, source: Source, since: Cursor) -> None:
        self._access = access
        self._subject = subject
        self._source = source
        self._site = SITES[source.protocol]
        self._since = since
        self._wanted = depth_of(access.fields).since
        if not access.base_url:
            access.egress.limit(access.venue, address=self._site.budget)

    async def balances(self) -> AsyncIterator[Batch]:
        """The one page of what the wallet holds. Raises: VenueError and its kin."""
        found = await self._scanned(read_mark(self._since.token, BalancesMark).ends)
        batch = decode(self._subject.chain, self._since.stream, found.evidence)
        cursor = Cursor(self._since.stream, write_mark(BalancesMark(ends=found.ends)))
        yield structs.replace(batch, cursor=cursor, done=True)

    async def history(self) -> AsyncIterator[Batch]:
        """Pages of the wallet's transactions. Raises: VenueError and its kin."""
        mark = read_mark(self._since.token, WalkMark)
        opening = await self._moved()
        while True:
            is_resumed = bool(mark.place)
            found = await self._scanned(mark.ends)
            if not is_resumed:
                mark = structs.replace(mark, top=found.tip, aims=found.ends)
            async for page, reached in self._walk(found, mark):
                yield self._page([*opening, page], reached)
                opening = []
            # What has become known during the walk is walked as new the next time.
            floor = mark.top - self._subject.chain.confirmations + 1
            mark = structs.replace(mark, floor=floor, ends=mark.aims, place="", after="")
            if not is_resumed:
                break
        waiting = [place for place, summary in found.summaries.items() if summary.waiting]
        now = self._access.clock.now()
        evidence = await self._waiting(waiting, found, mark, now)
        seen = _seen(evidence)
        yield structs.replace(self._page([*opening, *evidence], structs.replace(mark, seen=seen)), done=True)

    async def _walk(self, found: Found, mark: WalkMark) -> AsyncIterator[tuple[Evidence, WalkMark]]:
        """Pages of each used address, with the bookmark behind each."""
        begin = Place.read(mark.place) if mark.place else Place(0, 0)
        for place in sorted(place for place, summary in found.summaries.items() if summary.settled and place >= begin):
            floor = mark.floor if _was_known(place, mark) else 0
            after = mark.after if place == begin else ""
            while True:
                path = self._site.page_path(self._address(place), after=after, top=mark.top)
                evidence = await self._ask(_PAGE, path, **self._params(found, floor=floor, tip=mark.top))
                stated = self._site.transactions(self._subject.chain, evidence.body)
                after = self._site.next_after(evidence.body, stated, after=after)
                mark = structs.replace(mark, place=str(place), after=after)
                if any(_is_above(one, floor, self._wanted) for one in stated):
                    yield evidence, mark if after else structs.replace(mark, place=str(_next(place)))
                if not after or not stated or not _is_above(stated[-1], floor, self._wanted):
                    break

    def _page(self, evidence: Sequence[Evidence], mark: WalkMark) -> Batch:
        batch = decode(self._subject.chain, self._since.stream, evidence)
        return structs.replace(batch, cursor=Cursor(self._since.stream, write_mark(mark)))

    async def _waiting(self, places: Sequence[Place], found: Found, mark: WalkMark, now: EpochMs) -> list[Evidence]:
        """What waits for a block, and the newest height, which ends the stream."""
        params = self._params(found, floor=0, tip=found.tip)
        kept = [
            await self._ask(_WAITING, self._site.waiting_path(self._address(place), top=found.tip), **params) for place in places
        ]
        names = [one.name for item in kept for one in self._site.transactions(self._subject.chain, item.body)]
        seen = ",".join(f"{name}:{mark.seen.get(name, now)}" for name in dict.fromkeys(names))
        return [*kept, await self._ask(_TIP, self._site.tip_path(), seen=seen, last="yes", **params)]

    async def _moved(self) -> list[Evidence]:
        """What became of the blocks that earlier reads saw as provisional."""
        heights = sorted(self._access.known.provisional.items())[:KNOWN_HEIGHTS_MAX]
        asked = [self._ask(_KNOWN, self._site.block_path(height), height=str(height), hash=name) for height, name in heights]
        return [item for item in await asyncio.gather(*asked) if item.status < 400]

    async def _scanned(self, ends: tuple[int, ...]) -> Found:
        """The gap scan, between two looks at one newest block. Raises: VenueUnavailable."""
        for _ in range(TRIES_MAX):
            before = await self._tip()
            scan = Scan(self._subject, ends=ends)
            summaries: dict[Place, Summary] = {}
            evidence: list[Evidence] = []
            while places := scan.next_places():
                kept = await self._summaries(places)
                found = dict(zip(places, (self._site.summary(item.body) for item in kept), strict=True))
                scan.used(place for place, summary in found.items() if summary.settled or summary.waiting)
                summaries |= {place: summary for place, summary in found.items() if summary.settled or summary.waiting}
                evidence += kept
            if await self._tip() == before:
                return Found(scan.ends, before, summaries, evidence)
        raise VenueUnavailable("the chain moved each time that it was read")

    async def _summaries(self, places: Sequence[Place]) -> list[Evidence]:
        kept: list[Evidence] = []
        for start in range(0, len(places), AT_ONCE):
            paths = [self._site.summary_path(self._address(place)) for place in places[start : start + AT_ONCE]]
            params = balances_params(self._access, self._subject)
            kept += await asyncio.gather(*(self._ask(_SUMMARY, path, **params) for path in paths))
        return kept

    async def _tip(self) -> int:
        return self._site.tip((await self._ask(_TIP, self._site.tip_path())).body)

    def _address(self, place: Place) -> str:
        return quote(self._subject.address(place), safe=":")

    def _params(self, found: Found, *, floor: int, tip: int) -> dict[str, str]:
        final = tip - self._subject.chain.confirmations + 1
        ends = ",".join(map(str, found.ends))
        wanted = "" if self._wanted is None else str(self._wanted)
        return {"wallet": self._subject.text, "ends": ends, "floor": str(floor), "final": str(final), "wanted": wanted}

    async def _ask(self, kind: str, path: str, **params: str) -> Evidence:
        """One answer as evidence; that a block is not there is one. Raises: VenueBusy, VenueUnavailable, VenueBadResponse."""
        answer = await self._access.egress.request(
            venue=self._access.venue,
            method="GET",
            url=self._source.url.rstrip("/") + path,
            key_label=self._access.key_label,
        )
        if answer.status == 429:
            raise VenueBusy("the server asked us to slow down")
        if answer.status >= 500:
            raise VenueUnavailable(f"the server answered with HTTP status {answer.status}")
        if answer.status >= 400 and kind != _KNOWN:
            raise VenueBadResponse(
                f"the server refuses to answer (HTTP status {answer.status}); the history may be too long for it"
            )
        return Evidence(
            stream=self._since.stream,
            request=f"GET {path.partition('?')[0]}",
            params={"site": self._source.protocol, "read": kind, **params},
            status=answer.status,
            received_at=answer.received_at,
            body=answer.body,
        )


def _next(place: Place) -> Place:
    return Place(place.branch, place.index + 1)


def _was_known(place: Place, mark: WalkMark) -> bool:
    return place.branch < len(mark.ends) and place.index < mark.ends[place.branch]


def _is_above(stated: Stated, floor: int, wanted: int | None) -> bool:
    """The transaction lies above what was read before, and not before the day from which on it is wanted."""
    is_early = wanted is not None and stated.at is not None and stated.at < wanted
    return stated.height is None or (stated.height > floor and not is_early)


def decode(chain: UtxoChain, stream: str, evidence: Sequence[Evidence]) -> Batch:
    """The facts of one page out of its raw answers alone; the cursor is empty. Raises: VenueBadResponse."""
    site = SITES[evidence[0].params["site"]]
    subject = subject_of(chain.id, next(item.params["wallet"] for item in evidence if "wallet" in item.params))
    summaries = [site.summary(item.body) for item in evidence if item.params["read"] == _SUMMARY]
    if summaries:
        return snapshot_of(subject, stream, evidence, units=sum(summary.units for summary in summaries))
    claims: dict[str, Claim] = {}
    seen = _seen(evidence)
    for index, item in enumerate(evidence):
        if item.params["read"] in (_PAGE, _WAITING):
            for stated in site.transactions(chain, item.body):
                claim = _claim_of_page(subject, item.params, stated, seen=seen, index=index)
                if claim is not None:
                    claims[claim.ref] = claim
    is_last = any("last" in item.params for item in evidence)
    wanted = next((item.params["wanted"] for item in evidence if "wanted" in item.params), "")
    moved = [
        int(item.params["height"])
        for item in evidence
        if item.params["read"] == _KNOWN and site.block_hash(item.body) != item.params["hash"]
    ]
    at = received_at(evidence)
    return Batch(
        cursor=Cursor(stream),
        observed_at=at,
        tokens=(chain.native,),
        wallets=(subject.facts(),),
        claims=tuple(claims.values()),
        covered=(Interval(EpochMs(int(wanted or 0)), at),) if is_last else (),
        gaps=not_wanted(stream, wanted),
        rewind=Rewind(stream, min(moved) - 1) if moved else None,
        pending_complete=is_last,
        evidence=tuple(evidence),
    )


def batch_of(subject: Subject, cursor: Cursor, found: Sequence[Stated], *, ends: tuple[int, ...], observed_at: EpochMs) -> Batch:
    """Transactions that are long settled, as a page without evidence. Raises: VenueBadResponse."""
    claims = [_claim(subject, stated, ends=ends, finality="final", at=stated.at or observed_at, index=None) for stated in found]
    return Batch(
        cursor=cursor,
        observed_at=observed_at,
        tokens=(subject.chain.native,),
        wallets=(subject.facts(),),
        claims=tuple({claim.ref: claim for claim in claims if claim is not None}.values()),
        done=True,
    )


def _claim_of_page(
    subject: Subject, params: Mapping[str, str], stated: Stated, *, seen: Mapping[str, EpochMs], index: int
) -> Claim | None:
    height = stated.height
    wanted = int(params["wanted"]) if params.get("wanted") else None
    if not _is_above(stated, int(params["floor"]), wanted):
        return None
    at = stated.at if stated.at is not None else seen.get(stated.name)
    if at is None:
        raise VenueBadResponse("the server does not say when a transaction was made")
    finality: Finality = "pending" if height is None else "final" if height <= int(params["final"]) else "provisional"
    ends = tuple(map(int, params["ends"].split(",")))
    return _claim(subject, stated, ends=ends, finality=finality, at=at, index=index)


def _claim(
    subject: Subject, stated: Stated, *, ends: tuple[int, ...], finality: Finality, at: EpochMs, index: int | None
) -> Claim | None:
    own = subject.scripts(ends)

    def coin(one: StatedCoin) -> Coin:
        return Coin(one.units, one.script in own, address_of(subject.chain, one.script) if one.script else None)

    moved = Transaction(
        name=stated.name,
        inputs=tuple(map(coin, stated.inputs)),
        outputs=tuple(map(coin, stated.outputs)),
        is_coinbase=stated.is_coinbase,
        at=at,
        height=stated.height,
        block_hash=stated.block_hash,
    )
    return claim_of(subject, moved, finality=finality, evidence=index)


def _seen(evidence: Sequence[Evidence]) -> dict[str, EpochMs]:
    pairs = (entry.partition(":") for item in evidence for entry in filter(None, item.params.get("seen", "").split(",")))
    return {name: EpochMs(int(at)) for name, _, at in pairs}
