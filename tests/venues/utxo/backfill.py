"""Backfills the made-up wallet: `… backfill URL DATABASE TURN`."""

import asyncio
import sys

from tests.venues.backfill import backfill
from tests.venues.utxo.made_up import WALLET
from tests.venues.utxo.purse import CHAIN, READER, access_to

from omnifolio.model.facts import Cursor

STREAM = f"transfers/{CHAIN.id}"


async def main(url: str, database: str, turn: int) -> None:
    """Reads on from the stored cursor to the end."""
    async with access_to(url, WALLET) as access:
        await backfill(database, turn, STREAM, lambda token: READER.read(access, Cursor(STREAM, token)))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
