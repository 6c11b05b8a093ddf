"""One account's sync driven from a recorded conversation, without network: the reader, the ledger and nothing else.

What comes out are the normalised facts as lines, the same that a live sync of that conversation would have stored. Takes without
an exact path (recorded below the URL) cannot be asked for: they are recognised by their form and read in their order.
"""

from collections.abc import Sequence

from msgspec.structs import replace

from omnifolio.app.explaining import explain_document, facts_of
from omnifolio.app.explaining_coins import coin_facts
from omnifolio.app.facts import Line
from omnifolio.app.scratch import Scratch, open_scratch
from omnifolio.catalog import exchanges
from omnifolio.catalog.solana_chains import solana_chain, solana_chains
from omnifolio.catalog.utxo_chains import utxo_chain, utxo_chains
from omnifolio.model.clock import EpochMs, SystemClock
from omnifolio.model.errors import FileRefused, OmnifolioError
from omnifolio.transport.egress import Egress
from omnifolio.transport.recording import Cassette, Take, load
from omnifolio.venues.answers import Recorded
from omnifolio.venues.contract import Access, Reader
from omnifolio.venues.evm import lite
from omnifolio.venues.evm.document import is_document
from omnifolio.venues.exchanges.recognise import recognised
from omnifolio.venues.registry import networks, reader_for
from omnifolio.venues.solana import recognise as solana
from omnifolio.venues.substrate import recognise as substrate
from omnifolio.venues.utxo.recognise import newest

UNSTATED = EpochMs(1_577_836_800_000)
"""2020-01-01, where the clock stands when a recording states no time at all."""
ROUNDS_MAX = 20
"""Readers may find new streams while they read; so often the list is asked again."""


class HeldClock:
    """A clock that stands still at the instant of the recording."""

    def __init__(self, at: EpochMs) -> None:
        self._at = at

    def now(self) -> EpochMs:
        return self._at

    def monotonic(self) -> float:
        return 0.0


async def replay_file(body: bytes) -> list[Line]:
    """The facts of a recorded conversation, or of one transaction's document. Raises: FileRefused, NotFound, InvalidField."""
    if is_document(body):
        return await explain_document(body, clock=SystemClock())
    return await replay(load(body))


async def replay(cassette: Cassette) -> list[Line]:
    """The facts of a recorded conversation. Raises: NotFound for a venue that is not known; FileRefused."""
    cassette = replace(cassette, venue=exchanges.id_of(cassette.venue))
    if cassette.venue in utxo_chains() and all(take.path is None for take in cassette.requests):
        return await _transactions(cassette)
    network = cassette.venue.removesuffix("_tx")
    if network in solana_chains() and all(take.path is None for take in cassette.requests):
        return await _changes(cassette, network)
    if cassette.venue == lite.VENUE:
        return await _claims(cassette)
    if cassette.venue == substrate.VENUE:
        return await _storage(cassette)
    loose = _loose(cassette)
    clock = HeldClock(cassette.recorded_at or _latest(cassette, loose))
    egress = Egress.playing(cassette, clock=clock)
    _open_way(egress, cassette.venue)
    reader = reader_for(cassette.venue)
    try:
        async with open_scratch(cassette.venue, clock) as scratch:
            if len(loose) < len(cassette.requests):
                await _read_all(scratch, reader, _access(cassette, egress, clock))
            for page in recognised(cassette.venue, loose, observed_at=clock.now()) if loose else ():
                await scratch.commit(page)
            return await scratch.facts()
    finally:
        await egress.close()


async def _claims(cassette: Cassette) -> list[Line]:
    """What is left to claim of a network that is closed."""
    clock = HeldClock(cassette.recorded_at or UNSTATED)
    pages = [(take.url, take.content) for take in cassette.requests]
    async with open_scratch(cassette.venue, clock) as scratch:
        await scratch.commit(lite.recognised(pages, observed_at=clock.now()))
        return await scratch.facts()


async def _storage(cassette: Cassette) -> list[Line]:
    """What the recorded storage of a Substrate chain says of accounts, each by itself."""
    takes = [Recorded(take.body, take.content) for take in cassette.requests]
    clock = HeldClock(cassette.recorded_at or UNSTATED)
    found = substrate.recognised(takes, observed_at=clock.now())
    if found is None:
        raise FileRefused("the recording does not say which chain it is of")
    chain, pages = found
    return await facts_of(chain.id, pages, clock)


async def _transactions(cassette: Cassette) -> list[Line]:
    """Recorded transactions of a UTXO chain, each account by itself."""
    chain = utxo_chain(cassette.venue)
    bodies = [take.content for take in cassette.requests]
    clock = HeldClock(cassette.recorded_at or newest(chain, bodies) or UNSTATED)
    return await coin_facts(chain, _accounts(cassette), bodies, clock=clock)


async def _changes(cassette: Cassette, network: str) -> list[Line]:
    """Recorded answers of a Solana node, each account by itself."""
    takes = [Recorded(take.body, take.content) for take in cassette.requests]
    clock = HeldClock(cassette.recorded_at or solana.newest(takes) or UNSTATED)
    pages = solana.recognised(solana_chain(network), _accounts(cassette), takes, observed_at=clock.now())
    return await facts_of(network, pages, clock)


def _accounts(cassette: Cassette) -> list[str]:
    """The wallets of a recorded case: the link's own, else every list of accounts among its parameters. Raises: FileRefused."""
    lists = [value for name, value in cassette.params.items() if name.endswith("_accounts") and isinstance(value, list)]
    found = [cassette.fields["wallet"]] if "wallet" in cassette.fields else [str(item) for items in lists for item in items]
    if not found:
        raise FileRefused("the recording does not say whose transactions they are: it needs fields.wallet or a list of accounts")
    return found


async def _read_all(scratch: Scratch, reader: Reader, access: Access) -> None:
    over: set[str] = set()
    for _ in range(ROUNDS_MAX):
        access.known = await scratch.known()
        left = [stream for stream in reader.streams(access) if stream.name not in over]
        if not left:
            return
        for stream in sorted(left, key=lambda s: (not s.is_balances, not s.is_positions)):
            over.add(stream.name)
            # As in a sync: what balances and earlier streams told is known to the finders after them.
            access.known = await scratch.known()
            try:
                async for page in reader.read(access, await scratch.cursor(stream.name)):
                    await scratch.commit(page)
            except OmnifolioError as error:
                await scratch.fail(stream.name, error)


def _open_way(egress: Egress, venue: str) -> None:
    """Lets the reads of a chain's public servers pass, as in a sync; they are answered from the recording."""
    network = networks().get(venue)
    if network is not None:
        egress.allow(venue, [rule for url in network.urls for rule in network.rules(url, False)])


def _access(cassette: Cassette, egress: Egress, clock: HeldClock) -> Access:
    return Access(venue=cassette.venue, egress=egress, clock=clock, key_label="replay", fields=cassette.fields)


def _loose(cassette: Cassette) -> tuple[Take, ...]:
    """Takes that name no exact path, of a venue whose answers can be recognised."""
    if cassette.venue not in exchanges.ids():
        return ()
    return tuple(take for take in cassette.requests if take.path is None and "://" not in take.url)


def _latest(cassette: Cassette, loose: Sequence[Take]) -> EpochMs:
    """The latest instant that the recording states: when an answer came, else the newest event in it."""
    stated = [take.received_at for take in cassette.requests if take.received_at]
    told = (
        [claim.at for page in recognised(cassette.venue, loose, observed_at=UNSTATED) for claim in page.claims] if loose else []
    )
    return max(stated or told, default=UNSTATED)
