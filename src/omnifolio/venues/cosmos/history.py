"""The stream `transfers/<chain>`: every transaction that a node's index knows of an address, oldest first.

An index answers one question at a time, so several lists are read: what spent the address's coins (its fees are among them), what
paid it, and what it sent, which is all that old software tells. Each page begins at the height at which the last one ended, so no
row is missed when a node drops old ones; blocks are final at once, and the last ones are read again for an index that is late.
"""

from collections.abc import AsyncIterator, Sequence

import msgspec
from msgspec import Struct, structs

from omnifolio.catalog.cosmos_chains import CosmosChain
from omnifolio.model.clock import EpochMs
from omnifolio.model.errors import VenueBadResponse
from omnifolio.model.facts import Batch, Claim, Cursor, Evidence, Gap, Interval
from omnifolio.model.tokens import TokenFacts, TokenId
from omnifolio.venues.answers import shaped
from omnifolio.venues.contract import Access, received_at
from omnifolio.venues.cosmos.denoms import facts_of, origins_of, traces_asked
from omnifolio.venues.cosmos.held import wallets_of
from omnifolio.venues.cosmos.movements import Subject, claims_of
from omnifolio.venues.cosmos.rest import Node, behind_of, header_of, lowest_of, refusal_of
from omnifolio.venues.cosmos.search import FOUND, LISTS, Place, Search
from omnifolio.venues.cosmos.shapes import Found, One, Told
from omnifolio.venues.depth import depth_of
from omnifolio.venues.unwanted import not_wanted

LATE_BLOCKS = 30
"""Blocks that are read again: an index may be a little behind the chain, and one server of many behind another."""
NEAR_BLOCKS = 2_000
"""How near to the wanted day the first block must be that history is read from."""
STEPS_MAX = 40
ONE = "one"
"""What tells a transaction by itself."""
_TIP, _FIRST, _SEEK = "tip", "first", "seek"


class Mark(Struct, frozen=True, omit_defaults=True):
    """How far each list was read."""

    places: dict[str, Place] = {}


class History:
    """One read of the stream."""

    def __init__(self, access: Access, subject: Subject, *, url: str, since: Cursor) -> None:
        self._access = access
        self._subject = subject
        self._stream = since.stream
        self._node = Node(access, subject.chain, url=url, stream=since.stream)
        self._mark = msgspec.json.decode(since.token or "{}", type=Mark)
        self._wanted = depth_of(access.fields).since
        self._named: set[TokenId] = set()
        """Bridged coins whose origin was asked for in this read."""

    async def pages(self) -> AsyncIterator[Batch]:
        """Pages, each with the bookmark behind it. Raises: VenueError and its kin."""
        tip = await self._node.block(_TIP, "latest", **self._about())
        top = int(header_of(tip, self._subject.chain).height)
        begin = min((self._mark.places.get(name, Place()).height for name in LISTS), default=0)
        if not begin and self._wanted is not None:
            begin = await self._seek(top)
        first = await self._first(max(begin, 1))
        search = Search(self._node, self._subject.address, floor=lowest_of(first[0]) or max(begin, 1))
        for name in LISTS:
            async for evidence, place in search.pages(name, self._mark.places.get(name, Place(height=begin))):
                self._mark = Mark({**self._mark.places, name: place})
                yield await self._page(evidence)
            ended = self._mark.places.get(name, Place(height=begin))
            self._mark = Mark({**self._mark.places, name: Place(max(ended.height, top - LATE_BLOCKS), pages=ended.pages)})
        yield structs.replace(self._decoded([tip, *first]), done=True)

    async def _first(self, height: int) -> list[Evidence]:
        """The block from which on history is read: the one at `height`, else the refusal and the lowest that the node keeps."""
        asked = await self._node.block(_FIRST, str(height))
        lowest = lowest_of(asked)
        return [asked] if lowest is None else [asked, await self._node.block(_FIRST, str(lowest))]

    async def _seek(self, top: int) -> int:
        """A height a little before the day from which on history is wanted."""
        low, high = 1, top
        for _ in range(STEPS_MAX):
            if high - low <= NEAR_BLOCKS:
                break
            middle = (low + high) // 2
            asked = await self._node.block(_SEEK, str(middle))
            lowest = lowest_of(asked)
            if lowest is not None and lowest > middle:
                low = min(lowest, high)
            elif header_of(asked, self._subject.chain).at < (self._wanted or 0):
                low = middle
            else:
                high = middle
        return low

    async def _page(self, evidence: Sequence[Evidence]) -> Batch:
        """A page of a list, with the names of bridged coins that nobody knows yet."""
        asked = [structs.replace(item, params={**item.params, **self._about()}) for item in evidence]
        denoms = {denom for told in _told(evidence) for denom in claims_of(self._subject, told)[1]}
        traces = await traces_asked(self._node, self._subject.chain, denoms, self._access.known.tokens | self._named)
        self._named |= {self._subject.chain.token(item.params["denom"]) for item in traces}
        return self._decoded([*asked, *traces])

    def _about(self) -> dict[str, str]:
        return {"wallet": self._subject.address, "wanted": "" if self._wanted is None else str(self._wanted)}

    def _decoded(self, evidence: Sequence[Evidence]) -> Batch:
        batch = decode_history(self._subject.chain, self._stream, evidence)
        return structs.replace(batch, cursor=Cursor(self._stream, msgspec.json.encode(self._mark).decode()))


