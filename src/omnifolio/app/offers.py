"""What users can connect: every venue with the fields that it asks for, and the wallets that lead to chains."""

import re
from collections.abc import Collection, Mapping

from msgspec.structs import replace

from omnifolio.app.brands import brand_offers
from omnifolio.app.offer import HISTORY, TITLE, DataKind, Field, Offer
from omnifolio.app.proving import live_of, live_of_chain
from omnifolio.app.way_out import oauth_clients_of
from omnifolio.catalog import exchanges, proofs
from omnifolio.catalog.chains import EvmChain, evm_chains
from omnifolio.catalog.utxo_chains import OWN, UtxoChain, utxo_chains
from omnifolio.model.clock import DAY_MS
from omnifolio.model.settings import Settings
from omnifolio.venues import depth, manual, validators
from omnifolio.venues.evm.plan import Given, steps_of
from omnifolio.venues.registry import networks
from omnifolio.venues.sources import host_of
from omnifolio.venues.utxo.reader import source_of
from omnifolio.venues.utxo.subject import subject_of


def all_offers(settings: Settings) -> list[Offer]:
    """Every venue that can be connected here; the demo venue only where a sandbox takes the places of the real ones."""
    demo = [DEMO] if settings.sandbox_url else []
    own = settings.base_urls.keys()
    beacon = [VALIDATORS] if validators.VENUE in own else []
    chains = [*chain_offers(own), *coin_offers(settings.base_urls), *network_offers(settings.base_urls)]
    return [
        *exchange_offers(settings.egress_ips, oauth_clients_of(settings)),
        *chains,
        *beacon,
        *brand_offers(chains),
        MANUAL,
        *demo,
    ]


NODE_RUN = frozenset({"litecoin"})
"""UTXO chains whose own node is run in the tests; the others share its code, with vectors and documented answers of their own."""
ADDRESS = Field(name="wallet", label="public address", pattern="0x[0-9a-fA-F]{40}", is_secret=False)
SERVER_KEY = Field(
    name="server_key",
    label="key of the public server",
    hint="Optional: without one the public server may refuse questions at busy times. Your own server is never told it.",
    is_required=False,
)
EXPLORER_KEY = Field(
    name="explorer_key",
    label="Etherscan API key",
    hint="Optional: then Etherscan lists the transactions, in the place of the chain's own explorer.",
    is_required=False,
)


def chain_offers(configured: Collection[str]) -> list[Offer]:
    """Every EVM chain that has a node: a public address is all that is needed.

    `configured` names the venues whose base URL the operator has set: chains without a public node are offered only then.
    """
    return [
        Offer(
            name=chain.id,
            display_name=chain.name,
            category="blockchains",
            auth_type="wallet",
            fields=(ADDRESS, HISTORY, EXPLORER_KEY),
            alternate_names=chain.also,
            identity=("wallet",),
            instructions="Paste a public address. Never paste a private key or seed phrase anywhere.",
            proof="executed" if chain.is_reviewed else "sampled",
            sources=_sources(chain, is_own=chain.id in configured),
            live=live_of_chain(chain),
        )
        for chain in evm_chains().values()
        if chain.nodes or chain.id in configured
    ]


def _sources(chain: EvmChain, *, is_own: bool) -> tuple[str, ...]:
    given = Given(node="your own node" if is_own else None)
    return tuple(dict.fromkeys(step.source for step in steps_of(chain, given, depth.Depth())))


def coin_offers(base_urls: Mapping[str, str]) -> list[Offer]:
    """Every UTXO chain that has a public server, or one of the operator's own."""
    return [
        _of_coin(chain, own_url=base_urls.get(chain.id))
        for chain in utxo_chains().values()
        if chain.sources or chain.id in base_urls
    ]


def _of_coin(chain: UtxoChain, *, own_url: str | None) -> Offer:
    names = [OWN] if own_url else [source.name for source in chain.sources]
    first = "this installation's own server" if own_url else names[0]
    others = f"; or choose: {', '.join(names)}" if len(names) > 1 else ""
    return Offer(
        name=chain.id,
        display_name=chain.name,
        category="blockchains",
        auth_type="wallet",
        fields=(
            Field(
                name="wallet",
                label="address, extended public key or output descriptor",
                is_secret=False,
                spelt=lambda entered: subject_of(chain.id, entered).text,
            ),
            Field(
                name="source",
                label="server to ask",
                hint=", ".join(names),
                pattern="|".join(map(re.escape, names)),
                is_secret=False,
                is_required=False,
            ),
            HISTORY,
        ),
        identity=("wallet",),
        instructions=(
            f"Paste a public address: {first} is asked about it{others}. For an extended public key or a descriptor whoever is "
            "asked learns that all its addresses are yours, the next twenty of each kind included"
            + (". " if own_url else ", so it needs your choice of the server. ")
            + "Never paste a private key or seed phrase anywhere."
        ),
        proof="executed" if chain.id in NODE_RUN else "sampled",
        sources=tuple(names),
        check=lambda named: source_of(subject_of(chain.id, named["wallet"]), chosen=named.get("source", ""), base_url=own_url),
    )


