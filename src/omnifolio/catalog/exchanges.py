"""Exchanges as data: one row each, with the hosts, credential fields and the complete list of calls that may leave us.

Rows are files `data/exchanges/<id>.toml`. What is not in `allowed` is refused before it is signed.
"""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Literal
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from omnifolio.catalog.live import LiveRow
from omnifolio.catalog.streams import ReadingRow
from omnifolio.model.errors import NotFound

Method = Literal["GET", "POST"]
Endpoint = tuple[Method, str, str]
"""METHOD, API group, path template; where ccxt has the exchange, its group joined by "/" and its way of writing the path."""


UNRANKED = 1_000
UNIFIED = "unified"


class CredentialField(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One thing the user enters. `target` is ccxt's name for it (`apiKey`, `secret`, `uid` …), whoever signs; `pattern` a regular
    expression for the whole value."""

    name: str
    target: str
    label: str
    secret: bool = True
    pattern: str = ""
    hint: str = ""


class ClockRow(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the venue tells its time: the call, the place in its JSON answer (names, and numbers in lists), and how many
    milliseconds one unit has.

    `nonce` = `increasing`: each request of a key carries a number greater than the last, so requests go one at a time.
    `is_silent`: a signature of the wrong time is refused in the same words as a wrong key.
    """

    endpoint: str = ""
    field: tuple[str, ...] = ()
    unit_ms: int = 1
    nonce: Literal["time", "increasing"] = "time"
    is_silent: bool = False


class PacingRow(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the venue lets through, in milliseconds of its own accounting: ccxt's cost of a call times its `rateLimit`.

    `*_burst_ms` may be spent at once; 1,000 of them come back each second. 0 = no such limit. `call_ms` is what a call costs
    where ccxt does not have the exchange.
    """

    address_burst_ms: int = 1_000
    key_burst_ms: int = 0
    call_ms: int = 100
    used_headers: Mapping[str, int] = {}
    """Header that states what was used in the running minute → the weight that the venue allows in it."""


class QuestionRow(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A question with a name of its own, where a venue answers several at one call: what `params` say goes with it, and the
    account's public link `fields`, by the parameters that carry them. `credentials` do the same with fields that are secret
    here, such as the key's own name; they are sent and never written down."""

    call: str
    params: Mapping[str, str] = {}
    fields: Mapping[str, str] = {}
    credentials: Mapping[str, str] = {}


class ExchangeRow(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All that is special about one exchange and can be said without code."""

    # Identity.
    id: str
    display_name: str
    ccxt_id: str
    """ccxt's id of it; "" where ccxt does not have it."""
    signing: str = ""
    """The module of `venues/exchanges/signers` that signs its requests where ccxt does not; the group `public` is not signed."""
    documentation: str
    quirks: str = ""
    """The module of `venues/exchanges/quirks` that reads its answers; "" is the one with the row's own id."""
    also: tuple[str, ...] = ()
    """Other ids under which the same exchange is known elsewhere."""

    # Connecting.
    fields: tuple[CredentialField, ...]
    permission_probe: str = ""
    """The call that tells what a key may do; "" where the venue has none."""
    permission_needs: tuple[str, ...] = ()
    """Calls whose answers tell how to ask that."""
    permission_else: tuple[str, ...] = ()
    """Calls that tell it for accounts of another kind; the last answer counts."""
    permission_reader: str = ""
    """The module of `venues/exchanges/quirks` that reads that answer, where ccxt reads all others; "" is the row's own."""
    permission_unread: str = ""
    """Why nothing is asked, or what is not told, in words that follow "the venue …"."""
    binds_addresses: bool = False
    """Whether a key can be bound to IP addresses on the venue's page of keys."""

    # The way out.
    groups: Mapping[str, str]
    """API group → the URL that its paths hang under."""
    bases: Mapping[str, str] = {}
    """`METHOD group path` → the URL that this one hangs under instead, where a group has several versions."""
    allowed: tuple[Endpoint, ...]
    questions: Mapping[str, QuestionRow] = {}
    """Names that streams may call instead of an implicit method → what they ask."""
    clock: ClockRow = ClockRow()
    pacing: PacingRow = PacingRow()
    errors: Mapping[str, str] = {}
    """Text in the venue's error answer, or its code where it is all digits → code in `model/errors`, where ccxt's own table is
    silent or wrong. `product_not_open`
    where it says that the account has never used what was asked for."""
    good: Mapping[str, str] = {}
    """Field of an answer → the text that it has when the answer is good, where an exchange that ccxt does not have refuses with
    status 200."""
    options: Mapping[str, str | int | bool] = {}
    """ccxt options of this exchange."""
    sends_integers: bool = False
    """Whether parameters of digits go out as JSON integers: some venues take no text for a number."""

    # What is read.
    reading: ReadingRow = ReadingRow()
    live: LiveRow | None = None
    """Its private stream, where we listen to one."""

    @property
    def is_unified(self) -> bool:
        """Whether ccxt's own methods read it, for want of a reader of ours."""
        return self.quirks == UNIFIED

    @property
    def key_check(self) -> str:
        """What the venue itself tells of a key, in words; "" where nothing secret is asked for."""
        if not any(field.secret for field in self.fields):
            return ""
        if self.permission_unread:
            return f"not known: the venue {self.permission_unread}"
        return "rights" if self.permission_probe else "not known: the venue has no call for it"

    @property
    def hosts(self) -> frozenset[str]:
        """Every host that this row may call."""
        return frozenset(urlsplit(base).hostname or "" for base in self.roots)

    @property
    def roots(self) -> tuple[str, ...]:
        """Every URL that paths hang under."""
        return tuple(dict.fromkeys((*self.groups.values(), *self.bases.values())))

    def url_of(self, endpoint: Endpoint) -> str:
        """The URL of an allowed call, with its path's parameters as ccxt writes them."""
        _, group, path = endpoint
        return f"{self.bases.get(' '.join(endpoint)) or self.groups[group]}/{path}"


@cache
def ids() -> tuple[str, ...]:
    """The ids of all rows, sorted."""
    folder = resources.files(__package__) / "data" / "exchanges"
    return tuple(sorted(entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml")))


@cache
def _elsewhere() -> Mapping[str, str]:
    return {name: row for row in ids() for name in load(row).also}


def id_of(name: str) -> str:
    """The row's id for an id of ours or one that the exchange has elsewhere; any other name as it is."""
    return name if name in ids() else _elsewhere().get(name, name)


@cache
def _order() -> Mapping[str, int]:
    text = (resources.files(__package__) / "data" / "order.toml").read_text(encoding="utf-8")
    return {name: place for place, name in enumerate(tomllib.loads(text)["exchanges"])}


def rank_of(exchange_id: str) -> int:
    """The exchange's place in the order of how many people use it; `UNRANKED` where nobody has said."""
    return _order().get(exchange_id, UNRANKED)


@cache
def live_ids() -> tuple[str, ...]:
    """The ids of the exchanges that have a private stream which we listen to."""
    return tuple(name for name in ids() if load(name).live is not None)


@cache
def load(exchange_id: str) -> ExchangeRow:
    """The row of one exchange. Raises: NotFound."""
    if exchange_id not in ids():
        raise NotFound(f"no exchange has the id {exchange_id[:40]!r}")
    text = (resources.files(__package__) / "data" / "exchanges" / f"{exchange_id}.toml").read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(text), ExchangeRow)
