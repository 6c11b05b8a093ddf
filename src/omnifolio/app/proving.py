"""What users with a live account have confirmed of the very connectors that are in this installation."""

from collections.abc import Mapping

from msgspec import Struct

from omnifolio.catalog import confirmed
from omnifolio.catalog.chains import EvmChain
from omnifolio.catalog.confirmed import ChainResult, Result
from omnifolio.model.clock import EpochMs
from omnifolio.venues.exchanges import connector


class Live(Struct, frozen=True, kw_only=True):
    """A confirmation of a connector: the day of the look, the connector's hash, what was read, and when it ends."""

    date: str
    connector: str
    streams: tuple[str, ...]
    ends_at: EpochMs


Results = Mapping[str, Result | ChainResult]


def live_of(venue: str, results: Results | None = None) -> Live | None:
    """What confirms an exchange's present connector, ended or not; None where nothing does, or what did was of another one."""
    result = (confirmed.results() if results is None else results).get(venue)
    return _held(result, connector.digest(venue)) if isinstance(result, Result) else None


def live_of_chain(chain: EvmChain, results: Results | None = None) -> Live | None:
    """What confirms a chain's present row, ended or not."""
    result = (confirmed.results() if results is None else results).get(chain.id)
    return _held(result, chain.connector) if isinstance(result, ChainResult) else None


def _held(result: Result | ChainResult, present: str) -> Live | None:
    if result.connector != present:
        return None
    return Live(date=result.date, connector=result.connector, streams=result.confirmed, ends_at=result.ends_at)
