"""One account as Kraken shows it: ledger rows, trades, orders, balances and funding, made from the world's events."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from omnifolio_sandbox.amounts import cut, exact, fixed
from omnifolio_sandbox.http import seconds
from omnifolio_sandbox.world.book import FEE, Event, Key
from omnifolio_sandbox.world.dice import capitals
from omnifolio_sandbox.world.kraken import DECIMALS, EARN
from omnifolio_sandbox.world.tokens import ticker_of
from omnifolio_sandbox.world.world import Account

HELD_CODE = "XXBT"
LEDGER_TYPES = {
    "fill": ("trade", "tradespot"),
    "deposit": ("deposit", ""),
    "withdrawal": ("withdrawal", ""),
    "allocation": ("earn", "allocation"),
    "deallocation": ("earn", "deallocation"),
    "dividend": ("dividend", ""),
}
WALLET_NAMES = {"S": "earn / bonded", "B": "earn / bonded", "F": "earn / flexible"}


@dataclass(frozen=True, slots=True)
class Row:
    """One entry of a history: its id, its instant, its body as the API prints it, and the wallet that exports name."""

    id: str
    at: int
    body: dict[str, Any]
    wallet: str = ""


def altname(code: str) -> str:
    """The short name of an asset: XBT of XXBT, USD of ZUSD."""
    return code[1:] if len(code) == 4 and code[0] in "XZ" and ticker_of("kraken", code) != code else code


def pair_name(base: str, quote: str) -> str:
    """A pair's id: XXBTZUSD, but SOLUSD where the base has no prefix."""
    if base != "XXDG" and altname(base) != base and altname(quote) != quote:
        return base + quote
    return altname(base) + altname(quote)


def shown_code(key: Key) -> str:
    """The code under which Kraken shows a holding: DOT.S for staked DOT."""
    wallet, _, code = key
    return code if wallet == "spot" else f"{altname(code)}.{EARN[ticker_of('kraken', code)][1]}"


class KrakenBook:
    """Views of one account at one instant; build it again when the instant or the account changes."""

    def __init__(self, account: Account, at_ms: int) -> None:
        self.account = account
        self.at_ms = at_ms
        self.events = account.events(at_ms)
        self._running: dict[str, Decimal] = {}
        self._ledger_ids: dict[str, list[str]] = {}
        with exact():
            self.ledgers = _sorted([row for event in self.events for row in self._ledger_rows(event)])
            self.trades = _sorted([self._trade(event) for event in self.events if event.kind == "fill"])
        self.ledger_times = [row.body["time"] for row in reversed(self.ledgers)]
        self.trade_times = [row.body["time"] for row in reversed(self.trades)]

    def _ledger_rows(self, event: Event) -> list[Row]:
        """The rows of one event: one per holding that it touched, with the fee on the row that pays it."""
        lines: dict[Key, list[Decimal]] = {}
        for leg in event.legs:
            line = lines.setdefault((leg.wallet, leg.product, leg.code), [Decimal(0), Decimal(0)])
            if leg.role == FEE:
                line[1] -= leg.amount
            else:
                line[0] += leg.amount
        return [self._ledger_row(event, key, line[0], line[1], place) for place, (key, line) in enumerate(lines.items())]

    def _ledger_row(self, event: Event, key: Key, amount: Decimal, fee: Decimal, place: int) -> Row:
        code, places = shown_code(key), DECIMALS[key[2]]
        balance = self._running.get(code, Decimal(0)) + amount - fee
        self._running[code] = balance
        raw = "L" + capitals(16, "ledger", self.account.user, event.ref, place)
        row_id = f"{raw[:6]}-{raw[6:11]}-{raw[11:]}"
        self._ledger_ids.setdefault(event.ref, []).append(row_id)
        type_, subtype = _ledger_type(event, key, amount)
        body = {
            "aclass": "currency",
            "amount": fixed(amount, places),
            "asset": code,
            "balance": fixed(balance, places),
            "fee": fixed(fee, places),
            "refid": event.ref,
            "time": _time(event.at),
            "type": type_,
            "subtype": subtype,
        }
        wallet = "spot / main" if key[0] == "spot" else WALLET_NAMES[code.rpartition(".")[2]]
        return Row(row_id, event.at, body, wallet)

    def _trade(self, event: Event) -> Row:
        facts = event.facts
        body = {
            "ordertxid": facts["order"],
            "postxid": "TKH2SE-M7IF5-CFI7LT",
            "pair": pair_name(facts["base"], facts["quote"]),
            "aclass": "forex",
            "time": _time(event.at),
            "type": "buy" if facts["buying"] else "sell",
            "ordertype": "limit" if facts["maker"] else "market",
            "price": format(facts["price"], "f"),
            "cost": fixed(facts["cost"], DECIMALS[facts["quote"]]),
            "fee": fixed(facts["fee"], DECIMALS[facts["quote"]]),
            "vol": fixed(facts["volume"], 8),
            "margin": "0.00000",
            "leverage": "0",
            "misc": "",
            "trade_id": facts["trade_id"],
            "maker": facts["maker"],
            "ledgers": self._ledger_ids[event.ref],
        }
        return Row(event.ref, event.at, body)

    def balances(self) -> dict[str, tuple[Decimal, Decimal, int]]:
        """Shown code to balance, what open orders hold of it, and decimals."""
        found = {}
        with exact():
            for key, amount in self.account.balances(self.at_ms).items():
                held = cut(amount / 10, 4) if key == _held_key() else Decimal(0)
                found[shown_code(key)] = (amount, held, DECIMALS[key[2]])
        return found

    def funding(self, kinds: Sequence[str]) -> list[Row]:
        """Deposits or withdrawals as the funding endpoints list them, newest first."""
        return _sorted([_funding(event) for event in self.events if event.kind in kinds])

    def allocations(self) -> list[dict[str, Any]]:
        """Earn holdings by strategy: the same funds as the suffixed balances, told a second time."""
        found = []
        for (wallet, _, code), amount in self.account.balances(self.at_ms).items():
            if wallet == "earn":
                with exact():
                    paid = sum(
                        (leg.amount for e in self.events if e.kind == "reward" for leg in e.legs if leg.code == code),
                        Decimal(0),
                    )
                raw = "ES" + capitals(15, "strategy", code)
                found.append(
                    {
                        "strategy_id": f"{raw[:6]}-{raw[6:11]}-{raw[11:]}",
                        "code": code,
                        "amount": amount,
                        "paid": paid,
                        "bonded": EARN[ticker_of("kraken", code)][1] != "F",
                    }
                )
        return found


