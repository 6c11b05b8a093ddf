"""The stream `transfers/<chain>`: every transaction that moved something of an address, in order of blocks.

A page is a window of blocks. What is final is read once; the provisional end of the chain is read again at each read, so that
rows become final, and a replaced block's rows give way: the page that reads them again carries the rewind. What a node cannot
tell is a gap of that stretch of time.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from operator import itemgetter

from msgspec import Struct, structs

from omnifolio.catalog.chains import EvmChain
from omnifolio.model.clock import EpochMs
from omnifolio.model.errors import ResponseTooLarge, VenueBadResponse, VenueUnavailable
from omnifolio.model.facts import Batch, Claim, Cursor, Evidence, Gap, Interval
from omnifolio.model.tokens import TokenFacts
from omnifolio.venues.contract import Access, received_at
from omnifolio.venues.depth import depth_of
from omnifolio.venues.evm.bookmarks import TransfersMark, read_mark, write_mark
from omnifolio.venues.evm.events import Subject, announced, token_movements
from omnifolio.venues.evm.explorer import Explorer, Refused, source_of
from omnifolio.venues.evm.head import Anchor, Head, ask_head, block_call, first_block_from, head_of, rewind_of, time_of
from omnifolio.venues.evm.inner import Inner, frame_of
from omnifolio.venues.evm.listing import ask_listing, listed_window
from omnifolio.venues.evm.movements import (
    PLAIN_TRANSFER_GAS,
    Evident,
    claim_of,
    wallet_of,
    withdrawal_claim,
)
from omnifolio.venues.evm.rpc import Call, Node, Reply, failure, gathered, results
from omnifolio.venues.evm.shapes import Block, Frame, Receipt, Transaction
from omnifolio.venues.evm.tokens import TokenAnswers, ask_tokens, contracts_of, token_facts
from omnifolio.venues.evm.windows import WINDOW, Pace, Window, window_calls, window_faults, window_of
from omnifolio.venues.evm.words import quantity

TRANSACTIONS_PER_PAGE_MAX = 500
"""A window with more transactions is halved, so that a page stays small enough to commit quickly: in one portion."""
PAGE_TRIES_MAX = 3
"""Tries of one page while the chain moves under it."""
RECEIPT_TRIES_MAX = 5
"""Reads that wait for the receipt of a final transaction before it is left out, as a gap."""
TRACE_SPAN_MIN = 1_000
"""A node that does not trace even so many blocks at once is read without traces."""
SAFE_SPAN = 10_000
"""Blocks that are asked for after a longer stretch had no answer in time."""

GAPS = {
    "native_not_listed": "transfers of the native coin and failed transactions: this node cannot list them without an explorer",
    "internal_not_listed": "native coins moved inside a transaction: this node does not trace calls",
    "not_wanted": "history before the day from which it was asked for",
    "collectibles_not_listed": "transfers of collectibles alone (ERC-721, ERC-1155): this explorer does not list them",
    "receipt_missing": "a transaction whose receipt the node does not have",
    "token_refused": "movements of a token whose amounts cannot be held: it claims more decimals than any number has",
    "rewards_not_listed": "rewards of the chain to this address as its miner",
}
_GAPS_OF_A_PAGE = frozenset({"receipt_missing", "token_refused"})


class Page(Struct, frozen=True):
    """One window with everything that its transactions need."""

    window: Window
    evidence: list[Evidence]
    missing: bool
    """A final transaction has no receipt yet."""


class Transfers:
    """One read of the stream: what the node turned out to be able to do, and how fast it can be read."""

    def __init__(self, access: Access, *, subject: Subject, url: str, since: Cursor) -> None:
        self._access = access
        self._subject = subject
        self._stream = since.stream
        self._node = Node(access, url=url, stream=since.stream)
        self._mark = read_mark(since.token, TransfersMark)
        self._pace = Pace(span=self._mark.span, refused=self._mark.refused)
        self._named = contracts_of(access.known.tokens, subject.chain)
        self._can_filter = True
        self._can_trace = True
        source = source_of(access, subject.chain)
        self._explorer = Explorer(access, source, stream=since.stream) if source is not None else None
        self._horizon = -1
        self._since = depth_of(access.fields).since

    async def pages(self) -> AsyncIterator[Batch]:
        """The pages after the cursor, up to the tip of the chain. Raises: VenueError and its kin."""
        chain, known = self._subject.chain, self._access.known
        opening = await ask_head(self._node, chain, provisional=known.provisional, anchor=self._mark.anchor)
        head = head_of(chain, opening, floor=self._mark.next - 1)
        await self._begin(head)
        start = self._mark.next
        if start > head.tip:
            batch = decode_transfers(chain, self._stream, opening)
            yield structs.replace(batch, cursor=Cursor(self._stream, write_mark(self._mark)), done=True)
        is_held = False
        while start <= head.tip:
            page = await self._page(head, start)
            evidence = [*opening, *page.evidence]
            opening = []
            is_held = is_held or (page.missing and self._mark.tries < RECEIPT_TRIES_MAX)
            self._mark = self._moved_on(head, page.window, is_held=is_held)
            start = page.window.end + 1
            done = start > head.tip
            mark = structs.replace(self._mark, tries=self._mark.tries + 1) if is_held else self._mark
            if done:
                mark = structs.replace(mark, span=0, refused=0)
            batch = decode_transfers(chain, self._stream, evidence)
            yield structs.replace(batch, cursor=Cursor(self._stream, write_mark(mark)), done=done)

    async def _begin(self, head: Head) -> None:
        """Finds out how far the explorer has read the chain, and where history that is wanted begins. Raises: VenueError."""
        if self._explorer is not None:
            try:
                self._horizon = min(await self._explorer.height_at(head.at), head.tip)
            except Refused:
                self._explorer = None
        if self._since is not None and self._mark == TransfersMark():
            self._mark = TransfersMark(next=await first_block_from(self._node, self._since, tip=head.tip))

    def _moved_on(self, head: Head, window: Window, *, is_held: bool) -> TransfersMark:
        mark = structs.replace(self._mark, span=self._pace.span, refused=self._pace.refused)
        settled = min(window.end, head.final, *([self._horizon] if self._explorer is not None else []))
        if is_held or settled < mark.next:
            return mark
        anchor = window.end_hash if settled == window.end else head.final_hash if settled == head.final else ""
        told = Anchor(settled, anchor) if anchor else mark.anchor
        return structs.replace(mark, next=settled + 1, anchor=told, tries=0)

    async def _page(self, head: Head, start: int) -> Page:
        """The window from `start` and its transactions, of one state of the chain. Raises: VenueError."""
        for attempt in range(PAGE_TRIES_MAX):
            evidence, window = await self._listed(head, start) or await self._window(head, start)
            evidence += await self._node.ask("receipts", [receipt_call(t.hash) for t in window.touched])
            receipts = _receipts(evidence)
            is_torn = any(
                r is not None
                and (quantity(r.block_number) != t.height or (t.block_hash and r.block_hash.lower() != t.block_hash))
                for t, r in zip(window.touched, receipts.values(), strict=True)
            )
            absent = [t for t, r in zip(window.touched, receipts.values(), strict=True) if r is None]
            if is_torn or (absent and attempt == 0):
                continue
            evidence += await self._details(head, window, [r for r in receipts.values() if r is not None])
            return Page(window, evidence, any(t.height <= window.final for t in absent))
        raise VenueUnavailable("the chain moved each time that it was read")

    async def _listed(self, head: Head, start: int) -> tuple[list[Evidence], Window] | None:
        """The next window as the explorer lists it; None where a node must be asked. Raises: VenueError."""
        if self._explorer is None or start > self._horizon:
            return None
        try:
            evidence = await ask_listing(
                self._explorer, self._node, self._subject, head, start=start, horizon=self._horizon, since=self._since
            )
        except Refused:
            self._explorer = None
            return None
        window = listed_window(evidence)
        assert window is not None
        return evidence, window

    async def _window(self, head: Head, start: int) -> tuple[list[Evidence], Window]:
        """The next window from `start` that the node answers, in size and in number of transactions. Raises: VenueError."""
        while True:
            size = self._pace.size(head.tip - start + 1)
            end = start + size - 1
            calls = window_calls(self._subject, start=start, end=end, with_traces=self._can_filter)
            asked = {"wallet": self._subject.address, "from": str(start), "to": str(end), "final": str(head.final)}
            asked |= {"since": str(self._since)} if self._since is not None else {}
            asked |= {"awaited": "yes"} if self._explorer is not None else {}
            try:
                evidence = await self._node.ask(WINDOW, calls, **asked)
            except (ResponseTooLarge, VenueUnavailable) as error:
                least = 1 if isinstance(error, ResponseTooLarge) else SAFE_SPAN
                if size <= least:
                    raise
                self._pace.shrink(max(size, 1) if least == 1 else 2 * SAFE_SPAN, is_cap=False)
                continue
            if self._must_shrink(evidence, size):
                continue
            window = window_of(evidence)
            assert window is not None
            if len(window.touched) > TRANSACTIONS_PER_PAGE_MAX and size > 1:
                self._pace.shrink(size, is_cap=False)
                continue
            self._pace.grow(size)
            return evidence, window

    def _must_shrink(self, evidence: Sequence[Evidence], size: int) -> bool:
        """The node refused the window and a smaller one may do. Raises: VenueBadResponse when none would."""
        events, traces = window_faults(evidence)
        if events is not None:
            if size == 1 or events.trouble == "unsupported":
                raise failure(events)
            self._pace.shrink(size, is_cap=events.is_cap)
            return True
        if traces is not None:
            if traces.trouble == "range" and size > TRACE_SPAN_MIN:
                self._pace.shrink(size, is_cap=traces.is_cap)
                return True
            self._can_filter = False
        return False

    async def _details(self, head: Head, window: Window, receipts: Sequence[Receipt]) -> list[Evidence]:
        """What else the window's transactions need: their values, inner calls, times and tokens. Raises: VenueError."""
        address = self._subject.address
        own = [r.transaction_hash for r in receipts if address in _parties(r)]
        kept = await self._node.ask("transactions", [Call(name, "eth_getTransactionByHash", (name,)) for name in own])
        inner = {t.hash: t.inner for t in window.touched}
        if self._can_trace and window.inner is None:
            names = [r.transaction_hash for r in receipts if may_move_inside(r, inner.get(r.transaction_hash.lower()))]
            traces = await self._node.ask("traces", [trace_call(name) for name in names])
            kept += traces
            faults = [reply.error for reply in gathered(traces, "traces").values() if reply.error is not None]
            self._can_trace = not any(fault.trouble in ("unsupported", "other") for fault in faults)
        heights = sorted({quantity(r.block_number) for r in receipts if stated_time(r) is None})
        kept += await self._node.ask("blocks", [block_call(str(height), height) for height in heights])
        contracts = sorted({contract for r in receipts for contract in contracts_in(self._subject, r)})
        asked = token_facts(contracts, named=self._named)
        kept += await ask_tokens(
            self._node, asked, chain=self._subject.chain, holder=address, block="latest", batched=head.has_multicall
        )
        return kept


