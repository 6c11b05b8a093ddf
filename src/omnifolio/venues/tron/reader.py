"""The reader of TRON: one address, its coins, stakes and tokens, and its history, from a server with a node's API and an index.

Link fields: `wallet` (`T…` or hexadecimal from 41), `history` (how much of it), and secretly `server_key` (TronGrid's, which it
alone is told). A base URL that the operator set names the server; else the row's public ones are asked, the next where one fails.
What is told is solidified, so nothing is taken back.
"""

from collections.abc import AsyncIterator, Sequence

from omnifolio.catalog.tron_chains import TronChain, tron_chain
from omnifolio.model.accounts import Certificate
from omnifolio.model.errors import InvalidField
from omnifolio.model.facts import Batch, Cursor, Evidence
from omnifolio.venues.contract import Access, Stream
from omnifolio.venues.depth import depth_of
from omnifolio.venues.evm.nodes import pages_of
from omnifolio.venues.tron.address import parse_address
from omnifolio.venues.tron.balances import balances, decode_balances
from omnifolio.venues.tron.decoding import decode_history
from omnifolio.venues.tron.history import History
from omnifolio.venues.tron.server import PUBLIC_BUDGET
from omnifolio.venues.tron.subject import Subject

_DECODERS = {"balances": decode_balances, "transfers": decode_history}


class TronReader:
    """Coins, tokens and stakes of one address."""

    def streams(self, access: Access) -> Sequence[Stream]:
        """Balances first, then the transactions."""
        held = Stream(name=f"balances/{access.venue}", is_balances=True)
        return (held, Stream(name=f"transfers/{access.venue}")) if depth_of(access.fields).has_history else (held,)

    def read(self, access: Access, since: Cursor) -> AsyncIterator[Batch]:
        """Pages of `balances/<network>` or `transfers/<network>`. Raises: InvalidField, PrivateKeyRefused, VenueError."""
        kind, chain = _stream(since.stream)
        subject = Subject(chain, parse_address(access.fields.get("wallet", "")))
        urls = (access.base_url,) if access.base_url else chain.servers
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


def _stream(name: str) -> tuple[str, TronChain]:
    kind, _, scope = name.partition("/")
    if kind not in _DECODERS:
        raise InvalidField(f"stream: expected balances/<network> or transfers/<network>, got {name[:40]!r}")
    return kind, tron_chain(scope)
