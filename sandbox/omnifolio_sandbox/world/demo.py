"""A quiet life at the simple demo venue: nine balances, fiat included, and a history that anyone can read."""

from decimal import Decimal
from typing import ClassVar

from omnifolio_sandbox.amounts import cut
from omnifolio_sandbox.world import chains
from omnifolio_sandbox.world.book import Event, Leg, fee_legs, trade_subtype
from omnifolio_sandbox.world.story import Act, Story

SPOT = ("spot", "spot")
BOUGHT = ("BTC", "ETH", "SOL", "ADA", "DOT", "LINK", "USDC")
PLACES = 8
FEE = Decimal("0.002")


class DemoStory(Story):
    """Fiat in, a handful of assets bought, now and then a trade, a reward, a deposit or a withdrawal."""

    venue: ClassVar[str] = "demo"
    gap_percent: ClassVar[int] = 420

    def opening(self) -> list[Act]:
        """Dollars and euros, then some of everything."""
        return [
            lambda: self.bank("USD", Decimal(12_000)),
            lambda: self.bank("EUR", Decimal(2_500)),
            *(self._first_buy(ticker) for ticker in BOUGHT),
        ]

    def _first_buy(self, ticker: str) -> Act:
        return lambda: self.trade(ticker, Decimal(1_100), buying=True)

    def special(self, slot: int) -> Act | None:
        """No hard cases here: this venue is the easy one."""
        return None

    def everyday(self) -> Act:
        """One of the ordinary acts."""
        choices: list[tuple[Act, int]] = [
            (self.some_trade, 8),
            (lambda: self.bank("USD", Decimal(self.dice.between(2, 9) * 100)), 3),
            (self.deposit, 3),
            (self.withdraw, 2),
            (self.reward, 5),
        ]
        return self.dice.weighted(choices)

    def ident(self) -> str:
        """Ids count up."""
        return f"demo-{self.next_serial():06d}"

    def bank(self, ticker: str, amount: Decimal) -> list[Event]:
        """Money from the bank."""
        return [self.event("deposit", self.ident(), (Leg(*SPOT, ticker, amount),), type="deposit", subtype="fiat_deposit")]

    def some_trade(self) -> list[Event]:
        """Buy with dollars while there are some, else sell a little."""
        ticker = self.dice.pick(BOUGHT)
        buying = self.purse.of(*SPOT, "USD") > 400 and self.dice.chance(60)
        return self.trade(ticker, Decimal(self.dice.between(40, 300)), buying=buying)

    def trade(self, ticker: str, usd: Decimal, *, buying: bool) -> list[Event]:
        """A trade of about `usd` against dollars, with the fee in dollars."""
        amount = self.worth(ticker, usd, PLACES)
        if not buying:
            amount = min(amount, cut(self.purse.of(*SPOT, ticker) * Decimal("0.3"), PLACES))
        cost = cut(amount * self.price(ticker), 2)
        if not cost:
            return self.bank("USD", Decimal(100))
        sign = 1 if buying else -1
        legs = (
            Leg(*SPOT, ticker, sign * amount),
            Leg(*SPOT, "USD", -sign * cost),
            *fee_legs(*SPOT, "USD", cut(cost * FEE, 2)),
        )
        subtype = trade_subtype("demo", given="USD" if buying else ticker, got=ticker if buying else "USD")
        return [self.event("trade", self.ident(), legs, type="trade", subtype=subtype)]

    def deposit(self) -> list[Event]:
        """Crypto from outside."""
        ticker = self.dice.pick(("BTC", "ETH"))
        network, hash_, _ = self.movement(ticker, inward=True)
        legs = (Leg(*SPOT, ticker, self.worth(ticker, Decimal(self.dice.between(50, 400)), PLACES)),)
        return [
            self.event(
                "deposit", self.ident(), legs, type="deposit", subtype="onchain_deposit",
                chain=chains.event_id(network, hash_),
            )
        ]  # fmt: skip

    def withdraw(self) -> list[Event]:
        """Crypto to the user's own wallet, with a fee."""
        network, hash_, _ = self.movement("ETH", inward=False)
        amount, fee = cut(self.purse.of(*SPOT, "ETH") * Decimal("0.2"), 6), Decimal("0.001")
        if amount < fee:
            return self.deposit()
        legs = (Leg(*SPOT, "ETH", -amount), *fee_legs(*SPOT, "ETH", fee))
        return [
            self.event(
                "withdrawal", self.ident(), legs, type="withdrawal", subtype="onchain_withdrawal",
                chain=chains.event_id(network, hash_),
            )
        ]  # fmt: skip

    def reward(self) -> list[Event]:
        """A staking reward on DOT."""
        amount = cut(self.purse.of(*SPOT, "DOT") * Decimal("0.004"), PLACES)
        if not amount:
            return self.bank("USD", Decimal(150))
        legs = (Leg(*SPOT, "DOT", amount),)
        return [self.event("reward", self.ident(), legs, type="reward", subtype="staking_reward")]
