"""A user's life at Binance: spot orders, converts, Simple Earn, the funding wallet, dust, dividends and fiat.

Flexible Simple Earn pays into the position itself, locked Simple Earn pays to spot; which of the two an asset uses is
fixed, so that one earn balance per asset is enough.
"""

from decimal import Decimal
from typing import Any, ClassVar

from omnifolio_sandbox.amounts import cut, ratio
from omnifolio_sandbox.clock import MS_PER_DAY
from omnifolio_sandbox.world import chains
from omnifolio_sandbox.world.book import Event, Leg, fee_legs, trade_subtype
from omnifolio_sandbox.world.dice import digest, number
from omnifolio_sandbox.world.story import START_MS, Act, Story

SPOT = ("spot", "spot")
FUNDING = ("funding", "funding")
EARN = ("earn", "earn")
PLACES = 8
# base, quote, decimals of the price, decimals of the quantity
SYMBOLS = (
    ("BTC", "USDT", 2, 5), ("ETH", "USDT", 2, 4), ("BNB", "USDT", 2, 3), ("SOL", "USDT", 2, 3), ("XRP", "USDT", 4, 1),
    ("ADA", "USDT", 4, 1), ("DOT", "USDT", 3, 2), ("LTC", "USDT", 2, 3), ("LINK", "USDT", 2, 2), ("ATOM", "USDT", 3, 2),
    ("DOGE", "USDT", 5, 0), ("SHIB", "USDT", 8, 0), ("TRX", "USDT", 4, 1), ("USDC", "USDT", 4, 0), ("ETH", "BTC", 5, 4),
    ("BNB", "BTC", 6, 3), ("SOL", "BTC", 7, 3), ("BTC", "FDUSD", 2, 5), ("ETH", "FDUSD", 2, 4), ("FDUSD", "USDT", 4, 0),
    ("BTC", "EUR", 2, 5), ("ETH", "EUR", 2, 4), ("EUR", "USDT", 4, 1),
)  # fmt: skip
FLEXIBLE = ("USDT", "USDC", "BTC", "ETH", "BNB")
LOCKED = ("DOT", "ATOM", "SOL")
WITHDRAWAL_FEES = {"BTC": "0.00003", "ETH": "0.0004", "SOL": "0.001", "USDT": "3.2", "USDC": "2.9"}
COMMISSION = Decimal("0.001")
BNB_DISCOUNT = Decimal("0.75")
BURST_FILLS = 12


