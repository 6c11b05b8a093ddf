"""One account at one instant: its events by kind, and what lies in each place. Each venue's own book is built on it."""

from decimal import Decimal

from omnifolio_sandbox.amounts import exact
from omnifolio_sandbox.world.book import Event
from omnifolio_sandbox.world.world import Account


class View:
    """Build it again when the instant or the account changes. `by_kind` is oldest first."""

    def __init__(self, account: Account, at_ms: int) -> None:
        self.account = account
        self.user = account.user
        self.at_ms = at_ms
        self.events = account.events(at_ms)
        self.by_kind: dict[str, list[Event]] = {}
        for event in sorted(self.events, key=lambda event: event.at):
            self.by_kind.setdefault(event.kind, []).append(event)
        self.places: dict[tuple[str, str], dict[str, Decimal]] = {}
        with exact():
            for (wallet, product, code), amount in account.balances(at_ms).items():
                self.places.setdefault((wallet, product), {})[code] = amount

    def of(self, wallet: str, product: str) -> dict[str, Decimal]:
        """What lies in one place."""
        return self.places.get((wallet, product), {})
