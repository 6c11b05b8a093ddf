"""A user's life at Bybit: a funding account, a unified account that borrows and holds perpetual contracts, and flexible savings.

Money comes into the funding account and goes out of it; what is traded lies in the unified account. What the unified account owes
is a balance of its own, below zero. Rows of its log that belong to no order are named by all that tells them apart, as the venue
gives them no number of their own; rows of the funding account's log by second, coin, direction, amount and the balance after it.
"""

from decimal import Decimal
from typing import ClassVar

from omnifolio_sandbox.amounts import cut, ratio, text
from omnifolio_sandbox.clock import MS_PER_DAY
from omnifolio_sandbox.world import chains
from omnifolio_sandbox.world.book import Event, Leg, fee_legs, trade_subtype
from omnifolio_sandbox.world.dice import digest, number
from omnifolio_sandbox.world.story import START_MS, Act, Story

FUNDING = ("funding", "funding")
UNIFIED = ("unified", "spot")
DEBT = ("unified", "debt")
EARN = ("earn", "earn")
PLACES = 8
KEPT_MS = 730 * MS_PER_DAY
KEPT_ALWAYS = frozenset({"deposit", "internal", "withdrawal", "failed_withdrawal", "convert", "dust"})
"""How long logs, fills, transfers and savings are told, and the kinds of event that are told for ever."""
# base, quote, decimals of the price, decimals of the quantity
SYMBOLS = (
    ("BTC", "USDT", 2, 5), ("ETH", "USDT", 2, 4), ("SOL", "USDT", 2, 3), ("XRP", "USDT", 4, 1), ("ADA", "USDT", 4, 1),
    ("DOT", "USDT", 3, 2), ("LTC", "USDT", 2, 3), ("DOGE", "USDT", 5, 0), ("USDC", "USDT", 4, 1), ("ETH", "BTC", 5, 4),
    ("BTC", "USDC", 2, 5),
)  # fmt: skip
PERPETUAL = "BTCUSDT"
SAVINGS = ("USDT", "BTC", "ETH", "USDC")
PRODUCTS = {code: str(430 + place) for place, code in enumerate(SAVINGS)}
DUST = ("DOGE", "XRP", "ADA")
WITHDRAWAL_FEES = {"BTC": "0.0002", "ETH": "0.0012", "SOL": "0.008", "USDT": "4", "USDC": "3"}
TAKER, CONTRACT_FEE = Decimal("0.001"), Decimal("0.00055")
BURST_FILLS = 30  # 60 rows of the log in one millisecond: more than a page of 50


