"""The stream `transfers/<network>`: every transaction that the address was part of, newest first, up to a checkpoint that stands.

The bookmark names the checkpoint up to which all was read, and where a walk is under way its upper end and its place; so what is
new meanwhile is read by the next walk, and nothing twice. How far back a server keeps its lists it says itself.
"""

from collections.abc import AsyncIterator, Sequence

import msgspec
from msgspec import Struct, structs

from omnifolio.catalog.sui_chains import SuiChain
from omnifolio.model.clock import EpochMs
from omnifolio.model.errors import InvalidField, NotFound, VenueBadResponse
from omnifolio.model.facts import Batch, Cursor, Evidence, Gap, Interval
from omnifolio.model.tokens import TokenFacts
from omnifolio.venues import base58
from omnifolio.venues.contract import Access, received_at
from omnifolio.venues.depth import depth_of
from omnifolio.venues.sui import coins
from omnifolio.venues.sui.address import parse_address
from omnifolio.venues.sui.held import Subject, check_network, wallets_of
from omnifolio.venues.sui.movements import claim_of, own_types
from omnifolio.venues.sui.queries import CHANGES, HEAD, HISTORY, QUERIES, SINGLE
from omnifolio.venues.sui.server import Server, data_of, is_refused
from omnifolio.venues.sui.shapes import Change, Checkpoint, Page, PageInfo, Transaction, millis
from omnifolio.venues.unwanted import not_wanted

DIGEST_BYTES = 32
CHANGE_PAGES_MAX = 40
"""Pages of one transaction's changes that are read; one that has more is said to be unread."""


class Mark(Struct, frozen=True, omit_defaults=True):
    """`done`: the checkpoint up to which all was read. `top` and `before`: the upper end of a walk under way, and its place."""

    done: int | None = None
    top: int | None = None
    before: str | None = None


class History:
    """One read of the stream."""

    def __init__(self, access: Access, subject: Subject, *, url: str, since: Cursor) -> None:
        self._subject = subject
        self._stream = since.stream
        self._server = Server(access, url=url, stream=since.stream)
        self._mark = msgspec.json.decode(since.token or "{}", type=Mark)
        self._wanted = depth_of(access.fields).since

    async def pages(self) -> AsyncIterator[Batch]:
        """Pages, each with the bookmark behind it. Raises: VenueError and its kin."""
        head = await self._server.ask(HEAD, QUERIES[HEAD], {}, **self._about())
        check_network(self._subject.chain, head)
        if self._mark.top is not None:
            async for page in self._walk():
                yield page
        self._mark = Mark(done=self._mark.done, top=_head(head).sequence_number)
        async for page in self._walk():
            yield page
        yield structs.replace(self._page([head]), done=True)

    async def _walk(self) -> AsyncIterator[Batch]:
        """Pages between what was read before and the walk's upper end, newest first."""
        done, top = self._mark.done, self._mark.top
        assert top is not None, "a walk has an upper end"
        is_over, is_stored = False, self._mark.before is not None
        while not is_over:
            variables = {"address": self._subject.address, "from": done, "to": top + 1, "before": self._mark.before, "more": None}
            item = await self._server.ask(HISTORY, QUERIES[HISTORY], variables, **self._about())
            if is_stored and is_refused(item):
                # The server does not know its own place any more: what was read of this walk is read once more.
                is_stored, self._mark = False, Mark(done=done, top=top)
                continue
            is_stored = False
            listed = _listed(item)
            more = [found for row in listed.nodes if self._is_wanted(row) for found in await _more(self._server, row)]
            changes = [change for row in listed.nodes for change in changes_of(row, more)]
            named = await coins.asked(self._server, own_types(self._subject, changes))
            info = listed.page_info
            is_over = not info.has_previous_page or not all(map(self._is_wanted, listed.nodes))
            if not is_over and info.start_cursor is None:
                raise VenueBadResponse("the server does not say where a page begins")
            self._mark = Mark(done=top) if is_over else Mark(done=done, top=top, before=info.start_cursor)
            if listed.nodes:
                yield self._page([item, *more, *named])

    def _is_wanted(self, row: Transaction) -> bool:
        at = millis(row.effects.timestamp) if row.effects else None
        return self._wanted is None or at is None or at >= self._wanted

    def _about(self) -> dict[str, str]:
        return {"wallet": self._subject.address, "wanted": "" if self._wanted is None else str(self._wanted)}

    def _page(self, evidence: Sequence[Evidence]) -> Batch:
        batch = decode_history(self._subject.chain, self._stream, evidence)
        return structs.replace(batch, cursor=Cursor(self._stream, msgspec.json.encode(self._mark).decode()))


async def ask_one(chain: SuiChain, access: Access, url: str, address: str, name: str) -> Sequence[Evidence]:
    """The answers that tell the transaction of that digest for an address. Raises: InvalidField, NotFound, VenueError."""
    subject, digest = Subject(chain, parse_address(address)), name.strip()
    try:
        is_digest = len(base58.decode(digest)) == DIGEST_BYTES
    except ValueError:
        is_digest = False
    if not is_digest:
        raise InvalidField(f"transaction: expected its digest, {DIGEST_BYTES} bytes in base58")
    server = Server(access, url=url, stream=f"transfers/{chain.id}")
    item = await server.ask(SINGLE, QUERIES[SINGLE], {"digest": digest, "more": None}, wallet=subject.address, wanted="")
    check_network(chain, item)
    rows = _listed(item).nodes
    if not rows:
        raise NotFound("the server has no transaction of this digest")
    more = await _more(server, rows[0])
    return [item, *more, *await coins.asked(server, own_types(subject, changes_of(rows[0], more)))]


