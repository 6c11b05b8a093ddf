"""Random pasts of an account at a simulated venue: what happened, when it was looked at, and in which pages it was told.

One seed is one past. The venue has a stream for each kind of event; each is told in pages, and any page can be lost: silently, as
by a fault of ours or the venue's, or openly, as a hole in what is covered.
"""

import itertools
import random
from collections.abc import Sequence
from decimal import Decimal
from typing import Literal, NamedTuple

from sqlalchemy.engine import Connection
from tests.ledger.builders import T0, Book, token

from omnifolio.ledger.commit import commit
from omnifolio.model.amounts import ZERO, divide, total
from omnifolio.model.clock import DAY_MS, HOUR_MS, MINUTE_MS, EpochMs
from omnifolio.model.facts import Balance, Batch, Claim, Cursor, Interval, Leg, Product, Snapshot

Purse = tuple[str, str]
"""A wallet and a token's code."""
Loss = Literal["silent", "declared"]
POCKETS: tuple[tuple[str, Product], ...] = (("spot", "spot"), ("earn", "earn"), ("earn", "staked"))
CODES = ("USD", "BTC", "ETH")
STREAMS = ("deposits/all", "trades/all", "transfers/all", "withdrawals/all", "rewards/all")
READ_MS = 10_000
"""How long after the balances the history is read."""


class Happening(NamedTuple):
    """One event: when it was booked, how the venue dates it, and what it moved in which pocket."""

    booked: int
    dated: int
    stream: str
    moved: Sequence[tuple[str, Product, str, Decimal]]

    def moves(self, purse: Purse) -> Decimal:
        """What it moved of a token in a wallet."""
        return total(amount for wallet, _, code, amount in self.moved if (wallet, code) == purse)


class Page(NamedTuple):
    """Some rows of a stream, and what having them covers."""

    stream: str
    rows: Sequence[Happening]
    covered: Interval