def decode_history(chain: CosmosChain, stream: str, evidence: Sequence[Evidence]) -> Batch:
    """The facts of one page out of its raw answers alone; the cursor is empty. Raises: VenueBadResponse."""
    params = evidence[0].params
    subject, at = Subject(chain, params["wallet"]), received_at(evidence)
    wanted = EpochMs(int(params["wanted"] or 0))
    batch = Batch(
        cursor=Cursor(stream),
        observed_at=at,
        tokens=(chain.native,),
        wallets=wallets_of(subject),
        gaps=not_wanted(stream, params["wanted"]),
        evidence=tuple(evidence),
    )
    if params["read"] not in (FOUND, ONE):
        return _ended(chain, stream, evidence, batch, wanted)
    origins = origins_of(evidence)
    claims: dict[str, Claim] = {}
    tokens: dict[str, TokenFacts] = {chain.native.id: chain.native}
    untold = 0
    for place, item in enumerate(evidence):
        untold += item.params["read"] == FOUND and item.status != 200
        for told in _told([item]):
            if told.at < wanted:
                continue
            untold += not told.events
            found, denoms = claims_of(subject, told, evidence=place)
            claims |= {claim.ref: claim for claim in found}
            tokens |= {facts.id: facts for facts in (facts_of(chain, denom, origins) for denom in denoms)}
    text = f"the node lists {untold} transactions and does not tell what they did"
    gaps = (Gap(stream=stream, code="events_unread", text=text),) if untold else ()
    return structs.replace(batch, tokens=tuple(tokens.values()), claims=tuple(claims.values()), gaps=(*batch.gaps, *gaps))


def _told(evidence: Sequence[Evidence]) -> list[Told]:
    """The transactions in answers. Raises: VenueBadResponse."""
    lists = [shaped(item.body, Found).rows for item in evidence if item.params["read"] == FOUND and item.status == 200]
    alone = [shaped(item.body, One).tx_response for item in evidence if item.params["read"] == ONE]
    return [*(told for rows in lists for told in rows), *alone]


def _ended(chain: CosmosChain, stream: str, evidence: Sequence[Evidence], batch: Batch, wanted: EpochMs) -> Batch:
    """The page that ends a read: from when on everything was told, and what lies before that."""
    tip, first = header_of(evidence[0], chain), evidence[-1]
    end = tip.at if behind_of(evidence[0], tip, stream) else evidence[0].received_at
    if first.status != 200:
        text = f"the node does not say from when on it keeps transactions: {refusal_of(first)[:80]}"
        return structs.replace(batch, gaps=(*batch.gaps, Gap(stream=stream, code="depth_unknown", text=text)))
    header = header_of(first, chain)
    begin = EpochMs(0) if header.height == "1" else header.at
    gaps = batch.gaps
    if lowest_of(evidence[1]) is not None and begin > wanted:
        text = f"the node keeps nothing before block {header.height}; coins that were there then came by what it does not tell"
        gaps = (*gaps, Gap(stream=stream, code="history_pruned", text=text, end=begin))
    if end < begin:
        raise VenueBadResponse("the node's newest block is older than its first")
    return structs.replace(batch, covered=(Interval(max(begin, wanted), max(end, wanted)),), gaps=gaps)
