"""Binance's REST server: weights and bans, keys, signatures and timestamps, and which answer belongs to which path."""

import hmac
from collections.abc import Callable
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qsl, unquote

from omnifolio_sandbox import credentials
from omnifolio_sandbox.amounts import exact
from omnifolio_sandbox.binance import history, products, public, wallets
from omnifolio_sandbox.binance.book import BinanceBook
from omnifolio_sandbox.binance.errors import BinanceError, Params, required, whole
from omnifolio_sandbox.credentials import Holder
from omnifolio_sandbox.http import Request, Response, answer
from omnifolio_sandbox.limits import Verdict, WeightWindow
from omnifolio_sandbox.state import State

RECV_WINDOW_MS = 5_000
RECV_WINDOW_MAX_MS = 60_000
AHEAD_MAX_MS = 1_000
# path -> (weight with a symbol, weight without), counted per IP
PUBLIC = {
    "/api/v3/time": (1, 1),
    "/api/v3/ping": (1, 1),
    "/api/v3/exchangeInfo": (20, 20),
    "/api/v3/ticker/price": (2, 4),
    "/api/v3/ticker/24hr": (2, 80),
    "/sapi/v1/system/status": (1, 1),
}
Private = Callable[[BinanceBook, Params, int], Any]
# path -> (pool, weight, handler); pools: api, ip (sapi by address), uid (sapi by account)
PRIVATE: dict[str, tuple[str, int, Private]] = {
    "/api/v3/myTrades": ("api", 20, lambda book, params, _: history.my_trades(book, params)),
    "/api/v3/allOrders": ("api", 20, lambda book, params, _: history.all_orders(book, params)),
    "/api/v3/openOrders": ("api", 6, lambda book, params, _: history.open_orders(book, params)),
    "/sapi/v1/sub-account/list": ("ip", 1, lambda _, __, ___: {"subAccounts": []}),
    "/sapi/v1/accountSnapshot": ("ip", 2400, lambda book, params, _: wallets.snapshots(book, params)),
    "/sapi/v1/capital/config/getall": ("ip", 10, lambda book, _, __: wallets.coin_list(book)),
    "/sapi/v1/capital/deposit/hisrec": ("ip", 1, history.deposits),
    "/sapi/v1/capital/withdraw/history": ("uid", 18_000, history.withdrawals),
    "/sapi/v1/asset/assetDividend": ("ip", 10, history.dividends),
    "/sapi/v1/asset/dribblet": ("ip", 1, history.dribblets),
    "/sapi/v1/asset/transfer": ("ip", 1, history.transfers),
    "/sapi/v1/asset/wallet/balance": ("ip", 60, lambda book, _, __: wallets.wallet_balance(book)),
    "/sapi/v1/convert/tradeFlow": ("uid", 3_000, history.converts),
    "/sapi/v1/simple-earn/flexible/position": ("ip", 150, lambda b, p, _: wallets.flexible_positions(b, p)),
    "/sapi/v1/simple-earn/locked/position": ("ip", 150, lambda b, p, _: wallets.locked_positions(b, p)),
    "/sapi/v1/margin/account": ("ip", 10, lambda book, _, __: products.margin_account(book)),
    "/sapi/v1/margin/isolated/account": ("ip", 10, lambda b, p, _: products.isolated_account(b, p)),
    "/sapi/v1/margin/capital-flow": ("ip", 100, products.capital_flow),
    "/sapi/v1/margin/interestHistory": ("ip", 1, products.interest_history),
    "/sapi/v1/margin/transfer": ("ip", 1, products.margin_transfers),
    "/fapi/v3/balance": ("ip", 5, lambda book, _, __: products.usdm_balance(book)),
    "/fapi/v3/positionRisk": ("ip", 5, lambda _, __, ___: []),
    "/fapi/v1/income": ("ip", 30, products.usdm_income),
    "/dapi/v1/balance": ("ip", 1, lambda book, _, __: products.coinm_balance(book)),
    "/dapi/v1/positionRisk": ("ip", 1, lambda _, __, ___: []),
    "/dapi/v1/income": ("ip", 20, products.coinm_income),
    "/sapi/v1/fiat/orders": ("uid", 90_000, history.fiat_orders),
    "/sapi/v1/fiat/payments": ("ip", 1, history.fiat_payments),
} | {
    f"/sapi/v1/simple-earn/{sort}/history/{name}": ("ip", 150, history.earn_record(kind, flexible=sort == "flexible"))
    for sort in ("flexible", "locked")
    for name, kind in (
        ("subscriptionRecord", "subscription"), ("redemptionRecord", "redemption"), ("rewardsRecord", "reward"),
    )
}  # fmt: skip
FUNDING_PATH = "/sapi/v1/asset/get-funding-asset"
HEADERS = {"api": "X-MBX-USED-WEIGHT-1M", "ip": "X-SAPI-USED-IP-WEIGHT-1M", "uid": "X-SAPI-USED-UID-WEIGHT-1M"}


