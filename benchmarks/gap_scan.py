"""gap_scan_round_trips: the exchanges with an Electrum server in which a wallet of forty addresses is found and its balance read.

The server is one of ours over a made-up chain; it counts the questions that come when nothing is left to answer, the greeting
too. Beside it stands the processor time of both sides.
"""

import asyncio

from tests.venues.utxo.long_chain import LongChain
from tests.venues.utxo.made_up import WALLET
from tests.venues.utxo.purse import CHAIN, READER, access_to

from benchmarks.figures import Figure, cpu_s, figure
from omnifolio.model.facts import Cursor

NAME = "gap_scan_round_trips"
BAR = 3
USED = 20
"""Receiving addresses that were used: with the gap behind them forty are looked at, and the twenty for change."""


async def measure() -> list[Figure]:
    """The round trips, and the processor time."""
    chain = LongChain(3 * USED, USED)
    running = await asyncio.start_server(chain.serve, "127.0.0.1", 0)
    url = f"tcp://127.0.0.1:{running.sockets[0].getsockname()[1]}"

    async def scan() -> None:
        async with access_to(url, WALLET) as access:
            found = [page async for page in READER.read(access, Cursor(f"balances/{CHAIN.id}"))]
        assert len(found) == 1, found

    spent_s = await cpu_s(scan)
    running.close()
    return [
        figure(NAME, chain.trips, "trips", BAR, of=NAME),
        figure("gap_scan_cpu", spent_s * 1000, "ms", None, of=NAME),
    ]
