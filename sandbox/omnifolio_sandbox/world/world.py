"""The worlds of all users: a venue account's events and balances at any time, told lazily and kept."""

from bisect import bisect_right
from collections.abc import Iterator
from decimal import Decimal

from omnifolio_sandbox.amounts import exact
from omnifolio_sandbox.world.binance_margin import MarginedStory
from omnifolio_sandbox.world.book import Event, Key
from omnifolio_sandbox.world.bybit import BybitStory
from omnifolio_sandbox.world.coinbase import CoinbaseStory
from omnifolio_sandbox.world.demo import DemoStory
from omnifolio_sandbox.world.kraken import KrakenStory
from omnifolio_sandbox.world.okx import OkxStory
from omnifolio_sandbox.world.story import Story, size_of

STORIES: dict[str, type[Story]] = {
    "kraken": KrakenStory,
    "binance": MarginedStory,
    "coinbase": CoinbaseStory,
    "demo": DemoStory,
    "bybit": BybitStory,
    "okx": OkxStory,
}


class Account:
    """One user's account at one venue."""

    def __init__(self, story: Story) -> None:
        self.user = story.user
        self.venue = story.venue
        self._source: Iterator[Event] = story.tell()
        self._told: list[Event] = []
        self._shown: list[int] = []  # visible_at of each told event, ascending
        self._ahead: Event | None = None
        self._scripted: list[Event] = []
        self.version = 0  # grows when an event is scripted, so that views know to look again
        self._balances: tuple[int, dict[Key, Decimal]] = (0, {})

    def _tell_until(self, at_ms: int) -> int:
        """Tell the story up to `at_ms` and give how many of its events are visible then."""
        with exact():
            while self._ahead is None or self._ahead.visible_at <= at_ms:
                if self._ahead is not None:
                    self._told.append(self._ahead)
                    self._shown.append(self._ahead.visible_at)
                self._ahead = next(self._source)
        return bisect_right(self._shown, at_ms)

    def script(self, event: Event) -> None:
        """Add an event from outside the story, which goes on as if it knew nothing of it."""
        self._scripted.append(event)
        self._scripted.sort(key=lambda one: one.visible_at)
        self.version += 1

    def events(self, at_ms: int) -> list[Event]:
        """Everything visible at `at_ms`, in the order in which the venue came to show it."""
        told = self._told[: self._tell_until(at_ms)]
        extra = [event for event in self._scripted if event.visible_at <= at_ms]
        if not extra:
            return told
        return sorted([*told, *extra], key=lambda event: event.visible_at)

    def balances(self, at_ms: int) -> dict[Key, Decimal]:
        """Sum of all visible legs by wallet, product and code; holdings of zero are left out."""
        count = self._tell_until(at_ms)
        done, sums = self._balances
        if done > count:
            done, sums = 0, {}
        with exact():
            for event in self._told[done:count]:
                _add(sums, event)
            self._balances = (count, sums)
            total = dict(sums)
            for event in self._scripted:
                if event.visible_at <= at_ms:
                    _add(total, event)
        return {key: amount for key, amount in sorted(total.items()) if amount}


def _add(sums: dict[Key, Decimal], event: Event) -> None:
    for leg in event.legs:
        key = (leg.wallet, leg.product, leg.code)
        sums[key] = sums.get(key, Decimal(0)) + leg.amount


class World:
    """All accounts of all users; `sizes` overrides how much a user does."""

    def __init__(self, sizes: dict[str, int] | None = None) -> None:
        self.sizes = sizes or {}
        self._accounts: dict[tuple[str, str], Account] = {}

    def account(self, user: str, venue: str) -> Account:
        """The user's account at the venue; every user has one at each."""
        key = (user, venue)
        if key not in self._accounts:
            self._accounts[key] = Account(STORIES[venue](user, size_of(user, self.sizes.get(user))))
        return self._accounts[key]