class BinanceServer:
    """All paths below https://api.binance.com that the sandbox speaks."""

    name = "binance"

    def __init__(self, state: State) -> None:
        self.state = state
        self._books: dict[str, tuple[tuple[int, int], BinanceBook]] = {}

    def handle(self, request: Request) -> Response:
        """Answer one call."""
        headers: dict[str, str] = {}
        try:
            return answer(self._result(request, headers), 200, headers)
        except BinanceError as fault:
            return answer({"code": fault.code, "msg": str(fault)}, fault.status, headers)

    def _result(self, request: Request, headers: dict[str, str]) -> Any:
        path = request.path
        if request.method == "GET" and path in PUBLIC:
            weight = PUBLIC[path][0 if request.query.get("symbol") else 1]
            self._spend(request, "ip" if path.startswith("/sapi") else "api", weight, "ip", headers)
            return self._public(path, request.query)
        key = request.headers.get("x-mbx-apikey", "")
        holder = credentials.binance_holder(key)
        if holder is not None:
            request.trace.label = f"{holder.user}/{holder.permission}"
        reads = path in PRIVATE or path in {"/api/v3/account", "/sapi/v1/account/apiRestrictions"}
        if not (request.method == "GET" and reads) and not (request.method == "POST" and path == FUNDING_PATH):
            return self._refuse(request)
        pool, weight = self._price(path, request)
        self._spend(request, pool, weight, "ip" if pool != "uid" else key, headers)
        if not key:
            raise BinanceError(-2014, "API-key format invalid.", 401)
        if holder is None:
            raise BinanceError(-2015, "Invalid API-key, IP, or permissions for action.", 401)
        params = self._signed(request, holder)
        return self._private(path, params, holder)

    def _refuse(self, request: Request) -> Any:
        """An unknown path, or one that would change something."""
        if request.method != "GET":
            self.state.log_violation(self.name, request)
            raise BinanceError(-2015, "Invalid API-key, IP, or permissions for action.", 401)
        raise BinanceError(-1000, f"No handler found for GET {request.path}", 404)

    def _price(self, path: str, request: Request) -> tuple[str, int]:
        if path == "/api/v3/account":
            return "api", 20
        if path == "/api/v3/openOrders" and not request.query.get("symbol"):
            return "api", 80
        if path == "/api/v3/myTrades" and request.query.get("orderId"):
            return "api", 5
        return PRIVATE[path][:2] if path in PRIVATE else ("ip", 1)

    def _spend(self, request: Request, pool: str, weight: int, key: str, headers: dict[str, str]) -> None:
        limits = self.state.limits
        windows: dict[str, WeightWindow] = {
            "api": limits.binance_api, "ip": limits.binance_sapi_ip, "uid": limits.binance_sapi_uid,
        }  # fmt: skip
        request.trace.weight = weight
        now = self.state.clock.wire_ms()
        verdict: Verdict = windows[pool].spend(key, weight, now)
        headers[HEADERS[pool]] = str(verdict.used)
        if pool == "api":
            headers["X-MBX-USED-WEIGHT"] = str(verdict.used)
        if verdict.status == 200:
            return
        headers["Retry-After"] = str(verdict.retry_after_s)
        if verdict.status == 418:
            until = now + verdict.retry_after_s * 1000
            raise BinanceError(-1003, f"Way too much request weight used; IP banned until {until}.", 418)
        most = windows[pool].limit
        raise BinanceError(-1003, f"Too much request weight used; current limit is {most} request weight per 1 MINUTE.", 429)

    def _public(self, path: str, params: Params) -> Any:
        now = self.state.server_ms()
        match path:
            case "/api/v3/time":
                return {"serverTime": now}
            case "/api/v3/exchangeInfo":
                return public.exchange_info(params, now)
            case "/api/v3/ticker/price":
                return public.ticker_price(params, now)
            case "/api/v3/ticker/24hr":
                return public.ticker_day(params, now)
            case "/sapi/v1/system/status":
                return {"status": 0, "msg": "normal"}
        return {}

    def _signed(self, request: Request, holder: Holder) -> Params:
        """The parameters of a well-signed request: HMAC-SHA256 over query and body without the signature."""
        body = request.body.decode(errors="replace")
        query, _, query_signature = request.raw_query.rpartition("signature=")
        content, _, body_signature = body.rpartition("signature=")
        if query_signature:
            payload, given = query.rstrip("&") + body, query_signature
        else:
            payload, given = request.raw_query + content.rstrip("&"), body_signature
        params = dict(parse_qsl(payload, keep_blank_values=True)) | dict(request.query)
        required(params, "timestamp")
        required({"signature": given}, "signature")
        _, secret = credentials.binance(holder.user, holder.permission)
        expected = hmac.new(secret.encode(), payload.encode(), sha256).hexdigest()
        if not hmac.compare_digest(expected, unquote(given)):
            raise BinanceError(-1022, "Signature for this request is not valid.")
        self._check_time(params)
        return params

    def _check_time(self, params: Params) -> None:
        stamp = whole(params, "timestamp") or 0
        allowed = whole(params, "recvWindow")
        allowed = RECV_WINDOW_MS if allowed is None else allowed
        if allowed > RECV_WINDOW_MAX_MS:
            raise BinanceError(-1131, "recvWindow must be less than 60000")
        now = self.state.server_ms()
        if stamp >= now + AHEAD_MAX_MS:
            raise BinanceError(-1021, "Timestamp for this request was 1000ms ahead of the server's time.")
        if now - stamp > allowed:
            raise BinanceError(-1021, "Timestamp for this request is outside of the recvWindow.")

    def _private(self, path: str, params: Params, holder: Holder) -> Any:
        if path == "/sapi/v1/account/apiRestrictions":
            return wallets.restrictions(holder)
        if holder.permission == "no-history":
            raise BinanceError(-2015, "Invalid API-key, IP, or permissions for action.", 401)
        book = self.book(holder.user)
        with exact():
            if path == "/api/v3/account":
                return wallets.account(book, params, holder)
            if path == FUNDING_PATH:
                return wallets.funding(book, params)
            return PRIVATE[path][2](book, params, self.state.server_ms())

    def book(self, user: str) -> BinanceBook:
        """The user's account as of the world's time."""
        account = self.state.world.account(user, self.name)
        mark = (self.state.clock.world_ms, account.version)
        kept = self._books.get(user)
        if kept is None or kept[0] != mark:
            kept = (mark, BinanceBook(account, mark[0]))
            self._books[user] = kept
        return kept[1]
