"""Deposits and withdrawals scripted from outside a user's story, with the facts that each venue's protocol shows."""

from decimal import Decimal
from typing import Any

from omnifolio_sandbox.world import chains
from omnifolio_sandbox.world.book import Event, Leg
from omnifolio_sandbox.world.coinbase import uuid_of
from omnifolio_sandbox.world.dice import capitals, number

PLACES = {"bybit": ("funding", "funding"), "okx": ("funding", "funding")}
"""Wallet and product into which a venue books what comes in, where that is not the spot wallet."""


def movement(venue: str, seed: str, leg: Leg, *, ticker: str, at_ms: int, visible_at: int) -> Event:
    """A deposit on chain of the leg's amount, or a withdrawal without a fee where it is negative; `seed` makes its ids.

    Raises: ValueError for a ticker that has no chain in the world.
    """
    network = chains.NETWORKS.get(ticker)
    if network is None:
        raise ValueError(f"ticker {ticker!r} cannot be moved on chain: give one of {', '.join(chains.NETWORKS)}")
    hash_ = chains.transaction_hash(network, seed)
    place = chains.address(network, seed)
    word = "deposit" if leg.amount > 0 else "withdrawal"
    facts: dict[str, Any]
    if venue == "kraken":
        raw = ("Q" if word == "deposit" else "A") + capitals(18, seed)
        ref = f"{raw[:7]}-{raw[7:13]}-{raw[13:]}"
        facts = {"method": network.kraken_network, "txid": hash_, "info": place, "network": network.kraken_network}
    elif venue == "coinbase":
        at_ms -= at_ms % 1000
        ref = uuid_of("scripted", seed)
        facts = {"network": network, "hash": hash_, "address": place, "row_type": "receive"}
    elif venue == "bybit":
        ref = hash_ if word == "deposit" else str(90_000_000 + number(seed) % 10**7)
        facts = {"txid": hash_, "address": place, "network": network.bybit_network, "code": leg.code}
    elif venue == "okx":
        ref = str(90_000_000 + number(seed) % 10**7)
        facts = {"txid": hash_, "address": place, "chain": f"{leg.code}-{network.okx_network}", "code": leg.code}
    else:
        ref = str(900_000_000_000_000_000 + number(seed) % 10**17)
        at_ms -= 0 if word == "deposit" else at_ms % 1000
        facts = {"txid": hash_, "address": place, "network": network.binance_network, "code": leg.code}
    if word == "withdrawal":
        facts |= {"amount": -leg.amount, "fee": Decimal(0)}
    return Event(
        kind="send" if (venue, word) == ("coinbase", "withdrawal") else word,
        ref=ref,
        at=at_ms,
        visible_at=visible_at,
        type=word,
        subtype=f"onchain_{word}",
        legs=(leg,),
        chain=chains.event_id(network, hash_),
        facts=facts,
    )
