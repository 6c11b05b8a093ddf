"""A gap scan at an Electrum server: histories of all scripts of a wallet, and their balances where they are wanted, of one state.

One round is one round trip, with the newest block asked for before and after. Where a block came in between, the rounds are of
different states, and the scan is made again.
"""

from collections.abc import Sequence

from msgspec import Struct

from omnifolio.catalog.utxo_chains import UtxoChain
from omnifolio.model.clock import EpochMs
from omnifolio.model.errors import VenueUnavailable
from omnifolio.model.facts import Evidence
from omnifolio.venues.utxo.electrum import Ask, Listed, Reply, Server, Tip, about_script, header, tip
from omnifolio.venues.utxo.raw import read_header
from omnifolio.venues.utxo.scan import Scan
from omnifolio.venues.utxo.subject import Place, Subject

TRIES_MAX = 3
"""Scans while the chain moves under them."""
SCAN = "scan"
SAMPLES = 100
"""Blocks whose times are looked at in one round trip."""


class Found(Struct, frozen=True):
    """What a scan found: its end in each branch, the newest block, each used place's transactions, and what is kept of it."""

    ends: tuple[int, ...]
    tip: Tip
    histories: dict[Place, list[Listed]]
    evidence: list[Evidence]


async def scanned(server: Server, subject: Subject, *, ends: tuple[int, ...], with_balances: bool, **params: str) -> Found:
    """The scan, of one state of the chain. Raises: VenueUnavailable, VenueBusy, VenueBadResponse."""
    for _ in range(TRIES_MAX):
        found = await _once(server, subject, ends=ends, with_balances=with_balances, **params)
        if found is not None:
            return found
    raise VenueUnavailable("the chain moved each time that it was read")


async def first_height(server: Server, chain: UtxoChain, tip: int, *, since: EpochMs) -> int:
    """The lowest height whose block was made at or after `since`, above the newest where there is none; a few round trips."""
    low, high = 0, tip + 1
    while low < high:
        heights = sorted({low + (high - 1 - low) * n // (SAMPLES - 1) for n in range(SAMPLES)})
        asked = await server.ask("search", [header(str(height), height) for height in heights], passing="")
        times = {h: read_header(asked.replies[str(h)].read(str), chain).at for h in heights}
        early = [height for height in heights if times[height] < since]
        late = [height for height in heights if times[height] >= since and height > max(early, default=-1)]
        low, high = max(early, default=low - 1) + 1, min(late, default=high)
    return low


async def _once(server: Server, subject: Subject, *, ends: tuple[int, ...], with_balances: bool, **params: str) -> Found | None:
    scan = Scan(subject, ends=ends)
    evidence: list[Evidence] = []
    histories: dict[Place, list[Listed]] = {}
    newest: Tip | None = None
    while places := scan.next_places():
        asks = [tip("tip:before"), *_asks(subject, places, with_balances=with_balances), tip("tip:after")]
        asked = await server.ask(SCAN, asks, passing="history:", **params)
        evidence += asked.evidence
        if not _is_still(asked.replies, newest):
            return None
        newest = asked.replies["tip:before"].read(Tip)
        used = {place: asked.replies[f"history:{place}"].read(list[Listed]) for place in places}
        histories |= {place: listed for place, listed in used.items() if listed}
        scan.used(place for place, listed in used.items() if listed)
    assert newest is not None, "a wallet has at least one script"
    return Found(scan.ends, newest, histories, evidence)


def _asks(subject: Subject, places: Sequence[Place], *, with_balances: bool) -> list[Ask]:
    kinds = ("history", "balance") if with_balances else ("history",)
    return [about_script(kind, place, subject.scripthash(place)) for place in places for kind in kinds]


def _is_still(replies: dict[str, Reply], newest: Tip | None) -> bool:
    before, after = replies["tip:before"].read(Tip), replies["tip:after"].read(Tip)
    return before == after and newest in (None, before)
