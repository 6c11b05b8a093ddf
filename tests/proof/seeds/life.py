"""One history from one number: an account is linked, lives through troubles, and in the end its ledger must hold the truth."""

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Iterable

from omnifolio.model.clock import DAY_MS, HOUR_MS, MINUTE_MS
from tests.proof.seeds.exchange import PRODUCTS, RESCAN_MS, STREAMS
from tests.proof.seeds.faults import Wire
from tests.proof.seeds.house import Clock, House, PowerCut
from tests.proof.seeds.oracle import Oracle, Wrong
from tests.proof.seeds.world import BEGAN, DEEP_MS, LATE_MS, World

TROUBLES = (0.04, 0.1, 0.2)
"""How many of the calls fail in a seed's bad times."""
PAUSES_MS = (MINUTE_MS, 11 * MINUTE_MS, 3 * HOUR_MS, 30 * HOUR_MS)
WHOLE_EVERY = 50
"""Of so many seeds one runs its statements by SQLAlchemy and keeps the bodies of its evidence."""
SLICES_MAX = 80
ROUNDS_MAX = 15
CUT_CHANCE, CUT_WITHIN = 0.1, 30
INTERLUDE_CHANCE, INTERLUDE_AT = 0.06, (1, 1, 2, 3, 5)
"""Before which write of a slice another worker comes; the first page is the second write."""
IMPATIENCE_CHANCE, IMPATIENCE_MAX = 0.8, 5
"""How often a person who sees a doubt asks again after some minutes, and how often in a row."""
SELL_OFF_CHANCE, SELL_OFF_IN_DOUBT_CHANCE = 0.15, 0.7
NEW_ROWS = 6
TROUBLED_ROUNDS_MAX = 2

Log = Callable[[str], None]


def silent(line: str) -> None:
    """Nobody reads along."""


