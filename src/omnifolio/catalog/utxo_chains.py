"""Which UTXO chains there are: one row per chain, read from `data/chains/bip122.toml`.

A row holds the chain's version bytes and prefixes, how deep a block must lie to be final, and the public servers that answer for
the chain, by name: nobody is asked who is not named here or configured by the operator.
"""

import functools
import tomllib
from collections.abc import Mapping
from importlib.resources import files
from typing import Literal

import msgspec

from omnifolio.model.errors import InvalidField
from omnifolio.model.tokens import TokenFacts, TokenId

Protocol = Literal["electrum", "esplora", "blockbook"]
SCHEMES: Mapping[str, Protocol] = {"tls": "electrum", "tcp": "electrum"}
"""URLs of these schemes lead to Electrum servers; http and https to the protocol that stands before the plus, else Esplora."""


OWN = "own"
"""The name of the operator's server, as a choice of source."""


class Source(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A server that answers for a chain: its name for people, its protocol and its address."""

    name: str
    protocol: Protocol
    url: str

    @property
    def is_own(self) -> bool:
        """The operator configured it."""
        return self.name == OWN


class UtxoChain(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One UTXO chain. Version bytes are hexadecimal, the first of each list is the one that is shown."""

    id: str
    genesis: str
    name: str
    ticker: str
    slip44: int
    confirmations: int
    key_hash: tuple[str, ...]
    script_hash: tuple[str, ...]
    extended: Mapping[str, str]
    """Version bytes of extended public keys → the wallet's scripts: `pkh`, `sh-wpkh`, `wpkh`; several, one after the other."""
    extended_multisig: tuple[str, ...] = ()
    """Version bytes of keys that are part of a multisig wallet and say nothing alone."""
    hrp: str = ""
    cash_prefix: str = ""
    decimals: int = 8
    transactions: Literal["bitcoin", "zcash"] = "bitcoin"
    """How transactions are written."""
    header_bytes: int = 80
    """How much of what servers give as a block's header is hashed: coins that are mined with others append proofs of that."""
    header_time_at: int = 68
    """Where the time stands in a block's header, in bytes."""
    sources: tuple[Source, ...] = ()

    @property
    def caip2(self) -> str:
        """The chain's CAIP-2 id: `bip122:000000000019d6689c085ae165831e93`."""
        return f"bip122:{self.genesis}"

    @property
    def native(self) -> TokenFacts:
        """The coin: `bip122:000000000019d6689c085ae165831e93/slip44:0`."""
        return TokenFacts(
            id=TokenId(f"{self.caip2}/slip44:{self.slip44}"), ticker=self.ticker, name=self.ticker, decimals=self.decimals
        )

    def source(self, name: str) -> Source:
        """The public server of that name. Raises: InvalidField."""
        found = next((source for source in self.sources if source.name == name), None)
        if found is None:
            known = ", ".join(source.name for source in self.sources) or "none: configure a server of your own"
            raise InvalidField(f"source: {self.name} has {known}; got {name[:60]!r}")
        return found


def configured_source(url: str) -> Source:
    """The operator's own server, its protocol told by the URL: `tcp://`, `tls://`, `esplora+https://`, `blockbook+http://`."""
    scheme, _, rest = url.partition("://")
    protocol, separator, inner = scheme.partition("+")
    if separator and protocol in ("esplora", "blockbook") and inner in ("http", "https"):
        return Source(name=OWN, protocol="blockbook" if protocol == "blockbook" else "esplora", url=f"{inner}://{rest}")
    return Source(name=OWN, protocol=SCHEMES.get(scheme, "esplora"), url=url)


@functools.cache
def utxo_chains() -> Mapping[str, UtxoChain]:
    """All UTXO chains by row id, in the order of the file."""
    rows = tomllib.loads((files("omnifolio.catalog") / "data" / "chains" / "bip122.toml").read_text())
    return {name: msgspec.convert(row | {"id": name}, UtxoChain) for name, row in rows.items()}


def utxo_chain(name: str) -> UtxoChain:
    """The chain with that row id (`bitcoin`) or CAIP-2 id. Raises: InvalidField."""
    chains = utxo_chains()
    found = chains.get(name) or next((chain for chain in chains.values() if chain.caip2 == name), None)
    if found is None:
        raise InvalidField(f"chain: expected one of {', '.join(chains)} or a CAIP-2 id of these, got {name[:60]!r}")
    return found
