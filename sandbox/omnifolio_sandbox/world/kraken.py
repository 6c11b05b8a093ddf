"""A user's life at Kraken: what they deposit, trade, earn and withdraw there, in Kraken's own codes.

Codes are Kraken's (XXBT, ZUSD). Allocations to Earn move between the wallets `spot` and `earn`; the suffixed codes that
Kraken shows for them (DOT.S, ATOM.B, ETH.F) are made by the protocol side from the wallet's product.
"""

from decimal import Decimal
from typing import ClassVar

from omnifolio_sandbox.amounts import cut, ratio
from omnifolio_sandbox.clock import MS_PER_DAY
from omnifolio_sandbox.world import chains
from omnifolio_sandbox.world.book import Event, Leg, fee_legs, trade_subtype
from omnifolio_sandbox.world.dice import capitals
from omnifolio_sandbox.world.story import Act, Story
from omnifolio_sandbox.world.tokens import code_of

SPOT = ("spot", "spot")
DECIMALS = {
    "XXBT": 10, "XETH": 10, "SOL": 10, "DOT": 10, "XLTC": 10, "ADA": 8, "ATOM": 8, "XXRP": 8, "XXDG": 8, "LINK": 10,
    "USDC": 8, "USDT": 8, "QNOVA": 10, "ORB": 10, "ZUSD": 4, "ZEUR": 4,
}  # fmt: skip
# base ticker, quote ticker, decimals of the price
PAIRS = (
    ("BTC", "USD", 1), ("BTC", "EUR", 1), ("ETH", "USD", 2), ("ETH", "EUR", 2), ("ETH", "BTC", 5), ("SOL", "USD", 2),
    ("SOL", "EUR", 2), ("DOT", "USD", 4), ("DOT", "EUR", 4), ("ADA", "USD", 6), ("ATOM", "USD", 4), ("XRP", "USD", 5),
    ("DOGE", "USD", 7), ("LTC", "USD", 2), ("LINK", "USD", 5), ("USDC", "USD", 4), ("USDT", "USD", 5),
    ("SOL", "BTC", 7),
)  # fmt: skip
EARN = {
    "DOT": ("staked", "S"),
    "ATOM": ("earn", "B"),
    "ETH": ("earn", "F"),
    "SOL": ("earn", "F"),
    "ADA": ("staked", "S"),
}
TAKER_FEE = Decimal("0.0026")
MAKER_FEE = Decimal("0.0016")
WITHDRAWAL_FEES = {"BTC": "0.00002", "ETH": "0.0005", "SOL": "0.01", "USDC": "1.5", "EUR": "0.9"}
BURST_FILLS = 30  # 60 ledger rows of one millisecond: more than a page of 50
VOLUME_PLACES = 8


