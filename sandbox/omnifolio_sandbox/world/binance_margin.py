"""What a user with margin does at Binance besides: cross margin with debt and interest, and a futures wallet with its income.

Only users whose name begins with `margin` do so; everybody else's life is as it was. The margin account's flow and the futures'
income are told for three months, interest and transfers for six.
"""

from dataclasses import replace
from decimal import Decimal

from omnifolio_sandbox.amounts import cut
from omnifolio_sandbox.clock import MS_PER_DAY
from omnifolio_sandbox.world.binance import SPOT, BinanceStory
from omnifolio_sandbox.world.book import Event, Leg, fee_legs
from omnifolio_sandbox.world.story import Act

NAME = "margin"
MARGIN, DEBT, FUTURES = ("margin", "margin"), ("margin", "debt"), ("usdm", "collateral")
FLOW_KEPT_MS, HALF_YEAR_MS = 90 * MS_PER_DAY, 180 * MS_PER_DAY
FLOWS = frozenset({"margin_fill", "margin_borrow", "margin_repay", "futures_income"})
HALF_YEAR = frozenset({"margin_interest", "margin_transfer"})
PLACES = 8
COMMISSION = Decimal("0.001")


class MarginedStory(BinanceStory):
    """A Binance life with a margin account and a futures wallet in it."""

    @classmethod
    def as_shown(cls, event: Event, at_ms: int) -> Event | None:
        """What the venue tells of an event: its flows are forgotten after three months, interest and transfers after six."""
        if event.kind == "futures_transfer" and event.at < at_ms - FLOW_KEPT_MS:
            # The futures' side is forgotten by then, and what left or came to spot is all that is told.
            spot = event.legs[0]
            leaves = spot.amount < 0
            kind, subtype = ("withdrawal", "transfer_out") if leaves else ("deposit", "transfer_in")
            return replace(event, legs=(spot,), type=kind, subtype=subtype, facts={})
        kept_ms = FLOW_KEPT_MS if event.kind in FLOWS else HALF_YEAR_MS if event.kind in HALF_YEAR else None
        return event if kept_ms is None or event.at >= at_ms - kept_ms else None

    def everyday(self) -> Act:
        """An ordinary act, or one on margin."""
        if not self.user.startswith(NAME) or not self.dice.chance(45):
            return super().everyday()
        if self.purse.of(*MARGIN, "USDT") < 100:
            return self.margin_in
        if self.purse.of(*FUTURES, "USDT") < 100:
            return self.futures_in
        choices: list[tuple[Act, int]] = [
            (self.borrow, 4),
            (self.repay, 4),
            (self.interest, 5),
            (self.margin_buy, 6),
            (self.margin_sell, 4),
            (self.margin_out, 2),
            (self.futures_out, 2),
            (lambda: self.income("REALIZED_PNL", Decimal(self.dice.between(-900, 1200)).scaleb(-2) or Decimal("0.01")), 5),
            (lambda: self.income("COMMISSION", -Decimal(self.dice.between(1, 300)).scaleb(-4)), 5),
            (lambda: self.income("FUNDING_FEE", Decimal(self.dice.between(-90, 60)).scaleb(-4) or Decimal("0.0001")), 5),
        ]
        return self.dice.weighted(choices)

    def margin_in(self) -> list[Event]:
        """Coins into the margin account."""
        return self._margin_transfer(cut(self.purse.of(*SPOT, "USDT") * self.dice.share(5, 20), 2))

    def margin_out(self) -> list[Event]:
        """… and out of it, where nothing is owed."""
        owed = self.purse.of(*DEBT, "USDT")
        return self.interest() if owed else self._margin_transfer(-cut(self.purse.of(*MARGIN, "USDT") / 4, 2))

    def _margin_transfer(self, amount: Decimal) -> list[Event]:
        if not amount:
            return self.deposit("USDT", Decimal(900))
        ident = self.whole_id(21_000_000_000)
        legs = (Leg(*SPOT, "USDT", -amount), Leg(*MARGIN, "USDT", amount))
        facts = {"id": ident, "asset": "USDT", "amount": amount}
        return [self.event("margin_transfer", str(ident), legs, type="other", facts=facts)]

    def borrow(self) -> list[Event]:
        """Coins borrowed against the account: it holds them and owes them."""
        return self._debt("margin_borrow", Decimal(self.dice.between(20, 200)))

    def repay(self) -> list[Event]:
        """Part of what is owed."""
        owed = -self.purse.of(*DEBT, "USDT")
        amount = min(cut(owed * self.dice.share(20, 100), PLACES), self.purse.of(*MARGIN, "USDT"))
        return self._debt("margin_repay", -amount) if amount > 0 else self.borrow()

    def _debt(self, kind: str, amount: Decimal) -> list[Event]:
        ident = self.whole_id(31_000_000_000)
        legs = (Leg(*MARGIN, "USDT", amount), Leg(*DEBT, "USDT", -amount))
        facts = {"rows": [(ident, "BORROW" if amount > 0 else "REPAY", "USDT", abs(amount))], "tran": ident, "symbol": ""}
        return [self.event(kind, str(ident), legs, type="other", facts=facts)]

    def interest(self) -> list[Event]:
        """What was added to the debt."""
        owed = -self.purse.of(*DEBT, "USDT")
        amount = cut(owed * Decimal("0.0002"), PLACES)
        if amount <= 0:
            return self.borrow()
        ident = self.whole_id(41_000_000_000)
        facts = {"id": ident, "asset": "USDT", "principal": owed, "interest": amount}
        legs = fee_legs(*DEBT, "USDT", amount)
        return [self.event("margin_interest", str(ident), legs, type="other", subtype="fees", facts=facts)]

    def margin_buy(self) -> list[Event]:
        """Bitcoin bought on margin."""
        cost = cut(self.purse.of(*MARGIN, "USDT") * self.dice.share(5, 30), 2)
        quantity = self.worth("BTC", cost, 5)
        return self._fill(quantity, -cost, ("BUY_INCOME", "BUY_EXPENSE"), "BTC") if quantity and cost else self.margin_in()

    def margin_sell(self) -> list[Event]:
        """… and sold."""
        quantity = cut(self.purse.of(*MARGIN, "BTC") * self.dice.share(20, 90), 5)
        if not quantity:
            return self.margin_buy()
        return self._fill(-quantity, cut(quantity * self.price("BTC"), 2), ("SELL_EXPENSE", "SELL_INCOME"), "USDT")

    def _fill(self, base: Decimal, quote: Decimal, words: tuple[str, str], got: str) -> list[Event]:
        tran = self.whole_id(51_000_000_000)
        fee = cut((base if got == "BTC" else quote) * COMMISSION, PLACES)
        legs = (Leg(*MARGIN, "BTC", base), Leg(*MARGIN, "USDT", quote), *fee_legs(*MARGIN, got, fee))
        rows = [(tran * 10, words[0], "BTC", abs(base)), (tran * 10 + 1, words[1], "USDT", abs(quote))]
        rows += [(tran * 10 + 2, "TRADING_COMMISSION", got, fee)] if fee else []
        facts = {"rows": rows, "tran": tran, "symbol": "BTCUSDT"}
        return [self.event("margin_fill", str(tran), legs, type="trade", subtype="trade_crypto", facts=facts)]

    def futures_in(self) -> list[Event]:
        """Collateral for contracts."""
        return self._futures_transfer(cut(self.purse.of(*SPOT, "USDT") * self.dice.share(5, 20), 2))

    def futures_out(self) -> list[Event]:
        """… and back."""
        return self._futures_transfer(-cut(self.purse.of(*FUTURES, "USDT") / 4, 2))

    def _futures_transfer(self, amount: Decimal) -> list[Event]:
        if not amount:
            return self.deposit("USDT", Decimal(900))
        ident = self.whole_id(61_000_000_000)
        legs = (Leg(*SPOT, "USDT", -amount), Leg(*FUTURES, "USDT", amount))
        facts = {"id": ident, "asset": "USDT", "amount": amount}
        return [self.event("futures_transfer", str(ident), legs, type="other", facts=facts)]

    def income(self, word: str, amount: Decimal) -> list[Event]:
        """A row of the futures wallet's income."""
        if self.purse.of(*FUTURES, "USDT") + amount < 0:
            return self.futures_in()
        tran = self.whole_id(71_000_000_000)
        is_fee = word == "COMMISSION"
        legs = fee_legs(*FUTURES, "USDT", -amount) if is_fee else (Leg(*FUTURES, "USDT", amount),)
        facts = {"word": word, "amount": amount, "tran": tran}
        subtype = "fees" if is_fee else None
        return [self.event("futures_income", str(tran), legs, type="other", subtype=subtype, facts=facts)]