async def _more(server: Server, row: Transaction) -> list[Evidence]:
    """The further pages of one transaction's changes."""
    found: list[Evidence] = []
    info = row.effects.balance_changes.page_info if row.effects else None
    while info is not None and info.has_next_page and len(found) < CHANGE_PAGES_MAX:
        variables = {"digest": row.digest, "more": info.end_cursor}
        found.append(await server.ask(CHANGES, QUERIES[CHANGES], variables, digest=row.digest))
        info = _changes(found[-1]).page_info
    return found


def decode_history(chain: SuiChain, stream: str, evidence: Sequence[Evidence]) -> Batch:
    """The facts of one page out of its raw answers alone; the cursor is empty. Raises: VenueError."""
    params, at = evidence[0].params, received_at(evidence)
    subject = Subject(chain, params["wallet"])
    gaps = list(not_wanted(stream, params["wanted"]))
    covered: tuple[Interval, ...] = ()
    claims = []
    tokens: dict[str, TokenFacts] = {}
    if params["read"] == HEAD:
        start, early = _kept_since(stream, evidence[0])
        wanted = int(params["wanted"] or 0)
        covered = (Interval(EpochMs(max(start, wanted)), EpochMs(millis(_head(evidence[0]).timestamp) or at)),)
        gaps += early if start > wanted else []
    else:
        tokens = coins.told(chain, evidence)
        wanted = int(params["wanted"] or 0)
        rows = [row for row in _listed(evidence[0]).nodes if _at(row) >= wanted]
        unknown: set[str] = set()
        for row in rows:
            changes = changes_of(row, evidence[1:])
            unknown |= own_types(subject, changes) - tokens.keys()
            if (claim := claim_of(subject, row, changes, tokens, evidence=0)) is not None:
                claims.append(claim)
        gaps += _unread(stream, unknown=len(unknown), cut=sum(_is_cut(row, evidence[1:]) for row in rows))
    return Batch(
        cursor=Cursor(stream),
        observed_at=at,
        tokens=tuple({facts.id: facts for facts in (chain.native, *tokens.values())}.values()),
        wallets=wallets_of(subject),
        claims=tuple(claims),
        covered=covered,
        gaps=tuple(gaps),
        evidence=tuple(evidence),
    )


def changes_of(row: Transaction, more: Sequence[Evidence]) -> list[Change]:
    """All that a transaction changed, its further pages among the evidence. Raises: VenueBadResponse."""
    own = [item for item in more if item.params["read"] == CHANGES and item.params["digest"] == row.digest]
    first = row.effects.balance_changes.nodes if row.effects else ()
    return [*first, *(change for item in own for change in _changes(item).nodes)]


def _is_cut(row: Transaction, more: Sequence[Evidence]) -> bool:
    own = [item for item in more if item.params["read"] == CHANGES and item.params["digest"] == row.digest]
    return len(own) == CHANGE_PAGES_MAX and _changes(own[-1]).page_info.has_next_page


def _unread(stream: str, *, unknown: int, cut: int) -> list[Gap]:
    said = {}
    if unknown:
        said["decimals_unknown"] = "movements of coins that say nothing of themselves"
    if cut:
        said["changes_unread"] = f"of {cut} transactions not all that they changed: they changed too much"
    return [Gap(stream=stream, code=code, text=text) for code, text in said.items()]


def _kept_since(stream: str, item: Evidence) -> tuple[int, list[Gap]]:
    """From when on the server keeps its list of transactions, and the gap before that."""
    service = data_of(item).service_config
    first = service.available_range.first if service and service.available_range else None
    if first is None:
        text = "the server does not say how far back its list of transactions goes"
        return 0, [Gap(stream=stream, code="history_begin_unknown", text=text)]
    if first.sequence_number == 0:
        return 0, []
    start = millis(first.timestamp) or 0
    text = "what the server does not keep any more: its list of transactions begins later"
    return start, [Gap(stream=stream, code="pruned", text=text, start=EpochMs(0), end=EpochMs(start))]


def _head(item: Evidence) -> Checkpoint:
    found = data_of(item).checkpoint
    if found is None:
        raise VenueBadResponse("the server does not tell its newest checkpoint")
    return found


def _listed(item: Evidence) -> Page[Transaction]:
    if item.params["read"] == SINGLE:
        single = data_of(item).transaction
        return Page(PageInfo(), () if single is None or single.effects is None else (single,))
    found = data_of(item).transactions
    if found is None:
        raise VenueBadResponse("the server does not tell the transactions of an address")
    return found


def _changes(item: Evidence) -> Page[Change]:
    found = data_of(item).transaction
    if found is None or found.effects is None:
        raise VenueBadResponse("the server does not tell what a transaction changed")
    return found.effects.balance_changes


def _at(row: Transaction) -> int:
    return (millis(row.effects.timestamp) if row.effects else None) or 0