class Life:
    """A history. `fired` counts what went wrong in it, by kind."""

    def __init__(self, seed: int, *, log: Log = silent) -> None:
        self.seed, self.log = seed, log
        self.rng = rng = random.Random(seed)
        self.fired = Counter[str]()
        venue = rng.choice(sorted(STREAMS))
        self.clock = Clock(BEGAN)
        self.world = World(rng, venue, self.clock)
        self.wire = Wire(rng, self.world, self.fired, log)
        self.house = House(venue, self.clock, self.wire, rng.random, is_lean=bool(seed % WHOLE_EVERY))
        self.house.store.meanwhile = self._other_worker
        self.oracle = Oracle(self.house, self.world, self.wire)
        log(f"seed {seed}: {venue}, {self.world.count()} rows in {len(self.world.rows)} lists")

    async def live(self) -> None:
        """The whole history. Raises: Wrong as soon as something is lost, doubled, zeroed, unnamed or rude."""
        self.wire.trouble = self.rng.choice(TROUBLES)
        await self._work()
        self.wire.was_read = True
        for _ in range(self.rng.randint(1, TROUBLED_ROUNDS_MAX)):
            self._evolve()
            self.clock.advance(self.rng.choice(PAUSES_MS))
            await self._work()
            for _ in range(IMPATIENCE_MAX):
                if self.wire.lied_at is None or self.rng.random() >= IMPATIENCE_CHANCE:
                    break
                self.fired["impatience"] += 1
                self.clock.advance(self.rng.randint(2, 4) * MINUTE_MS)
                self.house.ask()
                await self._work()
        if self.wire.lied_about():
            self._sell_off()
        self.wire.heal()
        if not self._is_well():
            await self._settle()
        self.clock.advance(HOUR_MS)
        self.oracle.forget_late()
        for _ in range(NEW_ROWS):
            self._add_row(hidden=False)
        self.world.correct(within_ms=LATE_MS)
        await self._settle()
        self.oracle.judge(is_final=False)
        self.clock.advance(RESCAN_MS + DAY_MS)
        await self._settle()
        self.oracle.judge(is_final=True)

    def _evolve(self) -> None:
        """The world goes on."""
        for _ in range(self.rng.randint(1, NEW_ROWS)):
            self._add_row(hidden=True)
        chance = self.rng.random()
        if chance < 0.2:
            self.fired["back-dated"] += 1
            self.world.late(self.rng.randint(*DEEP_MS))
        if chance < 0.3:
            self.fired["correction"] += 1
            self.oracle.weak |= self.world.correct(within_ms=self.rng.choice((LATE_MS, 40 * DAY_MS)))
        self._sell_off()

    def _sell_off(self) -> None:
        """Something may go for good. A true absence likes to follow a false one: of what is doubted, the rest goes as well."""
        doubted = self.wire.lied_about()
        if self.rng.random() < (SELL_OFF_IN_DOUBT_CHANCE if doubted else SELL_OFF_CHANCE):
            self.fired["sell-off in doubt" if doubted else "sell-off"] += 1
            self.world.sell(doubted or self.rng.choice(sorted(PRODUCTS)), is_whole=bool(doubted) or self.rng.random() < 0.4)

    def _add_row(self, *, hidden: bool) -> None:
        chance = self.rng.random()
        if chance < 0.25:
            self.fired["late row"] += 1
            self.world.late(self.rng.randint(1, LATE_MS))
        elif chance < 0.4 and hidden:
            self.fired["delayed row"] += 1
            self.world.hidden(self.rng.randint(MINUTE_MS, LATE_MS))
        else:
            self.world.happen()

    async def _work(self) -> None:
        """Slices until nothing is due; some of them die, and some are taken for dead."""
        for _ in range(SLICES_MAX):
            began = self.house.state().round_at or self.clock.now_ms
            self._endanger()
            try:
                is_done = await self.house.slice()
            except PowerCut:
                self.fired["crash"] += 1
                self.log("  the process died")
                self.house.restart()
                self.wire.forgive()
                self.oracle.look()
                continue
            if self.house.store.interlude is None and self._expects_other:
                is_done = is_done and None
            self.house.store.cut = self.house.store.interlude = None
            if is_done is None and not self._expects_other:
                return
            self.oracle.look()
            if is_done:
                self.oracle.look_at_round(began)
        raise Wrong("endless", "a round does not end")

    async def _other_worker(self) -> None:
        """Another worker takes the account, because the one that has it was silent for too long."""
        self.fired["lost lease"] += 1
        self.log("  another worker comes")
        self.house.outlive_lease()
        await self.house.slice("other")
        self.oracle.look()
        self.log("  the first one goes on")

    def _endanger(self) -> None:
        store = self.house.store
        self._expects_other = False
        if not self.wire.trouble:
            return
        if self.rng.random() < CUT_CHANCE:
            store.cut, store.cut_where = self.rng.randrange(CUT_WITHIN), self.rng.choice(("before", "inside", "after"))
        elif self.rng.random() < INTERLUDE_CHANCE:
            store.interlude, self._expects_other = self.rng.choice(INTERLUDE_AT), True

    async def _settle(self) -> None:
        """Rounds by their own schedule until all is well."""
        self.house.ask()
        for _ in range(ROUNDS_MAX):
            await self._work()
            state = self.house.state()
            self.log(f"  {state.status} {state.error_code or ''}")
            if self._is_well():
                return
            assert state.next_sync_at is not None
            self.clock.advance(max(0, state.next_sync_at - self.clock.now_ms))
        raise Wrong("endless", "a sound venue, and the account does not become well")

    def _is_well(self) -> bool:
        return self.house.state().status == "ok" and self.oracle.is_well()


def lives(seeds: Iterable[int]) -> Counter[str]:
    """Lives through the seeds; gives what went wrong in them by kind. Raises: Wrong, naming the seed."""
    fired = Counter[str]()

    async def all_of_them() -> None:
        for seed in seeds:
            life = Life(seed)
            try:
                await life.live()
            except Wrong as error:
                raise Wrong(error.kind, f"seed {seed}: {error}") from None
            fired.update(life.fired)

    asyncio.run(all_of_them())
    return fired
