"""Every sample answer of ccxt's source driven through the method that carries it: what ccxt makes of it, in three number modes.

A case is a sample that ccxt parses into something. It characterises ccxt, so that a new version shows what it reads differently;
it proves nothing about the venue.
"""

import copy
import hashlib
import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct
from tools.ccxt_samples import Sample, samples

from omnifolio.venues.exchanges import offline
from omnifolio.venues.exchanges.ccxt_exchange import exact_json

NOW_MS = 1_790_000_000_000
REQUESTS_MAX = 6
DIGEST_LENGTH = 12
COINS = (
    *("BTC", "ETH", "USDT", "USDC", "USD", "EUR", "BNB", "LTC", "XRP", "ADA", "SOL", "DOGE", "TRX", "BUSD", "KRW", "JPY"),
    *("GBP", "DAI"),
)
QUOTES = ("USDT", "USDC", "USD", "BTC", "EUR", "KRW", "JPY")
SWAP_QUOTES = ("USDT", "USDC", "USD")
SPOT, SWAP = ("BTC/USDT",), ("BTC/USDT:USDT",)
_BY_SYMBOL: Sequence[tuple[Any, ...]] = (SPOT, (), SWAP)
_BY_CODE: Sequence[tuple[Any, ...]] = ((), ("BTC",), ("USDT",))
BALANCE_PARAMS: Sequence[Mapping[str, str]] = (
    {},
    *({"type": kind} for kind in ("spot", "margin", "swap", "future", "funding", "savings")),
    {"type": "swap", "subType": "inverse"},
    {"marginMode": "isolated"},
)
UNIFIED: Mapping[str, Sequence[tuple[Any, ...]]] = {
    "fetch_balance": tuple((params,) for params in BALANCE_PARAMS),
    "fetch_my_trades": _BY_SYMBOL,
    "fetch_deposits": _BY_CODE,
    "fetch_withdrawals": _BY_CODE,
    "fetch_deposits_withdrawals": _BY_CODE,
    "fetch_transactions": _BY_CODE,
    "fetch_ledger": _BY_CODE,
    "fetch_transfers": _BY_CODE,
    "fetch_positions": ((), (list(SWAP),)),
    "fetch_funding_history": (SWAP, (), ("BTC/USD:BTC",)),
    "fetch_accounts": ((),),
    "fetch_convert_trade_history": ((),),
    "fetch_borrow_interest": ((), ("USDT",)),
    "fetch_open_orders": _BY_SYMBOL,
    "fetch_closed_orders": _BY_SYMBOL,
    "fetch_my_liquidations": (SWAP,),
}
PARSERS = (
    *("parse_trade", "parse_transaction", "parse_ledger_entry", "parse_transfer", "parse_position", "parse_income"),
    *("parse_order", "parse_conversion", "parse_account"),
)
METHODS = frozenset([*UNIFIED, *PARSERS])
LOADERS = (
    *("sign_in", "load_unified_status", "load_accounts", "load_time_difference", "authenticate", "is_unified_enabled"),
    "load_account_infos",
)
"""What ccxt asks about an account before it reads: a sample holds one answer, so these are not asked."""


class Case(Struct, frozen=True):
    """One case: the sample, the arguments with which it parses, and what became of it with numbers as exact text."""

    exchange: str
    sample: Sample
    arguments: tuple[Any, ...]
    parsed: Any

    @property
    def name(self) -> str:
        """Exchange, method and the sample's place in it."""
        return f"{self.exchange} {self.sample.method} {self.sample.number}"

    @property
    def line(self) -> str:
        """The case in one line: its name, how many things were read, and their digest."""
        rows = len(self.parsed) if isinstance(self.parsed, list) else 1
        text = json.dumps(self.parsed, sort_keys=True, default=str)
        return f"{self.name} {rows} {hashlib.sha256(text.encode()).hexdigest()[:DIGEST_LENGTH]}"


def markets() -> list[dict[str, Any]]:
    """Spot and swap markets named like BTCUSDT, by which ids of that form resolve at any exchange."""
    common = {"future": False, "option": False, "active": True, "limits": {}, "info": {}, "precision": {"amount": 1e-8}}
    found: list[dict[str, Any]] = []
    for base, quote in itertools.product(COINS, QUOTES):
        if base == quote:
            continue
        names = {**common, "id": base + quote, "base": base, "quote": quote, "baseId": base, "quoteId": quote}
        spot = {"symbol": f"{base}/{quote}", "type": "spot", "spot": True, "margin": True, "swap": False, "contract": False}
        found.append({**names, **spot})
        if quote in SWAP_QUOTES:
            settle = base if quote == "USD" else quote
            sides = {"settle": settle, "settleId": settle, "linear": quote != "USD", "inverse": quote == "USD"}
            swap = {"type": "swap", "spot": False, "margin": False, "swap": True, "contract": True, "contractSize": 1}
            found.append({**names, "symbol": f"{base}/{quote}:{settle}", **swap, **sides})
    return found


