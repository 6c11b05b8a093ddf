"""Where the chain stands when a read begins: its id, its tip, what is final, and whether rows that were provisional still hold.

A row is provisional while its block may still be replaced: above the node's `finalized` block, or, where a node does not know
that tag, above the tip less the chain's confirmations. The block of each provisional row is asked for again by its height:
another hash there says that the chain moved. A height that the node does not have yet says nothing: it may lag behind.
"""

from collections.abc import Mapping, Sequence

from msgspec import Struct

from omnifolio.catalog.chains import EvmChain
from omnifolio.model.clock import EpochMs
from omnifolio.model.errors import VenueBadResponse, VenueUnavailable
from omnifolio.model.facts import Evidence, Rewind
from omnifolio.venues.evm.rpc import Call, Node, Reply, gathered
from omnifolio.venues.evm.shapes import Block
from omnifolio.venues.evm.words import data_of, quantity

KNOWN_HEIGHTS_MAX = 2_000
"""Provisional heights that are compared in one read; the lowest come first, so that the rest follow from them."""

_READ = "head"
_DEPTH = "depth"
_SEARCH = "search"


class Head(Struct, frozen=True, kw_only=True):
    """The chain's tip and the highest final block, as (number, hash); `at` is the tip's time."""

    tip: int
    tip_hash: str
    at: EpochMs
    final: int
    final_hash: str
    has_multicall: bool


class Anchor(Struct, frozen=True):
    """The last block that was read as final: a node that has another one there follows another chain."""

    height: int
    hash: str


def block_call(about: str, height: int) -> Call:
    """Asks for the header of a block."""
    return Call(about, "eth_getBlockByNumber", (hex(height), False))


async def ask_head(
    node: Node, chain: EvmChain, *, provisional: Mapping[int, str] | None = None, anchor: Anchor | None = None
) -> list[Evidence]:
    """Asks where the chain stands. Raises: VenueBusy, VenueUnavailable, VenueBadResponse."""
    calls = [
        Call("chain", "eth_chainId", ()),
        Call("latest", "eth_getBlockByNumber", ("latest", False)),
        Call("finalized", "eth_getBlockByNumber", ("finalized", False)),
        Call("multicall", "eth_getCode", (chain.multicall3, "latest")),
    ]
    if anchor is not None:
        calls.append(block_call(f"anchor:{anchor.height}={anchor.hash}", anchor.height))
    heights = sorted((provisional or {}).items())[:KNOWN_HEIGHTS_MAX]
    calls += [block_call(f"known:{height}={block_hash}", height) for height, block_hash in heights]
    kept = await node.ask(_READ, calls)
    answers = gathered(kept, _READ)
    if _block(answers["finalized"]) is None:
        tip = _tip(answers)
        kept += await node.ask(_READ, [block_call(_DEPTH, max(0, quantity(tip.number) - chain.confirmations))])
    return kept


def head_of(chain: EvmChain, evidence: Sequence[Evidence], *, floor: int = 0) -> Head:
    """Where the chain stands; what was final once, up to `floor`, stays final even if this node lags.

    Raises: VenueBadResponse for a node of another chain, VenueUnavailable for one that is behind what was read before.
    """
    answers = gathered(evidence, _READ)
    number = quantity(answers["chain"].read(str))
    if number != chain.chain_id:
        raise VenueBadResponse(f"the node serves chain {number}; {chain.name} is chain {chain.chain_id}")
    tip = _tip(answers)
    final = _block(answers["finalized"]) or answers[_DEPTH].read(Block)
    height, final_height = quantity(tip.number), quantity(final.number)
    if final_height > height:
        final, final_height = tip, height
    _check_anchor(answers)
    return Head(
        tip=height,
        tip_hash=tip.hash.lower(),
        at=time_of(tip),
        final=max(final_height, min(floor, height)),
        final_hash=final.hash.lower() if final_height >= floor else "",
        has_multicall=bool(data_of(_code(answers["multicall"]))),
    )


def rewind_of(stream: str, evidence: Sequence[Evidence]) -> Rewind | None:
    """The rewind that the chain's move asks for: above the highest height below the first block that is another one now."""
    moved = [height for height, stored, block in _compared(gathered(evidence, _READ), "known:") if block.hash.lower() != stored]
    return Rewind(stream, min(moved) - 1) if moved else None


def time_of(block: Block) -> EpochMs:
    """When the block was made, in epoch milliseconds."""
    return EpochMs(quantity(block.timestamp) * 1000)


def _tip(answers: Mapping[str, Reply]) -> Block:
    tip = answers["latest"].read(Block | None)  # type: ignore[arg-type]  # msgspec takes unions where mypy wants a class
    if tip is None:
        raise VenueUnavailable("the node has no block yet")
    return tip


def _block(reply: Reply) -> Block | None:
    """The block, or None where the node does not have it or does not know the tag."""
    return None if reply.error is not None or reply.is_null else reply.read(Block)


def _code(reply: Reply) -> str:
    return "0x" if reply.error is not None else reply.read(str)


def _compared(answers: Mapping[str, Reply], prefix: str) -> list[tuple[int, str, Block]]:
    """(height, stored hash, block now) for each block that was asked for again and that the node has."""
    found = []
    for about, reply in answers.items():
        if about.startswith(prefix) and (block := _block(reply)) is not None:
            height, _, stored = about.removeprefix(prefix).partition("=")
            found.append((int(height), stored.lower(), block))
    return found


def _check_anchor(answers: Mapping[str, Reply]) -> None:
    asked = any(about.startswith("anchor:") for about in answers)
    compared = _compared(answers, "anchor:")
    if asked and not compared:
        raise VenueUnavailable("the node is behind what was read before")
    for height, stored, block in compared:
        if block.hash.lower() != stored:
            raise VenueBadResponse(
                f"block {height}, read as final before, is another one now: the node follows another chain, "
                "or this one was reorganised deeper than its finality"
            )


async def first_block_from(node: Node, at: EpochMs, *, tip: int) -> int:
    """The first block that was made at an instant or later, by halving; beyond the tip when there is none. Raises: VenueError."""
    low, high = 0, tip + 1
    while low < high:
        middle = (low + high) // 2
        reply = gathered(await node.ask(_SEARCH, [block_call(_SEARCH, middle)]), _SEARCH)[_SEARCH]
        block = _block(reply)
        if block is not None and time_of(block) >= at:
            high = middle
        else:
            low = middle + 1  # a block that the node has no longer is older than what it has
    return low
