"""Which transactions touched an address in a stretch of blocks: the questions of one window, and what their answers name.

Events are found by topic: the transfers of ERC-20, ERC-721 and ERC-1155 from and to the address, Deposit and Withdrawal of the
wrapped native coin, which announce no Transfer. Coins that move without an event, and transactions that failed, are found by
`trace_filter` where the node has it.
"""

from collections.abc import Mapping, Sequence

from msgspec import Struct

from omnifolio.model.clock import EpochMs
from omnifolio.model.errors import VenueBadResponse, VenueUnavailable
from omnifolio.model.facts import Evidence
from omnifolio.venues.evm.events import TRANSFER_BATCH, TRANSFER_SINGLE, Subject
from omnifolio.venues.evm.explorer import Withdrawal
from omnifolio.venues.evm.head import block_call, time_of
from omnifolio.venues.evm.inner import Inner
from omnifolio.venues.evm.rpc import Call, Fault, Reply, gathered
from omnifolio.venues.evm.shapes import Block, Occurrence, Trace
from omnifolio.venues.evm.words import DEPOSIT, TRANSFER, WITHDRAWAL, quantity, topic_of

WINDOW = "window"
_EVENTS = ("out", "in", "many", "wrapped")
_TRACES = ("sent", "received")


class Touched(Struct, frozen=True, kw_only=True):
    """A transaction that touched the address. `inner` that coins moved by its inner calls; None when nobody looked."""

    hash: str
    height: int
    block_hash: str
    inner: bool | None


class Window(Struct, frozen=True, kw_only=True):
    """What one window holds: blocks `start` to `end`, their times, the transactions in order of height."""

    start: int
    end: int
    final: int
    address: str
    from_at: EpochMs
    to_at: EpochMs
    end_hash: str
    touched: tuple[Touched, ...]
    has_traces: bool
    rewards: int
    """Rewards of the chain to the address as its miner, which are no transactions."""
    since: EpochMs | None = None
    """From when on history is wanted; None: from the beginning."""
    inner: Mapping[str, Sequence[Inner]] | None = None
    """What moved inside each transaction, as an explorer lists it; None where a node was asked."""
    withdrawals: tuple[Withdrawal, ...] = ()
    has_collectibles: bool = True
    """The explorer lists those of ERC-721 and ERC-1155, too."""
    is_awaited: bool = False
    """An explorer will list these blocks later: what a node cannot tell of them is not missing."""


def window_calls(subject: Subject, *, start: int, end: int, with_traces: bool) -> list[Call]:
    """The questions of the window from `start` to `end`, both included."""
    wallet, chain = topic_of(subject.address), subject.chain
    stretch = {"fromBlock": hex(start), "toBlock": hex(end)}
    calls = [
        Call("out", "eth_getLogs", (stretch | {"topics": [TRANSFER, wallet]},)),
        # An ERC-1155 event names its sender where the others name who receives.
        Call("in", "eth_getLogs", (stretch | {"topics": [[TRANSFER, TRANSFER_SINGLE, TRANSFER_BATCH], None, wallet]},)),
        Call("many", "eth_getLogs", (stretch | {"topics": [[TRANSFER_SINGLE, TRANSFER_BATCH], None, None, wallet]},)),
    ]
    if chain.wrapped:
        events = stretch | {"address": chain.wrapped, "topics": [[DEPOSIT, WITHDRAWAL], wallet]}
        calls.append(Call("wrapped", "eth_getLogs", (events,)))
    if start:
        calls.append(block_call("before", start - 1))
    calls.append(block_call("last", end))
    if with_traces:
        calls.append(Call("sent", "trace_filter", (stretch | {"fromAddress": [subject.address]},)))
        calls.append(Call("received", "trace_filter", (stretch | {"toAddress": [subject.address]},)))
    return calls


def window_faults(evidence: Sequence[Evidence]) -> tuple[Fault | None, Fault | None]:
    """What stood in the way of the events, and of the traces."""
    answers = gathered(evidence, WINDOW)
    return _fault(answers, _EVENTS), _fault(answers, _TRACES)


