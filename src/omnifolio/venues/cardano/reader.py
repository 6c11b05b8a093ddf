"""The reader of Cardano: a stake address or one address, from a server of Koios' kind.

Link fields: `wallet` (bech32, or base58 of Byron's time) and `history` (how much of it). A base URL that the operator set names
the server; else the row's public ones are asked, the next where one fails.
"""

from collections.abc import AsyncIterator, Sequence

from omnifolio.catalog.cardano_chains import CardanoChain, cardano_chain
from omnifolio.model.accounts import Certificate
from omnifolio.model.errors import InvalidField
from omnifolio.model.facts import Batch, Cursor, Evidence
from omnifolio.venues.cardano.address import is_stake, parse_address
from omnifolio.venues.cardano.balances import balances, decode_balances
from omnifolio.venues.cardano.history import History, decode_history
from omnifolio.venues.cardano.koios import PUBLIC_BUDGET
from omnifolio.venues.cardano.rewards import decode_rewards, rewards
from omnifolio.venues.cardano.subject import Subject
from omnifolio.venues.contract import Access, Stream
from omnifolio.venues.depth import depth_of
from omnifolio.venues.evm.nodes import pages_of

_DECODERS = {"balances": decode_balances, "transfers": decode_history, "rewards": decode_rewards}


class CardanoReader:
    """Coins, assets and rewards of one address."""

    def streams(self, access: Access) -> Sequence[Stream]:
        """Balances first, then the transactions, and of a stake address its rewards."""
        kinds = ["transfers"] if depth_of(access.fields).has_history else []
        if kinds and is_stake(access.fields.get("wallet", "")):
            kinds.append("rewards")
        held = Stream(name=f"balances/{access.venue}", is_balances=True)
        return (held, *(Stream(name=f"{kind}/{access.venue}") for kind in kinds))

    def read(self, access: Access, since: Cursor) -> AsyncIterator[Batch]:
        """Pages of one stream. Raises: InvalidField, PrivateKeyRefused, VenueError."""
        kind, chain = _stream(since.stream)
        subject = Subject(chain, parse_address(access.fields.get("wallet", "")))
        urls = (access.base_url,) if access.base_url else chain.servers
        if not access.base_url:
            access.egress.limit(access.venue, address=PUBLIC_BUDGET)
        depth_of(access.fields)

        def pages(url: str) -> AsyncIterator[Batch]:
            if kind == "balances":
                return balances(access, subject, url=url, since=since)
            if kind == "rewards":
                return rewards(access, subject, url=url, since=since)
            return History(access, subject, url=url, since=since).pages()

        return pages_of(urls, pages, clock=access.clock)

    def decode(self, venue: str, stream: str, evidence: Sequence[Evidence]) -> Batch:
        """The facts of one page out of its raw answers alone. Raises: VenueError, InvalidField."""
        kind, chain = _stream(stream)
        return _DECODERS[kind](chain, stream, evidence)

    async def certificate(self, access: Access) -> Certificate:
        """An address can only be read."""
        return Certificate(state="read_only", method="address", checked_at=access.clock.now())


def _stream(name: str) -> tuple[str, CardanoChain]:
    kind, _, scope = name.partition("/")
    if kind not in _DECODERS:
        raise InvalidField(f"stream: expected balances/<network>, transfers/<network> or rewards/<network>, got {name[:40]!r}")
    return kind, cardano_chain(scope)
