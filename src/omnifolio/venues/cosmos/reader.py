"""The reader of Cosmos chains: one address, its coins, stakes and rewards, and its history, from any node's REST server.

Link fields: `wallet` (bech32 with the chain's prefix) and `history` (how much of it). A base URL that the operator set names the
server; else the row's public ones are asked, the next where one fails.
"""

from collections.abc import AsyncIterator, Sequence

from omnifolio.catalog.cosmos_chains import CosmosChain, cosmos_chain
from omnifolio.model.accounts import Certificate
from omnifolio.model.errors import InvalidField
from omnifolio.model.facts import Batch, Cursor, Evidence
from omnifolio.venues.contract import Access, Stream
from omnifolio.venues.cosmos.address import parse_address
from omnifolio.venues.cosmos.balances import balances, decode_balances
from omnifolio.venues.cosmos.history import History, decode_history
from omnifolio.venues.cosmos.movements import Subject
from omnifolio.venues.cosmos.rest import PUBLIC_BUDGET
from omnifolio.venues.depth import depth_of
from omnifolio.venues.evm.nodes import pages_of

_DECODERS = {"balances": decode_balances, "transfers": decode_history}


class CosmosReader:
    """Coins, stakes, rewards and transactions of one address."""

    def streams(self, access: Access) -> Sequence[Stream]:
        """Balances first, then the transactions."""
        held = Stream(name=f"balances/{access.venue}", is_balances=True)
        return (held, Stream(name=f"transfers/{access.venue}")) if depth_of(access.fields).has_history else (held,)

    def read(self, access: Access, since: Cursor) -> AsyncIterator[Batch]:
        """Pages of `balances/<chain>` or `transfers/<chain>`. Raises: InvalidField, PrivateKeyRefused, VenueError."""
        kind, chain = _stream(since.stream)
        subject = Subject(chain, parse_address(chain, access.fields.get("wallet", "")))
        urls = (access.base_url,) if access.base_url else chain.urls
        if not access.base_url:
            access.egress.limit(access.venue, address=PUBLIC_BUDGET)
        depth_of(access.fields)

        def pages(url: str) -> AsyncIterator[Batch]:
            if kind == "balances":
                return balances(access, subject, url=url, since=since)
            return History(access, subject, url=url, since=since).pages()

        return pages_of(urls, pages, clock=access.clock)

    def decode(self, venue: str, stream: str, evidence: Sequence[Evidence]) -> Batch:
        """The facts of one page out of its raw answers alone. Raises: VenueError, InvalidField."""
        kind, chain = _stream(stream)
        return _DECODERS[kind](chain, stream, evidence)

    async def certificate(self, access: Access) -> Certificate:
        """An address can only be read."""
        return Certificate(state="read_only", method="address", checked_at=access.clock.now())


def _stream(name: str) -> tuple[str, CosmosChain]:
    kind, _, scope = name.partition("/")
    if kind not in _DECODERS:
        raise InvalidField(f"stream: expected balances/<chain> or transfers/<chain>, got {name[:40]!r}")
    return kind, cosmos_chain(scope)