def bench(ccxt_id: str) -> Any:
    """An exchange object with the generic markets that asks nothing about its account."""
    exchange = offline.exchange(ccxt_id, {}, now_ms=NOW_MS, answers=iter(()))
    exchange.set_markets(markets())

    async def nothing(*args: object) -> None:
        """No account is loaded."""

    async def classic_and_unified(*args: object) -> list[bool]:
        return [False, True]

    for name in LOADERS:
        if hasattr(exchange, name):
            setattr(exchange, name, nothing)
    if ccxt_id.startswith("bybit"):
        exchange.is_unified_enabled = classic_and_unified
        exchange.options.update(enableUnifiedMargin=False, enableUnifiedAccount=True)
    exchange.accounts = [{"id": "1", "type": "main", "code": None, "info": {}}]
    return exchange


def cases(ccxt_id: str) -> Iterator[Case]:
    """The samples of an exchange that ccxt parses into something."""
    exchange = bench(ccxt_id)
    for sample in samples(ccxt_id, METHODS):
        if not sample.text:
            continue
        for arguments in UNIFIED.get(sample.method, ((),)):
            try:
                parsed = driven(exchange, sample, arguments, number=str, is_exact=True)
            except Exception:  # a sample that ccxt cannot read is no case, whatever it stumbles over
                continue
            if has_content(sample.method, parsed):
                yield Case(ccxt_id, sample, arguments, parsed)
                break


def driven(exchange: Any, sample: Sample, arguments: tuple[Any, ...], *, number: type, is_exact: bool) -> Any:
    """What the sample's method makes of it. Raises: whatever ccxt raises."""
    exchange.number = number
    read: Any = exact_json(sample.text, where=sample.method) if is_exact else json.loads(sample.text)
    method = getattr(exchange, sample.method)
    if sample.method in PARSERS:
        return method(read[0] if isinstance(read, list) and read and isinstance(read[0], dict) else read)
    exchange.answers = (copy.deepcopy(read) for _ in range(REQUESTS_MAX))
    return offline.result(method, *arguments)


def has_content(method: str, parsed: Any) -> bool:
    """Whether ccxt found anything in a sample."""
    if method == "fetch_balance":
        return isinstance(parsed, dict) and any(
            value is not None for part in ("total", "free") for value in (parsed.get(part) or {}).values()
        )
    if method in PARSERS:
        return _filled(parsed, least=4)
    return isinstance(parsed, list) and bool(parsed) and _filled(parsed[0], least=3)


def _filled(item: Any, *, least: int) -> bool:
    return isinstance(item, dict) and sum(value not in (None, [], {}) for name, value in item.items() if name != "info") >= least


def number_changes(case: Case, exchange: Any) -> Iterator[str]:
    """How the case differs between floats and text (`float`), and between text and exact JSON (`exact`)."""
    text = driven(exchange, case.sample, case.arguments, number=str, is_exact=False)
    floats = driven(exchange, case.sample, case.arguments, number=float, is_exact=False)
    for mode, other in (("float", floats), ("exact", case.parsed)):
        if _first_difference(_comparable(text), _comparable(other)):
            yield f"{case.name} {mode} {_first_difference(_comparable(text), _comparable(other))}"


def _comparable(value: Any) -> Any:
    """Numbers of any type as floats; raw `info` is left out."""
    if isinstance(value, dict):
        return {name: _comparable(item) for name, item in value.items() if name != "info"}
    if isinstance(value, list):
        return [_comparable(item) for item in value]
    if value is None or isinstance(value, bool):
        return value
    try:
        return float(value)
    except (TypeError, ValueError):
        return value


def _first_difference(left: Any, right: Any, path: str = "") -> str:
    """The path of the first thing that differs by more than rounding; "" for none."""
    if isinstance(left, dict) and isinstance(right, dict):
        names = sorted({*left, *right}, key=str)
        return next((d for n in names if (d := _first_difference(left.get(n), right.get(n), f"{path}.{n}"))), "")
    if isinstance(left, list) and isinstance(right, list) and len(left) == len(right):
        return next((d for one, other in zip(left, right, strict=True) if (d := _first_difference(one, other, f"{path}[]"))), "")
    if isinstance(left, float) and isinstance(right, float) and abs(left - right) <= 1e-9 * max(abs(left), abs(right)):
        return ""
    return "" if left == right else path or "."
