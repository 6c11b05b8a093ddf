"""The reader of UTXO chains: an address, extended public key or descriptor, its balance and its transactions.

Link fields: `wallet` (what holds the coins), `source` (who is asked) and `history` (how much of it). A base URL that the operator
set is the installation's own server; without one a single address is asked of the chain's first public server, while an extended
key or a descriptor, which tells a server which addresses belong together, needs the user's choice.
"""

from collections.abc import AsyncIterator, Sequence

from omnifolio.catalog.utxo_chains import OWN, Source, UtxoChain, configured_source, utxo_chain
from omnifolio.model.accounts import Certificate
from omnifolio.model.errors import InvalidField
from omnifolio.model.facts import Batch, Cursor, Evidence
from omnifolio.transport.policy import Rule
from omnifolio.venues.contract import Access, Stream
from omnifolio.venues.depth import depth_of
from omnifolio.venues.utxo import electrum
from omnifolio.venues.utxo.electrum_balances import balances, decode_balances
from omnifolio.venues.utxo.electrum_history import History, decode_history
from omnifolio.venues.utxo.subject import Subject, subject_of
from omnifolio.venues.utxo.walk import SITES, Walk
from omnifolio.venues.utxo.walk import decode as decode_walk


class UtxoReader:
    """The coin of one wallet."""

    def streams(self, access: Access) -> Sequence[Stream]:
        """Balances first, then the transactions."""
        balances = Stream(name=f"balances/{access.venue}", is_balances=True)
        return (balances, Stream(name=f"transfers/{access.venue}")) if depth_of(access.fields).has_history else (balances,)

    def read(self, access: Access, since: Cursor) -> AsyncIterator[Batch]:
        """Pages of `balances/<chain>` or `transfers/<chain>`. Raises: InvalidField, PrivateKeyRefused, VenueError."""
        kind, chain = _stream(since.stream)
        subject = subject_of(chain.id, access.fields.get("wallet", ""))
        source = source_of(subject, chosen=access.fields.get("source", ""), base_url=access.base_url)
        if source.protocol in SITES:
            walk = Walk(access, subject, source=source, since=since)
            return walk.balances() if kind == "balances" else walk.history()
        if not access.base_url:
            access.egress.limit(access.venue, address=electrum.PUBLIC_BUDGET)
        if kind == "balances":
            return balances(access, subject, url=source.url, since=since)
        return History(access, subject, url=source.url, since=since).pages()

    def decode(self, venue: str, stream: str, evidence: Sequence[Evidence]) -> Batch:
        """The facts of one page out of its raw answers alone. Raises: VenueError, InvalidField."""
        kind, chain = _stream(stream)
        if evidence and "site" in evidence[0].params:
            return decode_walk(chain, stream, evidence)
        return (decode_balances if kind == "balances" else decode_history)(chain, stream, evidence)

    async def certificate(self, access: Access) -> Certificate:
        """An address or public key can only be read."""
        return Certificate(state="read_only", method="address", checked_at=access.clock.now())


def source_of(subject: Subject, *, chosen: str, base_url: str | None) -> Source:
    """Who is asked for a wallet: the operator's own server alone, where there is one, whatever was chosen before.

    Raises: InvalidField where the user must choose, or where nobody can be asked.
    """
    chain = subject.chain
    if base_url:
        own = configured_source(base_url)
        if chain.transactions == "zcash" and own.protocol != "electrum":
            raise InvalidField(
                f"source: {chain.name} is read from an Electrum server alone: explorers do not say what was shielded"
            )
        return own
    if chosen == OWN:
        raise InvalidField(f"source: this installation has no {chain.name} server of its own (base_urls in its configuration)")
    if chosen:
        return chain.source(chosen)
    if not chain.sources:
        raise InvalidField(f"source: {chain.name} has no public server here: configure one of your own (base_urls)")
    if not subject.is_address:
        names = ", ".join(source.name for source in chain.sources)
        raise InvalidField(f"source: choose who is told all addresses of this wallet: {names}, or a server of your own")
    return chain.sources[0]


def rules_of(source: Source, *, is_configured: bool) -> list[Rule]:
    """All that a server may be asked."""
    if source.protocol in SITES:
        base = source.url.rstrip("/")
        return [Rule("GET", base + path, is_configured=is_configured) for path in SITES[source.protocol].paths]
    return [Rule(procedure, f"{source.url.rstrip('/')}/", is_configured=is_configured) for procedure in electrum.PROCEDURES]


def _stream(name: str) -> tuple[str, UtxoChain]:
    kind, _, scope = name.partition("/")
    if kind not in ("balances", "transfers"):
        raise InvalidField(f"stream: expected balances/<chain> or transfers/<chain>, got {name[:60]!r}")
    return kind, utxo_chain(scope)
