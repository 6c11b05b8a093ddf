"""One account as Binance shows it: its events by kind, and its wallets, at one instant."""

from decimal import Decimal

from omnifolio_sandbox.amounts import cut, exact
from omnifolio_sandbox.world.binance import FLEXIBLE, SYMBOLS
from omnifolio_sandbox.world.book import Event
from omnifolio_sandbox.world.tokens import ASSETS
from omnifolio_sandbox.world.view import View
from omnifolio_sandbox.world.world import Account

HELD_CODE = "BTC"
HELD_PLACES = 5


class BinanceBook(View):
    """Views of one account: its fills by symbol, and its wallets without their debts."""

    def __init__(self, account: Account, at_ms: int) -> None:
        super().__init__(account, at_ms)
        self.fills: dict[str, list[Event]] = {}
        for event in self.by_kind.get("fill", []):
            self.fills.setdefault(event.facts["symbol"], []).append(event)
        self.wallets: dict[str, dict[str, Decimal]] = {"spot": {}, "funding": {}, "earn": {}}
        self.wallets |= {wallet: found for (wallet, product), found in self.places.items() if product != "debt"}

    def between(self, kind: str, start_ms: int, end_ms: int) -> list[Event]:
        """Events of a kind in a window, both ends included, newest first."""
        return [event for event in reversed(self.by_kind.get(kind, [])) if start_ms <= event.at <= end_ms]

    def held(self) -> Decimal:
        """What the one resting order locks."""
        with exact():
            return cut(self.wallets["spot"].get(HELD_CODE, Decimal(0)) / 10, HELD_PLACES)

    def spot_rows(self) -> list[tuple[str, Decimal, Decimal]]:
        """Asset, free, locked: all listed assets, and an LD receipt for each flexible Simple Earn position."""
        rows = []
        for code in listed():
            amount = self.wallets["spot"].get(code, Decimal(0))
            locked = self.held() if code == HELD_CODE else Decimal(0)
            with exact():
                rows.append((code, amount - locked, locked))
        rows.extend((f"LD{code}", amount, Decimal(0)) for code, amount in self.positions(flexible=True))
        return rows

    def positions(self, *, flexible: bool) -> list[tuple[str, Decimal]]:
        """Simple Earn positions of one sort."""
        return [(code, amount) for code, amount in self.wallets["earn"].items() if (code in FLEXIBLE) is flexible]

    def rewards_of(self, code: str) -> Decimal:
        """All that Simple Earn paid on an asset."""
        with exact():
            found = [event for event in self.by_kind.get("reward", []) if event.facts["asset"] == code]
            return sum((event.facts["amount"] for event in found), Decimal(0))


def listed() -> list[str]:
    """Assets that the venue lists."""
    traded = {code for base, quote, _, _ in SYMBOLS for code in (base, quote)}
    return [code for code in ASSETS if code in traded or code in {"QNOVA", "ORB"}]


def symbols() -> dict[str, tuple[str, str, int, int]]:
    """Markets by symbol."""
    return {base + quote: (base, quote, price, lot) for base, quote, price, lot in SYMBOLS}
