"""What a user with margin does at Binance besides: a margin account with debt and interest, and a futures wallet with its income.

Users whose name begins with `margin` have cross margin and contracts margined in USDT, those whose name begins with `isolated`
the isolated margin of one pair and contracts margined in coin; everybody else's life is as it was. The margin account's flow and
the futures' income are told for three months, interest and transfers for six.
"""

from dataclasses import dataclass, replace
from decimal import Decimal

from omnifolio_sandbox.amounts import cut
from omnifolio_sandbox.clock import MS_PER_DAY
from omnifolio_sandbox.world.binance import SPOT, BinanceStory
from omnifolio_sandbox.world.book import Event, Leg, fee_legs
from omnifolio_sandbox.world.story import Act

PAIR = "BTCUSDT"
FLOW_KEPT_MS, HALF_YEAR_MS = 90 * MS_PER_DAY, 180 * MS_PER_DAY
PLACES = 8
COMMISSION = Decimal("0.001")
REFILL_USD = Decimal(900)


@dataclass(frozen=True, slots=True)
class Desk:
    """Where a user trades on margin. `margin` and `futures` are wallets, their events are called after them; `coin` is the
    collateral of the futures, in units of `unit`, moved in so many decimals."""

    margin: str
    futures: str
    coin: str
    unit: Decimal
    places: int

    def held(self) -> tuple[str, str]:
        """What lies in the margin account."""
        return self.margin, "margin"

    def owed(self) -> tuple[str, str]:
        """What is owed there."""
        return self.margin, "debt"

    def collateral(self) -> tuple[str, str]:
        """What lies in the futures wallet."""
        return self.futures, "collateral"


CROSS = Desk("margin", "usdm", "USDT", Decimal(1), 2)
ISOLATED = Desk("isolated", "coinm", "BTC", Decimal("0.00001"), 6)
DESKS = (CROSS, ISOLATED)
FLOWS = frozenset(f"{desk.margin}_{word}" for desk in DESKS for word in ("fill", "borrow", "repay")) | frozenset(
    f"{desk.futures}_income" for desk in DESKS
)
HALF_YEAR = frozenset(f"{desk.margin}_{word}" for desk in DESKS for word in ("interest", "transfer"))
FUTURES_TRANSFERS = frozenset(f"{desk.futures}_transfer" for desk in DESKS)


class MarginedStory(BinanceStory):
    """A Binance life with a margin account and a futures wallet in it."""

    def __init__(self, user: str, size: int) -> None:
        super().__init__(user, size)
        self.desk = next((desk for desk in DESKS if user.startswith(desk.margin)), None)

    @classmethod
    def as_shown(cls, event: Event, at_ms: int) -> Event | None:
        """What the venue tells of an event: its flows are forgotten after three months, interest and transfers after six."""
        if event.kind in FUTURES_TRANSFERS and event.at < at_ms - FLOW_KEPT_MS:
            # The futures' side is forgotten by then, and what left or came to spot is all that is told.
            spot = event.legs[0]
            leaves = spot.amount < 0
            kind, subtype = ("withdrawal", "transfer_out") if leaves else ("deposit", "transfer_in")
            return replace(event, legs=(spot,), type=kind, subtype=subtype, facts={})
        kept_ms = FLOW_KEPT_MS if event.kind in FLOWS else HALF_YEAR_MS if event.kind in HALF_YEAR else None
        return event if kept_ms is None or event.at >= at_ms - kept_ms else None

    def everyday(self) -> Act:
        """An ordinary act, or one on margin."""
        if self.desk is None or not self.dice.chance(45):
            return super().everyday()
        trader = Trader(self, self.desk)
        if self.purse.of(*self.desk.held(), "USDT") < 100:
            return trader.margin_in
        if self.purse.of(*self.desk.collateral(), self.desk.coin) < 100 * self.desk.unit:
            return trader.futures_in
        choices: list[tuple[Act, int]] = [
            (trader.borrow, 4),
            (trader.repay, 4),
            (trader.interest, 5),
            (trader.margin_buy, 6),
            (trader.margin_sell, 4),
            (trader.margin_out, 2),
            (trader.futures_out, 2),
            (lambda: trader.income("REALIZED_PNL", self.dice.between(-900, 1200), -2), 5),
            (lambda: trader.income("COMMISSION", -self.dice.between(1, 300), -4), 5),
            (lambda: trader.income("FUNDING_FEE", self.dice.between(-90, 60), -4), 5),
        ]
        return self.dice.weighted(choices)


