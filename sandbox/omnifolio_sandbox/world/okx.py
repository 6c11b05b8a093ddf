"""A user's life at OKX: a funding and a trading account, each with bills of its own, simple earn, and a sub-account.

The trading account's bills are kept for three months, the hourly interest of simple earn for one, the funding account's bills for
ever: of an old transfer only what the funding account gave or got is told. What a sub-account does is told to its own key alone;
the master's sees what it holds, and its own side of what went there.
"""

from dataclasses import replace
from decimal import Decimal
from typing import ClassVar

from omnifolio_sandbox.amounts import cut, ratio, text
from omnifolio_sandbox.clock import MS_PER_DAY
from omnifolio_sandbox.world import chains
from omnifolio_sandbox.world.book import Event, Leg, fee_legs, trade_subtype
from omnifolio_sandbox.world.story import START_MS, Act, Story

FUNDING = ("funding", "funding")
TRADING = ("trading", "spot")
EARN = ("earn", "earn")
SUB = "vault"
SUB_FUNDING, SUB_TRADING = (f"sub/{SUB}/funding", "funding"), (f"sub/{SUB}/trading", "spot")
PLACES = 8
KEPT_MS, LENDING_KEPT_MS = 90 * MS_PER_DAY, 30 * MS_PER_DAY
# base, quote, decimals of the price, decimals of the quantity
SYMBOLS = (
    ("BTC", "USDT", 1, 6), ("ETH", "USDT", 2, 5), ("SOL", "USDT", 2, 4), ("XRP", "USDT", 4, 2), ("ADA", "USDT", 4, 2),
    ("DOT", "USDT", 3, 3), ("LTC", "USDT", 2, 4), ("DOGE", "USDT", 5, 1), ("ETH", "BTC", 5, 5), ("BTC", "USDC", 1, 6),
)  # fmt: skip
SAVINGS = ("USDT", "BTC", "ETH")
WITHDRAWAL_FEES = {"BTC": "0.0001", "ETH": "0.0008", "SOL": "0.008", "USDT": "2.5"}
TAKER, CONTRACT_FEE = Decimal("0.001"), Decimal("0.0005")
BURST_FILLS = 60  # 120 bills of one millisecond: more than a page of 100
# What a bill's numbers say: in the trading account (type, subtype), in the funding account (type).
BILL_BUY, BILL_SELL, BILL_IN, BILL_OUT = ("2", "1"), ("2", "2"), ("1", "11"), ("1", "12")
BILL_FUNDING_PAID, BILL_FUNDING_GOT = ("8", "173"), ("8", "174")
CASH_DEPOSIT, CASH_WITHDRAWAL, CASH_TO_SUB, CASH_FROM_SUB = "1", "2", "20", "21"
CASH_SUBSCRIBED, CASH_REDEEMED, CASH_FROM_TRADING, CASH_TO_TRADING = "75", "76", "130", "131"

Bill = dict[str, object]


