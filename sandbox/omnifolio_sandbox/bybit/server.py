"""Bybit's REST server: limits, keys, signatures and times, and which answer belongs to which path."""

import hmac
from collections.abc import Callable
from hashlib import sha256
from typing import Any

from omnifolio_sandbox import credentials
from omnifolio_sandbox.amounts import exact
from omnifolio_sandbox.bybit import history, wallets
from omnifolio_sandbox.bybit.book import BybitBook
from omnifolio_sandbox.bybit.errors import BybitError, Params, envelope
from omnifolio_sandbox.credentials import Holder
from omnifolio_sandbox.http import Request, Response, answer
from omnifolio_sandbox.state import BYBIT_CALLS_PER_SECOND, State

RECV_WINDOW_MS = 5_000
AHEAD_MAX_MS = 1_000
Private = Callable[[BybitBook, Params, int], Any]
PRIVATE: dict[str, Private] = {
    "/v5/account/info": lambda _, __, now: wallets.account_info(now),
    "/v5/account/wallet-balance": lambda book, params, _: wallets.wallet_balance(book, params),
    "/v5/account/transaction-log": history.transaction_log,
    "/v5/execution/list": history.executions,
    "/v5/asset/transfer/query-account-coins-balance": lambda book, params, _: wallets.coins_balance(book, params),
    "/v5/asset/transfer/query-inter-transfer-list": history.transfers,
    "/v5/asset/fundinghistory": history.funding_log,
    "/v5/asset/deposit/query-record": history.deposits,
    "/v5/asset/deposit/query-internal-record": history.internal_deposits,
    "/v5/asset/withdraw/query-record": history.withdrawals,
    "/v5/asset/exchange/query-convert-history": history.conversions,
    "/v5/asset/covert/small-balance-history": history.small_balances,
    "/v5/earn/position": lambda book, params, _: wallets.savings(book, params),
    "/v5/earn/order": history.savings_orders,
    "/v5/position/list": lambda _, params, __: wallets.positions(params),
}
KEY_INFO = "/v5/user/query-api"
PUBLIC = {"/v5/market/time", "/v5/market/instruments-info"}


class BybitServer:
    """All paths below https://api.bybit.com that the sandbox speaks."""

    name = "bybit"

    def __init__(self, state: State) -> None:
        self.state = state
        self._books: dict[str, tuple[tuple[int, int], BybitBook]] = {}

    def handle(self, request: Request) -> Response:
        """Answer one call."""
        headers: dict[str, str] = {}
        now = self.state.server_ms()
        left, _ = self.state.limits.bybit_address.spend("address", self.state.clock.wire_ms())
        if left < 0:
            return Response(403, b"access too frequent", {}, "text/plain")
        try:
            return answer(envelope(self._result(request, headers), now), 200, headers)
        except BybitError as fault:
            return answer(envelope({}, now, code=fault.code, message=str(fault)), 200, headers)
        except LookupError:
            return answer({"path": request.path, "status": 404}, 404)

    def _result(self, request: Request, headers: dict[str, str]) -> Any:
        now = self.state.server_ms()
        if request.method == "GET" and request.path in PUBLIC:
            if request.path == "/v5/market/time":
                return {"timeSecond": str(now // 1000), "timeNano": str(now * 1_000_000)}
            return wallets.instruments(request.query)
        key = request.headers.get("x-bapi-api-key", "")
        holder = credentials.bybit_holder(key)
        if holder is not None:
            request.trace.label = f"{holder.user}/{holder.permission}"
        if request.method != "GET":
            self.state.log_violation(self.name, request)
            raise BybitError(10005, "Permission denied, please check your API key permissions.")
        if request.path != KEY_INFO and request.path not in PRIVATE:
            raise LookupError(request.path)
        holder = self._signed(request, holder)
        self._spend(request, key, headers)
        if request.path == KEY_INFO:
            return wallets.key_info(holder, key, now, self.state.keys_end_ms)
        if holder.permission == "no-history":
            raise BybitError(10005, "Permission denied, please check your API key permissions.")
        with exact():
            return PRIVATE[request.path](self.book(holder.user), request.query, now)

    def _signed(self, request: Request, holder: Holder | None) -> Holder:
        """The holder of a well-signed request: HMAC-SHA256 over time, key, window and query, in this order."""
        headers = request.headers
        key, stamp = headers.get("x-bapi-api-key", ""), headers.get("x-bapi-timestamp", "")
        window, given = headers.get("x-bapi-recv-window", str(RECV_WINDOW_MS)), headers.get("x-bapi-sign", "")
        if not key or not stamp.isdigit() or not window.isdigit() or not given:
            raise BybitError(10001, "Request parameter error.")
        if holder is None:
            raise BybitError(10003, "API key is invalid.")
        if holder.permission == "expiring" and self.state.server_ms() >= self.state.keys_end_ms:
            raise BybitError(33004, "Your api key has expired.")
        now = self.state.server_ms()
        if not now - int(window) <= int(stamp) < now + AHEAD_MAX_MS:
            raise BybitError(
                10002,
                "invalid request, please check your server timestamp or recv_window param. "
                f"req_timestamp[{stamp}],server_timestamp[{now}],recv_window[{window}]",
            )
        payload = f"{stamp}{key}{window}{request.raw_query}"
        _, secret = credentials.bybit(holder.user, holder.permission)
        expected = hmac.new(secret.encode(), payload.encode(), sha256).hexdigest()
        if not hmac.compare_digest(expected, given):
            raise BybitError(10004, f"error sign! origin_string[{stamp}{key}{window}…]")
        return holder

    def _spend(self, request: Request, key: str, headers: dict[str, str]) -> None:
        left, until = self.state.limits.bybit.spend(f"{key} {request.path}", self.state.clock.wire_ms())
        request.trace.weight = 1
        headers["X-Bapi-Limit"] = str(BYBIT_CALLS_PER_SECOND * self.state.limits.scale)
        headers["X-Bapi-Limit-Status"] = str(max(0, left))
        headers["X-Bapi-Limit-Reset-Timestamp"] = str(until)
        if left < 0:
            raise BybitError(10006, "Too many visits! Exceeded the API Rate Limit.")

    def book(self, user: str) -> BybitBook:
        """The user's account as of the world's time."""
        account = self.state.world.account(user, self.name)
        mark = (self.state.clock.world_ms, account.version)
        kept = self._books.get(user)
        if kept is None or kept[0] != mark:
            kept = (mark, BybitBook(account, mark[0]))
            self._books[user] = kept
        return kept[1]
