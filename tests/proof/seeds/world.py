"""What is true at a simulated exchange: its rows, when they appear, what they become, and what the account holds.

Truth is told from the venue's own rows, without any code of the product's readers.
"""

import random
from collections import Counter
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from msgspec import Struct

from omnifolio.model.amounts import canonical
from omnifolio.model.clock import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS
from tests.proof.seeds.exchange import OPENED, PAGE, SYMBOLS
from tests.proof.seeds.house import Clock

BEGAN = OPENED + 62 * DAY_MS
"""When the account is linked: its history is two months old."""
HISTORY_MS = 60 * DAY_MS
ROWS_MIN = 200
LATE_MS = 6 * HOUR_MS
"""Rows that are late by no more than this are found by the next walk; those dated back by `DEEP_MS` by the next full one."""
DEEP_MS = (5 * DAY_MS, 50 * DAY_MS)
STEPS_MS = (0, 0, 0, 1, 7, SECOND_MS, 20 * MINUTE_MS, 9 * HOUR_MS)
COINS = ("BTC", "ETH", "SOL")
EARN = {"ETH": "3.25", "DOT": "140.5", "ATOM": "77", "SOL": "12.125"}

Place = tuple[str, str]
"""Product and code of a balance."""


class Entry(Struct):
    """One row at the venue. `visible` is when it appears; `n` counts the rows of its list in the order of appearance; `ref` is
    the name under which the row is a claim, where rows have ids."""

    stream: str
    at: int
    visible: int
    body: dict[str, Any]
    n: int = 0
    ref: str = ""


