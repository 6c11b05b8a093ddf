"""One account as OKX shows it: its events by kind, the bills of both accounts, and its wallets, at one instant."""

from typing import Any

from omnifolio_sandbox.world.book import Event
from omnifolio_sandbox.world.okx import KEPT_MS
from omnifolio_sandbox.world.view import View
from omnifolio_sandbox.world.world import Account

Row = dict[str, Any]


class OkxBook(View):
    """Views of one account; the bills are newest first."""

    def __init__(self, account: Account, at_ms: int) -> None:
        super().__init__(account, at_ms)
        self.bills: list[Row] = []
        self.cash: list[Row] = []
        for event in self.events:
            self.bills += event.facts.get("bills", ())
            self.cash += event.facts.get("cash", ())
        for rows in (self.bills, self.cash):
            rows.sort(key=lambda row: int(row["id"]), reverse=True)

    def newest(self, *kinds: str, since_ms: int = 0) -> list[Event]:
        """Events of some kinds from an instant on, newest first."""
        found = [event for kind in kinds for event in self.by_kind.get(kind, []) if event.at >= since_ms]
        return sorted(found, key=lambda event: event.at, reverse=True)

    def kept_bills(self, now_ms: int) -> list[Row]:
        """The trading account's bills of the last three months, newest first."""
        return [row for row in self.bills if row["at"] >= now_ms - KEPT_MS]