def _time(at_ms: int) -> Decimal:
    """Kraken prints more digits than milliseconds; these never carry into the next one."""
    return seconds(at_ms, 2 + at_ms % 3)


def _held_key() -> Key:
    return ("spot", "spot", HELD_CODE)


def _ledger_type(event: Event, key: Key, amount: Decimal) -> tuple[str, str]:
    if event.kind == "instant":
        return ("spend" if amount < 0 else "receive"), ""
    if event.kind == "reward":
        return ("staking", "") if key[1] == "staked" else ("earn", "reward")
    return LEDGER_TYPES[event.kind]


def _funding(event: Event) -> Row:
    facts = event.facts
    code = facts["code"] if event.kind == "failed_withdrawal" else event.legs[0].code
    amount = facts["amount"] if event.kind == "failed_withdrawal" else abs(event.legs[0].amount)
    fee = facts.get("fee", sum((-leg.amount for leg in event.legs if leg.role == FEE), Decimal(0)))
    places = DECIMALS[code]
    body = {
        "method": facts["method"],
        "aclass": "currency",
        "asset": code,
        "refid": event.ref,
        "txid": facts["txid"],
        "info": facts["info"],
        "amount": fixed(amount, places),
        "fee": fixed(fee, places),
        "time": event.at // 1000,
        "status": "Failure" if event.kind == "failed_withdrawal" else "Success",
    }
    for name in ("key", "network"):
        if facts.get(name):
            body[name] = facts[name]
    return Row(event.ref, event.at, body)


def _sorted(rows: list[Row]) -> list[Row]:
    """Newest first; rows of one instant in the reverse of the order in which they were booked."""
    return sorted(rows, key=lambda row: row.at)[::-1]


def between(rows: list[Row], times: list[Decimal], start: Decimal | None, end: Decimal | None) -> list[Row]:
    """Rows (newest first) after `start` and up to `end`, itself included; `times` are theirs in seconds, ascending."""
    low = 0 if start is None else bisect_right(times, start)
    high = len(times) if end is None else bisect_right(times, end)
    return rows[len(rows) - high : len(rows) - low] if high > low else []
