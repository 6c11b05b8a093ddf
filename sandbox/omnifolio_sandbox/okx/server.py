"""OKX's REST server: limits, keys, signatures and times, and which answer belongs to which path."""

import base64
import hmac
from collections.abc import Callable
from datetime import datetime
from hashlib import sha256
from typing import Any

from omnifolio_sandbox import credentials
from omnifolio_sandbox.amounts import exact
from omnifolio_sandbox.credentials import Holder
from omnifolio_sandbox.http import Request, Response, answer
from omnifolio_sandbox.okx import history, wallets
from omnifolio_sandbox.okx.book import OkxBook
from omnifolio_sandbox.okx.errors import OkxError, Params
from omnifolio_sandbox.state import State

TIME_MAX_MS = 30_000
ROOT = "/api/v5/"
CONFIG, ARCHIVE = "account/config", "account/bills-archive"
PUBLIC = {"public/time", "public/instruments", "system/status"}
Private = Callable[[OkxBook, Params, int], Any]
PRIVATE: dict[str, Private] = {
    "account/balance": lambda book, params, _: wallets.balance(book, params),
    "account/bills": history.bills,
    ARCHIVE: history.bills_archive,
    "account/positions": lambda _, __, ___: [],
    "account/subaccount/balances": lambda book, params, _: wallets.sub_trading(book, params),
    "asset/balances": lambda book, params, _: wallets.funding(book.of("funding", "funding"), params),
    "asset/bills-history": history.cash_bills,
    "asset/deposit-history": history.deposits,
    "asset/withdrawal-history": history.withdrawals,
    "asset/subaccount/balances": lambda book, params, _: wallets.sub_funding(book, params),
    "finance/savings/balance": lambda book, _, __: wallets.savings(book),
    "finance/savings/lending-history": history.lending,
    "finance/staking-defi/orders-active": lambda _, __, ___: [],
    "finance/flexible-loan/loan-info": lambda _, __, ___: [],
    "trade/fills-history": history.fills,
    "users/subaccount/list": lambda _, params, __: wallets.subaccounts(params),
}
HEADERS = (("ok-access-key", "50103"), ("ok-access-passphrase", "50104"), ("ok-access-sign", "50106"),
           ("ok-access-timestamp", "50107"))  # fmt: skip


class OkxServer:
    """All paths below https://www.okx.com that the sandbox speaks."""

    name = "okx"

    def __init__(self, state: State) -> None:
        self.state = state
        self._books: dict[str, tuple[tuple[int, int], OkxBook]] = {}

    def handle(self, request: Request) -> Response:
        """Answer one call."""
        try:
            return answer({"code": "0", "msg": "", "data": self._result(request)})
        except OkxError as fault:
            return answer({"code": fault.code, "msg": str(fault), "data": []}, fault.status)

    def _result(self, request: Request) -> Any:
        now, path = self.state.server_ms(), request.path.removeprefix(ROOT)
        if request.method == "GET" and path in PUBLIC:
            return [{"ts": str(now)}] if path == "public/time" else wallets.instruments(request.query) if "inst" in path else []
        holder = credentials.okx_holder(request.headers.get("ok-access-key", ""))
        if holder is not None:
            request.trace.label = f"{holder.user}/{holder.permission}"
        if request.method != "GET":
            self.state.log_violation(self.name, request)
            raise OkxError("50120", "This API key doesn't have permission to use this function", 403)
        if path != CONFIG and path not in PRIVATE:
            raise OkxError("50404", "Not Found", 404)
        holder = self._signed(request, holder)
        self._spend(request, path, holder)
        if path == CONFIG:
            return wallets.config(holder)
        if holder.permission == "no-history":
            raise OkxError("50120", "This API key doesn't have permission to use this function", 403)
        with exact():
            return PRIVATE[path](self.book(holder.user), request.query, now)

    def _signed(self, request: Request, holder: Holder | None) -> Holder:
        """The holder of a well-signed request: HMAC-SHA256 over time, method, path with query, and body, in base64."""
        for name, code in HEADERS:
            if not request.headers.get(name):
                raise OkxError(code, f"Request header {name.upper()} can not be empty.", 401)
        if holder is None:
            raise OkxError("50111", "Invalid OK-ACCESS-KEY", 401)
        _, secret, passphrase = credentials.okx(holder.user, holder.permission)
        stamp = request.headers["ok-access-timestamp"]
        try:
            asked_ms = round(datetime.fromisoformat(stamp).timestamp() * 1000)
        except ValueError:
            raise OkxError("50112", "Invalid OK-ACCESS-TIMESTAMP", 401) from None
        if abs(self.state.server_ms() - asked_ms) > TIME_MAX_MS:
            raise OkxError("50102", "Timestamp request expired", 401)
        if not hmac.compare_digest(request.headers["ok-access-passphrase"], passphrase):
            raise OkxError("50105", "Request header OK-ACCESS-PASSPHRASE incorrect.", 401)
        target = f"{request.path}?{request.raw_query}" if request.raw_query else request.path
        payload = f"{stamp}{request.method}{target}".encode() + request.body
        expected = base64.b64encode(hmac.new(secret.encode(), payload, sha256).digest()).decode()
        if not hmac.compare_digest(expected, request.headers["ok-access-sign"]):
            raise OkxError("50113", "Invalid Sign", 401)
        return holder

    def _spend(self, request: Request, path: str, holder: Holder) -> None:
        limits = self.state.limits
        window = limits.okx_bills if path == ARCHIVE else limits.okx
        left, _ = window.spend(f"{holder.user} {path}", self.state.clock.wire_ms())
        request.trace.weight = 1
        if left < 0:
            raise OkxError("50011", "Too Many Requests", 429)

    def book(self, user: str) -> OkxBook:
        """The user's account as of the world's time."""
        account = self.state.world.account(user, self.name)
        mark = (self.state.clock.world_ms, account.version)
        kept = self._books.get(user)
        if kept is None or kept[0] != mark:
            kept = (mark, OkxBook(account, mark[0]))
            self._books[user] = kept
        return kept[1]
