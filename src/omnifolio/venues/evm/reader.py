"""The reader of EVM chains: one address on one chain, its balances and its transfers, from any node's JSON-RPC.

Link fields: `wallet` or `address` (0x and 40 digits; mixed case must carry its checksum) and `chain` (a row of the catalog, or
its CAIP-2 id; without it the venue's id is the chain's), `history` (how much of it), and secretly `explorer_key`. An override of
the base URL names the node; without one the row's public nodes are asked, the next where one fails.
"""

from collections.abc import AsyncIterator, Sequence

from omnifolio.catalog.chains import EvmChain, evm_chain
from omnifolio.model.accounts import Certificate
from omnifolio.model.errors import InvalidField
from omnifolio.model.facts import Batch, Cursor, Evidence
from omnifolio.venues.contract import Access, Stream
from omnifolio.venues.depth import depth_of
from omnifolio.venues.evm.address import parse_address
from omnifolio.venues.evm.balances import Balances, decode_balances
from omnifolio.venues.evm.events import Subject
from omnifolio.venues.evm.explorer import KEY_METHOD
from omnifolio.venues.evm.rpc import PUBLIC_BUDGET
from omnifolio.venues.evm.single import decode_transaction
from omnifolio.venues.evm.transfers import Transfers, decode_transfers
from omnifolio.venues.nodes import pages_of


class EvmReader:
    """Native coin and ERC-20 tokens of one address."""

    def streams(self, access: Access) -> Sequence[Stream]:
        """Balances first, then the transfers; none for an unknown chain."""
        try:
            chain = evm_chain(access.fields.get("chain", access.venue))
        except InvalidField:
            return ()
        balances = Stream(name=f"balances/{chain.id}", is_balances=True)
        return (balances, Stream(name=f"transfers/{chain.id}")) if depth_of(access.fields).has_history else (balances,)

    def read(self, access: Access, since: Cursor) -> AsyncIterator[Batch]:
        """Pages of `balances/<chain>` or `transfers/<chain>`. Raises: InvalidField, PrivateKeyRefused, VenueError."""
        kind, chain = _stream(since.stream)
        subject = Subject(chain, parse_address(access.fields.get("wallet", access.fields.get("address", ""))))
        urls = (access.base_url,) if access.base_url else chain.nodes
        if not urls:
            raise InvalidField(f"{chain.name} has no public node: give the address of one (base_url)")
        if not access.base_url:
            access.egress.limit(access.venue, address=PUBLIC_BUDGET)
        family = Balances if kind == "balances" else Transfers
        depth_of(access.fields)
        return pages_of(urls, lambda url: family(access, subject=subject, url=url, since=since).pages(), clock=access.clock)

    def decode(self, venue: str, stream: str, evidence: Sequence[Evidence]) -> Batch:
        """The facts of one page out of its raw answers alone. Raises: VenueError, InvalidField."""
        kind, chain = _stream(stream)
        return _DECODERS[kind](chain, stream, evidence)

    async def certificate(self, access: Access) -> Certificate:
        """An address can only be read."""
        method = KEY_METHOD if "explorer_key" in access.secrets else "address"
        return Certificate(state="read_only", method=method, checked_at=access.clock.now())


_DECODERS = {
    "balances": decode_balances,
    "transfers": decode_transfers,
    "transaction": decode_transaction,
}


def _stream(name: str) -> tuple[str, EvmChain]:
    kind, _, scope = name.partition("/")
    if kind not in _DECODERS:
        raise InvalidField(f"stream: expected balances/<chain> or transfers/<chain>, got {name[:40]!r}")
    return kind, evm_chain(scope)
