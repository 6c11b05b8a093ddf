"""How a history is told: a venue's storyteller walks through time and never spends what is not there."""

import re
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Any, ClassVar

from omnifolio_sandbox.amounts import ratio
from omnifolio_sandbox.clock import MS_PER_DAY
from omnifolio_sandbox.world import chains
from omnifolio_sandbox.world.book import Event, Leg, Purse
from omnifolio_sandbox.world.dice import Dice
from omnifolio_sandbox.world.prices import token_price
from omnifolio_sandbox.world.tokens import code_of, ticker_of

START_MS = 1_688_169_600_000  # 2023-07-01T00:00:00Z: every history begins in the days after it
SIZED_YEARS_DAYS = 3 * 365
DEFAULT_SIZE = 220  # transactions per venue in the first three years
SIZE_IN_NAME = re.compile(r"-(\d{3,7})$")  # `whale-100000`

Act = Callable[[], list[Event]]


def size_of(user: str, override: int | None = None) -> int:
    """Transactions that a user makes at a venue in three years: by override, by the name's number, else the default."""
    if override is not None:
        return override
    found = SIZE_IN_NAME.search(user)
    return int(found.group(1)) if found else DEFAULT_SIZE


class Story:
    """Base of the venues' storytellers: time, dice, purse and the making of events.

    `tell` yields events without end, ordered by the time at which the venue first shows them.
    """

    venue: ClassVar[str]
    gap_percent: ClassVar[int] = 150  # mean gap between acts, of three years / size: above 100 where acts make several events

    @classmethod
    def as_shown(cls, event: Event, at_ms: int) -> Event | None:
        """The event as the venue tells of it at an instant, or None where it has forgotten it; most tell everything for ever."""
        return event

    def __init__(self, user: str, size: int) -> None:
        self.user = user
        self.dice = Dice("story", self.venue, user)
        self.purse = Purse()
        self.serial = 0
        self.slot = 0
        self._worth_slot = -1
        self._worths: dict[tuple[str, str], list[tuple[str, Decimal]]] = {}
        self._morning = 0
        self._morning_prices: dict[str, Decimal | None] = {}
        self.at = START_MS + self.dice.between(0, 20 * MS_PER_DAY)
        self.gap_ms = max(1, SIZED_YEARS_DAYS * MS_PER_DAY * self.gap_percent // (100 * size))

    def tell(self) -> Iterator[Event]:
        """All that happens, for ever."""
        opening = self.opening()
        while True:
            act = opening.pop(0) if opening else self.special(self.slot) or self.everyday()
            events = act()
            for event in events:
                self.purse.apply(event.legs)
            yield from events
            self.slot += 1
            last = events[-1].at if events else self.at
            self.at = max(self.at, last) + 1 + self.gap_ms * self.dice.between(20, 180) // 100

    def opening(self) -> list[Act]:
        """The first acts: money has to come in before it can be spent."""
        raise NotImplementedError

    def special(self, slot: int) -> Act | None:
        """The hard case told at this slot, if any."""
        raise NotImplementedError

    def everyday(self) -> Act:
        """An ordinary act, possible with what the purse holds."""
        raise NotImplementedError

    def next_serial(self) -> int:
        """A number that grows by one with each use: seed of ids."""
        self.serial += 1
        return self.serial

    def event(
        self,
        kind: str,
        ref: str,
        legs: tuple[Leg, ...],
        *,
        type: str | None,  # noqa: A002 - the word of the wire
        subtype: str | None = None,
        at: int | None = None,
        visible_at: int | None = None,
        chain: str | None = None,
        status: str = "confirmed",
        facts: Mapping[str, Any] | None = None,
    ) -> Event:
        """An event of now, unless `at` or `visible_at` say otherwise; legs of zero are left out."""
        moment = self.at if at is None else at
        return Event(
            kind=kind,
            ref=ref,
            at=moment,
            visible_at=max(moment, self.at) if visible_at is None else visible_at,
            type=type,
            subtype=subtype,
            legs=tuple(leg for leg in legs if leg.amount),
            chain=chain,
            status=status,
            facts=facts or {},
        )

    def price(self, ticker: str) -> Decimal:
        """USD price of a ticker now."""
        found = token_price(self.venue, code_of(self.venue, ticker), self.at)
        assert found is not None, f"{ticker} has no price at {self.venue}"
        return found

    def worth(self, ticker: str, usd: Decimal, places: int) -> Decimal:
        """How much of a ticker `usd` buys now, cut to `places` decimals."""
        return ratio(usd, self.price(ticker), places)

    def movement(self, ticker: str, *, inward: bool) -> tuple[chains.Network, str, str]:
        """Network, transaction hash and address of a new movement on chain."""
        network = chains.NETWORKS[ticker]
        seed = (self.venue, self.user, self.next_serial())
        # A user deposits to the same address of theirs each time, and withdraws to one of their own wallets.
        place = chains.address(network, self.venue, self.user, "in") if inward else chains.address(network, self.user)
        return network, chains.transaction_hash(network, *seed), place

    def holds(self, wallet: str, product: str, *, usd_at_least: int) -> list[str]:
        """Codes in a purse that were worth at least so much when this act began, at the day's first price.

        Near enough to choose by; amounts are then taken from the purse itself.
        """
        if self._worth_slot != self.slot:
            self._worth_slot = self.slot
            self._worths = self._worth_of_all()
        return [code for code, usd in self._worths.get((wallet, product), ()) if usd >= usd_at_least]

    def _worth_of_all(self) -> dict[tuple[str, str], list[tuple[str, Decimal]]]:
        """Code and worth of everything that has a price, by wallet and product, in the order of the codes."""
        morning = self.at - self.at % MS_PER_DAY
        if morning != self._morning:
            self._morning, self._morning_prices = morning, {}
        found: dict[tuple[str, str], list[tuple[str, Decimal]]] = {}
        for (wallet, product, code), amount in sorted(self.purse.amounts.items()):
            if code not in self._morning_prices:
                self._morning_prices[code] = token_price(self.venue, code, morning)
            price = self._morning_prices[code]
            if amount and price is not None:
                found.setdefault((wallet, product), []).append((code, amount * price))
        return found

    def ticker(self, code: str) -> str:
        """Common ticker of a code of this venue."""
        return ticker_of(self.venue, code)
