"""The stream `transfers/<ledger>`: every validated transaction that touched an account, newest first.

The bookmark holds the ledger up to which all was read, and, while a walk is under way, where it is. The next walk begins a few
ledgers below the last one's top, so that a server that was late with a transaction cannot hide it. A server keeps ledgers from
some number on: where it does not reach down to what is wanted, the hole is a gap with its times.
"""

from collections.abc import AsyncIterator, Sequence

import msgspec
from msgspec import Raw, Struct, structs

from omnifolio.catalog.xrpl_chains import XrplChain
from omnifolio.model.clock import EpochMs
from omnifolio.model.errors import VenueUnavailable
from omnifolio.model.facts import Batch, Cursor, Evidence, Gap, Interval
from omnifolio.model.tokens import TokenFacts
from omnifolio.venues.contract import Access, received_at
from omnifolio.venues.depth import depth_of
from omnifolio.venues.unwanted import not_wanted
from omnifolio.venues.xrpl.balances import unread_gap, wallet_of
from omnifolio.venues.xrpl.changes import made
from omnifolio.venues.xrpl.movements import Subject, moved
from omnifolio.venues.xrpl.rpc import NOT_FOUND, Server, reply_of
from omnifolio.venues.xrpl.shapes import Ledger, Row, Transactions, instant, row_of

PAGE = 100
"""Transactions in one answer; each may be some ten thousand bytes."""
OVERLAP = 20
"""Ledgers that are read again, about a minute and a half."""
SINGLE = "single"
_LIST, _OLDEST = "list", "oldest"
_NONE = b"null"
_PRUNED = "ledgers_pruned"


class Mark(Struct, frozen=True, omit_defaults=True):
    """`floor`: all up to that ledger was read, at `read_at`, from the instant `begin` on. `top` and `marker`: the walk under way.

    `is_born`: the walk has met the transaction that made the account, so there is nothing before it.
    """

    floor: int = 0
    read_at: int = 0
    begin: int = 0
    top: int = 0
    marker: Raw = Raw(_NONE)
    is_born: bool = False