def decode_transfers(chain: EvmChain, stream: str, evidence: Sequence[Evidence]) -> Batch:
    """The facts of one page out of its raw answers alone; the cursor is empty. Raises: VenueBadResponse."""
    batch = Batch(
        cursor=Cursor(stream), observed_at=received_at(evidence), rewind=rewind_of(stream, evidence), evidence=tuple(evidence)
    )
    window = listed_window(evidence) or window_of(evidence)
    if window is None:
        return batch
    subject = Subject(chain, window.address)
    found = evident(evidence, final=window.final, chain=chain, inner=window.inner)
    claims, facts, is_refused = told(subject, found, evidence)
    codes = _missing(window, found) + (["token_refused"] if is_refused else [])
    if len(found) < len(window.touched):
        codes.append("receipt_missing")
    return structs.replace(
        batch,
        tokens=(chain.native, *facts),
        wallets=(wallet_of(subject),),
        claims=claims + tuple(withdrawal_claim(subject, row) for row in window.withdrawals),
        covered=(Interval(window.from_at, window.to_at),),
        gaps=tuple(_gap(stream, code, window) for code in codes),
    )


def told(
    subject: Subject, found: Sequence[Evident], evidence: Sequence[Evidence]
) -> tuple[tuple[Claim, ...], tuple[TokenFacts, ...], bool]:
    """The claims of transactions and the tokens in them; and whether a token's amounts could not be held. Raises: VenueError."""
    chain, tokens = subject.chain, TokenAnswers(evidence)
    stated = {contract: tokens.decimals(contract) for contract in tokens.contracts()}
    decimals = {contract: places for contract, places in stated.items() if places is not None}
    claims = tuple(c for known in found if (c := claim_of(subject, known, decimals)) is not None)
    seen = sorted({leg.token for claim in claims for leg in claim.legs} - {chain.native.id})
    facts = [tokens.facts(chain, token) for token in seen]
    return claims, tuple(fact for fact in facts if fact is not None), len(decimals) < len(stated)