class World:
    """The account at the exchange, from the seed's random numbers."""

    def __init__(self, rng: random.Random, venue: str, clock: Clock) -> None:
        self.rng, self.venue, self.clock = rng, venue, clock
        self.rows: dict[str, list[Entry]] = {}
        self.waiting: list[Entry] = []
        self.spot: dict[str, Decimal] = {}
        self.earn = {code: Decimal(amount) for code, amount in EARN.items()}
        self.sold: set[Place] = set()
        self.skew_ms = 0
        self._made = 0
        self._found_history()

    def _found_history(self) -> None:
        began = self.clock.now_ms
        at = began - HISTORY_MS
        for code in (*COINS, "USD"):
            self._transfer(code, self._amount(900_000, 990_000), at, at)
        burst_at = self.rng.randint(40, 150) if self.rng.random() < 0.5 else -1
        while self.count() < ROWS_MIN:
            at = min(at + self.rng.choice(STEPS_MS), began - MINUTE_MS)
            if self.count() >= burst_at > 0:
                kind = self.rng.choice(("", "trade", "transfer", "reward"))
                for _ in range(self.rng.randint(PAGE // 3, PAGE + 5)):
                    self.happen(at=at, visible=at, kind=kind)
                burst_at = -1
            self.happen(at=at, visible=at)

    def count(self) -> int:
        """Rows that there are, those that have not appeared yet included."""
        return sum(map(len, self.rows.values())) + len(self.waiting)

    def happen(self, *, at: int | None = None, visible: int | None = None, kind: str = "") -> None:
        """Something of small value happens: a trade, a deposit or withdrawal, a reward, or one of a kind."""
        now = self.clock.now_ms
        at = now + self.skew_ms if at is None else at
        visible = now if visible is None else visible
        kind = kind or self.rng.choices(("trade", "transfer", "reward"), (6, 2, 2))[0]
        coins = [code for code in COINS if ("spot", code) not in self.sold]
        if kind == "trade" and coins:
            self._trade(self.rng.choice(coins), at, visible)
        elif kind == "transfer":
            code = self.rng.choice((*coins, "USD"))
            self._transfer(code, self._amount(-90, 90), at, visible)
        else:
            self._reward(self.rng.choice((*coins, "USD")), at, visible)

    def late(self, late_ms: int) -> None:
        """Something happened a while ago, and its row appears now."""
        now = self.clock.now_ms
        self.happen(at=max(now + self.skew_ms - late_ms, OPENED + 1), visible=now)

    def hidden(self, for_ms: int) -> None:
        """Something happens now, and its row appears later."""
        self.happen(visible=self.clock.now_ms + for_ms)

    def sell(self, product: str, *, is_whole: bool) -> None:
        """All of a coin goes, or all of everything (`is_whole`): from spot by withdrawals, from earn without a word."""
        held = self.earn if product == "earn" else {code: self.spot[code] for code in COINS}
        left = [code for code in sorted(held) if (product, code) not in self.sold]
        codes = left if is_whole else left[:1]
        visible = self.clock.now_ms + self.rng.choice((0, 0, HOUR_MS))
        for code in codes:
            if product == "spot":
                self._transfer(code, -self.spot[code], self.clock.now_ms + self.skew_ms, visible)
            else:
                self.earn[code] = Decimal(0)
            self.sold.add((product, code))

    def correct(self, *, within_ms: int) -> set[int]:
        """The venue changes the amount of a row that it has shown; gives that row by `id()`."""
        since = self.clock.now_ms - within_ms
        found = [
            entry
            for entries in self.rows.values()
            for entry in entries
            if entry.at >= since
            and entry.stream == ("transfers" if self.venue == "meadow" else "ledger")
            and ("spot", entry.body["asset"]) not in self.sold
        ]
        if not found:
            return set()
        entry, change = self.rng.choice(found), self._amount(1, 5)
        entry.body = {**entry.body, "amount": _text(Decimal(entry.body["amount"]) + change)}
        self._add(entry.body["asset"], change)
        return {id(entry)}

    def reveal(self) -> None:
        """Lets the rows appear whose time has come."""
        now = self.clock.now_ms
        due = [entry for entry in self.waiting if entry.visible <= now]
        if due:
            self.waiting = [entry for entry in self.waiting if entry.visible > now]
            for entry in due:
                self._show(entry)

    def of(self, stream: str) -> list[Entry]:
        """The rows that a list shows."""
        self.reveal()
        return self.rows.get(stream, [])

    def symbols(self) -> list[str]:
        """The symbols that were ever traded."""
        self.reveal()
        return sorted(name.partition("/")[2] for name in self.rows if name.startswith("fills/"))

    def balances(self, product: str) -> dict[str, Decimal]:
        """What is held now, without zeros."""
        held = self.spot if product == "spot" else self.earn
        return {code: amount for code, amount in held.items() if amount}

    def truth(self) -> dict[str, str]:
        """Every transaction that the venue's rows amount to, as a line by its name."""
        self.reveal()
        if self.venue == "meadow":
            alike = Counter[tuple[int, str, str]]()
            named = ((_own_name(entry, alike), entry) for entries in self.rows.values() for entry in entries)
            return {name: line_of(name, entry.at, _legs(entry.body)) for name, entry in named}
        events: dict[str, list[Entry]] = {}
        for entry in self.rows["ledger"]:
            events.setdefault(entry.body["event"], []).append(entry)
        return {
            name: line_of(name, min(entry.at for entry in told), [leg for entry in told for leg in _legs(entry.body)])
            for name, told in events.items()
        }

    # What happens, as rows of the venue's lists.

    def _trade(self, coin: str, at: int, visible: int) -> None:
        symbol, side = f"{coin}-USD", self.rng.choice(("buy", "sell"))
        assert symbol in SYMBOLS
        amount, cost, fee = self._amount(1, 9), self._amount(10, 90), self._amount(0, 1)
        sign = 1 if side == "buy" else -1
        self._add(coin, sign * amount)
        self._add("USD", -sign * cost - fee)
        fill = {"symbol": symbol, "side": side, "amount": _text(amount), "cost": _text(cost), "fee": _text(fee)}
        if self.venue == "meadow":
            self._put(f"fills/{symbol}", at, visible, fill)
            return
        event = self._event()
        self._tell(event, "trade", coin, sign * amount, at, visible)
        self._tell(event, "trade", "USD", -sign * cost - fee, at, visible)
        self._put("fills", at, visible, {**fill, "event": event})

    def _transfer(self, code: str, amount: Decimal, at: int, visible: int) -> None:
        kind = "deposit" if amount > 0 else "withdrawal"
        self._add(code, amount)
        row = {"kind": kind, "asset": code, "amount": _text(amount)}
        if self.venue != "meadow":
            row["event"] = self._event()
            self._tell(row["event"], kind, code, amount, at, visible)
        self._put("transfers", at, visible, row)

    def _reward(self, code: str, at: int, visible: int) -> None:
        # Few different amounts: equal rows of one instant must stay as many as they are.
        amount = Decimal(self.rng.randint(1, 3)) / 4
        self._add(code, amount)
        if self.venue == "meadow":
            self._put("rewards", at, visible, {"asset": code, "amount": _text(amount)})
        else:
            self._tell(self._event(), "reward", code, amount, at, visible)

    def _tell(self, event: str, kind: str, code: str, amount: Decimal, at: int, visible: int) -> None:
        self._put("ledger", at, visible, {"event": event, "kind": kind, "asset": code, "amount": _text(amount)})

    def _event(self) -> str:
        self._made += 1
        return f"E{self._made}"

    def _put(self, stream: str, at: int, visible: int, body: dict[str, Any]) -> None:
        entry = Entry(stream, at, visible, {"at": at, **body})
        if visible > self.clock.now_ms:
            self.waiting.append(entry)
        else:
            self._show(entry)

    def _show(self, entry: Entry) -> None:
        shown = self.rows.setdefault(entry.stream, [])
        entry.n = len(shown) + 1
        if entry.stream.startswith("fills/"):
            entry.body["n"] = entry.n
            entry.ref = f"{entry.body['symbol']}/{entry.n}"
        elif entry.stream != "rewards":
            entry.body["id"] = entry.ref = f"{entry.stream[0].upper()}{entry.n}"
        shown.append(entry)

    def _add(self, code: str, amount: Decimal) -> None:
        self.spot[code] = self.spot.get(code, Decimal(0)) + amount

    def _amount(self, low: int, high: int) -> Decimal:
        return Decimal(self.rng.randint(low * 10_000 + 1, high * 10_000 + 7)).scaleb(-4)


def _text(amount: Decimal) -> str:
    return f"{amount:f}"


def _legs(body: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What a row moves: code and signed amount."""
    if "side" not in body:
        return [(body["asset"], canonical(Decimal(body["amount"])))]
    base, quote = body["symbol"].split("-")
    sign = 1 if body["side"] == "buy" else -1
    amounts = (sign * Decimal(body["amount"]), -sign * Decimal(body["cost"]), -Decimal(body["fee"]))
    return [*zip((base, quote, quote), map(canonical, amounts), strict=True)]


def _own_name(entry: Entry, alike: Counter[tuple[int, str, str]]) -> str:
    if entry.stream != "rewards":
        return entry.ref
    said = entry.at, entry.body["asset"], entry.body["amount"]
    alike[said] += 1
    return f"{said[0]}/{said[1]}/{said[2]}/{alike[said]}"


def line_of(name: str, at: int, legs: Iterable[tuple[str, str]]) -> str:
    """One transaction as text: name, instant, and its legs with their canonical amounts in order, without zeros."""
    told = sorted(f"{code} {amount}" for code, amount in legs if amount != "0")
    return f"{name} at {at}: {', '.join(told)}"
