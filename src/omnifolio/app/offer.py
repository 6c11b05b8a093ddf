"""What one venue asks of people who connect it, and what they are told before."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from omnifolio.app.proving import Live
from omnifolio.catalog import exchanges
from omnifolio.catalog.proofs import Proof
from omnifolio.model.clock import EpochMs
from omnifolio.model.errors import InvalidField, NotFound, PrivateKeyRefused
from omnifolio.venues import depth

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
    is_long_hex: bool = False
    """Whether it may be 32 bytes after `0x`, which is a private key anywhere else."""
    spelt: Callable[[str], str] | None = None

    def accepts(self, value: str) -> bool:
        """Whether a value has the field's form."""
        return bool(value) and (not self.pattern or re.fullmatch(self.pattern, value) is not None)


HISTORY = Field(
    name=depth.FIELD,
    label="how much history",
    hint="all, balances (none of it), or a day as 2024-01-31 from which on it is wanted",
    pattern=depth.PATTERN,
    is_secret=False,
    is_required=False,
)
"""How much of an address is read."""


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
    takes_consent: bool = False
    """Whether it can be linked by consent at the venue too, because the operator has a client there."""
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
    def auth_types(self) -> tuple[AuthType, ...]:
        """Every way to link it, the first one first."""
        return ("oauth", self.auth_type) if self.takes_consent else (self.auth_type,)

    @property
    def steps(self) -> str:
        """How to come by what has to be entered, with the addresses to allow."""
        if not self.egress_ips:
            return self.instructions
        told = f"Bind it to the IP addresses of this installation: {', '.join(self.egress_ips)}."
        return f"{self.instructions} {told}"

    check: Callable[[Mapping[str, str]], object] | None = None
    """What must hold between the fields; raises what is wrong."""

    onward: Callable[[Mapping[str, str]], "Onward"] | None = None
    """Of a wallet brand: the chain to which what was entered belongs; raises what is wrong."""

    def takes(self, address: str) -> bool:
        """Whether a chain has such addresses. Raises: PrivateKeyRefused."""
        field = self.fields[0]
        try:
            return field.accepts(address) and (field.spelt is None or bool(field.spelt(address)))
        except PrivateKeyRefused:
            raise
        except InvalidField:
            return False

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


class Onward(Struct, frozen=True):
    """Where a brand leads: the offer of a chain, and what was entered as that offer asks for it."""

    offer: Offer
    entered: Mapping[str, str]


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
