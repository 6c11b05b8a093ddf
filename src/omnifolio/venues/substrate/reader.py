"""The reader of Substrate's chains: one account's balances from any node's JSON-RPC. A node tells no history by address.

Link fields: `wallet` (an address in SS58). A base URL that the operator set names the node; else the row's public nodes are
asked, the next where one fails.
"""

from collections.abc import AsyncIterator, Sequence

from omnifolio.catalog.substrate_chains import SubstrateChain, substrate_chain
from omnifolio.model.accounts import Certificate
from omnifolio.model.errors import InvalidField
from omnifolio.model.facts import Batch, Cursor, Evidence
from omnifolio.venues.contract import Access, Stream
from omnifolio.venues.evm.nodes import pages_of
from omnifolio.venues.substrate.address import account_of
from omnifolio.venues.substrate.held import Subject, balances, decode_balances
from omnifolio.venues.substrate.node import PUBLIC_BUDGET

KIND = "balances"


class SubstrateReader:
    """Coins, stakes and listed assets of one account."""

    def streams(self, access: Access) -> Sequence[Stream]:
        """Balances alone."""
        return (Stream(name=f"{KIND}/{access.venue}", is_balances=True),)

    def read(self, access: Access, since: Cursor) -> AsyncIterator[Batch]:
        """The page of `balances/<chain>`. Raises: InvalidField, PrivateKeyRefused, VenueError."""
        chain = _chain(since.stream)
        subject = Subject(chain, account_of(chain, access.fields.get("wallet", "")))
        urls = (access.base_url,) if access.base_url else chain.nodes
        if not access.base_url:
            access.egress.limit(access.venue, address=PUBLIC_BUDGET)
        return pages_of(urls, lambda url: balances(access, subject, url=url, since=since), clock=access.clock)

    def decode(self, venue: str, stream: str, evidence: Sequence[Evidence]) -> Batch:
        """The facts of one page out of its raw answers alone. Raises: VenueError, InvalidField."""
        return decode_balances(_chain(stream), stream, evidence)

    async def certificate(self, access: Access) -> Certificate:
        """An address can only be read."""
        return Certificate(state="read_only", method="address", checked_at=access.clock.now())


def _chain(stream: str) -> SubstrateChain:
    kind, _, scope = stream.partition("/")
    if kind != KIND:
        raise InvalidField(f"stream: expected {KIND}/<chain>, got {stream[:40]!r}")
    return substrate_chain(scope)
