"""One account as Bybit shows it: its events by kind, the rows of its two logs, and its wallets, at one instant."""

from typing import Any

from omnifolio_sandbox.world.book import Event
from omnifolio_sandbox.world.bybit import KEPT_MS, BybitStory
from omnifolio_sandbox.world.view import View
from omnifolio_sandbox.world.world import Account

Row = dict[str, Any]


class BybitBook(View):
    """Views of one account; both logs are oldest first."""

    def __init__(self, account: Account, at_ms: int) -> None:
        super().__init__(account, at_ms)
        self.log: list[Row] = []
        self.cash: list[Row] = []
        for event in self.events:
            self.log += event.facts.get("log", ())
            self.cash += event.facts.get("cash", ())
        for rows in (self.log, self.cash):
            rows.sort(key=lambda row: row["at"])

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
