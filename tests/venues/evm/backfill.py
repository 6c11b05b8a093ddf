"""Backfills the arithmetic wallet: `… backfill DATABASE TURN COUNT`."""

import asyncio
import sys

from tests.venues.backfill import backfill
from tests.venues.evm.arithmetic import STREAM, Arithmetic, access_to

from omnifolio.model.facts import Cursor
from omnifolio.venues.evm.reader import EvmReader

if __name__ == "__main__":
    access = access_to(Arithmetic(int(sys.argv[3])))
    asyncio.run(backfill(sys.argv[1], int(sys.argv[2]), STREAM, lambda token: EvmReader().read(access, Cursor(STREAM, token))))
