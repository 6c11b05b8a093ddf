"""ccxt exchanges without a network: made-up markets and credentials, and plausible arguments for any of their methods."""

import inspect
import re
from collections.abc import Iterator, Sequence
from typing import Any

READS = (
    *("fetch_balance", "fetch_my_trades", "fetch_deposits", "fetch_withdrawals", "fetch_deposits_withdrawals"),
    *("fetch_transactions", "fetch_ledger", "fetch_transfers", "fetch_positions", "fetch_accounts", "fetch_open_orders"),
    *("fetch_closed_orders", "fetch_orders", "fetch_funding_history", "fetch_borrow_interest", "fetch_markets"),
    *("fetch_currencies", "fetch_ticker", "fetch_tickers", "fetch_time", "fetch_status", "fetch_ohlcv"),
    *("fetch_convert_trade_history", "fetch_my_liquidations", "fetch_portfolios", "fetch_option_positions"),
    "fetch_cross_borrow_rate",
)
SYMBOLS = ("BTC/USDT", "BTC/USDT:USDT", "BTC/USDC:USDC")

_WRITE = re.compile(
    r"^(create_|cancel_|edit_|withdraw|transfer|borrow_|repay_|set_(leverage|margin|position)|add_margin|reduce_margin"
    r"|close_(all_)?position|deposit$|redeem|stake|unstake|modify_margin|order_|sign_in|.*_order(s)?$)"
)
_NO_WRITE = re.compile(
    r"^(create_safe|create_ohlcv|create_expired|create_ccxt|create_.*_request|create_contract_order_req|create_vault"
    r"|fetch_|parse_|watch_|un_watch|handle_|safe_|filter_|sort_|.*parse.*|index_by|load_)|cost_to_precision|_get_"
)
_VERBS = ("get", "post", "put", "delete", "patch", "head")
_HEX_SECRET = {"aster", "apex", "derive", "dydx", "hyperliquid", "lighter", "nado", "pacifica", "paradex", "woofipro"}
_QUOTES = (
    *("USDT", "USDC", "USD", "EUR", "BRL", "KRW", "JPY", "IDR", "AUD"),
    *("CAD", "TRY", "ILS", "GBP", "INR", "ZAR", "THB", "MXN"),
)
_CODES = ("BTC", "USDT", "USDC", "USD", "ETH")
_ARGUMENTS: dict[str, Any] = {
    "type": "limit",
    "side": "buy",
    "amount": 1.0,
    "price": 100.0,
    "code": "BTC",
    "address": "0x" + "33" * 20,
    "tag": "1",
    "fromAccount": "spot",
    "toAccount": "swap",
    "from_account": "spot",
    "to_account": "swap",
    "id": "123",
    "ids": ["1", "2"],
    "leverage": 3,
    "marginMode": "cross",
    "hedged": False,
    "cost": 10.0,
    "triggerPrice": 90.0,
    "stopPrice": 90.0,
    "takeProfit": 110.0,
    "stopLoss": 90.0,
    "trailingAmount": 1.0,
    "trailingPercent": 1.0,
    "trailingTriggerPrice": 90.0,
    "takeProfitPrice": 110.0,
    "stopLossPrice": 90.0,
    "timeout": 1000,
    "fromCode": "BTC",
    "toCode": "USDT",
    "duration": 60000,
    "clientOrderId": "c1",
    "clientOrderIds": ["c1"],
    "marginType": "cross",
    "name": "x",
    "expiration": 0,
}


def write_methods(cls: type[Any]) -> list[str]:
    """The unified methods whose names say that they change something."""
    names = (name for name in dir(cls) if name == name.lower() and not name.startswith("_"))
    return [name for name in names if _WRITE.match(name) and not _NO_WRITE.match(name) and callable(getattr(cls, name))]


def endpoints(exchange: Any) -> Iterator[tuple[str, list[str], str]]:
    """Every implicit endpoint as METHOD, API group and path template."""

    def walk(node: dict[str, Any], group: list[str]) -> Iterator[tuple[str, list[str], str]]:
        for key, value in node.items():
            if key.lower() in _VERBS:
                for path in value:
                    yield key.upper(), group or ["public"], path
            elif isinstance(value, dict):
                yield from walk(value, [*group, key])

    return walk(exchange.api or {}, [])