class Trader:
    """What the owner of a life does at a desk."""

    def __init__(self, life: MarginedStory, desk: Desk) -> None:
        self.life, self.desk = life, desk
        self.purse, self.dice = life.purse, life.dice

    def margin_in(self) -> list[Event]:
        """Coins into the margin account."""
        return self._margin_transfer(cut(self.purse.of(*SPOT, "USDT") * self.dice.share(5, 20), 2))

    def margin_out(self) -> list[Event]:
        """… and out of it, where nothing is owed."""
        owed = self.purse.of(*self.desk.owed(), "USDT")
        return self.interest() if owed else self._margin_transfer(-cut(self.purse.of(*self.desk.held(), "USDT") / 4, 2))

    def _margin_transfer(self, amount: Decimal) -> list[Event]:
        if not amount:
            return self.life.deposit("USDT", REFILL_USD)
        ident = self.life.whole_id(21_000_000_000)
        legs = (Leg(*SPOT, "USDT", -amount), Leg(*self.desk.held(), "USDT", amount))
        facts = {"id": ident, "asset": "USDT", "amount": amount}
        return [self.life.event(f"{self.desk.margin}_transfer", str(ident), legs, type="other", facts=facts)]

    def borrow(self) -> list[Event]:
        """Coins borrowed against the account: it holds them and owes them."""
        return self._debt("borrow", Decimal(self.dice.between(20, 200)))

    def repay(self) -> list[Event]:
        """Part of what is owed."""
        owed = -self.purse.of(*self.desk.owed(), "USDT")
        amount = min(cut(owed * self.dice.share(20, 100), PLACES), self.purse.of(*self.desk.held(), "USDT"))
        return self._debt("repay", -amount) if amount > 0 else self.borrow()

    def _debt(self, kind: str, amount: Decimal) -> list[Event]:
        ident = self.life.whole_id(31_000_000_000)
        legs = (Leg(*self.desk.held(), "USDT", amount), Leg(*self.desk.owed(), "USDT", -amount))
        facts = {"rows": [(ident, "BORROW" if amount > 0 else "REPAY", "USDT", abs(amount))], "tran": ident, "symbol": ""}
        return [self.life.event(f"{self.desk.margin}_{kind}", str(ident), legs, type="other", facts=facts)]

    def interest(self) -> list[Event]:
        """What was added to the debt."""
        owed = -self.purse.of(*self.desk.owed(), "USDT")
        amount = cut(owed * Decimal("0.0002"), PLACES)
        if amount <= 0:
            return self.borrow()
        ident = self.life.whole_id(41_000_000_000)
        facts = {"id": ident, "asset": "USDT", "principal": owed, "interest": amount}
        legs = fee_legs(*self.desk.owed(), "USDT", amount)
        return [self.life.event(f"{self.desk.margin}_interest", str(ident), legs, type="other", subtype="fees", facts=facts)]

    def margin_buy(self) -> list[Event]:
        """Bitcoin bought on margin."""
        cost = cut(self.purse.of(*self.desk.held(), "USDT") * self.dice.share(5, 30), 2)
        quantity = self.life.worth("BTC", cost, 5)
        return self._fill(quantity, -cost, ("BUY_INCOME", "BUY_EXPENSE"), "BTC") if quantity and cost else self.margin_in()

    def margin_sell(self) -> list[Event]:
        """… and sold."""
        quantity = cut(self.purse.of(*self.desk.held(), "BTC") * self.dice.share(20, 90), 5)
        if not quantity:
            return self.margin_buy()
        return self._fill(-quantity, cut(quantity * self.life.price("BTC"), 2), ("SELL_EXPENSE", "SELL_INCOME"), "USDT")

    def _fill(self, base: Decimal, quote: Decimal, words: tuple[str, str], got: str) -> list[Event]:
        tran = self.life.whole_id(51_000_000_000)
        fee = cut((base if got == "BTC" else quote) * COMMISSION, PLACES)
        legs = (
            Leg(*self.desk.held(), "BTC", base),
            Leg(*self.desk.held(), "USDT", quote),
            *fee_legs(*self.desk.held(), got, fee),
        )
        rows = [(tran * 10, words[0], "BTC", abs(base)), (tran * 10 + 1, words[1], "USDT", abs(quote))]
        rows += [(tran * 10 + 2, "TRADING_COMMISSION", got, fee)] if fee else []
        facts = {"rows": rows, "tran": tran, "symbol": PAIR}
        return [self.life.event(f"{self.desk.margin}_fill", str(tran), legs, type="trade", subtype="trade_crypto", facts=facts)]

    def futures_in(self) -> list[Event]:
        """Collateral for contracts."""
        return self._futures_transfer(cut(self.purse.of(*SPOT, self.desk.coin) * self.dice.share(5, 20), self.desk.places))

    def futures_out(self) -> list[Event]:
        """… and back."""
        return self._futures_transfer(-cut(self.purse.of(*self.desk.collateral(), self.desk.coin) / 4, self.desk.places))

    def _futures_transfer(self, amount: Decimal) -> list[Event]:
        coin = self.desk.coin
        if not amount:
            return self.life.deposit(coin, REFILL_USD)
        ident = self.life.whole_id(61_000_000_000)
        legs = (Leg(*SPOT, coin, -amount), Leg(*self.desk.collateral(), coin, amount))
        facts = {"id": ident, "asset": coin, "amount": amount}
        return [self.life.event(f"{self.desk.futures}_transfer", str(ident), legs, type="other", facts=facts)]

    def income(self, word: str, count: int, scale: int) -> list[Event]:
        """A row of the futures wallet's income: `count` units of so many decimals, never none."""
        coin, place = self.desk.coin, self.desk.collateral()
        amount = cut(Decimal(count or 1).scaleb(scale) * self.desk.unit, PLACES) or Decimal("0.00000001")
        if self.purse.of(*place, coin) + amount < 0:
            return self.futures_in()
        tran = self.life.whole_id(71_000_000_000)
        is_fee = word == "COMMISSION"
        if is_fee:
            amount = -abs(amount)
        legs = fee_legs(*place, coin, -amount) if is_fee else (Leg(*place, coin, amount),)
        facts = {"word": word, "amount": amount, "tran": tran}
        kind, subtype = f"{self.desk.futures}_income", "fees" if is_fee else None
        return [self.life.event(kind, str(tran), legs, type="other", subtype=subtype, facts=facts)]
