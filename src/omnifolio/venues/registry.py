"""Who reads which venue: a table of families, each with the ids of its venues and the one reader of all of them."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache

from msgspec import Struct

from omnifolio.catalog import exchanges, layouts
from omnifolio.catalog.cardano_chains import cardano_chains
from omnifolio.catalog.chains import evm_chains
from omnifolio.catalog.cosmos_chains import cosmos_chains
from omnifolio.catalog.solana_chains import solana_chains
from omnifolio.catalog.stellar_chains import stellar_chains
from omnifolio.catalog.substrate_chains import substrate_chains
from omnifolio.catalog.sui_chains import sui_chains
from omnifolio.catalog.ton_chains import ton_chains
from omnifolio.catalog.tron_chains import tron_chains
from omnifolio.catalog.utxo_chains import utxo_chains
from omnifolio.catalog.xrpl_chains import xrpl_chains
from omnifolio.model.errors import NotFound
from omnifolio.venues import manual, validators
from omnifolio.venues.cardano import plan as cardano
from omnifolio.venues.cardano import reader as cardano_reader
from omnifolio.venues.contract import Reader
from omnifolio.venues.cosmos import plan as cosmos
from omnifolio.venues.cosmos import reader as cosmos_reader
from omnifolio.venues.demo.reader import DemoReader
from omnifolio.venues.evm.reader import EvmReader
from omnifolio.venues.exchanges.reader import ExchangeReader
from omnifolio.venues.files.reader import STREAM_KIND, FileReader
from omnifolio.venues.networks import Network
from omnifolio.venues.solana import plan as solana
from omnifolio.venues.solana import reader as solana_reader
from omnifolio.venues.stellar import plan as stellar
from omnifolio.venues.stellar import reader as stellar_reader
from omnifolio.venues.substrate import plan as substrate
from omnifolio.venues.substrate import reader as substrate_reader
from omnifolio.venues.sui import plan as sui
from omnifolio.venues.sui import reader as sui_reader
from omnifolio.venues.ton import plan as ton
from omnifolio.venues.ton import reader as ton_reader
from omnifolio.venues.tron import plan as tron
from omnifolio.venues.tron import reader as tron_reader
from omnifolio.venues.utxo.reader import UtxoReader
from omnifolio.venues.vezgo import reader as vezgo
from omnifolio.venues.xrpl import plan as xrpl
from omnifolio.venues.xrpl import reader as xrpl_reader


class Family(Struct, frozen=True):
    """A way of reading: the ids of its venues, and their reader. `networks` where its chains differ by data alone."""

    ids: Callable[[], Sequence[str]]
    reader: Reader
    networks: Callable[[], Sequence[Network]] = tuple


FAMILIES: Mapping[str, Family] = {
    "exchange": Family(exchanges.ids, ExchangeReader()),
    "evm": Family(lambda: tuple(evm_chains()), EvmReader()),
    "utxo": Family(lambda: tuple(utxo_chains()), UtxoReader()),
    "solana": Family(lambda: tuple(solana_chains()), solana_reader.READER, solana.networks),
    "cardano": Family(lambda: tuple(cardano_chains()), cardano_reader.READER, cardano.networks),
    "xrpl": Family(lambda: tuple(xrpl_chains()), xrpl_reader.READER, xrpl.networks),
    "substrate": Family(lambda: tuple(substrate_chains()), substrate_reader.READER, substrate.networks),
    "sui": Family(lambda: tuple(sui_chains()), sui_reader.READER, sui.networks),
    "ton": Family(lambda: tuple(ton_chains()), ton_reader.READER, ton.networks),
    "cosmos": Family(lambda: tuple(cosmos_chains()), cosmos_reader.READER, cosmos.networks),
    "tron": Family(lambda: tuple(tron_chains()), tron_reader.READER, tron.networks),
    "stellar": Family(lambda: tuple(stellar_chains()), stellar_reader.READER, stellar.networks),
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
    """Who reads a venue. A file's streams, and what was brought from Vezgo, have their readers whatever the account is.

    Raises: NotFound.
    """
    if stream.startswith(f"{STREAM_KIND}/"):
        return FAMILIES["file"].reader
    if stream.startswith(f"{vezgo.STREAM_KIND}/"):
        return vezgo.READER
    for family in FAMILIES.values():
        if venue in family.ids():
            return family.reader
    raise NotFound(f"no venue has the id {venue[:40]!r}")
