"""The reader of Stellar: one account, its trust lines, shares and claimable balances, its movements and fees, from any Horizon.

Link fields: `wallet` (`G…`) and `history` (how much of it). A base URL that the operator set names the server; else the row's
public ones are asked, the next where one fails. A closed ledger is final, so nothing is taken back.
"""

from collections.abc import AsyncIterator, Sequence

from omnifolio.catalog.stellar_chains import StellarChain, stellar_chain
from omnifolio.model.accounts import Certificate
from omnifolio.model.errors import InvalidField
from omnifolio.model.facts import Batch, Cursor, Evidence
from omnifolio.venues.contract import Access, Stream
from omnifolio.venues.depth import depth_of
from omnifolio.venues.evm.nodes import pages_of
from omnifolio.venues.stellar.address import parse_address
from omnifolio.venues.stellar.balances import balances, decode_balances
from omnifolio.venues.stellar.decoding import decode_fees, decode_transfers
from omnifolio.venues.stellar.history import History
from omnifolio.venues.stellar.horizon import PUBLIC_BUDGET
from omnifolio.venues.stellar.subject import Subject

_DECODERS = {"balances": decode_balances, "transfers": decode_transfers, "fees": decode_fees}


class StellarReader:
    """Everything of one account."""

    def streams(self, access: Access) -> Sequence[Stream]:
        """Balances first, then what moved, then what it cost."""
        held = Stream(name=f"balances/{access.venue}", is_balances=True)
        past = [Stream(name=f"{kind}/{access.venue}") for kind in ("transfers", "fees")]
        return (held, *past) if depth_of(access.fields).has_history else (held,)

    def read(self, access: Access, since: Cursor) -> AsyncIterator[Batch]:
        """Pages of `balances`, `transfers` or `fees/<network>`. Raises: InvalidField, PrivateKeyRefused, VenueError."""
        kind, chain = _stream(since.stream)
        subject = Subject(chain, parse_address(access.fields.get("wallet", "")))
        urls = (access.base_url,) if access.base_url else chain.servers
        if not access.base_url:
            access.egress.limit(access.venue, address=PUBLIC_BUDGET)
        depth_of(access.fields)

        def pages(url: str) -> AsyncIterator[Batch]:
            if kind == "balances":
                return balances(access, subject, url=url, since=since)
            history = History(access, subject, url=url, since=since)
            return history.transfers() if kind == "transfers" else history.fees()

        return pages_of(urls, pages, clock=access.clock)

    def decode(self, venue: str, stream: str, evidence: Sequence[Evidence]) -> Batch:
        """The facts of one page out of its raw answers alone. Raises: VenueError, InvalidField."""
        kind, chain = _stream(stream)
        return _DECODERS[kind](chain, stream, evidence)

    async def certificate(self, access: Access) -> Certificate:
        """An address can only be read."""
        return Certificate(state="read_only", method="address", checked_at=access.clock.now())


def _stream(name: str) -> tuple[str, StellarChain]:
    kind, _, scope = name.partition("/")
    if kind not in _DECODERS:
        raise InvalidField(f"stream: expected balances, transfers or fees/<network>, got {name[:40]!r}")
    return kind, stellar_chain(scope)
