"""Who reads which venue: a table of families, each with the ids of its venues and the one reader of all of them."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache

from msgspec import Struct

from omnifolio.catalog import exchanges, layouts
from omnifolio.catalog.chains import evm_chains
from omnifolio.catalog.solana_chains import solana_chains
from omnifolio.catalog.utxo_chains import utxo_chains
from omnifolio.model.errors import NotFound
from omnifolio.venues import manual, validators
from omnifolio.venues.contract import Reader
from omnifolio.venues.demo.reader import DemoReader
from omnifolio.venues.evm.reader import EvmReader
from omnifolio.venues.exchanges.reader import ExchangeReader
from omnifolio.venues.files.reader import STREAM_KIND, FileReader
from omnifolio.venues.networks import Network
from omnifolio.venues.solana import plan as solana
from omnifolio.venues.solana.reader import SolanaReader
from omnifolio.venues.utxo.reader import UtxoReader


class Family(Struct, frozen=True):
    """A way of reading: the ids of its venues, and their reader. `networks` where its chains differ by data alone."""

    ids: Callable[[], Sequence[str]]
    reader: Reader
    networks: Callable[[], Sequence[Network]] = tuple


FAMILIES: Mapping[str, Family] = {
    "exchange": Family(exchanges.ids, ExchangeReader()),
    "evm": Family(lambda: tuple(evm_chains()), EvmReader()),
    "utxo": Family(lambda: tuple(utxo_chains()), UtxoReader()),
    "solana": Family(lambda: tuple(solana_chains()), SolanaReader(), solana.networks),
    "validators": Family(lambda: (validators.VENUE,), validators.ValidatorReader()),
    "file": Family(lambda: tuple(f"file-{layout}" for layout in layouts.ids()), FileReader()),
    "manual": Family(lambda: (manual.VENUE,), manual.ManualReader()),
    "demo": Family(lambda: ("demo",), DemoReader()),
}


@cache
def networks() -> Mapping[str, Network]:
    """The chains of all families that tell theirs as networks, by id."""
    return {network.id: network for family in FAMILIES.values() for network in family.networks()}


def reader_for(venue: str, stream: str = "") -> Reader:
    """Who reads a venue. A file's streams are read by the file reader whatever account they were put into. Raises: NotFound."""
    if stream.startswith(f"{STREAM_KIND}/"):
        return FAMILIES["file"].reader
    for family in FAMILIES.values():
        if venue in family.ids():
            return family.reader
    raise NotFound(f"no venue has the id {venue[:40]!r}")
