"""A user's life at Coinbase: advanced trades, buys and sells, conversions, sends, rewards and ETH staking.

Everything lies in wallet `spot`; staked ether is the product `staked` (its own account, ETH2, in the protocol). Times
are whole seconds, as the venue prints them. A fill's cost is exactly size x price, so one of its two rows tells it all.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar
from uuid import UUID

from omnifolio_sandbox.amounts import cut, ratio
from omnifolio_sandbox.clock import MS_PER_DAY
from omnifolio_sandbox.world import chains
from omnifolio_sandbox.world.book import Event, Leg, fee_legs, trade_subtype
from omnifolio_sandbox.world.dice import digest
from omnifolio_sandbox.world.story import Act, Story
from omnifolio_sandbox.world.tokens import FIAT, STABLE, code_of, kind_of

SPOT = ("spot", "spot")
STAKED = ("spot", "staked")
PLACES = 8
# base ticker, quote ticker, decimals of the price, decimals of the size
PRODUCTS = (
    ("BTC", "USD", 2, 6), ("ETH", "USD", 2, 5), ("SOL", "USD", 2, 4), ("ADA", "USD", 4, 2), ("DOT", "USD", 3, 3),
    ("ALGO", "USD", 4, 1), ("CELO", "USD", 4, 2), ("LINK", "USD", 3, 3), ("UNI", "USD", 3, 3), ("BTC", "EUR", 2, 6),
    ("ETH", "EUR", 2, 5), ("ETH", "BTC", 5, 4), ("BTC", "USDC", 2, 6), ("ETH", "USDC", 2, 5), ("SOL", "BTC", 7, 3),
    ("ORB", "USD", 4, 2), ("LTC", "USD", 2, 4), ("DOGE", "USD", 5, 1),
)  # fmt: skip
COMMISSION = Decimal("0.006")
BURST_FILLS = 28  # more than the default page of 25
WITHDRAWAL_FEES = {"BTC": "0.00004", "ETH": "0.0006", "SOL": "0.000005", "USDC": "1.1"}
FINE_AMOUNT = Decimal("1.234567890123456789")
TINY_AMOUNT = Decimal("0.000000000000000001")


class CoinbaseStory(Story):
    """Dollars in by bank, trades of all the venue's kinds, rewards of all its kinds, hard cases at fixed places."""

    venue: ClassVar[str] = "coinbase"
    gap_percent: ClassVar[int] = 150

    def opening(self) -> list[Act]:
        """Dollars and euros by bank, then ether to stake later."""
        return [
            lambda: self.bank("USD", Decimal(self.dice.between(80, 240) * 100)),
            lambda: self.bank("EUR", Decimal(self.dice.between(20, 60) * 100)),
            lambda: self.fills(1, ("ETH", "USD", 2, 5), buying=True),
            self.stake,
        ]

    def special(self, slot: int) -> Act | None:
        """Hard cases at fixed places of the story."""
        return {
            6: lambda: self.receive("ETH", FINE_AMOUNT),
            7: lambda: self.receive("ETH", TINY_AMOUNT),
            9: lambda: self.receive("QNOVA", Decimal("77.7")),
            12: lambda: self.receive("ORB", Decimal("40.5")),
            17: lambda: [*self.bank("USD", Decimal(4000)), *self.fills(BURST_FILLS, ("BTC", "USD", 2, 6), buying=True)],
            22: self.back_dated,
            25: self.failed_send,
            29: self.bank_withdrawal,
        }.get(slot)

    def everyday(self) -> Act:
        """One of the ordinary acts."""
        if not set(self.holds(*SPOT, usd_at_least=100)) & {"USD", "EUR", "USDC"}:
            return lambda: self.bank("USD", Decimal(self.dice.between(10, 60) * 100))
        choices: list[tuple[Act, int]] = [
            (lambda: self.fills(self.dice.weighted(((1, 6), (2, 2), (3, 1)))), 40),
            (lambda: self.bank(self.dice.pick(("USD", "EUR")), Decimal(self.dice.between(2, 20) * 100)), 5),
            (lambda: self.deposit(self.dice.pick(("BTC", "ETH", "SOL", "USDC"))), 6),
            (self.buy, 6),
            (self.sell, 4),
            (self.convert, 8),
            (self.reward, 16),
            (self.stake, 3),
            (self.unstake, 2),
            (self.send, 6),
            (self.bank_withdrawal, 2),
        ]
        return self.dice.weighted(choices)

    def uuid(self) -> str:
        """An id in the venue's form."""
        return uuid_of("coinbase", self.user, self.next_serial())

    def told(
        self, kind: str, legs: tuple[Leg, ...], *, type: str | None, subtype: str | None = None,  # noqa: A002
        at: int | None = None, chain: str | None = None, status: str = "confirmed",
        facts: Mapping[str, Any] | None = None,
    ) -> list[Event]:  # fmt: skip
        """One event at a whole second; `facts["pair"]` is the id of a second row where the event has two."""
        moment = self.at if at is None else at
        return [
            self.event(
                kind, self.uuid(), legs, type=type, subtype=subtype, at=moment - moment % 1000, chain=chain,
                status=status, facts={"pair": self.uuid(), **(facts or {})},
            )
        ]  # fmt: skip

    def bank(self, ticker: str, amount: Decimal) -> list[Event]:
        """Money from the user's bank."""
        return self.told("fiat_deposit", (Leg(*SPOT, ticker, amount),), type="deposit", subtype="fiat_deposit")

    def bank_withdrawal(self) -> list[Event]:
        """Dollars back to the bank."""
        amount = cut(self.purse.of(*SPOT, "USD") / 8, 2)
        if amount < 10:
            return self.bank("USD", Decimal(900))
        legs = (Leg(*SPOT, "USD", -amount),)
        return self.told("fiat_withdrawal", legs, type="withdrawal", subtype="fiat_withdrawal")

    def deposit(self, ticker: str) -> list[Event]:
        """Crypto from outside."""
        usd = Decimal(self.dice.between(10_000, 250_000)).scaleb(-2)
        return self.receive(ticker, self.worth(ticker, usd, 6 if ticker == "USDC" else PLACES))

    def receive(self, ticker: str, amount: Decimal, *, at: int | None = None) -> list[Event]:
        """An exact amount of crypto from outside; the venue calls older ones `send`, newer ones `receive`."""
        network, hash_, place = self.movement(ticker, inward=True)
        facts = {"network": network, "hash": hash_, "address": place, "row_type": self.dice.pick(("send", "receive"))}
        return self.told(
            "receive", (Leg(*SPOT, ticker, amount),), type="deposit", subtype="onchain_deposit", at=at,
            chain=chains.event_id(network, hash_), facts=facts,
        )  # fmt: skip

    def back_dated(self) -> list[Event]:
        """A deposit that the venue booked nine days late under its true time."""
        return self.receive("BTC", Decimal("0.0125"), at=self.at - 9 * MS_PER_DAY)

    def send(self) -> list[Event]:
        """Crypto to the user's own wallet, network fee included in the row's amount."""
        able = [code for code in self.holds(*SPOT, usd_at_least=250) if code in WITHDRAWAL_FEES]
        if not able:
            return self.fills(1)
        code = self.dice.pick(able)
        fee = Decimal(WITHDRAWAL_FEES[code])
        amount = cut(self.purse.of(*SPOT, code) * self.dice.share(15, 60), 6)
        network, hash_, place = self.movement(code, inward=False)
        legs = (Leg(*SPOT, code, -amount), *fee_legs(*SPOT, code, fee))
        facts = {"network": network, "hash": hash_, "address": place, "fee": fee, "amount": amount}
        return self.told(
            "send",
            legs,
            type="withdrawal",
            subtype="onchain_withdrawal",
            chain=chains.event_id(network, hash_),
            facts=facts,
        )

    def failed_send(self) -> list[Event]:
        """A send that failed: listed by the venue, moved nothing."""
        network, _, place = self.movement("ETH", inward=False)
        facts = {"network": network, "address": place, "code": "ETH", "amount": Decimal("0.15")}
        return self.told("failed_send", (), type=None, status="failed", facts=facts)

    def fills(self, count: int, product: tuple[str, str, int, int] | None = None, *, buying: bool | None = None) -> list[Event]:
        """One advanced order in `count` fills of one second; commission in the quote currency."""
        rich = {self.ticker(code) for code in self.holds(*SPOT, usd_at_least=50)}
        usable = [one for one in PRODUCTS if {one[0], one[1]} & rich]
        base, quote, price_places, size_places = product or self.dice.pick(usable)
        buys = buying if buying is not None else quote in rich and (base not in rich or self.dice.chance(58))
        base_code = code_of("coinbase", base)
        given = quote if buys else base
        held = self.purse.of(*SPOT, code_of("coinbase", given))
        budget = ratio(held * self.price(given) * self.dice.share(8, 45), Decimal(count), PLACES)
        rate = ratio(self.price(base), self.price(quote), price_places) or Decimal(1).scaleb(-price_places)
        order, maker = self.uuid(), self.dice.chance(40)
        events: list[Event] = []
        for place in range(count):
            price = rate + Decimal(place).scaleb(-price_places)
            size = self.worth(base, budget * self.dice.share(60, 100), size_places)
            if not size:
                continue
            cost = size * price
            fee = cut(cost * COMMISSION, 8 if quote == "BTC" else 6)
            sign = 1 if buys else -1
            legs = (
                Leg(*SPOT, base_code, sign * size), Leg(*SPOT, quote, -sign * cost), *fee_legs(*SPOT, quote, fee)
            )  # fmt: skip
            subtype = trade_subtype("coinbase", given=quote if buys else base_code, got=base_code if buys else quote)
            facts = {"product": f"{base_code}-{quote}", "base": base_code, "quote": quote, "order": order,
                     "price": price, "size": size, "cost": cost, "fee": fee, "buying": buys,
                     "maker": maker}  # fmt: skip
            events += self.told("fill", legs, type="trade", subtype=subtype, facts={**facts, "trade": self.uuid()})
        return events

    def buy(self) -> list[Event]:
        """The buy button, paid from the dollar wallet: subtotal and fee make the total."""
        total = cut(min(self.purse.of(*SPOT, "USD") / 4, Decimal(400)), 2)
        if total < 20:
            return self.bank("USD", Decimal(700))
        fee = cut(total * Decimal("0.015"), 2)
        ticker = self.dice.pick(("BTC", "ETH", "SOL", "CELO", "ALGO"))
        code = code_of("coinbase", ticker)
        amount = self.worth(ticker, total - fee, 6)
        legs = (Leg(*SPOT, "USD", -(total - fee)), Leg(*SPOT, code, amount), *fee_legs(*SPOT, "USD", fee))
        facts = {
            "code": code,
            "amount": amount,
            "subtotal": total - fee,
            "fee": fee,
            "total": total,
            "deal": self.uuid(),
        }
        return self.told("buy", legs, type="trade", subtype="buy", facts=facts)

    def sell(self) -> list[Event]:
        """The sell button, paid out to the dollar wallet: subtotal less fee makes the total."""
        able = [code for code in self.holds(*SPOT, usd_at_least=80) if kind_of("coinbase", code) not in {FIAT, STABLE}]
        if not able:
            return self.buy()
        code = self.dice.pick(able)
        amount = cut(self.purse.of(*SPOT, code) * self.dice.share(5, 30), 6)
        subtotal = cut(amount * self.price(self.ticker(code)), 2)
        fee = cut(subtotal * Decimal("0.015"), 2)
        legs = (Leg(*SPOT, code, -amount), Leg(*SPOT, "USD", subtotal), *fee_legs(*SPOT, "USD", fee))
        facts = {"code": code, "amount": amount, "subtotal": subtotal, "fee": fee, "total": subtotal - fee,
                 "deal": self.uuid()}  # fmt: skip
        return self.told("sell", legs, type="trade", subtype="sell", facts=facts)

    def convert(self) -> list[Event]:
        """A conversion: a pair of `trade` rows that name the same trade; no fee, the price is in the amounts."""
        able = [code for code in self.holds(*SPOT, usd_at_least=80) if kind_of("coinbase", code) != FIAT]
        if not able:
            return self.buy()
        given = self.dice.pick(able)
        got = self.dice.pick([code for code in ("USDC", "BTC", "ETH") if code != given])
        amount = cut(self.purse.of(*SPOT, given) * self.dice.share(5, 35), 6)
        received = self.worth(got, amount * self.price(self.ticker(given)) * Decimal("0.99"), 6)
        legs = (Leg(*SPOT, given, -amount), Leg(*SPOT, got, received))
        subtype = trade_subtype("coinbase", given=given, got=got)
        return self.told("convert", legs, type="trade", subtype=subtype, facts={"first": self.uuid()})

    def stake(self) -> list[Event]:
        """Ether goes into staking: a row in each of the two accounts."""
        amount = cut(self.purse.of(*SPOT, "ETH") * self.dice.share(20, 60), PLACES)
        if not amount:
            return self.buy()
        legs = (Leg(*SPOT, "ETH", -amount), Leg(*STAKED, "ETH", amount))
        return self.told("stake", legs, type="staking", facts={"amount": amount})

    def unstake(self) -> list[Event]:
        """Part of the staked ether comes back."""
        amount = cut(self.purse.of(*STAKED, "ETH") * self.dice.share(20, 80), PLACES)
        if not amount:
            return self.stake()
        legs = (Leg(*STAKED, "ETH", -amount), Leg(*SPOT, "ETH", amount))
        return self.told("unstake", legs, type="unstaking", facts={"amount": amount})

    def reward(self) -> list[Event]:
        """Staking rewards on ether, inflation rewards on algo, interest on dollar coins."""
        places = {"ETH": STAKED, "ALGO": SPOT, "USDC": SPOT, "SOL": SPOT}
        able = [code for code, place in places.items() if self.purse.of(*place, code) > Decimal("0.01")]
        if not able:
            return self.stake()
        code = self.dice.pick(able)
        share = self.dice.share(0, 1) + Decimal("0.00001")
        amount = cut(self.purse.of(*places[code], code) * share, 6 if code in {"USDC", "ALGO"} else PLACES)
        if not amount:
            return self.buy()
        row = {"ETH": "staking_reward", "SOL": "staking_reward", "ALGO": "inflation_reward", "USDC": "interest"}[code]
        subtype = "interest_income" if row == "interest" else "staking_reward"
        legs = (Leg(*places[code], code, amount),)
        return self.told("reward", legs, type="reward", subtype=subtype, facts={"row_type": row})


def uuid_of(*seed: object) -> str:
    """An id in UUID form that depends on the seed."""
    return str(UUID(bytes=digest("uuid", *seed)[:16], version=5))