def offline(cls: type[Any]) -> type[Any]:
    """The class without its loading of markets and accounts, and without its sleeping."""
    base: Any = cls
    accounts: list[dict[str, Any]] = [{"id": "1", "type": "trading", "code": None, "info": {}}]

    class Sync(base):  # type: ignore[misc]  # ccxt is untyped
        def sleep(self, *args: Any) -> None:
            """No pause."""

        def load_markets(self, *args: Any, **kwargs: Any) -> Any:
            return self.markets

        def load_accounts(self, *args: Any, **kwargs: Any) -> Any:
            self.accounts = accounts
            return accounts

    class Async(base):  # type: ignore[misc]  # ccxt is untyped
        async def sleep(self, *args: Any) -> None:
            """No pause."""

        async def load_markets(self, *args: Any, **kwargs: Any) -> Any:
            return self.markets

        async def load_accounts(self, *args: Any, **kwargs: Any) -> Any:
            self.accounts = accounts
            return accounts

    return Async if inspect.iscoroutinefunction(cls.fetch2) else Sync


def dress(exchange: Any) -> Any:
    """Puts made-up credentials, markets and currencies into an exchange object."""
    for name in ("apiKey", "secret", "uid", "login", "password", "token", "accountId"):
        setattr(exchange, name, "k" * 32)
    exchange.secret = "0x" + "11" * 32 if exchange.id in _HEX_SECRET else "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0"
    exchange.privateKey, exchange.walletAddress, exchange.twofa = "0x" + "11" * 32, "0x" + "22" * 20, "JBSWY3DPEHPK3PXP"
    markets = [_market(exchange, f"BTC/{quote}", f"BTC{quote}", quote, None) for quote in _QUOTES]
    markets += [_market(exchange, f"BTC/{quote}:{quote}", f"BTC{quote}SWAP", quote, quote) for quote in ("USDT", "USDC", "USD")]
    networks: dict[str, Any] = {
        n: {"id": n, "network": n, "active": True, "fee": 0, "precision": 1e-8, "info": {}} for n in ("BTC", "ETH", "ERC20")
    }
    info = {"asset": "x", "id": "1", "token": "x"}
    common = {"numericId": 1, "precision": 1e-8, "active": True, "fee": 0, "networks": networks, "limits": {}, "info": info}
    exchange.set_markets(markets, {code: {"id": code, "code": code, "type": "crypto", **common} for code in _CODES})
    return exchange


def _market(exchange: Any, symbol: str, name: str, quote: str, settle: str | None) -> Any:
    is_swap = settle is not None
    info = {"feeAsset": "x", "id": 1, "symbol": name, "currency": "BTC", "spot": "x", "szDecimals": 5, "contract": "x"}
    info |= {"clobPairId": "1", "stepBaseQuantums": 1, "instrumentType": "SPOT", "venueType": "x", "instrument_type": "perp"}
    kind = {"type": "swap" if is_swap else "spot", "spot": not is_swap, "swap": is_swap, "future": False, "option": False}
    names = {"id": name, "symbol": symbol, "base": "BTC", "quote": quote, "settle": settle, "baseId": "BTC", "quoteId": quote}
    limits = {"amount": {"min": 1e-9, "max": 1e9}, "price": {}, "cost": {}, "leverage": {"min": 1, "max": 100}}
    contract = {"contract": is_swap, "linear": is_swap or None, "inverse": False if is_swap else None, "settleId": settle}
    rest = {"contractSize": 1.0 if is_swap else None, "numericId": 1, "lowercaseId": name.lower(), "margin": not is_swap}
    precision = {"amount": 1e-8, "price": 1e-8}
    return exchange.safe_market_structure(
        {**names, **kind, **contract, **rest, "active": True, "precision": precision, "limits": limits, "info": info}
    )


def arguments(method: Any, symbol: str) -> dict[str, Any]:
    """Plausible arguments for a unified method."""
    given: dict[str, Any] = {}
    for parameter in inspect.signature(method).parameters.values():
        name = parameter.name
        if parameter.kind in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL) or name in ("params", "symbols"):
            continue
        if name == "symbol":
            given[name] = symbol
        elif name == "orders":
            given[name] = _orders(symbol, is_cancel="cancel" in method.__name__)
        elif name in _ARGUMENTS:
            given[name] = _ARGUMENTS[name]
        elif parameter.default is parameter.empty:
            given[name] = "1"
    return given


def _orders(symbol: str, *, is_cancel: bool) -> Sequence[dict[str, Any]]:
    if is_cancel:
        return [{"id": "1", "symbol": symbol, "clientOrderId": "c"}]
    return [{"id": "1", "symbol": symbol, "type": "limit", "side": "buy", "amount": 1.0, "price": 100.0}]