class BinanceStory(Story):
    """Euros in, dollars-coins traded, part of them earning; dust swept up; hard cases at fixed places."""

    venue: ClassVar[str] = "binance"
    gap_percent: ClassVar[int] = 140

    def __init__(self, user: str, size: int) -> None:
        super().__init__(user, size)
        self.trade_ids: dict[str, int] = {}

    def opening(self) -> list[Act]:
        """Stablecoins from outside, euros by bank, some BNB for fees."""
        return [
            lambda: self.deposit("USDT", Decimal(self.dice.between(6000, 20_000))),
            lambda: self.fiat_deposit(Decimal(self.dice.between(20, 80) * 100)),
            lambda: self.fills(1, ("BNB", "USDT", 2, 3), buying=True),
            lambda: self.transfer("USDT", Decimal(500)),
        ]

    def special(self, slot: int) -> Act | None:
        """Hard cases at fixed places of the story."""
        return {
            7: lambda: self.receive("QNOVA", Decimal("333.33333333")),
            9: lambda: self.receive("ORB", Decimal("12.5")),
            16: lambda: self.fills(BURST_FILLS, ("BTC", "USDT", 2, 5), buying=True),
            21: self.back_dated,
            24: self.failed_withdrawal,
            27: self.fiat_withdrawal,
            28: self.card,
        }.get(slot)

    def everyday(self) -> Act:
        """One of the ordinary acts."""
        if not set(self.holds(*SPOT, usd_at_least=100)) & {"USDT", "EUR", "FDUSD"}:
            return lambda: self.deposit("USDT", Decimal(self.dice.between(1000, 9000)))
        choices: list[tuple[Act, int]] = [
            (lambda: self.fills(self.dice.weighted(((1, 6), (2, 2), (3, 1)))), 46),
            (lambda: self.deposit(self.dice.pick(("BTC", "ETH", "SOL", "USDT")), self.dollars(100, 2500)), 5),
            (lambda: self.fiat_deposit(Decimal(self.dice.between(2, 20) * 100)), 3),
            (self.convert, 7),
            (self.subscribe, 8),
            (self.reward, 12),
            (self.redeem, 4),
            (self.withdraw, 5),
            (self.move, 3),
            (self.dividend, 3),
            (self.dust, 2),
            (self.card, 2),
        ]
        return self.dice.weighted(choices)

    def dollars(self, low: int, high: int) -> Decimal:
        """An amount of dollars with cents."""
        return Decimal(self.dice.between(low * 100, high * 100)).scaleb(-2)

    def whole_id(self, base: int) -> int:
        """A growing numeric id above `base`."""
        return base + (self.at - START_MS) // 100 + self.next_serial()

    def order_no(self) -> str:
        """An order number of the fiat desk: 32 hexadecimal characters."""
        return digest("fiat", self.user, self.next_serial()).hex()[:32]

    def fiat_deposit(self, amount: Decimal) -> list[Event]:
        """Euros from the user's bank."""
        facts = {"direction": "0", "currency": "EUR", "amount": amount, "fee": Decimal(0), "method": "BankAccount"}
        return [
            self.event(
                "fiat_order", self.order_no(), (Leg(*SPOT, "EUR", amount),), type="deposit", subtype="fiat_deposit",
                facts=facts,
            )
        ]  # fmt: skip

    def fiat_withdrawal(self) -> list[Event]:
        """Euros back to the bank, with a fee."""
        held = self.purse.of(*SPOT, "EUR")
        if held < 20:
            return self.fiat_deposit(Decimal(400))
        amount, fee = cut(held / 4, 2), Decimal("0.8")
        legs = (Leg(*SPOT, "EUR", -amount), *fee_legs(*SPOT, "EUR", fee))
        facts = {"direction": "1", "currency": "EUR", "amount": amount, "fee": fee, "method": "BankAccount"}
        return [
            self.event(
                "fiat_order", self.order_no(), legs, type="withdrawal", subtype="fiat_withdrawal", facts=facts
            )
        ]  # fmt: skip

    def card(self) -> list[Event]:
        """Crypto bought for euros that lie in the cash balance."""
        held = self.purse.of(*SPOT, "EUR")
        if held < 60:
            return self.fiat_deposit(Decimal(600))
        spent = min(ratio(held, Decimal(3), 2), Decimal(400))
        fee = cut(spent * Decimal("0.02"), 2)
        got = self.dice.pick(("BTC", "ETH", "SOL"))
        amount = self.worth(got, (spent - fee) * self.price("EUR"), PLACES)
        legs = (Leg(*SPOT, "EUR", -(spent - fee)), Leg(*SPOT, got, amount), *fee_legs(*SPOT, "EUR", fee))
        facts = {"source": spent, "fee": fee, "crypto": got, "obtained": amount}
        return [self.event("fiat_payment", self.order_no(), legs, type="trade", subtype="buy", facts=facts)]

    def deposit(self, ticker: str, usd: Decimal) -> list[Event]:
        """Crypto from outside, worth about `usd`."""
        return self.receive(ticker, self.worth(ticker, usd, PLACES))

    def receive(self, ticker: str, amount: Decimal, *, at: int | None = None) -> list[Event]:
        """An exact amount of crypto from outside."""
        network, hash_, place = self.movement(ticker, inward=True)
        facts = {"txid": hash_, "address": place, "network": network.binance_network}
        return [
            self.event(
                "deposit",
                str(700_000_000_000_000_000 + number("deposit", self.user, self.next_serial()) % 10**17),
                (Leg(*SPOT, ticker, amount),),
                type="deposit",
                subtype="onchain_deposit",
                at=at,
                chain=chains.event_id(network, hash_),
                facts=facts,
            )
        ]

    def back_dated(self) -> list[Event]:
        """A deposit that the venue booked nine days late under its true time."""
        return self.receive("ETH", Decimal("0.2"), at=self.at - 9 * MS_PER_DAY)

    def withdraw(self) -> list[Event]:
        """Crypto to the user's own wallet."""
        able = [code for code in self.holds(*SPOT, usd_at_least=250) if code in WITHDRAWAL_FEES]
        if not able:
            return self.fills(1)
        code = self.dice.pick(able)
        fee = Decimal(WITHDRAWAL_FEES[code])
        amount = cut(self.purse.of(*SPOT, code) * self.dice.share(15, 60), 6)
        network, hash_, place = self.movement(code, inward=False)
        return [
            self.event(
                "withdrawal",
                digest("withdrawal", self.user, self.next_serial()).hex()[:32],
                (Leg(*SPOT, code, -amount), *fee_legs(*SPOT, code, fee)),
                type="withdrawal",
                subtype="onchain_withdrawal",
                at=self.at - self.at % 1000,  # the venue prints the time of a withdrawal to the second
                chain=chains.event_id(network, hash_),
                facts={"txid": hash_, "address": place, "network": network.binance_network, "code": code,
                       "amount": amount, "fee": fee},
            )
        ]  # fmt: skip

    def failed_withdrawal(self) -> list[Event]:
        """A withdrawal that failed: listed by the venue, moved nothing."""
        network, _, place = self.movement("ETH", inward=False)
        facts = {"txid": "", "address": place, "network": network.binance_network, "code": "ETH",
                 "amount": Decimal("0.1"), "fee": Decimal("0.0004")}  # fmt: skip
        ref = digest("withdrawal", self.user, self.next_serial()).hex()[:32]
        at = self.at - self.at % 1000
        return [self.event("failed_withdrawal", ref, (), type=None, status="failed", at=at, facts=facts)]

    def fills(self, count: int, symbol: tuple[str, str, int, int] | None = None, *, buying: bool | None = None) -> list[Event]:
        """One order in `count` fills of one instant; the fee in BNB where there is some, else in what was received."""
        rich = set(self.holds(*SPOT, usd_at_least=50))
        usable = [one for one in SYMBOLS if {one[0], one[1]} & rich]
        base, quote, price_places, lot_places = symbol or self.dice.pick(usable)
        buys = buying if buying is not None else quote in rich and (base not in rich or self.dice.chance(58))
        given = quote if buys else base
        budget = ratio(self.purse.of(*SPOT, given) * self.price(given) * self.dice.share(8, 45), Decimal(count), PLACES)
        rate = ratio(self.price(base), self.price(quote), price_places) or Decimal(1).scaleb(-price_places)
        order, maker = self.whole_id(8_000_000_000), self.dice.chance(40)
        bnb = self.purse.of(*SPOT, "BNB") if "BNB" not in {base, quote} else Decimal(0)
        events = []
        for place in range(count):
            price = rate + Decimal(place).scaleb(-price_places)
            quantity = self.worth(base, budget * self.dice.share(60, 100), lot_places)
            cost = cut(quantity * price, PLACES)
            if not cost:
                continue
            fee_asset, fee = self._commission(cost * self.price(quote), bnb, got=base if buys else quote)
            bnb -= fee if fee_asset == "BNB" else Decimal(0)
            sign = 1 if buys else -1
            legs = (
                Leg(*SPOT, base, sign * quantity),
                Leg(*SPOT, quote, -sign * cost),
                *fee_legs(*SPOT, fee_asset, fee),
            )
            subtype = trade_subtype("binance", given=given, got=base if buys else quote)
            trade = self._trade_id(base + quote)
            facts = {"symbol": base + quote, "id": trade, "order": order, "price": price, "quantity": quantity,
                     "cost": cost, "fee": fee, "fee_asset": fee_asset, "buying": buys, "maker": maker}  # fmt: skip
            events.append(self.event("fill", f"{base}{quote}/{trade}", legs, type="trade", subtype=subtype, facts=facts))
        return events

    def _commission(self, usd: Decimal, bnb: Decimal, *, got: str) -> tuple[str, Decimal]:
        """Asset and amount of the fee of a fill worth `usd`."""
        in_bnb = self.worth("BNB", usd * COMMISSION * BNB_DISCOUNT, PLACES)
        if in_bnb and in_bnb <= bnb:
            return "BNB", in_bnb
        return got, self.worth(got, usd * COMMISSION, PLACES)

    def _trade_id(self, symbol: str) -> int:
        """Trade ids grow within a symbol, with other people's trades between ours."""
        floor = 100_000 + number("symbol", symbol) % 1_000_000
        wanted = floor + (self.at - START_MS) // 5_000
        self.trade_ids[symbol] = max(self.trade_ids.get(symbol, 0) + 1, wanted)
        return self.trade_ids[symbol]

    def convert(self) -> list[Event]:
        """A conversion without a market: no fee, the price is in the amounts."""
        given = self.dice.pick([code for code in self.holds(*SPOT, usd_at_least=60) if code not in {"EUR", "BNB"}] or [""])
        if not given:
            return self.deposit("USDT", Decimal(500))
        got = self.dice.pick([one for one in ("USDT", "BTC", "ETH") if one != given])
        amount = cut(self.purse.of(*SPOT, given) * self.dice.share(5, 30), PLACES)
        received = self.worth(got, amount * self.price(given) * Decimal("0.998"), PLACES)
        legs = (Leg(*SPOT, given, -amount), Leg(*SPOT, got, received))
        order = 940_000_000_000_000_000 + self.whole_id(0)
        facts = {"order": order, "from": given, "from_amount": amount, "to": got, "to_amount": received}
        subtype = trade_subtype("binance", given=given, got=got)
        return [self.event("convert", str(order), legs, type="trade", subtype=subtype, facts=facts)]

    def subscribe(self) -> list[Event]:
        """Part of a holding goes into Simple Earn."""
        able = [code for code in self.holds(*SPOT, usd_at_least=40) if code in {*FLEXIBLE, *LOCKED}]
        if not able:
            return self.fills(1)
        code = self.dice.pick(able)
        amount = cut(self.purse.of(*SPOT, code) * self.dice.share(20, 60), PLACES)
        purchase = self.whole_id(26_000)
        return [
            self.event(
                "subscription", str(purchase), (Leg(*SPOT, code, -amount), Leg(*EARN, code, amount)), type="staking",
                facts={"id": purchase, "asset": code, "amount": amount},
            )
        ]  # fmt: skip

    def redeem(self) -> list[Event]:
        """Part of a Simple Earn holding comes back to spot."""
        able = self.holds(*EARN, usd_at_least=10)
        if not able:
            return self.subscribe()
        code = self.dice.pick(able)
        held = self.purse.of(*EARN, code)
        amount = held if code in LOCKED else cut(held * self.dice.share(20, 95), PLACES)
        redeemed = self.whole_id(40_000)
        return [
            self.event(
                "redemption", str(redeemed), (Leg(*EARN, code, -amount), Leg(*SPOT, code, amount)), type="unstaking",
                facts={"id": redeemed, "asset": code, "amount": amount},
            )
        ]  # fmt: skip

    def reward(self) -> list[Event]:
        """What Simple Earn paid: flexible into the position, locked to spot."""
        able = self.holds(*EARN, usd_at_least=1)
        if not able:
            return self.subscribe()
        code = self.dice.pick(able)
        amount = cut(self.purse.of(*EARN, code) * self.dice.share(0, 1), PLACES) or Decimal("0.00000001")
        at = self.at - self.at % 1000
        project = f"{code}001" if code in FLEXIBLE else position_id(code)
        leg = Leg(*(EARN if code in FLEXIBLE else SPOT), code, amount)
        facts = {"asset": code, "amount": amount, "project": project}
        return [
            self.event(
                "reward", f"{code}/{at}/{project}", (leg,), type="reward", subtype="interest_income", at=at, facts=facts
            )
        ]  # fmt: skip

    def dividend(self) -> list[Event]:
        """A token handed out to holders."""
        code, amount = self.dice.pick((("BNB", "0.00412"), ("TRX", "18.5"), ("QNOVA", "2.5"), ("ATOM", "0.031")))
        ident = self.whole_id(1_637_000_000)
        facts = {"id": ident, "tran": ident + 77, "asset": code, "amount": Decimal(amount)}
        leg = Leg(*SPOT, code, Decimal(amount))
        return [self.event("dividend", str(ident), (leg,), type="bonus", subtype="distribution", facts=facts)]

    def dust(self) -> list[Event]:
        """Small remainders of several tokens become BNB, less a service charge in BNB."""
        small = []
        for code in ("SHIB", "DOGE", "TRX", "ADA", "XRP"):
            held = self.purse.of(*SPOT, code)
            amount = min(held, self.worth(code, Decimal("1.7"), 4))
            if amount:
                small.append((code, amount))
        if len(small) < 2:
            return self.dividend()
        details: list[dict[str, Any]] = []
        for code, amount in small:
            gross = self.worth("BNB", amount * self.price(code), PLACES)
            charge = cut(gross * Decimal("0.02"), PLACES)
            details.append({"asset": code, "amount": amount, "got": gross - charge, "charge": charge})
        got = sum((one["got"] for one in details), Decimal(0))
        charge = sum((one["charge"] for one in details), Decimal(0))
        legs = (
            *(Leg(*SPOT, code, -amount) for code, amount in small),
            Leg(*SPOT, "BNB", got + charge),
            *fee_legs(*SPOT, "BNB", charge),
        )
        ident = self.whole_id(45_178_000_000)
        facts = {"id": ident, "details": details, "got": got, "charge": charge}
        return [self.event("dust", str(ident), legs, type="trade", subtype="trade_crypto", facts=facts)]

    def move(self) -> list[Event]:
        """Between spot and the funding wallet, in either direction."""
        if self.purse.of(*FUNDING, "USDT") > 50 and self.dice.chance(50):
            return self.transfer("USDT", -cut(self.purse.of(*FUNDING, "USDT") * self.dice.share(20, 100), 2))
        able = [code for code in self.holds(*SPOT, usd_at_least=50) if code in {"USDT", "BTC"}]
        if not able:
            return self.fills(1)
        code = self.dice.pick(able)
        return self.transfer(code, cut(self.purse.of(*SPOT, code) * self.dice.share(5, 25), PLACES))

    def transfer(self, code: str, amount: Decimal) -> list[Event]:
        """`amount` from spot to funding (negative: back)."""
        ident = self.whole_id(11_415_000_000)
        legs = (Leg(*SPOT, code, -amount), Leg(*FUNDING, code, amount))
        facts = {"id": ident, "asset": code, "amount": abs(amount), "inward": amount < 0}
        return [self.event("transfer", str(ident), legs, type="other", facts=facts)]


def position_id(code: str) -> str:
    """The id of the one locked position that a user may have in an asset."""
    return str(100_000 + number("position", code) % 900_000)
