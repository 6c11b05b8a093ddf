"""One transaction of a UTXO chain explained for wallets: out of a document, or from the chain's explorer.

Each wallet is an account of its own in a ledger that goes away, so what moves between two of them is told from both sides.
"""

import asyncio
from collections.abc import Sequence

from omnifolio.app.explaining import Valuing, facts_of
from omnifolio.app.facts import Line
from omnifolio.app.way_out import base_urls_of
from omnifolio.catalog.utxo_chains import UtxoChain, configured_source, utxo_chains
from omnifolio.model import amounts
from omnifolio.model.clock import Clock
from omnifolio.model.errors import InvalidField, NotFound, VenueUnavailable
from omnifolio.model.settings import Settings
from omnifolio.transport.egress import Egress
from omnifolio.transport.pacing import Sleep
from omnifolio.transport.policy import Rule
from omnifolio.venues.utxo.recognise import recognised
from omnifolio.venues.utxo.site import is_name
from omnifolio.venues.utxo.walk import SITES


def coin_named(chain: str) -> UtxoChain | None:
    """The UTXO chain with that row id or CAIP-2 id; None for any other chain."""
    return next((coin for coin in utxo_chains().values() if chain in (coin.id, coin.caip2)), None)


async def explain_coin(
    settings: Settings,
    coin: UtxoChain,
    *,
    name: str,
    accounts: Sequence[str],
    clock: Clock,
    sleep: Sleep = asyncio.sleep,
    valuing: Valuing | None = None,
) -> list[Line]:
    """The facts of the transaction of that name, asked of the operator's own explorer, else of the first public one.

    Raises: InvalidField; NotFound when the explorer does not have it; VenueError.
    """
    wanted, own = _name(name), base_urls_of(settings).get(coin.id)
    sources = [configured_source(own)] if own else list(coin.sources)
    source = next((source for source in sources if source.protocol in SITES), None)
    if source is None:
        raise InvalidField(f"chain: no explorer of {coin.name} is known that tells one transaction; give --from-file FILE")
    url = source.url.rstrip("/") + SITES[source.protocol].transaction_path(wanted)
    egress = Egress(clock=clock, sleep=sleep)
    egress.allow(coin.id, [Rule("GET", url, is_configured=source.is_own)])
    try:
        answer = await egress.request(venue=coin.id, method="GET", url=url)
    finally:
        await egress.close()
    if answer.status in (400, 404):
        raise NotFound(f"{source.name} does not have this transaction")
    if answer.status != 200:
        raise VenueUnavailable(f"the server answered with HTTP status {answer.status}")
    return await coin_facts(coin, accounts, [answer.body], clock=clock, name=wanted, valuing=valuing)


async def coin_facts(
    coin: UtxoChain,
    accounts: Sequence[str],
    bodies: Sequence[bytes],
    *,
    clock: Clock,
    name: str = "",
    valuing: Valuing | None = None,
) -> list[Line]:
    """The facts of all recorded transactions, or of the one of that name, for each wallet.

    Raises: FileRefused; InvalidField for a wallet or name that is none.
    """
    amounts.install()
    lines = await facts_of(coin.id, recognised(coin, accounts, bodies, observed_at=clock.now()), clock, valuing)
    return [line for line in lines if not name or line.get("ref") == _name(name)]


def _name(text: str) -> str:
    plain = text.strip().lower()
    if not is_name(plain):
        raise InvalidField("hash: expected 64 hexadecimal digits")
    return plain