class OkxStory(Story):
    """Stablecoins in, moved over and traded; part of them earning, part of them put away; hard cases at fixed places."""

    venue: ClassVar[str] = "okx"
    gap_percent: ClassVar[int] = 130

    @classmethod
    def as_shown(cls, event: Event, at_ms: int) -> Event | None:
        """The event as a master's key is told of it at an instant."""
        if event.kind in {"sub_move", "lending"}:
            return event if event.kind == "lending" and event.at >= at_ms - LENDING_KEPT_MS else None
        is_old = event.at < at_ms - KEPT_MS
        if event.kind in {"fill", "contract", "settlement"}:
            return None if is_old else event
        if event.kind == "sub_transfer" or (event.kind == "transfer" and is_old):
            return _from_one_side(event)
        return event

    def opening(self) -> list[Act]:
        """Money from outside, most of it moved to where it can be traded."""
        return [
            lambda: self.receive("USDT", Decimal(self.dice.between(8000, 20_000))),
            lambda: self.transfer("USDT", cut(self.purse.of(*FUNDING, "USDT") * Decimal("0.6"), 2)),
            lambda: self.fills(1, SYMBOLS[0], buying=True),
            lambda: self.put_away("USDT", Decimal("750.25")),
        ]

    def special(self, slot: int) -> Act | None:
        """Hard cases at fixed places of the story."""
        return {
            7: lambda: self.receive("QNOVA", Decimal("55.55555555")),
            9: lambda: self.receive("ORB", Decimal("1.75")),
            12: self.move_below,
            16: lambda: self.fills(BURST_FILLS, SYMBOLS[0], buying=True),
            22: self.back_dated,
            25: self.failed_withdrawal,
        }.get(slot)

    def everyday(self) -> Act:
        """One of the ordinary acts."""
        if self.purse.of(*TRADING, "USDT") < 300:
            if self.purse.of(*FUNDING, "USDT") < 300:
                return lambda: self.receive("USDT", Decimal(self.dice.between(2000, 9000)))
            return lambda: self.transfer("USDT", cut(self.purse.of(*FUNDING, "USDT") * Decimal("0.6"), 2))
        choices: list[tuple[Act, int]] = [
            (lambda: self.fills(self.dice.weighted(((1, 6), (2, 2), (3, 1)))), 44),
            (self.deposit, 5),
            (self.move, 9),
            (self.contract, 6),
            (lambda: self.settlement(-cut(self.price("BTC") * Decimal("0.00001"), PLACES)), 5),
            (lambda: self.settlement(Decimal("0.1234567")), 3),
            (self.subscribe, 7),
            (self.redeem, 4),
            (self.lend, 8),
            (self.withdraw, 4),
            (lambda: self.put_away("USDT", Decimal(self.dice.between(20, 200))), 2),
            (self.take_back, 2),
            (self.move_below, 1),
        ]
        return self.dice.weighted(choices)

    # Bills.

    def bill_id(self) -> str:
        """Bill ids grow with time."""
        return str(600_000_000_000_000_000 + (self.at - START_MS) * 1_000_000 + self.next_serial())

    def bill(self, numbers: tuple[str, str], code: str, change: Decimal, **more: object) -> Bill:
        """A bill of the trading account."""
        return {"id": self.bill_id(), "numbers": numbers, "ccy": code, "change": change, "at": self.at, **more}

    def cash(self, number_: str, code: str, change: Decimal, *, at: int | None = None) -> Bill:
        """A bill of the funding account, with the balance after it."""
        after = self.purse.of(*FUNDING, code) + change
        moment = self.at if at is None else at
        return {"id": self.bill_id(), "number": number_, "ccy": code, "change": change, "after": after, "at": moment}

    # Money in and out.

    def deposit(self) -> list[Event]:
        """Crypto from outside, worth some hundred dollars."""
        code = self.dice.pick(("BTC", "ETH", "SOL", "USDT"))
        return self.receive(code, self.worth(code, Decimal(self.dice.between(100, 2500)), PLACES))

    def receive(self, code: str, amount: Decimal, *, at: int | None = None) -> list[Event]:
        """Crypto from outside."""
        network, hash_, place = self.movement(code, inward=True)
        facts = {"txid": hash_, "address": place, "chain": f"{code}-{network.okx_network}",
                 "cash": [self.cash(CASH_DEPOSIT, code, amount, at=at)]}  # fmt: skip
        return [
            self.event(
                "deposit", str(40_000_000 + self.next_serial()), (Leg(*FUNDING, code, amount),), type="deposit",
                subtype="onchain_deposit", at=at, chain=chains.event_id(network, hash_), facts=facts,
            )
        ]  # fmt: skip

    def back_dated(self) -> list[Event]:
        """A deposit that the venue booked nine days late under its true time."""
        return self.receive("ETH", Decimal("0.15"), at=self.at - 9 * MS_PER_DAY)

    def withdraw(self) -> list[Event]:
        """Crypto to the user's own wallet, with a fee beside the amount."""
        able = [code for code in self.holds(*FUNDING, usd_at_least=250) if code in WITHDRAWAL_FEES]
        if not able:
            return self.move()
        code = self.dice.pick(able)
        fee = Decimal(WITHDRAWAL_FEES[code])
        amount = cut(self.purse.of(*FUNDING, code) * self.dice.share(15, 60), 6)
        network, hash_, place = self.movement(code, inward=False)
        facts = {"txid": hash_, "address": place, "chain": f"{code}-{network.okx_network}", "code": code, "amount": amount,
                 "fee": fee, "cash": [self.cash(CASH_WITHDRAWAL, code, -(amount + fee))]}  # fmt: skip
        legs = (Leg(*FUNDING, code, -amount), *fee_legs(*FUNDING, code, fee))
        return [
            self.event(
                "withdrawal", str(70_000_000 + self.next_serial()), legs, type="withdrawal", subtype="onchain_withdrawal",
                chain=chains.event_id(network, hash_), facts=facts,
            )
        ]  # fmt: skip

    def failed_withdrawal(self) -> list[Event]:
        """A withdrawal that failed: listed by the venue, moved nothing."""
        network, _, place = self.movement("ETH", inward=False)
        facts = {"txid": "", "address": place, "chain": f"ETH-{network.okx_network}", "code": "ETH", "amount": Decimal("0.1"),
                 "fee": Decimal("0.0008")}  # fmt: skip
        ref = str(70_000_000 + self.next_serial())
        return [self.event("failed_withdrawal", ref, (), type=None, status="failed", facts=facts)]

    # Between the accounts.

    def move(self) -> list[Event]:
        """Between funding and trading, in either direction."""
        back = self.holds(*TRADING, usd_at_least=400)
        if back and self.dice.chance(50):
            code = self.dice.pick(back)
            return self.transfer(code, -cut(self.purse.of(*TRADING, code) * self.dice.share(10, 50), 6))
        able = self.holds(*FUNDING, usd_at_least=50)
        if not able:
            return self.fills(1)
        code = self.dice.pick(able)
        return self.transfer(code, cut(self.purse.of(*FUNDING, code) * self.dice.share(20, 90), 6))

    def transfer(self, code: str, amount: Decimal) -> list[Event]:
        """`amount` from funding to trading (negative: back); named by the trading account's bill, as long as that is kept."""
        bill = self.bill(BILL_IN if amount > 0 else BILL_OUT, code, amount, sides=("6", "18") if amount > 0 else ("18", "6"))
        cash = self.cash(CASH_TO_TRADING if amount > 0 else CASH_FROM_TRADING, code, -amount)
        legs = (Leg(*FUNDING, code, -amount), Leg(*TRADING, code, amount))
        return [self.event("transfer", str(bill["id"]), legs, type="other", facts={"bills": [bill], "cash": [cash]})]

    def put_away(self, code: str, amount: Decimal) -> list[Event]:
        """From the funding account to the sub-account's."""
        if self.purse.of(*FUNDING, code) < amount:
            return self.fills(1)
        return self._to_sub(code, amount)

    def take_back(self) -> list[Event]:
        """… and back."""
        held = self.purse.of(*SUB_FUNDING, "USDT")
        return self._to_sub("USDT", -cut(held / 4, 2)) if held > 40 else self.fills(1)

    def _to_sub(self, code: str, amount: Decimal) -> list[Event]:
        cash = self.cash(CASH_TO_SUB if amount > 0 else CASH_FROM_SUB, code, -amount)
        legs = (Leg(*FUNDING, code, -amount), Leg(*SUB_FUNDING, code, amount))
        return [self.event("sub_transfer", str(cash["id"]), legs, type="other", facts={"cash": [cash]})]

    def move_below(self) -> list[Event]:
        """Inside the sub-account, from funding to trading: the master's key hears nothing of it."""
        amount = ratio(self.purse.of(*SUB_FUNDING, "USDT"), Decimal(3), 2)
        if amount <= 0:
            return self.fills(1)
        legs = (Leg(*SUB_FUNDING, "USDT", -amount), Leg(*SUB_TRADING, "USDT", amount))
        return [self.event("sub_move", f"sub-{self.next_serial()}", legs, type="other")]

    # The trading account.

    def fills(self, count: int, symbol: tuple[str, str, int, int] | None = None, *, buying: bool | None = None) -> list[Event]:
        """One spot order in `count` fills of one instant; the fee is taken from what is received."""
        rich = set(self.holds(*TRADING, usd_at_least=60))
        usable = [one for one in SYMBOLS if {one[0], one[1]} & rich]
        base, quote, price_places, lot_places = symbol or self.dice.pick(usable)
        buys = buying if buying is not None else quote in rich and (base not in rich or self.dice.chance(58))
        given, got = (quote, base) if buys else (base, quote)
        budget = ratio(self.purse.of(*TRADING, given) * self.price(given) * self.dice.share(8, 40), Decimal(count), PLACES)
        rate = ratio(self.price(base), self.price(quote), price_places) or Decimal(1).scaleb(-price_places)
        order, events = self.bill_id(), []
        for place in range(count):
            price = rate + Decimal(place).scaleb(-price_places)
            quantity = self.worth(base, budget * self.dice.share(60, 100), lot_places)
            cost = quantity * price
            if not cost:
                continue
            fee = cut((quantity if buys else cost) * TAKER, PLACES)
            sign, trade = (1 if buys else -1), str(100_000_000 + self.next_serial())
            legs = (Leg(*TRADING, base, sign * quantity), Leg(*TRADING, quote, -sign * cost), *fee_legs(*TRADING, got, fee))
            shared = {"inst": f"{base}-{quote}", "inst_type": "SPOT", "order": order, "trade": trade, "price": price}
            numbers = BILL_BUY if buys else BILL_SELL
            bills = [
                self.bill(numbers, code, change - (fee if code == got else 0), fee=fee if code == got else Decimal(0), **shared)
                for code, change in ((base, sign * quantity), (quote, -sign * cost))
            ]
            facts = {**shared, "quantity": quantity, "fee": fee, "fee_asset": got, "buying": buys, "bills": bills}
            subtype = trade_subtype("okx", given=given, got=got)
            events.append(self.event("fill", f"{order}/{trade}", legs, type="trade", subtype=subtype, facts=facts))
        return events

    def contract(self) -> list[Event]:
        """A perpetual contract opened, which costs its fee, and closed, which pays or costs in coin."""
        held = self.purse.of(*TRADING, "USDT")
        fee = cut(self.price("BTC") * Decimal("0.01") * CONTRACT_FEE, PLACES)
        gain = cut(held * (self.dice.share(0, 2) - Decimal("0.01")), 4)
        opened = self._contract_bill(Decimal(0), fee)
        self.at += 1000 * self.dice.between(60, 40_000)
        return [opened, self._contract_bill(gain, fee)]

    def _contract_bill(self, gain: Decimal, fee: Decimal) -> Event:
        order, trade = self.bill_id(), str(100_000_000 + self.next_serial())
        bill = self.bill(BILL_SELL if gain else BILL_BUY, "USDT", gain - fee, fee=fee, inst="BTC-USDT-SWAP", inst_type="SWAP",
                         order=order, trade=trade, price=cut(self.price("BTC"), 1), pnl=gain)  # fmt: skip
        legs = (Leg(*TRADING, "USDT", gain), *fee_legs(*TRADING, "USDT", fee))
        subtype = None if gain else "fees"
        return self.event("contract", f"{order}/{trade}", legs, type="other", subtype=subtype, facts={"bills": [bill]})

    def settlement(self, amount: Decimal) -> list[Event]:
        """What the holder of a perpetual contract pays or gets every eight hours."""
        numbers = BILL_FUNDING_GOT if amount > 0 else BILL_FUNDING_PAID
        bill = self.bill(numbers, "USDT", amount, inst="BTC-USDT-SWAP", inst_type="SWAP", pnl=amount)
        legs = (Leg(*TRADING, "USDT", amount),)
        return [self.event("settlement", str(bill["id"]), legs, type="other", facts={"bills": [bill]})]

    # Simple earn.

    def subscribe(self) -> list[Event]:
        """Part of a holding goes into simple earn."""
        able = [code for code in self.holds(*FUNDING, usd_at_least=40) if code in SAVINGS]
        if not able:
            return self.move()
        code = self.dice.pick(able)
        return self._savings(code, cut(self.purse.of(*FUNDING, code) * self.dice.share(20, 60), 6))

    def redeem(self) -> list[Event]:
        """Part of it comes back."""
        able = self.holds(*EARN, usd_at_least=5)
        if not able:
            return self.subscribe()
        code = self.dice.pick(able)
        return self._savings(code, -cut(self.purse.of(*EARN, code) * self.dice.share(20, 95), 6))

    def _savings(self, code: str, amount: Decimal) -> list[Event]:
        cash = self.cash(CASH_SUBSCRIBED if amount > 0 else CASH_REDEEMED, code, -amount)
        legs = (Leg(*FUNDING, code, -amount), Leg(*EARN, code, amount))
        kind = "staking" if amount > 0 else "unstaking"
        return [self.event("savings", str(cash["id"]), legs, type=kind, facts={"cash": [cash]})]

    def lend(self) -> list[Event]:
        """An hour's interest, which grows inside the position."""
        able = self.holds(*EARN, usd_at_least=1)
        if not able:
            return self.subscribe()
        code, at = self.dice.pick(able), self.at - self.at % 3_600_000
        held, rate = self.purse.of(*EARN, code), Decimal(self.dice.between(100, 900)).scaleb(-4)
        amount = cut(held * rate / 8192, PLACES) or Decimal("0.00000001")
        facts = {"asset": code, "lent": held, "rate": rate, "amount": amount}
        ref = f"{code}/{at}/{text(rate)}/{text(held)}"
        legs = (Leg(*EARN, code, amount),)
        return [self.event("lending", ref, legs, type="reward", subtype="interest_income", at=at, facts=facts)]


def _from_one_side(event: Event) -> Event:
    """What the funding account alone tells of a transfer."""
    (leg,) = (leg for leg in event.legs if leg.wallet == "funding")
    (cash,) = event.facts["cash"]
    inward = leg.amount > 0
    kind, subtype = ("deposit", "transfer_in") if inward else ("withdrawal", "transfer_out")
    return replace(event, ref=cash["id"], legs=(leg,), type=kind, subtype=subtype, facts={})