def _fault(answers: Mapping[str, Reply], subjects: Sequence[str]) -> Fault | None:
    return next((answers[s].error for s in subjects if s in answers and answers[s].error is not None), None)


def window_of(evidence: Sequence[Evidence]) -> Window | None:
    """The window in a page's evidence; None when the page has none.

    Raises: VenueBadResponse for events outside the window, VenueUnavailable when the node has lost the window's blocks.
    """
    params = next((item.params for item in evidence if item.params.get("read") == WINDOW), None)
    if params is None:
        return None
    answers = gathered(evidence, WINDOW)
    start, end = int(params["from"]), int(params["to"])
    if answers["last"].is_null or ("before" in answers and answers["before"].is_null):
        raise VenueUnavailable("the node has lost a block that it had a moment ago")
    found: dict[str, Touched] = {}
    has_traces, rewards = all(s in answers and answers[s].error is None for s in _TRACES), 0
    unseen = False if has_traces else None
    for subject in _EVENTS:
        if subject in answers:
            for place in answers[subject].read(list[Occurrence]):
                if not place.removed:
                    _add(found, place.transaction_hash, quantity(place.block_number), place.block_hash, inner=unseen)
    if has_traces:
        rewards = sum(_add_traces(found, answers[subject].read(list[Trace]), is_sender=subject == "sent") for subject in _TRACES)
    if any(not start <= touched.height <= end for touched in found.values()):
        raise VenueBadResponse("the node answered with events outside the blocks that were asked for")
    last = answers["last"].read(Block)
    return Window(
        start=start,
        end=end,
        final=int(params["final"]),
        address=params["wallet"],
        from_at=time_of(answers["before"].read(Block)) if "before" in answers else EpochMs(0),
        to_at=time_of(last),
        end_hash=last.hash.lower(),
        touched=tuple(sorted(found.values(), key=lambda touched: (touched.height, touched.hash))),
        has_traces=has_traces,
        rewards=rewards,
        since=since_of(params),
        is_awaited="awaited" in params,
    )


def since_of(params: Mapping[str, str]) -> EpochMs | None:
    """From when on history is wanted, as the parameters of a window say it."""
    return EpochMs(int(params["since"])) if "since" in params else None


def _add(found: dict[str, Touched], name: str, height: int, block_hash: str, *, inner: bool | None) -> None:
    key = name.lower()
    before = found.get(key)
    known = (before.inner or inner) if before is not None else inner
    found[key] = Touched(hash=key, height=height, block_hash=block_hash.lower(), inner=known)


def _add_traces(found: dict[str, Touched], traces: Sequence[Trace], *, is_sender: bool) -> int:
    """Adds what moved coins, and everything that the address itself sent; gives the number of rewards."""
    rewards = 0
    for trace in traces:
        moved = quantity(trace.action.value or trace.action.balance or "0x0") > 0
        if trace.transaction_hash is None:
            rewards += moved
        elif moved or (is_sender and not trace.trace_address):
            inner = moved and bool(trace.trace_address)
            _add(found, trace.transaction_hash, trace.block_number, trace.block_hash, inner=inner)
    return rewards


class Pace:
    """How many blocks are asked for at once: all that there are, halved where a node refuses, doubled where it does not.

    A refusal for the stretch itself is remembered, and the largest allowed stretch is closed in on; one for the number of results
    only halves, because it tells of these blocks alone.
    """

    def __init__(self, *, span: int, refused: int) -> None:
        self.span = span
        self.refused = refused

    def size(self, left: int) -> int:
        """Blocks to ask for when `left` are to be read."""
        return min(self.span or left, left)

    def shrink(self, tried: int, *, is_cap: bool) -> None:
        """After `tried` blocks were refused; `is_cap` when the node refuses every stretch of that length."""
        if is_cap:
            self.refused = min(self.refused or tried, tried)
        self.span = max(1, tried // 2)

    def grow(self, done: int) -> None:
        """After `done` blocks were answered."""
        if self.span == 0 or done < self.span:
            return
        self.span = done * 2 if not self.refused else max(done, min(done * 2, (done + self.refused) // 2))