class KrakenStory(Story):
    """Deposits, orders with several fills, instant buys, Earn allocations and rewards, withdrawals, and hard cases."""

    venue: ClassVar[str] = "kraken"
    gap_percent: ClassVar[int] = 145

    def opening(self) -> list[Act]:
        """Euros and dollars by bank, some bitcoin from outside, a first order."""
        return [
            lambda: self.bank("EUR", Decimal(self.dice.between(5, 12) * 1000)),
            lambda: self.bank("USD", Decimal(self.dice.between(9, 25) * 1000)),
            lambda: self.deposit("BTC", Decimal(self.dice.between(800, 4000))),
            self.order,
        ]

    def special(self, slot: int) -> Act | None:
        """Hard cases at fixed places of the story."""
        return {
            8: lambda: self.receive("QNOVA", Decimal("1250.5")),
            11: lambda: self.receive("ORB", Decimal("75.25")),
            14: lambda: self.receive("LINK", Decimal("0.0000000001")),
            20: self.burst,
            26: self.back_dated,
            30: self.failed_withdrawal,
            33: self.dividend,
        }.get(slot)

    def everyday(self) -> Act:
        """One of the ordinary acts."""
        cash = [code for code in self.holds(*SPOT, usd_at_least=60) if code in {"ZUSD", "ZEUR"}]
        if not cash:
            return lambda: self.bank(self.dice.pick(("EUR", "USD")), Decimal(self.dice.between(20, 90) * 100))
        choices: list[tuple[Act, int]] = [
            (self.order, 52),
            (lambda: self.bank(self.dice.pick(("EUR", "USD")), Decimal(self.dice.between(2, 30) * 100)), 6),
            (lambda: self.deposit(self.dice.pick(("BTC", "ETH", "SOL", "USDC")), self.dollars(100, 2500)), 6),
            (self.instant_buy, 6),
            (self.allocate, 8),
            (self.reward, 12),
            (self.deallocate, 4),
            (self.withdraw, 6),
        ]
        return self.dice.weighted(choices)

    def dollars(self, low: int, high: int) -> Decimal:
        """An amount of dollars with cents."""
        return Decimal(self.dice.between(low * 100, high * 100)).scaleb(-2)

    def txid(self, letter: str) -> str:
        """An id in Kraken's form: 6-5-6 characters that begin with `letter`."""
        raw = letter + capitals(16, "kraken", self.user, self.next_serial())
        return f"{raw[:6]}-{raw[6:11]}-{raw[11:17]}"

    def refid(self, letter: str) -> str:
        """A reference of funding in Kraken's form: 7-6-6 characters."""
        raw = letter + capitals(18, "kraken", self.user, self.next_serial())
        return f"{raw[:7]}-{raw[7:13]}-{raw[13:19]}"

    def bank(self, ticker: str, amount: Decimal) -> list[Event]:
        """Money from the user's bank."""
        leg = Leg(*SPOT, code_of("kraken", ticker), amount)
        method = "SEPA (Fidor Bank AG)" if ticker == "EUR" else "Etana Custody (Wire)"
        facts = {"method": method, "txid": str(self.next_serial() + 7_000_000), "info": "", "network": None}
        return [self.event("deposit", self.refid("Q"), (leg,), type="deposit", subtype="fiat_deposit", facts=facts)]

    def deposit(self, ticker: str, usd: Decimal) -> list[Event]:
        """Crypto from outside, worth about `usd`."""
        return self.receive(ticker, self.worth(ticker, usd, VOLUME_PLACES))

    def receive(self, ticker: str, amount: Decimal, *, at: int | None = None) -> list[Event]:
        """An exact amount of crypto from outside."""
        network, hash_, place = self.movement(ticker, inward=True)
        return [
            self.event(
                "deposit",
                self.refid("Q"),
                (Leg(*SPOT, code_of("kraken", ticker), amount),),
                type="deposit",
                subtype="onchain_deposit",
                at=at,
                chain=chains.event_id(network, hash_),
                facts={
                    "method": f"{network.kraken_network} ({ticker})" if ticker != "BTC" else "Bitcoin",
                    "txid": hash_,
                    "info": place,
                    "network": network.kraken_network,
                },
            )
        ]

    def back_dated(self) -> list[Event]:
        """A deposit that the venue booked nine days late under its true time."""
        return self.receive("ETH", Decimal("0.25"), at=self.at - 9 * MS_PER_DAY)

    def dividend(self) -> list[Event]:
        """A cash distribution of a tokenised stock."""
        leg = Leg(*SPOT, "ZUSD", Decimal("3.42"))
        return [self.event("dividend", self.refid("D"), (leg,), type="bonus", subtype="distribution")]

    def order(self) -> list[Event]:
        """One order on a pair that the purse can pay for, in one to four fills."""
        return self.fills(self.dice.weighted(((1, 6), (2, 2), (3, 1), (4, 1))))

    def burst(self) -> list[Event]:
        """One order of many fills in the same millisecond."""
        return [*self.bank("USD", Decimal(6000)), *self.fills(BURST_FILLS, pair=("ETH", "USD", 2), buys=True)]

    def fills(self, count: int, pair: tuple[str, str, int] | None = None, *, buys: bool | None = None) -> list[Event]:
        """`count` fills of one order at the same instant, each a transaction of its own."""
        rich = {self.ticker(code) for code in self.holds(*SPOT, usd_at_least=50)}
        usable = [one for one in PAIRS if one[1] in rich or one[0] in rich]
        base, quote, price_places = pair or self.dice.pick(usable)
        buying = buys if buys is not None else quote in rich and (base not in rich or self.dice.chance(58))
        base_code, quote_code = code_of("kraken", base), code_of("kraken", quote)
        given = quote_code if buying else base_code
        budget = ratio(self.purse.of(*SPOT, given) * self.price(self.ticker(given)) * self.dice.share(8, 45), Decimal(count), 8)
        order, maker = self.txid("O"), self.dice.chance(40)
        rate = ratio(self.price(base), self.price(quote), price_places) or Decimal(1).scaleb(-price_places)
        events = []
        for number in range(count):
            price = rate + Decimal(number).scaleb(-price_places)
            volume = self.worth(base, budget * self.dice.share(60, 100), VOLUME_PLACES)
            cost = cut(volume * price, DECIMALS[quote_code])
            fee = cut(cost * (MAKER_FEE if maker else TAKER_FEE), DECIMALS[quote_code])
            if volume and cost:
                events.append(
                    self.fill(
                        base=base_code, quote=quote_code, order=order, buying=buying, maker=maker,
                        price=price, volume=volume, cost=cost, fee=fee,
                    )
                )  # fmt: skip
        return events

    def fill(
        self, *, base: str, quote: str, order: str, buying: bool, maker: bool,
        price: Decimal, volume: Decimal, cost: Decimal, fee: Decimal,
    ) -> Event:  # fmt: skip
        """One fill; Kraken takes its fee in the quote currency."""
        sign = 1 if buying else -1
        legs = (
            Leg(*SPOT, base, sign * volume),
            Leg(*SPOT, quote, -sign * cost),
            *fee_legs(*SPOT, quote, fee),
        )
        return self.event(
            "fill",
            self.txid("T"),
            legs,
            type="trade",
            subtype=trade_subtype("kraken", given=quote if buying else base, got=base if buying else quote),
            facts={
                "order": order, "base": base, "quote": quote, "buying": buying, "maker": maker,
                "price": price, "volume": volume, "cost": cost, "fee": fee, "trade_id": 40_000_000 + self.next_serial(),
            },
        )  # fmt: skip

    def instant_buy(self) -> list[Event]:
        """Kraken's buy button: a spend and a receive in the ledger, and nothing in the trades."""
        given = self.dice.pick([code for code in self.holds(*SPOT, usd_at_least=60) if code in {"ZUSD", "ZEUR"}])
        spent = cut(min(self.purse.of(*SPOT, given) / 4, Decimal(500)), 2)
        fee = cut(spent * Decimal("0.01"), 2)
        got = self.dice.pick(("BTC", "ETH", "SOL", "DOT", "ATOM", "ADA"))
        volume = self.worth(got, (spent - fee) * self.price(self.ticker(given)), VOLUME_PLACES)
        legs = (
            Leg(*SPOT, given, -(spent - fee)),
            Leg(*SPOT, code_of("kraken", got), volume),
            *fee_legs(*SPOT, given, fee),
        )
        subtype = trade_subtype("kraken", given=given, got=code_of("kraken", got))
        return [self.event("instant", self.txid("B"), legs, type="trade", subtype=subtype)]

    def allocate(self) -> list[Event]:
        """Part of a holding goes to work in Earn."""
        able = [code for code in self.holds(*SPOT, usd_at_least=30) if self.ticker(code) in EARN]
        if not able:
            return self.order()
        code = self.dice.pick(able)
        amount = cut(self.purse.of(*SPOT, code) * self.dice.share(20, 70), VOLUME_PLACES)
        return [self.shift("allocation", "staking", code, amount)]

    def deallocate(self) -> list[Event]:
        """Part of an Earn holding comes back."""
        able = [(code, product) for product in ("staked", "earn") for code in self.holds("earn", product, usd_at_least=5)]
        if not able:
            return self.allocate()
        code, product = self.dice.pick(able)
        amount = cut(self.purse.of("earn", product, code) * self.dice.share(20, 90), VOLUME_PLACES)
        return [self.shift("deallocation", "unstaking", code, -amount)]

    def shift(self, kind: str, type_: str, code: str, amount: Decimal) -> Event:
        """A move of `amount` from spot into Earn (negative: back)."""
        product, _ = EARN[self.ticker(code)]
        legs = (Leg(*SPOT, code, -amount), Leg("earn", product, code, amount))
        return self.event(kind, self.refid("E"), legs, type=type_)

    def reward(self) -> list[Event]:
        """What Earn paid, less Kraken's commission."""
        able = [(code, product) for product in ("staked", "earn") for code in self.holds("earn", product, usd_at_least=1)]
        if not able:
            return self.allocate()
        code, product = self.dice.pick(able)
        amount = cut(self.purse.of("earn", product, code) * self.dice.share(0, 1), VOLUME_PLACES) or Decimal("0.00000004")
        fee = cut(amount * Decimal("0.15"), DECIMALS[code]) if product == "earn" else Decimal(0)
        legs = (Leg("earn", product, code, amount), *fee_legs("earn", product, code, fee))
        subtype = "staking_reward" if product == "staked" else "interest_income"
        return [self.event("reward", self.txid("R"), legs, type="reward", subtype=subtype)]

    def withdraw(self) -> list[Event]:
        """Crypto to the user's own wallet, or euros to their bank."""
        able = [code for code in self.holds(*SPOT, usd_at_least=250) if self.ticker(code) in WITHDRAWAL_FEES]
        if not able:
            return self.order()
        code = self.dice.pick(able)
        ticker = self.ticker(code)
        fee = Decimal(WITHDRAWAL_FEES[ticker])
        amount = cut(self.purse.of(*SPOT, code) * self.dice.share(15, 60), 2 if ticker == "EUR" else 6)
        legs = (Leg(*SPOT, code, -amount), *fee_legs(*SPOT, code, fee))
        if ticker == "EUR":
            facts = {"method": "SEPA", "txid": str(9_000_000 + self.next_serial()), "info": "DE00", "network": None}
            event = self.event("withdrawal", self.refid("A"), legs, type="withdrawal", subtype="fiat_withdrawal", facts=facts)
            return [event]
        network, hash_, place = self.movement(ticker, inward=False)
        return [
            self.event(
                "withdrawal",
                self.refid("A"),
                legs,
                type="withdrawal",
                subtype="onchain_withdrawal",
                chain=chains.event_id(network, hash_),
                facts={
                    "method": network.kraken_network, "txid": hash_, "info": place, "network": network.kraken_network,
                    "key": "own wallet",
                },
            )
        ]  # fmt: skip

    def failed_withdrawal(self) -> list[Event]:
        """A withdrawal that failed: listed by the venue, moved nothing, cost nothing."""
        network, _, place = self.movement("ETH", inward=False)
        facts = {
            "method": network.kraken_network, "txid": None, "info": place, "network": network.kraken_network,
            "key": "own wallet", "code": "XETH", "amount": Decimal("0.1"), "fee": Decimal("0.0005"),
        }  # fmt: skip
        return [self.event("failed_withdrawal", self.refid("A"), (), type=None, status="failed", facts=facts)]
