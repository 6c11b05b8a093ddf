"""What a reader is given and what it must give back: the joint between venues and everything that stores their facts."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Protocol

from msgspec import Struct

from omnifolio.model.accounts import Certificate
from omnifolio.model.clock import Clock, EpochMs
from omnifolio.model.facts import Batch, Cursor, Evidence
from omnifolio.model.secrets import Secret
from omnifolio.model.tokens import TokenId
from omnifolio.transport.egress import Egress


class Known(Struct, frozen=True, kw_only=True):
    """What the ledger already holds of an account, for readers that must ask per token or symbol.

    `tokens` ever seen in a balance or leg; `cursors` by stream, with the scopes probed before; `provisional` the heights and
    block hashes of on-chain transactions that are not final yet; `opened_at` the day the account was linked.
    """

    tokens: frozenset[TokenId] = frozenset()
    cursors: Mapping[str, str] = {}
    provisional: Mapping[int, str] = {}


class Access:
    """One account for the length of one slice: its venue, its secrets, the way out and the clock. Never stored.

    `fields` holds the public link fields (an address, a chain); `secrets` the credentials. `base_url` is set where the
    venue's own is overridden, `explorer_url` where the operator named an explorer of a chain. A reader sees neither team, nor
    user, nor store.
    """

    __slots__ = ("base_url", "clock", "egress", "explorer_url", "fields", "key_label", "known", "secrets", "venue")

    def __init__(
        self,
        *,
        venue: str,
        egress: Egress,
        clock: Clock,
        key_label: str,
        secrets: Mapping[str, Secret] | None = None,
        fields: Mapping[str, str] | None = None,
        base_url: str | None = None,
        explorer_url: str | None = None,
        known: Known | None = None,
    ) -> None:
        self.venue = venue
        self.egress = egress
        self.clock = clock
        self.key_label = key_label
        """Names the key in pacing without revealing it: the same key always has the same label."""
        self.secrets = secrets or {}
        self.fields = fields or {}
        self.base_url = base_url
        self.explorer_url = explorer_url
        self.known = known or Known()


class Stream(Struct, frozen=True, kw_only=True):
    """One thing to read: its name `<kind>/<scope>`, whether it gives balances or positions, how far back the venue keeps it."""

    name: str
    is_balances: bool = False
    is_positions: bool = False
    look_back_ms: int | None = None

    @property
    def is_present(self) -> bool:
        """Whether it tells what there is now, and no history."""
        return self.is_balances or self.is_positions


class Reader(Protocol):
    """A family of venues: stateless, reads only."""

    def streams(self, access: Access) -> Sequence[Stream]:
        """What there is to read for this account, in no particular order. Raises nothing: an unknown scope is simply absent."""
        ...

    def read(self, access: Access, since: Cursor) -> AsyncIterator[Batch]:
        """Pages of one stream after `since`, each with the cursor that follows it; ends when the stream is read up to now.

        Raises: VenueError and its kin. What was yielded before stays valid.
        """
        ...

    def decode(self, venue: str, stream: str, evidence: Sequence[Evidence]) -> Batch:
        """The facts of one page out of its raw answers alone: pure, used by `read`, by rebuild and by replay.

        The batch's cursor token is "" and its facts index the given evidence. Raises: VenueBadResponse.
        """
        ...

    async def certificate(self, access: Access) -> Certificate:
        """What the credentials may do, from the venue's introspection; never probed by a write. Raises: VenueError."""
        ...


def received_at(evidence: Sequence[Evidence]) -> EpochMs:
    """When the page was complete: the latest of its answers."""
    return EpochMs(max(item.received_at for item in evidence))