def _gap(stream: str, code: str, window: Window) -> Gap:
    """The gap of a page. What a node cannot do holds for all that was read so far: one statement that grows with it."""
    if code == "not_wanted":
        return Gap(stream=stream, code=code, text=GAPS[code], start=EpochMs(0), end=window.since)
    start = window.from_at if code in _GAPS_OF_A_PAGE else EpochMs(0)
    return Gap(stream=stream, code=code, text=GAPS[code], start=start, end=window.to_at)


def evident(
    evidence: Sequence[Evidence], *, final: int, chain: EvmChain, inner: Mapping[str, Sequence[Inner]] | None = None
) -> list[Evident]:
    """What the page knows of each transaction that has a receipt, in the order of the chain. `inner` is an explorer's list."""
    asked, traced = _transactions(evidence), gathered(evidence, "traces")
    blocks = {about: time_of(reply.read(Block)) for about, reply in gathered(evidence, "blocks").items()}
    index = {name: n for n, item in enumerate(evidence) if item.params.get("read") == "receipts" for name in _subjects(item)}
    found = []
    for name, receipt in _receipts(evidence).items():
        if receipt is not None:
            height = quantity(receipt.block_number)
            at = stated_time(receipt)
            transaction = asked.get(name)
            frame = _frame(traced[name]) if name in traced else None
            if inner is not None:
                frame = frame_of(chain, receipt, transaction, inner.get(name, ()))
            known = Evident(
                receipt=receipt,
                at=blocks[str(height)] if at is None else at,
                finality="final" if height <= final else "provisional",
                transaction=transaction,
                frame=frame,
                evidence=index[name],
            )
            found.append((height, quantity(receipt.transaction_index), known))
    return [known for _, _, known in sorted(found, key=itemgetter(0, 1))]