def network_offers(base_urls: Mapping[str, str]) -> list[Offer]:
    """Every chain of the families that tell theirs as networks, where there is a server to ask."""
    return [
        Offer(
            name=network.id,
            display_name=network.name,
            category="blockchains",
            auth_type="wallet",
            fields=(
                Field(
                    name="wallet",
                    label=network.label,
                    is_secret=False,
                    is_long_hex=network.is_long_hex,
                    spelt=network.spelt,
                ),
                *((HISTORY,) if network.has_history else ()),
                *((replace(SERVER_KEY, label=network.key_label),) if network.key_label else ()),
            ),
            alternate_names=network.also,
            identity=("wallet",),
            instructions=f"Paste a {network.label}. Never paste a private key or seed phrase anywhere.",
            proof="sampled",
            has_history=network.has_history,
            sources=("your own node",) if network.id in base_urls else tuple(dict.fromkeys(map(host_of, network.urls))),
        )
        for network in networks().values()
        if network.is_offered(base_urls.get(network.id))
    ]


def exchange_offers(egress_ips: tuple[str, ...] = (), consent: Collection[str] = ()) -> list[Offer]:
    """Every exchange of the catalog that has been checked at all; `consent` names those that can be linked by consent."""
    names = [name for name in exchanges.ids() if proofs.of(name).proof != "listed"]
    return [_of_exchange(exchanges.load(name), egress_ips, takes_consent=name in consent) for name in names]


def _of_exchange(row: exchanges.ExchangeRow, egress_ips: tuple[str, ...], *, takes_consent: bool) -> Offer:
    proof = proofs.of(row.id)
    return Offer(
        name=row.id,
        display_name=row.display_name,
        category="exchanges",
        auth_type="token" if any(field.secret for field in row.fields) else "wallet",
        fields=tuple(
            Field(name=field.name, label=field.label, hint=field.hint, pattern=field.pattern, is_secret=field.secret)
            for field in row.fields
        ),
        identity=(row.fields[0].name,),
        instructions=row.fields[0].hint,
        alternate_names=row.also,
        proof=proof.proof,
        data=tuple(DataKind(kind=kind, proof=level, look_back_days=_days_of(row, kind)) for kind, level in proof.streams.items()),
        is_best_effort=row.is_unified,
        has_positions=any(stream.is_positions for stream in row.reading.streams),
        rank=exchanges.rank_of(row.id),
        live=live_of(row.id),
        key_check=row.key_check,
        takes_consent=takes_consent,
        egress_ips=egress_ips if row.binds_addresses else (),
        sources=tuple(sorted(row.hosts)),
    )


def _days_of(row: exchanges.ExchangeRow, kind: str) -> int | None:
    look_back_ms = next(stream.look_back_ms for stream in row.reading.streams if stream.kind == kind)
    return None if look_back_ms is None else look_back_ms // DAY_MS


VALIDATORS = Offer(
    name=validators.VENUE,
    display_name="Ethereum validators",
    category="blockchains",
    auth_type="wallet",
    fields=(Field(name=validators.FIELD, label="indexes, public keys or withdrawal addresses", is_secret=False),),
    identity=(validators.FIELD,),
    instructions="Name validators by index or public key, or the address that they pay to; several with commas between.",
    sources=("your own beacon node",),
)
"""Offered where the operator has named a beacon node."""

MANUAL = Offer(
    name=manual.VENUE,
    display_name="Manual",
    category="wallets",
    auth_type="wallet",
    fields=(Field(name=TITLE, label="name of the account", pattern=r".{1,80}", is_secret=False),),
    identity=(TITLE,),
    instructions="Name it; then omnifolio holdings set says what is in it. Exported files can be imported into it, too.",
    proof="executed",
    has_history=False,
)
"""What nobody can be asked for: houses, shares, cash, in the owner's own words."""

DEMO = Offer(
    name="demo",
    display_name="Demo",
    category="exchanges",
    auth_type="password",
    fields=(
        Field(name="username", label="User name", is_secret=False, pattern="[A-Za-z0-9_.-]{1,64}"),
        Field(name="password", label="Password"),
    ),
    identity=("username",),
    instructions="User name demo, password demo.",
    proof="executed",
)
"""The sandbox's own venue: invented assets, no account needed anywhere."""
