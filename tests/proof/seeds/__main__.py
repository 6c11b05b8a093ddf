"""`python -m tests.proof.seeds --seed N -v` lives through one history again and tells it; `--count N` through several."""

import argparse
import asyncio
import sys
import time
from collections import Counter

from omnifolio.model import amounts
from omnifolio.venues.exchanges import lazy_ccxt
from tests.proof.seeds.exchange import opened
from tests.proof.seeds.life import Life, silent
from tests.proof.seeds.oracle import Wrong


def main() -> int:
    """Runs the seeds that are asked for; 1 when the ledger of any of them is wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.proof.seeds", description=__doc__)
    parser.add_argument("--seed", type=int, default=0, help="the first seed")
    parser.add_argument("--count", type=int, default=1, help="how many seeds from there")
    parser.add_argument("-v", "--verbose", action="store_true", help="tell every call and what it brought")
    asked = parser.parse_args()
    amounts.install()
    lazy_ccxt.install()
    began, fired, wrong = time.process_time(), Counter[str](), 0
    with opened():
        for seed in range(asked.seed, asked.seed + asked.count):
            life = Life(seed, log=print if asked.verbose else silent)
            try:
                asyncio.run(life.live())
            except Wrong as error:
                wrong += 1
                print(f"seed {seed}: {error}")
            fired += life.fired
    print(f"fired: {dict(sorted(fired.items()))}")
    print(f"{asked.count} seeds, {wrong} wrong, {asked.count / (time.process_time() - began):.1f} a second of CPU time")
    return int(bool(wrong))


sys.exit(main())
