"""Histories that several tests tell: one event through every source, and random pages over a small world."""

import random

from msgspec import structs

from omnifolio.ledger import feed
from omnifolio.model.facts import Batch, Claim, Rewind
from tests.ledger.builders import Book, batch, claim, leg, position, snapshot, stands

Mirror = dict[tuple[str, int, str], bool]
"""What a reader of the change log holds: (kind, id, detail) → is it live."""

LEDGER_OUT = claim("L1", leg("out 100 USD", key="L1"), book="ledger", names=["event:T1"], seconds=1)
LEDGER_IN = claim(
    "L2", leg("in 0.01 BTC", key="L2"), leg("fee 0.2 USD", key="L2:fee"), book="ledger", names=["event:T1"], seconds=1
)
TRADE = claim(
    "T1", leg("out 100.0 USD"), leg("in 0.01 BTC"), leg("fee 0.2 USD"), book="trades", names=["event:T1"], seconds=1, rank=1
)
CSV_OUT = claim("L1", leg("out 100.00 USD", key="L1"), book="ledger", names=["event:T1"], seconds=1, origin="file")
CSV_IN = claim(
    "L2", leg("in 0.01 BTC", key="L2"), leg("fee 0.2 USD", key="L2:fee"), book="ledger", names=["event:T1"], origin="file"
)
REWARD = claim("L3", leg("in 0.5 DOT", key="L3"), book="ledger", names=["event:R1"], seconds=5, kind="staking_reward")

API = batch(LEDGER_OUT, LEDGER_IN, REWARD, stream="ledger")
CSV = batch(CSV_OUT, CSV_IN, stream="file")
TRADES = batch(TRADE, stream="trades")


def random_page(rng: random.Random) -> Batch:
    """A page that adds, corrects, merges, withdraws and observes at random, over a small world so that much collides."""
    claims: list[Claim] = []
    for _ in range(rng.randint(0, 4)):
        ref = str(rng.randint(0, 8))
        names = [f"event:{rng.randint(0, 5)}"] if rng.random() < 0.4 else []
        book = rng.choice(["ledger", "trades"])
        rank = 0 if book == "ledger" else 1
        legs = [
            leg(f"{rng.choice(['in', 'out'])} {rng.randint(1, 9)} {rng.choice(['BTC', 'ETH', 'USD'])}", key=f"{ref}:{k}")
            for k in range(rng.randint(0, 3))
        ]
        told = claim(ref, *legs, book=book, names=names, rank=rank, seconds=rng.randint(0, 50))
        if rng.random() < 0.3:
            told = structs.replace(told, height=rng.randint(1, 9), finality="provisional")
        claims.append(told)
    rewind = Rewind("pages", rng.randint(0, 9)) if rng.random() < 0.2 else None
    shots = [snapshot({c: str(rng.randint(0, 3)) for c in rng.sample(["BTC", "ETH", "USD"], rng.randint(1, 3))})]
    named = rng.sample(["a", "b", "c"], rng.randint(0, 3))
    standing = stands(*(position(name, str(rng.randint(1, 2)), str(rng.randint(0, 2))) for name in sorted(named)))
    return batch(
        *claims,
        stream="pages",
        rewind=rewind,
        snapshots=shots if rng.random() < 0.5 else [],
        positions=(standing,) if rng.random() < 0.5 else (),
    )


async def follow(book: Book, cursor: str, mirror: Mirror, *, limit: int = 3) -> str:
    """Applies all further changes to a mirror of ids, `limit` at a time; gives the cursor after them."""
    while True:
        answer = await book.store.read(feed.changes, book.principal, cursor=cursor, limit=limit)
        if answer.is_reset:
            mirror.clear()
        for change in answer.changes:
            detail = change.detail if change.kind in ("balances", "positions") else ""
            mirror[change.kind, change.id, detail] = not change.is_removed
        cursor = answer.cursor
        if not answer.has_more:
            return cursor


def live(mirror: Mirror) -> set[tuple[str, int, str]]:
    """What a reader holds after following the log."""
    return {key for key, is_live in mirror.items() if is_live}
