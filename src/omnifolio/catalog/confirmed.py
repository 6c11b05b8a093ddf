"""What users told of exchanges and chains that they verified themselves: the result files that `venues verify` writes.

They come in by pull request as `data/confirmed/<venue>.json`, as they were written. One that shows a failed check, or that did
not ask the venue itself, confirms nothing and is refused here.
"""

from collections.abc import Iterator, Mapping
from datetime import date
from functools import cache
from importlib import resources
from typing import Literal

import msgspec
from msgspec import Struct

from omnifolio.model.clock import DAY_MS, EpochMs, start_of_day
from omnifolio.model.errors import FileRefused

FORMAT, CHAIN_FORMAT = "omnifolio-verification/2", "omnifolio-chain-verification/1"
LASTS_MS = 180 * DAY_MS
"""Venues change: after so long, somebody has to look again."""

Outcome = Literal["ok", "warning", "failed"]


class StreamResult(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One kind of stream: its worst outcome, and how much of it was read."""

    outcome: Outcome
    streams: int
    pages: int
    rows: int


class Result(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A result file. `connector` names the row and the modules that read the venue; `asked` whether it was the venue itself."""

    format: str
    venue: str
    date: str
    omnifolio: str
    ccxt: str
    connector: str
    asked: Literal["venue", "other"]
    amounts: Literal["exact", "scaled"]
    checks: Mapping[str, Outcome]
    streams: Mapping[str, StreamResult]

    @property
    def ends_at(self) -> EpochMs:
        """The instant from which on it says nothing any more."""
        return EpochMs(start_of_day(date.fromisoformat(self.date)) + LASTS_MS)

    @property
    def confirmed(self) -> tuple[str, ...]:
        """The kinds of stream of which something was read, and nothing wrong with it."""
        return tuple(kind for kind, found in self.streams.items() if found.outcome == "ok" and found.rows)


class _Stated(Struct):
    format: str = ""


class ChainResult(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A chain's result file. `connector` names the chain's row; `sources` the hosts that answered, an own one as `own`."""

    format: str
    venue: str
    date: str
    omnifolio: str
    connector: str
    sources: tuple[str, ...]
    checks: Mapping[str, Outcome]

    @property
    def ends_at(self) -> EpochMs:
        """The instant from which on it says nothing any more."""
        return EpochMs(start_of_day(date.fromisoformat(self.date)) + LASTS_MS)

    @property
    def confirmed(self) -> tuple[str, ...]:
        """A chain's check compares balances and reads no history."""
        return ("balances",)


@cache
def results() -> Mapping[str, Result | ChainResult]:
    """Every result that came in, by its venue's id. Raises: FileRefused for one that confirms nothing."""
    folder = resources.files(__package__) / "data" / "confirmed"
    found = [read(entry.read_bytes()) for entry in folder.iterdir() if entry.name.endswith(".json")]
    return {result.venue: result for result in sorted(found, key=lambda result: result.venue)}


def read(text: bytes) -> Result | ChainResult:
    """A result file. Raises: FileRefused for what is none, and for one that confirms nothing."""
    try:
        stated = msgspec.json.decode(text, type=_Stated).format
        kind: type[Result | ChainResult] = ChainResult if stated == CHAIN_FORMAT else Result
        result = msgspec.json.decode(text, type=kind)
        date.fromisoformat(result.date)
    except (msgspec.DecodeError, ValueError) as error:
        raise FileRefused(f"it is no result of omnifolio venues verify ({error})") from None
    wrong = next(_objections_to_chain(result) if isinstance(result, ChainResult) else _objections(result), None)
    if wrong:
        raise FileRefused(f"{result.venue}: {wrong}")
    return result


def _objections(result: Result) -> Iterator[str]:
    if result.format != FORMAT:
        yield f"its format is {result.format[:40]}, not {FORMAT}"
    if result.asked != "venue":
        yield "it was not the venue itself that answered"
    failed = [name for name, outcome in result.checks.items() if outcome == "failed"]
    failed += [kind for kind, found in result.streams.items() if found.outcome == "failed"]
    if failed:
        yield f"it says that {failed[0]} failed"
    if not result.confirmed:
        yield "nothing was read"


def _objections_to_chain(result: ChainResult) -> Iterator[str]:
    failed = [name for name, outcome in result.checks.items() if outcome == "failed"]
    if failed:
        yield f"it says that {failed[0]} failed"
    if result.checks.get("balance") != "ok" or len(set(result.sources)) < 2:
        yield "no two sources told the same balance"
