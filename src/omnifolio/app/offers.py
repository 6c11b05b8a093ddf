"""What users can connect: every venue with the fields that it asks for, under its name and the other names it goes by."""

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from omnifolio.app.proving import Live, live_of, live_of_chain
from omnifolio.catalog import exchanges, proofs
from omnifolio.catalog.chains import EvmChain, evm_chains
from omnifolio.catalog.proofs import Proof
from omnifolio.catalog.utxo_chains import OWN, UtxoChain, utxo_chains
from omnifolio.model.clock import DAY_MS, EpochMs
from omnifolio.model.errors import NotFound
from omnifolio.model.settings import Settings
from omnifolio.venues import depth, manual, validators
from omnifolio.venues.evm.plan import Given, steps_of
from omnifolio.venues.registry import networks
from omnifolio.venues.sources import host_of
from omnifolio.venues.utxo.reader import source_of
from omnifolio.venues.utxo.subject import subject_of

AuthType = Literal["oauth", "password", "token", "wallet"]
Category = Literal["exchanges", "wallets", "blockchains"]

TITLE = "title"
"""The field of a manual account: its name, which tells it from the others."""

UNPROVEN_NOTICE = (
    "This connector was checked against the provider's documentation and a simulation of it, not yet against a live account."
)
"""Shown at every venue below the proof `recorded`."""

BEST_EFFORT_NOTICE = (
    "This connector reads what ccxt's own methods give: the main wallet, and trades, deposits and withdrawals where they can be "
    "asked for. It was checked with the samples that ccxt carries, not yet against a live account."
)
"""Shown at exchanges that have no reader of ours."""

NAMES_OF_FIELDS: Mapping[str, tuple[str, ...]] = {
    "key": ("apiKey", "api_key"),
    "secret": ("apiSecret", "api_secret"),
    "wallet": ("address", "xpub", "descriptor"),
    "passphrase": ("password",),
}
"""Our names of credential fields, and the other names under which callers may give them."""


class Field(Struct, frozen=True, kw_only=True):
    """One thing to enter. `is_secret` ones are sealed, others kept as public link fields; `pattern` matches all of it.

    `spelt` gives the one spelling of a value, which is what is kept and compared, or raises what is wrong with it.
    """

    name: str
    label: str
    hint: str = ""
    pattern: str = ""
    is_secret: bool = True
    is_required: bool = True
    spelt: Callable[[str], str] | None = None

    def accepts(self, value: str) -> bool:
        """Whether a value has the field's form."""
        return bool(value) and (not self.pattern or re.fullmatch(self.pattern, value) is not None)


class DataKind(Struct, frozen=True, kw_only=True):
    """One kind of data that a venue gives: how it was proved, and for how many days back (None: all of it)."""

    kind: str
    proof: Proof
    look_back_days: int | None = None


class Offer(Struct, frozen=True, kw_only=True):
    """A venue as it is offered. `identity` names the fields that make two links the same."""

    name: str
    display_name: str
    category: Category
    auth_type: AuthType
    fields: tuple[Field, ...]
    identity: tuple[str, ...]
    alternate_names: tuple[str, ...] = ()
    instructions: str = ""
    proof: Proof = "sampled"
    has_history: bool = True
    has_positions: bool = False
    data: tuple[DataKind, ...] = ()
    is_best_effort: bool = False
    sources: tuple[str, ...] = ()
    """The hosts that are asked once an account is connected; several that stand in for each other in one text."""
    rank: int = exchanges.UNRANKED
    """Its place in the order of how many people use it."""
    live: Live | None = None
    """What somebody with an account has confirmed of this connector; `at` says whether it still holds."""
    key_check: str = ""
    """What the venue itself tells of a key, in words; "" where there is no key."""
    egress_ips: tuple[str, ...] = ()
    """The addresses of this installation, where a key can be bound to some; () where it cannot, or the operator names none."""

    def at(self, now: EpochMs) -> "Offer":
        """The offer as it is proved at an instant: `live` where a confirmation holds."""
        live = self.live
        if live is None or live.ends_at <= now:
            return replace(self, live=None)
        data = (replace(item, proof="live") if item.kind in live.streams else item for item in self.data)
        return replace(self, proof="live", data=tuple(data))

    @property
    def steps(self) -> str:
        """How to come by what has to be entered, with the addresses to allow."""
        if not self.egress_ips:
            return self.instructions
        told = f"Bind it to the IP addresses of this installation: {', '.join(self.egress_ips)}."
        return f"{self.instructions} {told}"

    check: Callable[[Mapping[str, str]], object] | None = None
    """What must hold between the fields; raises what is wrong."""

    @property
    def notice(self) -> str | None:
        """What a user should know before connecting; None where real answers have proved the connector."""
        if not self.is_beta:
            return None
        return BEST_EFFORT_NOTICE if self.is_best_effort else UNPROVEN_NOTICE

    @property
    def is_beta(self) -> bool:
        """Whether the connector has not been proved with recorded answers of the venue itself."""
        return self.proof in ("sampled", "listed")


class Offers:
    """The venues of this installation by name."""

    def __init__(self, offers: Iterable[Offer]) -> None:
        self.all: Sequence[Offer] = sorted(offers, key=lambda offer: (offer.rank, offer.name))
        self._by_name = {name: offer for offer in self.all for name in (offer.name, *offer.alternate_names)}

    def of(self, name: str) -> Offer:
        """The venue with that name or alternate name. Raises: NotFound."""
        found = self._by_name.get(name)
        if found is None:
            raise NotFound("no provider has this name; GET /v1/providers lists them")
        return found


def all_offers(settings: Settings) -> list[Offer]:
    """Every venue that can be connected here; the demo venue only where a sandbox takes the places of the real ones."""
    demo = [DEMO] if settings.sandbox_url else []
    own = settings.base_urls.keys()
    beacon = [VALIDATORS] if validators.VENUE in own else []
    return [
        *exchange_offers(settings.egress_ips),
        *chain_offers(own),
        *coin_offers(settings.base_urls),
        *network_offers(settings.base_urls),
        *beacon,
        MANUAL,
        *demo,
    ]


NODE_RUN = frozenset({"litecoin"})
"""UTXO chains whose own node is run in the tests; the others share its code, with vectors and documented answers of their own."""
ADDRESS = Field(name="wallet", label="public address", pattern="0x[0-9a-fA-F]{40}", is_secret=False)
HISTORY = Field(
    name=depth.FIELD,
    label="how much history",
    hint="all, balances (none of it), or a day as 2024-01-31 from which on it is wanted",
    pattern=depth.PATTERN,
    is_secret=False,
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
                Field(name="wallet", label=network.label, is_secret=False, spelt=network.spelt),
                *((HISTORY,) if network.has_history else ()),
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


def exchange_offers(egress_ips: tuple[str, ...] = ()) -> list[Offer]:
    """Every exchange of the catalog that has been checked at all."""
    return [_of_exchange(exchanges.load(name), egress_ips) for name in exchanges.ids() if proofs.of(name).proof != "listed"]


def _of_exchange(row: exchanges.ExchangeRow, egress_ips: tuple[str, ...]) -> Offer:
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
