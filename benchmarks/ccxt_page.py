"""ccxt_page_commit: a page of 1,000 trades from bytes to committed rows, against ccxt's own parsing of the same bytes.

Ours decodes with the exchange reader and commits with evidence, coverage and sums on, into a SQLite file that holds 1,000,000
transactions. ccxt's side is `parse_json` and `parse_trades`, as `fetch_my_trades` calls them, with our number mode.
"""

import random
from collections.abc import Sequence

from benchmarks.figures import Figure, cpu_s, figure
from benchmarks.fills import VENUES, Peer, Venue, page_bytes, read_page
from benchmarks.stock import PAGE_ROWS, forget, new_account, stock
from omnifolio.model.accounts import Principal
from omnifolio.store.engine import Store, open_store
from omnifolio.sync.pages import commit_page
from omnifolio.venues.exchanges.reader import ExchangeReader

NAME = "ccxt_page_commit"
BAR = 2.5
PAGES = 30
WARM_PAGES = 3


async def measure() -> list[Figure]:
    """The ratio, and both sides of it."""
    async with stock("sqlite") as made:
        store = open_store(made.url)
        ours, theirs = await sides(store, made.principal, VENUES[0], pages=PAGES)
        await store.close()
    return [
        figure(NAME, sum(ours) / sum(theirs), "x", BAR, of=NAME),
        figure(f"{NAME}_cpu", sum(ours) / len(ours) * 1000, "ms", None, of=NAME),
        figure(f"{NAME}_ccxt_cpu", sum(theirs) / len(theirs) * 1000, "ms", None, of=NAME),
    ]


async def sides(store: Store, principal: Principal, venue: Venue, *, pages: int) -> tuple[Sequence[float], Sequence[float]]:
    """The processor seconds of each page, ours and ccxt's in turns, for a new account that is taken away afterwards."""
    peer, reader = Peer(venue), ExchangeReader()
    who, account, fence = await new_account(store, f"{venue.id} {random.random()}", principal)
    ours, theirs = [], []

    async def take_in(number: int, body: bytes) -> None:
        batch = read_page(reader, venue, number, body)
        done = await commit_page(store, who, account, batch, fence=fence, now=batch.observed_at)
        assert done.transactions == PAGE_ROWS, done

    async def parse_page(body: bytes) -> None:
        assert len(peer.parse(body)) == PAGE_ROWS

    for number in range(pages + WARM_PAGES):
        body = page_bytes(venue, number)
        their_s = await cpu_s(lambda body=body: parse_page(body))  # type: ignore[misc]
        our_s = await cpu_s(lambda number=number, body=body: take_in(number, body))  # type: ignore[misc]
        if number >= WARM_PAGES:
            theirs.append(their_s)
            ours.append(our_s)
    await forget(store, account)
    return ours, theirs