class BybitStory(Story):
    """Stablecoins in, moved over, traded, borrowed against; part of them saved; hard cases at fixed places."""

    venue: ClassVar[str] = "bybit"
    gap_percent: ClassVar[int] = 130

    @classmethod
    def as_shown(cls, event: Event, at_ms: int) -> Event | None:
        """What is older than two years is gone, but for what came in, went out or was converted."""
        return event if event.kind in KEPT_ALWAYS or event.at >= at_ms - KEPT_MS else None

    def opening(self) -> list[Act]:
        """Money from outside, most of it moved to where it can be traded."""
        return [
            lambda: self.receive("USDT", Decimal(self.dice.between(8000, 20_000))),
            lambda: self.transfer("USDT", cut(self.purse.of(*FUNDING, "USDT") * Decimal("0.7"), 2)),
            lambda: self.fills(1, ("BTC", "USDT", 2, 5), buying=True),
            self.borrow,
        ]

    def special(self, slot: int) -> Act | None:
        """Hard cases at fixed places of the story."""
        return {
            7: lambda: self.receive("QNOVA", Decimal("77.77777777")),
            9: lambda: self.receive("ORB", Decimal("3.25")),
            13: self.internal_deposit,
            16: lambda: self.fills(BURST_FILLS, ("BTC", "USDT", 2, 5), buying=True),
            20: self.funding_received,
            22: self.back_dated,
            25: self.failed_withdrawal,
        }.get(slot)

    def everyday(self) -> Act:
        """One of the ordinary acts."""
        if self.purse.of(*UNIFIED, "USDT") < 300:
            if self.purse.of(*FUNDING, "USDT") < 300:
                return lambda: self.receive("USDT", Decimal(self.dice.between(2000, 9000)))
            return lambda: self.transfer("USDT", cut(self.purse.of(*FUNDING, "USDT") * Decimal("0.6"), 2))
        choices: list[tuple[Act, int]] = [
            (lambda: self.fills(self.dice.weighted(((1, 6), (2, 2), (3, 1)))), 40),
            (self.deposit, 5),
            (self.move, 8),
            (self.borrow, 5),
            (self.interest, 6),
            (self.repay, 4),
            (self.contract, 6),
            (self.funding_paid, 6),
            (self.subscribe, 6),
            (self.redeem, 4),
            (self.savings_interest, 6),
            (self.convert, 4),
            (self.dust, 2),
            (self.withdraw, 4),
            (self.airdrop, 2),
        ]
        return self.dice.weighted(choices)

    # Names as the venue forms them.

    def uuid(self, *seed: object) -> str:
        """An id in the form of a UUID."""
        digits = digest(*seed, self.user, self.next_serial()).hex()
        return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-8{digits[17:20]}-{digits[20:32]}"

    def order_id(self) -> str:
        """A spot order's number."""
        return str(1_600_000_000_000_000_000 + (self.at - START_MS) * 1000 + self.next_serial())

    def log(self, word: str, code: str, change: Decimal, *, fee: Decimal = Decimal(0), **more: object) -> dict[str, object]:
        """A row of the unified account's log."""
        symbol = str(more.get("symbol", ""))
        ident = f"{100_000 + number('uid', self.user) % 900_000}_{symbol or code}_{self.at}{self.next_serial():06d}"
        return {"id": ident, "type": word, "currency": code, "change": change, "fee": fee, "at": self.at, **more}

    def entry(self, word: str, code: str, legs: tuple[Leg, ...], *, type: str, subtype: str | None = None) -> Event:  # noqa: A002
        """An event of the unified account alone that belongs to no order."""
        change = sum((leg.amount for leg in legs if leg.product != "debt"), Decimal(0))
        row = self.log(word, code, change)
        ref = f"{row['id']}/{word}/{code}/{self.at}/"
        return self.event("log", ref, legs, type=type, subtype=subtype, facts={"log": [row]})

    def cash(self, code: str, amount: Decimal, words: tuple[str, str], *, at: int) -> dict[str, object]:
        """A row of the funding account's log, with the balance after it."""
        after = self.purse.of(*FUNDING, code) + amount
        return {"currency": code, "amount": amount, "after": after, "words": words, "at": at}

    @staticmethod
    def cash_name(row: dict[str, object]) -> str:
        """What tells a row of the funding account's log apart."""
        amount, after = row["amount"], row["after"]
        assert isinstance(amount, Decimal)
        assert isinstance(after, Decimal)
        assert isinstance(row["at"], int)
        return f"{row['at'] // 1000}/{row['currency']}/{'I' if amount > 0 else 'O'}/{text(abs(amount))}/{text(after)}"

    # Money in and out.

    def deposit(self) -> list[Event]:
        """Crypto from outside, worth some hundred dollars."""
        code = self.dice.pick(("BTC", "ETH", "SOL", "USDT"))
        return self.receive(code, self.worth(code, Decimal(self.dice.between(100, 2500)), PLACES))

    def receive(self, code: str, amount: Decimal, *, at: int | None = None) -> list[Event]:
        """Crypto from outside."""
        network, hash_, place = self.movement(code, inward=True)
        moment = self.at if at is None else at
        facts = {"txid": hash_, "address": place, "network": network.bybit_network,
                 "cash": [self.cash(code, amount, ("Deposit", "Deposit"), at=moment)]}  # fmt: skip
        return [
            self.event(
                "deposit", hash_, (Leg(*FUNDING, code, amount),), type="deposit", subtype="onchain_deposit", at=at,
                chain=chains.event_id(network, hash_), facts=facts,
            )
        ]  # fmt: skip

    def internal_deposit(self) -> list[Event]:
        """Coins from another customer, which no chain saw."""
        amount, at = Decimal("41.5"), self.at - self.at % 1000
        facts = {"cash": [self.cash("USDT", amount, ("Internal Transfer", "Deposit"), at=at)]}
        legs = (Leg(*FUNDING, "USDT", amount),)
        ref = str(1_000_000 + number("internal", self.user) % 10**6)
        return [self.event("internal", ref, legs, type="deposit", subtype="onchain_deposit", at=at, facts=facts)]

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
        facts = {"txid": hash_, "address": place, "network": network.bybit_network, "code": code, "amount": amount, "fee": fee,
                 "cash": [self.cash(code, -(amount + fee), ("Withdraw", "Withdraw"), at=self.at)]}  # fmt: skip
        legs = (Leg(*FUNDING, code, -amount), *fee_legs(*FUNDING, code, fee))
        chain = chains.event_id(network, hash_)
        return [
            self.event(
                "withdrawal", str(self.next_serial() + 20_000_000), legs, type="withdrawal", subtype="onchain_withdrawal",
                chain=chain, facts=facts,
            )
        ]  # fmt: skip

    def failed_withdrawal(self) -> list[Event]:
        """A withdrawal that failed: listed by the venue, moved nothing."""
        network, _, place = self.movement("ETH", inward=False)
        facts = {"txid": "", "address": place, "network": network.bybit_network, "code": "ETH", "amount": Decimal("0.1"),
                 "fee": Decimal("0.0012")}  # fmt: skip
        ref = str(self.next_serial() + 20_000_000)
        return [self.event("failed_withdrawal", ref, (), type=None, status="failed", facts=facts)]

    # Between the accounts.

    def move(self) -> list[Event]:
        """Between funding and unified, in either direction."""
        back = [code for code in self.holds(*UNIFIED, usd_at_least=400) if not self.purse.of(*DEBT, code)]
        if back and self.dice.chance(50):
            code = self.dice.pick(back)
            return self.transfer(code, -cut(self.purse.of(*UNIFIED, code) * self.dice.share(10, 50), 6))
        able = self.holds(*FUNDING, usd_at_least=50)
        if not able:
            return self.fills(1)
        code = self.dice.pick(able)
        return self.transfer(code, cut(self.purse.of(*FUNDING, code) * self.dice.share(20, 90), 6))

    def transfer(self, code: str, amount: Decimal) -> list[Event]:
        """`amount` from funding to unified (negative: back)."""
        row = self.log("TRANSFER_IN" if amount > 0 else "TRANSFER_OUT", code, amount)
        facts = {"transfer": self.uuid("transfer"), "asset": code, "amount": amount, "log": [row],
                 "cash": [self.cash(code, -amount, ("Transfer", "Transfer to Unified Trading"), at=self.at)]}  # fmt: skip
        legs = (Leg(*FUNDING, code, -amount), Leg(*UNIFIED, code, amount))
        return [self.event("transfer", str(facts["transfer"]), legs, type="other", facts=facts)]

    # The unified account.

    def fills(self, count: int, symbol: tuple[str, str, int, int] | None = None, *, buying: bool | None = None) -> list[Event]:
        """One spot order in `count` fills of one instant; the fee is taken from what is received."""
        rich = set(self.holds(*UNIFIED, usd_at_least=60))
        usable = [one for one in SYMBOLS if {one[0], one[1]} & rich]
        base, quote, price_places, lot_places = symbol or self.dice.pick(usable)
        buys = buying if buying is not None else quote in rich and (base not in rich or self.dice.chance(58))
        given, got = (quote, base) if buys else (base, quote)
        budget = ratio(self.purse.of(*UNIFIED, given) * self.price(given) * self.dice.share(8, 40), Decimal(count), PLACES)
        rate = ratio(self.price(base), self.price(quote), price_places) or Decimal(1).scaleb(-price_places)
        order, events = self.order_id(), []
        for place in range(count):
            price = rate + Decimal(place).scaleb(-price_places)
            quantity = self.worth(base, budget * self.dice.share(60, 100), lot_places)
            cost = cut(quantity * price, PLACES)
            if not cost:
                continue
            fee = cut((quantity if buys else cost) * TAKER, PLACES)
            sign, trade = (1 if buys else -1), self.uuid("execution")
            legs = (Leg(*UNIFIED, base, sign * quantity), Leg(*UNIFIED, quote, -sign * cost), *fee_legs(*UNIFIED, got, fee))
            shared = {"symbol": base + quote, "order": order, "trade": trade, "category": "spot", "price": price,
                      "side": "Buy" if buys else "Sell", "quantity": quantity}  # fmt: skip
            rows = [
                self.log("TRADE", code, change - (fee if code == got else 0), fee=fee if code == got else Decimal(0), **shared)
                for code, change in ((base, sign * quantity), (quote, -sign * cost))
            ]
            facts = {**shared, "cost": cost, "fee": fee, "fee_asset": got, "log": rows}
            subtype = trade_subtype("bybit", given=given, got=got)
            events.append(self.event("fill", f"{order}/{trade}", legs, type="trade", subtype=subtype, facts=facts))
        return events

    def borrow(self) -> list[Event]:
        """A coin borrowed against the others: the account holds it and owes it."""
        amount = Decimal(self.dice.between(50, 400))
        legs = (Leg(*UNIFIED, "USDC", amount), Leg(*DEBT, "USDC", -amount))
        return [self.entry("BORROW", "USDC", legs, type="other")]

    def repay(self) -> list[Event]:
        """Part of what is owed, or all of it."""
        owed = -self.purse.of(*DEBT, "USDC")
        amount = min(cut(owed * self.dice.share(20, 100), 6), self.purse.of(*UNIFIED, "USDC"))
        if amount <= 0:
            return self.borrow()
        legs = (Leg(*UNIFIED, "USDC", -amount), Leg(*DEBT, "USDC", amount))
        return [self.entry("REPAY", "USDC", legs, type="other")]

    def interest(self) -> list[Event]:
        """What borrowing costs, taken in the coin that is owed."""
        owed, held = -self.purse.of(*DEBT, "USDC"), self.purse.of(*UNIFIED, "USDC")
        amount = min(held, cut(owed * Decimal("0.0001"), PLACES))
        if amount <= 0:
            return self.borrow()
        return [self.entry("INTEREST", "USDC", (Leg(*UNIFIED, "USDC", -amount),), type="other", subtype="fees")]

    def contract(self) -> list[Event]:
        """A perpetual contract opened, which costs its fee, and closed, which pays or costs in coin."""
        held = self.purse.of(*UNIFIED, "USDT")
        if held < 300:
            return self.fills(1)
        size = Decimal("0.01")
        fee = cut(size * self.price("BTC") * CONTRACT_FEE, PLACES)
        gain = cut(held * (self.dice.share(0, 2) - Decimal("0.01")), 4)
        opened = self._contract_row(Decimal(0), fee, size)
        self.at += 1000 * self.dice.between(60, 40_000)
        return [opened, self._contract_row(gain, fee, size)]

    def _contract_row(self, gain: Decimal, fee: Decimal, size: Decimal) -> Event:
        order, trade = self.uuid("order"), self.uuid("execution")
        row = self.log("TRADE", "USDT", gain - fee, fee=fee, symbol=PERPETUAL, order=order, trade=trade, category="linear",
                       side="Sell" if gain else "Buy", price=cut(self.price("BTC"), 1), quantity=size, flow=gain)  # fmt: skip
        legs = (Leg(*UNIFIED, "USDT", gain), *fee_legs(*UNIFIED, "USDT", fee))
        subtype = None if gain else "fees"
        return self.event("contract", f"{order}/{trade}", legs, type="other", subtype=subtype, facts={"log": [row]})

    def funding_paid(self) -> list[Event]:
        """What the holder of a perpetual contract pays every eight hours."""
        return self._settlement(-cut(self.price("BTC") * Decimal("0.00001"), PLACES))

    def funding_received(self) -> list[Event]:
        """… or gets."""
        return self._settlement(Decimal("0.12345678"))

    def _settlement(self, amount: Decimal) -> list[Event]:
        if self.purse.of(*UNIFIED, "USDT") + amount < 0:
            return self.fills(1)
        order, trade = f"{self.at // 1000}-8-{number(self.user) % 10**6}-1-2", self.uuid("settlement")
        row = self.log("SETTLEMENT", "USDT", amount, symbol=PERPETUAL, order=order, trade=trade, category="linear", side="Buy",
                       price=cut(self.price("BTC"), 1), quantity=Decimal("0.01"), funding=amount)  # fmt: skip
        legs = (Leg(*UNIFIED, "USDT", amount),)
        return [self.event("settlement", f"{order}/{trade}", legs, type="other", facts={"log": [row]})]

    def airdrop(self) -> list[Event]:
        """A distribution into the unified account."""
        amount = Decimal(self.dice.between(1, 900)).scaleb(-2)
        return [self.entry("AIRDROP", "USDT", (Leg(*UNIFIED, "USDT", amount),), type="bonus", subtype="distribution")]

    # The funding account.

    def subscribe(self) -> list[Event]:
        """Part of a holding goes into flexible savings."""
        able = [code for code in self.holds(*FUNDING, usd_at_least=40) if code in SAVINGS]
        if not able:
            return self.move()
        code = self.dice.pick(able)
        return self._savings(code, cut(self.purse.of(*FUNDING, code) * self.dice.share(20, 60), 6))

    def redeem(self) -> list[Event]:
        """Part of the savings comes back."""
        able = self.holds(*EARN, usd_at_least=5)
        if not able:
            return self.subscribe()
        code = self.dice.pick(able)
        return self._savings(code, -cut(self.purse.of(*EARN, code) * self.dice.share(20, 95), 6))

    def _savings(self, code: str, amount: Decimal) -> list[Event]:
        words = ("Earn", "Flexible Savings Subscription" if amount > 0 else "Flexible Savings Redemption")
        at = self.at - self.at % 1000  # the account's own log has the time to the second
        facts = {"asset": code, "amount": amount, "cash": [self.cash(code, -amount, words, at=at)]}
        legs = (Leg(*FUNDING, code, -amount), Leg(*EARN, code, amount))
        kind = "staking" if amount > 0 else "unstaking"
        return [self.event("savings", self.uuid("savings"), legs, type=kind, at=at, facts=facts)]

    def savings_interest(self) -> list[Event]:
        """What savings earned, paid to the funding account."""
        able = self.holds(*EARN, usd_at_least=1)
        if not able:
            return self.subscribe()
        code, at = self.dice.pick(able), self.at - self.at % 1000
        amount = cut(self.purse.of(*EARN, code) * self.dice.share(0, 1), PLACES) or Decimal("0.00000001")
        row = self.cash(code, amount, ("Earn", "Flexible Savings Interest Distribution"), at=at)
        legs, ref = (Leg(*FUNDING, code, amount),), self.cash_name(row)
        return [self.event("savings_interest", ref, legs, type="reward", subtype="interest_income", at=at, facts={"cash": [row]})]

    def convert(self) -> list[Event]:
        """A conversion in the funding account: no fee, the price is in the amounts."""
        able = self.holds(*FUNDING, usd_at_least=60)
        if not able:
            return self.move()
        given = self.dice.pick(able)
        got = self.dice.pick([one for one in ("USDT", "BTC", "ETH") if one != given])
        amount = cut(self.purse.of(*FUNDING, given) * self.dice.share(5, 30), PLACES)
        received = self.worth(got, amount * self.price(given) * Decimal("0.998"), PLACES)
        facts = {"from": given, "from_amount": amount, "to": got, "to_amount": received,
                 "cash": [self.cash(given, -amount, ("Convert", "Convert"), at=self.at),
                          self.cash(got, received, ("Convert", "Convert"), at=self.at)]}  # fmt: skip
        legs = (Leg(*FUNDING, given, -amount), Leg(*FUNDING, got, received))
        subtype = trade_subtype("bybit", given=given, got=got)
        ref = f"1010{self.order_id()}"
        return [self.event("convert", ref, legs, type="trade", subtype=subtype, facts=facts)]

    def dust(self) -> list[Event]:
        """Small remainders of several coins become USDT, less a fee."""
        small = [(code, min(self.purse.of(*FUNDING, code), self.worth(code, Decimal("1.7"), 4))) for code in DUST]
        small = [(code, amount) for code, amount in small if amount]
        if len(small) < 2:
            moved = [code for code in self.holds(*UNIFIED, usd_at_least=5) if code in DUST]
            return self.transfer(moved[0], -cut(self.purse.of(*UNIFIED, moved[0]) / 2, 4)) if moved else self.fills(1)
        parts = []
        for code, amount in small:
            gross = self.worth("USDT", amount * self.price(code), PLACES)
            fee = cut(gross * Decimal("0.02"), PLACES)
            parts.append({"asset": code, "amount": amount, "got": gross - fee, "fee": fee})
        got = sum((Decimal(str(part["got"])) for part in parts), Decimal(0))
        fee = sum((Decimal(str(part["fee"])) for part in parts), Decimal(0))
        legs = (
            *(Leg(*FUNDING, code, -amount) for code, amount in small),
            Leg(*FUNDING, "USDT", got + fee),
            *fee_legs(*FUNDING, "USDT", fee),
        )
        facts = {"parts": parts, "got": got, "fee": fee}
        return [self.event("dust", f"1011{self.order_id()}", legs, type="trade", subtype="trade_crypto", facts=facts)]
