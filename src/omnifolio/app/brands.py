"""Wallet brands as they are offered: whatever is pasted is connected to the chain whose address it is."""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial

from omnifolio.app.offer import HISTORY, Field, Offer, Onward
from omnifolio.catalog.chains import evm_chains
from omnifolio.catalog.exchanges import UNRANKED
from omnifolio.catalog.utxo_chains import utxo_chains
from omnifolio.catalog.wallets import WalletRow, wallet_brands
from omnifolio.model.errors import InvalidField
from omnifolio.venues.registry import networks

NETWORK = "network"
"""The field that names the chain, where an address alone does not tell it."""
BRAND = "brand"
"""The link field of an account that was connected through a wallet brand: the brand's name."""
_SHOWN_MAX = 12
"""Chains that a sentence names at most."""


def brand_offers(chains: Iterable[Offer]) -> list[Offer]:
    """Every brand that keeps keys of a chain which is offered here, behind all venues, the best known first."""
    named = _by_word(chains)
    made = ((row, [chain for word in row.chains for chain in named.get(word, ())]) for row in wallet_brands().values())
    return [_offer(row, found, rank=UNRANKED + place) for place, (row, found) in enumerate(made, 1) if found]


def words() -> frozenset[str]:
    """The chains that a row may name: ids and namespaces."""
    return frozenset({*_namespaces(), *_namespaces().values()})


def _offer(row: WalletRow, chains: Sequence[Offer], *, rank: int) -> Offer:
    servers = any(field.name == "source" for chain in chains for field in chain.fields)
    source = Field(
        name="source", label="server to ask", hint="Of Bitcoin and its kin; an xpub needs it.", is_secret=False, is_required=False
    )
    network = Field(
        name=NETWORK,
        label="network",
        hint=f"Which one, where the address is one on several; else {chains[0].name}, or the first that has such addresses.",
        is_secret=False,
        is_required=False,
    )
    return Offer(
        name=row.id,
        display_name=row.name,
        category="wallets",
        auth_type="wallet",
        fields=(
            Field(
                name="wallet",
                label="public address",
                is_secret=False,
                is_long_hex=all(field.is_long_hex for chain in chains for field in chain.fields[:1]),
            ),
            *((network,) if len(chains) > 1 else ()),
            *((source,) if servers else ()),
            HISTORY,
        ),
        identity=("wallet",),
        alternate_names=row.also,
        rank=rank,
        instructions=f"{row.where} Never paste a private key or seed phrase anywhere.",
        proof="sampled" if any(chain.proof == "sampled" for chain in chains) else "executed",
        sources=tuple(dict.fromkeys(host for chain in chains for host in chain.sources)) if len(chains) == 1 else (),
        onward=partial(_onward, row, tuple(chains)),
    )


def _onward(row: WalletRow, chains: Sequence[Offer], entered: Mapping[str, str]) -> Onward:
    """The chain that was named, else the first whose address was pasted. Raises: InvalidField, PrivateKeyRefused."""
    given = dict(entered)
    wanted = given.pop(NETWORK, "").strip()
    if wanted:
        chain = next((chain for chain in chains if wanted in (chain.name, *chain.alternate_names)), None)
        if chain is None:
            raise InvalidField(f"credentials: network: {row.name} is read on {_listed(chains)}; got {wanted[:40]!r}")
        return Onward(chain, given)
    address = next((given[name] for name in ("wallet", "address", "xpub", "descriptor") if given.get(name)), "").strip()
    if not address:
        raise InvalidField(f"credentials: wallet is missing; {row.name} needs it (public address)")
    fitting = next((chain for chain in chains if chain.takes(address)), None)
    if fitting is None:
        raise InvalidField(f"credentials: wallet is an address of no network that {row.name} is read on: {_listed(chains)}")
    return Onward(fitting, given)


def _listed(chains: Sequence[Offer]) -> str:
    names = [chain.name for chain in chains]
    more = f" and {len(names) - _SHOWN_MAX} more" if len(names) > _SHOWN_MAX else ""
    return ", ".join(names[:_SHOWN_MAX]) + more


def _by_word(chains: Iterable[Offer]) -> Mapping[str, list[Offer]]:
    """Offers by the id of their chain and by its namespace."""
    namespaces, found = _namespaces(), dict[str, list[Offer]]()
    for chain in chains:
        for word in {chain.name, namespaces[chain.name]}:
            found.setdefault(word, []).append(chain)
    return found


def _namespaces() -> Mapping[str, str]:
    """The namespace of every chain by its id."""
    every = {
        **{chain.id: chain.caip2 for chain in evm_chains().values()},
        **{chain.id: chain.caip2 for chain in utxo_chains().values()},
        **{chain.id: chain.caip2 for chain in networks().values()},
    }
    return {name: caip2.partition(":")[0] for name, caip2 in every.items()}
