"""The reader of every chain that is read by one public address: which streams there are, who is asked, what decodes the answers.

Link fields: `wallet` (the address) and `history` (how much of it). A base URL that the operator set names the server and is asked
alone; else the row's public servers are, the next where one fails, no faster than the budget.
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Generic, Protocol, TypeVar

from msgspec import Struct

from omnifolio.model.accounts import Certificate
from omnifolio.model.errors import InvalidField
from omnifolio.model.facts import Batch, Cursor, Evidence
from omnifolio.transport.egress import Budget
from omnifolio.venues.contract import Access, Stream
from omnifolio.venues.depth import depth_of
from omnifolio.venues.nodes import pages_of

BALANCES = "balances"
"""The kind of stream that is read whatever the depth."""

C = TypeVar("C")
S = TypeVar("S")
S_contra = TypeVar("S_contra", contravariant=True)


class Pages(Protocol[S_contra]):
    """Reads one stream from one server."""

    def __call__(self, access: Access, subject: S_contra, /, *, url: str, since: Cursor) -> AsyncIterator[Batch]:
        """Pages after `since`. Raises: VenueError and its kin."""
        ...


def _always(_wallet: str) -> bool:
    return True


class Kind(Struct, Generic[C, S], frozen=True):
    """One kind of stream. `is_of` says whether an address has such a stream at all."""

    pages: Pages[S]
    decode: Callable[[C, str, Sequence[Evidence]], Batch]
    is_of: Callable[[str], bool] = _always


class AddressReader(Generic[C, S]):
    """A family of chains `C`, whose addresses are subjects `S`.

    `chain`    the row of a name; raises InvalidField.   `urls`  the row's public servers.   `budget`  how fast these are asked.
    `subject`  the address on its chain; raises InvalidField, PrivateKeyRefused.
    `kinds`    the streams by the first part of their names, balances first.
    """

    def __init__(
        self,
        *,
        chain: Callable[[str], C],
        urls: Callable[[C], Sequence[str]],
        subject: Callable[[C, str], S],
        budget: Budget,
        kinds: Mapping[str, Kind[C, S]],
    ) -> None:
        self._chain, self._urls, self._subject, self._budget, self._kinds = chain, urls, subject, budget, kinds

    def streams(self, access: Access) -> Sequence[Stream]:
        """Balances, then history as far as it is wanted."""
        wallet, has_history = access.fields.get("wallet", ""), depth_of(access.fields).has_history
        wanted = [name for name, kind in self._kinds.items() if name == BALANCES or (has_history and kind.is_of(wallet))]
        return [Stream(name=f"{name}/{access.venue}", is_balances=name == BALANCES) for name in wanted]

    def read(self, access: Access, since: Cursor) -> AsyncIterator[Batch]:
        """Pages of one stream. Raises: InvalidField, PrivateKeyRefused, VenueError."""
        kind, chain = self._stream(since.stream)
        subject = self._subject(chain, access.fields.get("wallet", ""))
        depth_of(access.fields)
        urls = (access.base_url,) if access.base_url else self._urls(chain)
        if not access.base_url:
            access.egress.limit(access.venue, address=self._budget)
        return pages_of(urls, lambda url: kind.pages(access, subject, url=url, since=since), clock=access.clock)

    def decode(self, venue: str, stream: str, evidence: Sequence[Evidence]) -> Batch:
        """The facts of one page out of its raw answers alone. Raises: VenueError, InvalidField."""
        kind, chain = self._stream(stream)
        return kind.decode(chain, stream, evidence)

    async def certificate(self, access: Access) -> Certificate:
        """An address can only be read."""
        return Certificate(state="read_only", method="address", checked_at=access.clock.now())

    def _stream(self, stream: str) -> tuple[Kind[C, S], C]:
        name, _, scope = stream.partition("/")
        kind = self._kinds.get(name)
        if kind is None:
            expected = " or ".join(f"{known}/<chain>" for known in self._kinds)
            raise InvalidField(f"stream: expected {expected}, got {stream[:40]!r}")
        return kind, self._chain(scope)