def _missing(window: Window, found: Sequence[Evident]) -> list[str]:
    """The codes of what this page could not tell."""
    inner = {touched.hash: touched.inner for touched in window.touched}
    codes = [] if window.since is None else ["not_wanted"]
    if not window.has_collectibles:
        codes.append("collectibles_not_listed")
    if window.is_awaited:
        return codes
    if not window.has_traces:
        codes.append("native_not_listed")
    if any(k.frame is None and may_move_inside(k.receipt, inner.get(k.receipt.transaction_hash.lower())) for k in found):
        codes.append("internal_not_listed")
    if window.rewards:
        codes.append("rewards_not_listed")
    return codes


def contracts_in(subject: Subject, receipt: Receipt) -> set[str]:
    """The contracts whose decimals and names are needed to hold what the receipt says of the address."""
    told = (*token_movements(subject, receipt.logs), *announced(subject, receipt.logs))
    return {movement.contract for movement in told}


def _receipts(evidence: Sequence[Evidence]) -> dict[str, Receipt | None]:
    """The receipts by hash; None where the node has none. Raises: VenueBadResponse when one is of another transaction."""
    found: dict[str, Receipt | None] = {}
    for name, receipt in results(evidence, "receipts", Receipt).items():
        found[name] = receipt
        if receipt is not None and receipt.transaction_hash.lower() != name:
            raise VenueBadResponse("the node answered with the receipt of another transaction")
    return found


def _transactions(evidence: Sequence[Evidence]) -> dict[str, Transaction]:
    """The transactions by hash. Raises: VenueBadResponse when the node has the receipt of one, and not what was asked for."""
    found: dict[str, Transaction] = {}
    for name, transaction in results(evidence, "transactions", Transaction).items():
        if transaction is None:
            raise VenueBadResponse("the node has a transaction's receipt, and not the transaction")
        found[name] = transaction
    return found


def _frame(reply: Reply) -> Frame | None:
    """The trace; None where the node did not give one, or one that is nested too deeply to be read."""
    if reply.error is not None or reply.is_null:
        return None
    try:
        return reply.read(Frame)
    except VenueBadResponse:
        return None


def may_move_inside(receipt: Receipt, inner: bool | None = None) -> bool:
    """The transaction's inner calls are needed: they are known to have moved coins, or ran unseen."""
    if inner is not None:
        return inner
    return quantity(receipt.gas_used) > PLAIN_TRANSFER_GAS and receipt.status != "0x0"


def _parties(receipt: Receipt) -> tuple[str, ...]:
    return tuple((party or "").lower() for party in (receipt.sender, receipt.to, receipt.contract_address))


def stated_time(receipt: Receipt) -> EpochMs | None:
    """The block's time where the receipt or one of its events states it, which spares asking for the block."""
    stated = receipt.block_timestamp
    for log in receipt.logs:
        if stated is not None:
            break
        stated = log.block_timestamp
    if stated is None:
        return None
    return EpochMs((quantity(stated) if isinstance(stated, str) else stated) * 1000)


def _subjects(item: Evidence) -> Mapping[str, None]:
    return dict.fromkeys(item.params["about"].split(","))


def receipt_call(name: str) -> Call:
    """Asks for a transaction's receipt."""
    return Call(name, "eth_getTransactionReceipt", (name,))


def trace_call(name: str) -> Call:
    """Asks for the calls inside a transaction."""
    return Call(name, "debug_traceTransaction", (name, {"tracer": "callTracer"}))