class Past:
    """One history. `skew_ms` is how far a venue dates rows from when it books them."""

    def __init__(self, seed: int, *, events: int = 24, skew_ms: int = 0, may_empty: bool = False) -> None:
        self.rng = random.Random(seed)
        self.seed = seed
        self.may_empty = may_empty
        self.held: dict[tuple[str, Product, str], Decimal] = {}
        self.events: list[Happening] = []
        at = T0
        for number in range(events):
            at += self.rng.choice([MINUTE_MS, HOUR_MS, 9 * HOUR_MS, 2 * DAY_MS]) + self.rng.randrange(MINUTE_MS)
            # Everything that a stream ever moves, it has moved once before anything can be lost.
            stream = STREAMS[number % len(STREAMS)] if number < 2 * len(STREAMS) else self.rng.choice(STREAMS)
            moved = self._moved(stream)
            for wallet, product, code, amount in moved:
                self.held[wallet, product, code] = total((self.held.get((wallet, product, code), ZERO), amount))
            dated = at + (self.rng.randint(-skew_ms, skew_ms) if skew_ms else 0)
            self.events.append(Happening(at, dated, stream, moved))
        self.end = at + HOUR_MS
        self.looks: list[int] = []

    def _amount(self, most: Decimal) -> Decimal:
        if self.may_empty and self.rng.random() < 0.1:
            return most
        return divide(most, Decimal(self.rng.randint(11, 999_983)), places=12)

    def _moved(self, stream: str) -> list[tuple[str, Product, str, Decimal]]:
        code, other = self.rng.sample(CODES, 2)
        fresh = Decimal(self.rng.randint(10**6, 10**9)).scaleb(-4)
        spot = self._amount(self.held.get(("spot", "spot", code), ZERO))
        if stream == "withdrawals/all" and spot:
            return [("spot", "spot", code, -spot)]
        if stream == "trades/all" and spot:
            return [("spot", "spot", code, -spot), ("spot", "spot", other, fresh)]
        if stream == "transfers/all" and spot:
            target: Product = self.rng.choice(["earn", "staked"])
            return [("spot", "spot", code, -spot), ("earn", target, code, spot)]
        if stream == "rewards/all":
            return [("earn", "earn", code, fresh)]
        return [("spot", "spot", code, fresh)]

    def look(self, count: int) -> None:
        """Spreads looks at the balances over the past; the last one comes after everything."""
        moments = range(self.events[4].booked, self.end)
        self.looks = [*sorted(self.rng.sample(moments, count - 1)), self.end]

    def pages(self) -> list[Page]:
        """All pages of all streams by time; a stream's pages cover all time without a hole."""
        found: list[Page] = []
        for stream in STREAMS:
            rows = sorted((event for event in self.events if event.stream == stream), key=lambda event: event.dated)
            start, place = 0, 0
            while place < len(rows):
                size = self.rng.randint(1, 3)
                page = rows[place : place + size]
                place += size
                end = page[-1].dated if place < len(rows) else self.end + READ_MS
                found.append(Page(stream, page, Interval(EpochMs(start), EpochMs(end))))
                start = end + 1
            if not rows:
                found.append(Page(stream, (), Interval(EpochMs(0), EpochMs(self.end + READ_MS))))
        return found

    def shots(self, look: int) -> tuple[Snapshot, ...]:
        """What every pocket holds at a look."""
        found: dict[tuple[str, Product], dict[str, Decimal]] = {pocket: {} for pocket in POCKETS}
        for event in self.events:
            if event.booked <= look:
                for wallet, product, code, amount in event.moved:
                    held = found[wallet, product]
                    held[code] = total((held.get(code, ZERO), amount))
        return tuple(
            Snapshot(
                wallet=wallet,
                product=product,
                at=EpochMs(look),
                balances=tuple(Balance(token(code), amount) for code, amount in held.items() if amount),
            )
            for (wallet, product), held in found.items()
        )

    def remembered(self, wallet: str) -> list[int]:
        """The looks at a wallet that a ledger can tell from each other: an unchanged one is remembered only by what it ends."""
        shots = [
            {(shot.wallet, shot.product): {b.token: b.amount for b in shot.balances} for shot in self.shots(at)}
            for at in self.looks
        ]
        kept = set(range(len(self.looks)))
        for pocket in (pocket for pocket in POCKETS if pocket[0] == wallet):
            states = [shot[pocket] for shot in shots]
            edges = [
                place
                for place, state in enumerate(states)
                if place in (0, len(states) - 1)
                or state.items() - states[place - 1].items()
                or state.items() - states[place + 1].items()
            ]
            same = {place for a, b in itertools.pairwise(edges) if states[a] == states[b] for place in range(a, b)}
            kept &= {*edges, *same}
        return [self.looks[place] for place in sorted(kept)]


def lives(
    conn: Connection, past: Past, book: Book, pages: Sequence[Page], *, lost: Page | None = None, how: Loss = "silent"
) -> None:
    """Commits a past as it would have been read: at each look the balances, then whatever the streams tell by then."""

    def file(batch: Batch, now: int) -> None:
        commit(conn, book.principal, book.account, batch, fence=book.fence, now=EpochMs(now))

    def tell(page: Page, now: int) -> None:
        file(
            Batch(
                cursor=Cursor(page.stream, str(now)),
                observed_at=EpochMs(now),
                claims=tuple(map(claim_of, page.rows)),
                covered=(page.covered,),
                done=True,
            ),
            now,
        )

    told = [page for page in pages if page is not lost]
    for look in past.looks:
        file(Batch(cursor=Cursor("balances/all"), observed_at=EpochMs(look), snapshots=past.shots(look)), look)
        ready = [page for page in told if look == past.looks[-1] or all(row.booked <= look for row in page.rows)]
        told = [page for page in told if page not in ready]
        for page in ready:
            tell(page, look + READ_MS)
    if lost is not None and how == "silent":
        tell(lost._replace(rows=()), past.end + READ_MS)


def claim_of(event: Happening) -> Claim:
    """The event as its stream tells it."""
    ref = f"{event.stream}:{event.booked}"
    legs = tuple(Leg(f"{number}", wallet, token(code), amount) for number, (wallet, _, code, amount) in enumerate(event.moved))
    return Claim(book=event.stream, ref=ref, refs=(ref,), at=EpochMs(event.dated), kind="other", legs=legs)