class History:
    """One read of the stream."""

    def __init__(self, access: Access, subject: Subject, *, url: str, since: Cursor) -> None:
        self._subject = subject
        self._stream = since.stream
        self._server = Server(access, url=url, stream=since.stream)
        self._mark = msgspec.json.decode(since.token or "{}", type=Mark)
        self._wanted = depth_of(access.fields).since
        self._is_anew = False

    async def pages(self) -> AsyncIterator[Batch]:
        """Pages, each with the bookmark behind it. Raises: VenueError and its kin.

        A walk that was broken off ends where it began, so what came since is another walk.
        """
        if self._mark.top:
            async for page in self._walk(is_last=False):
                yield page
        async for page in self._walk(is_last=True):
            yield page

    async def _walk(self, *, is_last: bool) -> AsyncIterator[Batch]:
        while True:
            listing = await self._listing()
            reply = reply_of(listing)
            if reply.error == NOT_FOUND:
                yield self._ended([listing], is_last=is_last)
                return
            if reply.error and bytes(self._mark.marker) != _NONE and not self._is_anew:
                # Another server may not take this one's marker: the walk begins anew, and what it gave is known by its names.
                self._is_anew = True
                self._mark = structs.replace(self._mark, marker=Raw(_NONE), top=0, is_born=False)
                continue
            found = reply.read(Transactions)
            mark = self._mark
            if found.ledger_index_max < max(mark.top, mark.floor):
                raise VenueUnavailable("the server is behind what was read before")
            is_born = mark.is_born or any(made(row.meta.affected_nodes, self._subject.address) for row in found.transactions)
            self._mark = mark = structs.replace(mark, top=mark.top or found.ledger_index_max, is_born=is_born)
            if not bytes(found.marker) or any(self._is_early(row) for row in found.transactions):
                evidence = [listing, *await self._oldest(found)]
                yield self._ended(evidence, is_last=is_last)
                return
            self._mark = structs.replace(mark, marker=found.marker)
            yield self._page([listing])

    async def _listing(self) -> Evidence:
        mark = self._mark
        params: dict[str, object] = {
            "account": self._subject.address,
            "ledger_index_min": max(mark.floor - OVERLAP, 1) if mark.floor else -1,
            "ledger_index_max": mark.top or -1,
            "limit": PAGE,
        }
        marker = msgspec.json.decode(mark.marker)
        if marker is not None:
            params["marker"] = marker
        return await self._server.ask(_LIST, "account_tx", params, **self._about())

    async def _oldest(self, found: Transactions) -> list[Evidence]:
        """When the oldest ledger that the server has was closed, where that leaves a hole."""
        mark = self._mark
        is_early = any(self._is_early(row) for row in found.transactions)
        needed = mark.floor + 1 if mark.floor else self._subject.chain.first_ledger
        if found.ledger_index_min <= needed or is_early or (mark.is_born and not mark.floor):
            return []
        return [await self._server.ask(_OLDEST, "ledger", {"ledger_index": found.ledger_index_min})]

    def _ended(self, evidence: Sequence[Evidence], *, is_last: bool) -> Batch:
        """The last page of a walk. Up to now is read what the last walk has read."""
        mark = self._mark
        last = structs.replace(evidence[0], params={**evidence[0].params, **({"end": "yes"} if is_last else {})})
        batch = decode_history(self._subject.chain, self._stream, [last, *evidence[1:]])
        begin = next((gap.end for gap in batch.gaps if gap.code == _PRUNED and gap.end is not None), mark.begin)
        read_at = batch.observed_at if is_last else mark.read_at
        self._mark = Mark(floor=max(mark.top, mark.floor), read_at=read_at, begin=begin)
        return structs.replace(batch, cursor=self._cursor(), done=is_last)

    def _page(self, evidence: Sequence[Evidence]) -> Batch:
        return structs.replace(decode_history(self._subject.chain, self._stream, evidence), cursor=self._cursor())

    def _cursor(self) -> Cursor:
        return Cursor(self._stream, msgspec.json.encode(self._mark).decode())

    def _is_early(self, row: Row) -> bool:
        return self._wanted is not None and row.at < self._wanted

    def _about(self) -> dict[str, str]:
        wanted = "" if self._wanted is None else str(self._wanted)
        begin = max(self._mark.begin, self._wanted or 0)
        return {"wallet": self._subject.address, "wanted": wanted, "begin": str(begin), "since": str(self._mark.read_at)}


def decode_history(chain: XrplChain, stream: str, evidence: Sequence[Evidence]) -> Batch:
    """The facts of one page out of its raw answers alone; the cursor is empty. Raises: VenueError."""
    params, at = evidence[0].params, received_at(evidence)
    subject = Subject(chain, params["wallet"])
    wanted = int(params["wanted"] or 0)
    reply = reply_of(evidence[0])
    if params["read"] == SINGLE:
        rows: tuple[Row, ...] = (row_of(reply.read(Raw)),)
    else:
        rows = () if reply.error == NOT_FOUND else reply.read(Transactions).transactions
    told = []
    for row in rows:
        if not row.validated:
            raise VenueUnavailable("the server lists a transaction that is not validated yet")
        if row.at >= wanted:
            told.append(moved(subject, row, evidence=0))
    tokens: dict[str, TokenFacts] = {chain.native.id: chain.native}
    for one in told:
        tokens |= {facts.id: facts for facts in one.tokens}
    begin = EpochMs(int(params["begin"]))
    gaps = [*not_wanted(stream, params["wanted"]), *unread_gap(stream, sum(one.is_partly_unread for one in told))]
    if len(evidence) > 1:
        oldest = min(instant(reply_of(evidence[1]).read(Ledger).ledger.close_time), at)
        known = EpochMs(max(begin, int(params["since"])))
        if oldest > known or int(params["since"]):
            text = "the server does not have the ledgers from before that"
            gaps.append(Gap(stream=stream, code=_PRUNED, text=text, start=min(known, oldest), end=oldest))
            begin = oldest
    return Batch(
        cursor=Cursor(stream),
        observed_at=at,
        tokens=tuple(tokens.values()),
        wallets=(wallet_of(subject),),
        claims=tuple({one.claim.ref: one.claim for one in told if one.claim is not None}.values()),
        covered=(Interval(begin, at),) if "end" in params else (),
        gaps=tuple(gaps),
        evidence=tuple(evidence),
    )
