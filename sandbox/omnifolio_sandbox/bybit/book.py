"""One account as Bybit shows it: its events by kind, the rows of its two logs, and its wallets, at one instant."""

from decimal import Decimal
from typing import Any

from omnifolio_sandbox.amounts import exact
from omnifolio_sandbox.world.book import Event
from omnifolio_sandbox.world.bybit import KEPT_MS, BybitStory
from omnifolio_sandbox.world.world import Account

Row = dict[str, Any]


class BybitBook:
    """Views of one account at one instant; build it again when the instant or the account changes."""

    def __init__(self, account: Account, at_ms: int) -> None:
        self.account = account
        self.user = account.user
        self.at_ms = at_ms
        self.by_kind: dict[str, list[Event]] = {}
        self.log: list[Row] = []
        self.cash: list[Row] = []
        for event in account.events(at_ms):
            self.by_kind.setdefault(event.kind, []).append(event)
            self.log += event.facts.get("log", ())
            self.cash += event.facts.get("cash", ())
        for events in self.by_kind.values():
            events.sort(key=lambda event: event.at)
        self.log.sort(key=lambda row: row["at"])
        self.cash.sort(key=lambda row: row["at"])
        self.held: dict[tuple[str, str], dict[str, Decimal]] = {}
        with exact():
            for (wallet, product, code), amount in account.balances(at_ms).items():
                self.held.setdefault((wallet, product), {})[code] = amount

    def of(self, wallet: str, product: str) -> dict[str, Decimal]:
        """What lies in one place."""
        return self.held.get((wallet, product), {})

    def between(self, kinds: tuple[str, ...], start_ms: int, end_ms: int, now_ms: int) -> list[Event]:
        """Events in a window that the venue still tells of, newest first."""
        found = [
            event
            for kind in kinds
            for event in self.by_kind.get(kind, [])
            if start_ms <= event.at <= end_ms and BybitStory.as_shown(event, now_ms)
        ]
        return sorted(found, key=lambda event: event.at, reverse=True)

    def rows(self, rows: list[Row], start_ms: int, end_ms: int, now_ms: int) -> list[Row]:
        """Rows of a log in a window that are not forgotten yet, newest first."""
        begin = max(start_ms, now_ms - KEPT_MS)
        return [row for row in reversed(rows) if begin <= row["at"] <= end_ms]
