"""A window of blocks as an explorer lists it: which transactions touched the address, and what moved inside them.

Every list is asked for from the window's first block on. The window ends where the first of the lists that are full is still
whole, so that a page is a stretch of blocks about which everything is known.
"""

from collections.abc import Sequence

from omnifolio.catalog.chains import EvmChain
from omnifolio.model.clock import EpochMs
from omnifolio.model.errors import VenueBadResponse, VenueUnavailable
from omnifolio.model.facts import Evidence
from omnifolio.venues.evm.events import Subject
from omnifolio.venues.evm.explorer import (
    EXPLORER,
    LISTS,
    ROWS_MAX,
    WITHDRAWALS,
    Explorer,
    Refused,
    inner_rows,
    listed,
    withdrawals,
)
from omnifolio.venues.evm.head import Head, block_call, time_of
from omnifolio.venues.evm.rpc import Node, gathered
from omnifolio.venues.evm.shapes import Block
from omnifolio.venues.evm.windows import Touched, Window, since_of

ROWS = 500
"""Rows of each list in a page: as many transactions as are committed at once."""
BOUNDS = "bounds"
"""The kind of the evidence that says where the window begins and ends."""
_NEEDED = frozenset({"txlist", "txlistinternal", "tokentx"})
"""Without these an explorer tells less than a node; without the others, collectibles are missing."""


def lists_of(chain: EvmChain) -> tuple[str, ...]:
    """The lists that there are of a chain."""
    return (*LISTS, WITHDRAWALS) if chain.has_withdrawals else LISTS


async def ask_listing(
    explorer: Explorer, node: Node, subject: Subject, head: Head, *, start: int, horizon: int, since: EpochMs | None
) -> list[Evidence]:
    """The evidence of the next window from `start`, up to `horizon` at most. Raises: Refused, VenueError."""
    size = ROWS
    while True:
        kept, end, refused = await _lists(explorer, subject, start=start, horizon=horizon, size=size)
        if end >= start or size == ROWS_MAX:
            break
        size = min(size * 10, ROWS_MAX)
    end = max(end, start)
    calls = [block_call("last", end)] + ([block_call("before", start - 1)] if start else [])
    bounds = {"wallet": subject.address, "from": str(start), "to": str(end), "final": str(head.final)}
    if since is not None:
        bounds["since"] = str(since)
    if refused:
        bounds["refused"] = "+".join(refused)
    return kept + await node.ask(BOUNDS, calls, **bounds)


async def _lists(
    explorer: Explorer, subject: Subject, *, start: int, horizon: int, size: int
) -> tuple[list[Evidence], int, list[str]]:
    """The lists, the last block of which all of them are whole, and those that the explorer does not have."""
    kept: list[Evidence] = []
    refused: list[str] = []
    end = horizon
    for action in lists_of(subject.chain):
        try:
            page = await explorer.rows(action, subject.address, start=start, end=horizon, size=size)
        except Refused:
            if action in _NEEDED:
                raise
            refused.append(action)
            continue
        kept.append(page)
        rows = listed(page.body)
        if len(rows) >= size:
            end = min(end, rows[-1].height - 1)
    return kept, end, refused


def listed_window(evidence: Sequence[Evidence]) -> Window | None:
    """The window in a page's evidence; None when no explorer was asked.

    Raises: VenueBadResponse for rows outside the window, VenueUnavailable when the node has lost the window's blocks.
    """
    params = next((item.params for item in evidence if item.params.get("read") == BOUNDS), None)
    if params is None:
        return None
    start, end = int(params["from"]), int(params["to"])
    answers = gathered(evidence, BOUNDS)
    if answers["last"].is_null or ("before" in answers and answers["before"].is_null):
        raise VenueUnavailable("the node does not have a block that the explorer has")
    last = answers["last"].read(Block)
    inner = inner_rows(evidence)
    found: dict[str, Touched] = {}
    came = []
    for page in evidence:
        if page.params.get("read") != EXPLORER:
            continue
        if page.params["action"] == WITHDRAWALS:
            # Without a transaction there is no hash by which a replaced block would be noticed: they wait until they are final.
            settled = min(end, int(params["final"]))
            came += [row for row in withdrawals(page.body) if start <= int(row.block_number) <= settled]
            continue
        for row in listed(page.body):
            if row.height < start:
                raise VenueBadResponse("the explorer answered with rows before the block that was asked for")
            if row.height <= end and row.name:
                found[row.name] = Touched(hash=row.name, height=row.height, block_hash="", inner=row.name in inner)
    return Window(
        start=start,
        end=end,
        final=int(params["final"]),
        address=params["wallet"],
        from_at=time_of(answers["before"].read(Block)) if "before" in answers else EpochMs(0),
        to_at=time_of(last),
        end_hash=last.hash.lower(),
        touched=tuple(sorted(found.values(), key=lambda touched: (touched.height, touched.hash))),
        has_traces=True,
        rewards=0,
        since=since_of(params),
        inner=inner,
        withdrawals=tuple(came),
        has_collectibles="refused" not in params,
    )
