"""Which Cosmos chains there are: one row each, read from `data/chains/cosmos.toml`, and the tokens that are known on them.

A denomination (`uatom`, `ibc/…`, `factory/…`) is its chain's own name of a unit. What the list does not know is counted in that
unit, without decimals, so an amount never depends on what somebody answered about a token.
"""

import functools
import re
import tomllib
from collections.abc import Mapping
from hashlib import sha256
from importlib.resources import files
from urllib.parse import quote

import msgspec

from omnifolio.model.errors import InvalidField
from omnifolio.model.tokens import TokenFacts, TokenId

REFERENCE_LENGTH_MAX = 128
"""Of a token's name in CAIP-19."""
HASHED_DIGITS = 16
"""Of a chain id that CAIP-2 cannot write, so many hexadecimal digits of its SHA-256 stand for it."""
_REFERENCE = re.compile(r"[-_a-zA-Z0-9]{1,32}")
_BRIDGED = re.compile(r"ibc/([0-9A-F]{64})")


class CosmosChain(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One chain. `prefix` begins its addresses, `coin` is the denomination that is staked or that pays the fees."""

    id: str
    chain_id: str
    name: str
    prefix: str
    slip44: int
    coin: str
    ticker: str
    decimals: int
    has_coin_type: bool = True
    """The coin has the SLIP-44 number to itself; else its denomination names it."""
    is_hex: bool = False
    """Keys are those of Ethereum, so an address in hexadecimal is the same account."""
    urls: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    """Other names that it goes by."""

    @property
    def caip2(self) -> str:
        """The chain's CAIP-2 id: `cosmos:cosmoshub-4`."""
        plain = _REFERENCE.fullmatch(self.chain_id) is not None
        return f"cosmos:{self.chain_id if plain else 'hashed-' + _hashed(self.chain_id)}"

    @property
    def native(self) -> TokenFacts:
        """The coin: `cosmos:cosmoshub-4/slip44:118`."""
        return TokenFacts(id=self.token(self.coin), ticker=self.ticker, name=self.name, decimals=self.decimals)

    def wallet(self, address: str) -> str:
        """The CAIP-10 key of an address."""
        return f"{self.caip2}:{address}"

    def token(self, denom: str) -> TokenId:
        """The token of a denomination: the coin by its number, `…/ibc:<hash>`, or `…/denom:<name>` with %2F for a slash."""
        if denom == self.coin and self.has_coin_type:
            return TokenId(f"{self.caip2}/slip44:{self.slip44}")
        if hashed := bridged_hash(denom):
            return TokenId(f"{self.caip2}/ibc:{hashed}")
        name = quote(denom, safe="").replace("_", "%5F").replace("~", "%7E")
        return TokenId(f"{self.caip2}/denom:{name if len(name) <= REFERENCE_LENGTH_MAX else 'hashed-' + _hashed(denom)}")

    def facts(self, denom: str) -> TokenFacts | None:
        """What is known of a denomination; None where nobody has listed it."""
        return self.native if denom == self.coin else _listed().get(self.id, {}).get(denom)

    def decimals_of(self, denom: str) -> int:
        """The decimals in which a denomination is counted; 0, so in itself, where nobody has listed it."""
        facts = self.facts(denom)
        return 0 if facts is None or facts.decimals is None else facts.decimals


def bridged_hash(denom: str) -> str:
    """The hash that is the name of a coin of another chain; "" for any other denomination."""
    found = _BRIDGED.fullmatch(denom)
    return found[1] if found else ""


def _hashed(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:HASHED_DIGITS]


@functools.cache
def cosmos_chains() -> Mapping[str, CosmosChain]:
    """All chains by row id."""
    rows = tomllib.loads((files("omnifolio.catalog") / "data" / "chains" / "cosmos.toml").read_text())
    return {name: msgspec.convert(row | {"id": name}, CosmosChain) for name, row in rows.items()}


@functools.cache
def _listed() -> Mapping[str, Mapping[str, TokenFacts]]:
    """Known tokens by chain and denomination."""
    chains = cosmos_chains()
    found: dict[str, dict[str, TokenFacts]] = {name: {} for name in chains}
    text = (files("omnifolio.catalog") / "data" / "tokens" / "cosmos.tsv").read_text()
    for line in text.splitlines()[1:]:
        name, denom, decimals, ticker, title = line.split("\t")
        token = chains[name].token(denom)
        found[name][denom] = TokenFacts(id=token, ticker=ticker, name=title, decimals=int(decimals))
    return found


def cosmos_chain(name: str) -> CosmosChain:
    """The chain with that row id or CAIP-2 id. Raises: InvalidField."""
    chains = cosmos_chains()
    found = chains.get(name) or next((chain for chain in chains.values() if name in (chain.caip2, *chain.also)), None)
    if found is None:
        raise InvalidField(f"chain: expected a row id as cosmoshub, or a CAIP-2 id as cosmos:cosmoshub-4, got {name[:60]!r}")
    return found


@functools.cache
def by_prefix() -> Mapping[str, CosmosChain]:
    """For each prefix of addresses the chain that has it; of several that share one, the list's first."""
    return {chain.prefix: chain for chain in reversed(tuple(cosmos_chains().values()))}
