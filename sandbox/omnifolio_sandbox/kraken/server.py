"""Kraken's REST server: who calls (key, signature, nonce, rate, permission), and which answer belongs to which path.

Errors come as Kraken gives them: HTTP 200 and a text in `error`. Every call that would change something is refused and
kept as a violation, because a read-only client never makes one.
"""

import base64
import hmac
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from hashlib import sha256, sha512
from typing import Any

from omnifolio_sandbox import credentials
from omnifolio_sandbox.amounts import exact, fixed, near
from omnifolio_sandbox.http import Request, Response, answer
from omnifolio_sandbox.identity import Identity
from omnifolio_sandbox.kraken import public
from omnifolio_sandbox.kraken.book import KrakenBook, Row, altname, between
from omnifolio_sandbox.state import State
from omnifolio_sandbox.world.dice import digest, number
from omnifolio_sandbox.world.prices import token_price

PAGE = 50
FUNDING_PAGE = 500
QUERY_IDS_MAX = 20
READ = ("query-funds", "query-open-trades", "query-closed-trades", "query-ledger", "export-data", "create-ws-token")
PERMISSIONS = {
    "read": READ,
    "trade": (*READ, "modify-trades", "close-trades"),
    "withdraw": (*READ, "withdraw-funds"),
    "unknown-flag": (*READ, "teleport-funds"),
    "no-history": ("query-funds",),
    "bound": READ,
    "expiring": READ,
}
WRITES = frozenset(
    {
        "AddOrder", "AmendOrder", "EditOrder", "CancelOrder", "CancelAll", "CancelAllOrdersAfter", "AddOrderBatch",
        "CancelOrderBatch", "DepositAddresses", "Withdraw", "WithdrawCancel", "WalletTransfer",
        "CreateSubaccount", "AccountTransfer", "Earn/Allocate", "Earn/Deallocate", "AddExport", "RemoveExport",
    }
)  # fmt: skip


class KrakenError(Exception):
    """An error in Kraken's own words."""


def arguments(name: str) -> KrakenError:
    """The error for a parameter that makes no sense."""
    return KrakenError(f"EGeneral:Invalid arguments:{name}")


def _moment(value: str | None, name: str) -> Decimal | None:
    """A time in epoch seconds, with or without a fraction."""
    if value is None or value == "":
        return None
    try:
        moment = Decimal(value)
    except InvalidOperation as fault:
        raise arguments(name) from fault
    return moment if moment.is_finite() and moment > 0 else None


def _whole(value: str | None, name: str, default: int) -> int:
    if value is None or value == "":
        return default
    if not value.isdigit():
        raise arguments(name)
    return int(value)


class KrakenServer:
    """All paths below https://api.kraken.com that the sandbox speaks."""

    name = "kraken"

    def __init__(self, state: State) -> None:
        self.state = state
        self.identity = Identity(state, self.name)
        self.nonces: dict[str, int] = {}
        self._books: dict[str, tuple[tuple[int, int], KrakenBook]] = {}
        # path -> (cost on the counter, permissions of which one is needed, handler)
        self.private: dict[str, tuple[int, tuple[str, ...], Callable[[KrakenBook, dict[str, str]], Any]]] = {
            "Balance": (1, ("query-funds",), self.balance),
            "BalanceEx": (1, ("query-funds",), self.balance_ex),
            "Earn/Allocations": (1, ("query-funds",), self.earn_allocations),
            "Ledgers": (2, ("query-ledger",), self.ledgers),
            "QueryLedgers": (2, ("query-ledger",), self.query_ledgers),
            "TradesHistory": (2, ("query-closed-trades",), self.trades_history),
            "QueryTrades": (1, ("query-closed-trades",), self.query_trades),
            "OpenOrders": (1, ("query-open-trades",), self.open_orders),
            "ClosedOrders": (1, ("query-closed-trades",), self.closed_orders),
            "DepositStatus": (1, ("query-funds", "query-ledger"), self.deposit_status),
            "WithdrawStatus": (1, ("query-ledger", "withdraw-funds"), self.withdraw_status),
        }

    def handle(self, request: Request) -> Response:
        """Answer one call."""
        consented = self.identity.handle(request)
        if consented is not None:
            return consented
        try:
            return answer({"error": [], "result": self._result(request)})
        except KrakenError as fault:
            return answer({"error": [str(fault)]})

    def _result(self, request: Request) -> Any:
        parts = request.path.split("/", 3)
        if len(parts) == 4 and parts[:3] == ["", "0", "public"]:
            request.trace.weight = 1
            return self._public(parts[3], request.form | request.query)
        if len(parts) == 4 and parts[:3] == ["", "0", "private"] and request.method == "POST":
            return self._private(parts[3], request)
        raise KrakenError("EGeneral:Unknown method")

    def _public(self, path: str, params: dict[str, str]) -> Any:
        now = self.state.server_ms()
        wanted = {name for name in params.get("pair", "").split(",") if name}
        match path:
            case "Time":
                return public.server_time(now)
            case "SystemStatus":
                return public.system_status(now)
            case "Assets":
                return public.assets()
            case "AssetPairs" | "Ticker":
                found = public.asset_pairs(wanted) if path == "AssetPairs" else public.tickers(wanted, now)
                if found is None:
                    raise KrakenError("EQuery:Unknown asset pair")
                return found
        raise KrakenError("EGeneral:Unknown method")

    def _private(self, path: str, request: Request) -> Any:
        key = request.headers.get("api-key", "")
        holder = credentials.kraken_holder(key)
        if holder is None or (holder.permission == "expiring" and self.state.server_ms() >= self.state.keys_end_ms):
            raise KrakenError("EAPI:Invalid key")
        request.trace.label = f"{holder.user}/{holder.permission}"
        if path in WRITES:
            self.state.log_violation(self.name, request)
        nonce = self._check_signature(request, key, holder)
        if nonce <= self.nonces.get(key, 0):
            raise KrakenError("EAPI:Invalid nonce")
        self.nonces[key] = nonce
        if path in WRITES:
            raise KrakenError("EGeneral:Permission denied")
        if path == "GetApiKeyInfo":
            self._spend(request, key, 1)
            return self._key_info(key, holder, nonce)
        if path == "GetWebSocketsToken":
            self._spend(request, key, 1)
            return self._socket_token(key, holder, nonce)
        if path not in self.private:
            raise KrakenError("EGeneral:Unknown method")
        cost, needed, handler = self.private[path]
        self._spend(request, key, cost)
        if not set(needed) & set(PERMISSIONS[holder.permission]):
            raise KrakenError("EGeneral:Permission denied")
        with exact():
            return handler(self.book(holder.user), request.form)

    def _check_signature(self, request: Request, key: str, holder: credentials.Holder) -> int:
        """The nonce of a well-signed request: HMAC-SHA512(path + SHA256(nonce + body)) under the secret."""
        raw = request.form.get("nonce", "")
        if not raw.isdigit():
            raise KrakenError("EAPI:Invalid nonce")
        _, secret = credentials.kraken(holder.user, holder.permission)
        message = request.path.encode() + sha256(raw.encode() + request.body).digest()
        expected = base64.b64encode(hmac.new(base64.b64decode(secret), message, sha512).digest()).decode()
        if not hmac.compare_digest(expected, request.headers.get("api-sign", "")):
            raise KrakenError("EAPI:Invalid signature")
        return int(raw)

    def _spend(self, request: Request, key: str, cost: int) -> None:
        request.trace.weight = cost
        if not self.state.limits.kraken.spend(key, cost, self.state.clock.wire_ms()):
            raise KrakenError("EAPI:Rate limit exceeded")

    def book(self, user: str) -> KrakenBook:
        """The user's account as of the world's time."""
        account = self.state.world.account(user, self.name)
        mark = (self.state.clock.world_ms, account.version)
        kept = self._books.get(user)
        if kept is None or kept[0] != mark:
            kept = (mark, KrakenBook(account, mark[0]))
            self._books[user] = kept
        return kept[1]

    def _key_info(self, key: str, holder: credentials.Holder, nonce: int) -> dict[str, Any]:
        created = 1_690_000_000 + number(key) % 10_000_000
        return {
            "apiKeyName": f"sandbox-{holder.permission}",
            "apiKey": key,
            "nonce": str(nonce),
            "nonceWindow": 0,
            "permissions": list(PERMISSIONS[holder.permission]),
            "iban": "AA88 N84G WOAK NMOI",
            "validUntil": str(self.state.keys_end_ms // 1000 if holder.permission == "expiring" else 0),
            "queryFrom": "0",
            "queryTo": "0",
            "createdTime": str(created),
            "modifiedTime": str(created),
            "ipAllowlist": [credentials.ADDRESS] if holder.permission == "bound" else [],
            "lastUsed": str(self.state.server_ms() // 1000),
        }

    def _socket_token(self, key: str, holder: credentials.Holder, nonce: int) -> dict[str, Any]:
        if "create-ws-token" not in PERMISSIONS[holder.permission]:
            raise KrakenError("EGeneral:Permission denied")
        token = digest("kraken token", key, nonce).hex()[:44]
        self.state.tokens[token] = (holder.user, self.state.server_ms())
        return {"token": token, "expires": 900}

    def balance(self, book: KrakenBook, _: dict[str, str]) -> Any:
        """`Balance`: code to amount, net of nothing."""
        return {code: fixed(amount, places) for code, (amount, _, places) in book.balances().items()}

    def balance_ex(self, book: KrakenBook, _: dict[str, str]) -> Any:
        """`BalanceEx`: balance and what open orders hold of it."""
        return {
            code: {"balance": fixed(amount, places), "hold_trade": fixed(held, places)}
            for code, (amount, held, places) in book.balances().items()
        }

    def earn_allocations(self, book: KrakenBook, params: dict[str, str]) -> Any:
        """`Earn/Allocations`: the suffixed balances once more, by strategy, with what they paid."""
        items, total, paid = [], Decimal(0), Decimal(0)
        now = self.state.server_ms()
        for one in book.allocations():
            price = token_price("kraken", one["code"], now) or Decimal(0)
            native = _both(one["amount"], price)
            rewarded = _both(one["paid"], price)
            total, paid = total + Decimal(native["converted"]), paid + Decimal(rewarded["converted"])
            items.append(
                {
                    "strategy_id": one["strategy_id"],
                    "native_asset": altname(one["code"]),
                    "amount_allocated": {"total": native},
                    "total_rewarded": rewarded,
                }
            )
        asset = params.get("converted_asset", "USD")
        if asset not in {"USD", "ZUSD"}:
            raise arguments("converted_asset")
        return {
            "converted_asset": "USD",
            "total_allocated": fixed(total, 4),
            "total_rewarded": fixed(paid, 4),
            "next_cursor": None,
            "items": items,
        }

    def ledgers(self, book: KrakenBook, params: dict[str, str]) -> Any:
        """`Ledgers`: 50 rows a page from offset `ofs`, newest first."""
        rows = self._window(book.ledgers, book.ledger_times, params)
        assets = {name for name in params.get("asset", "all").split(",") if name}
        if assets != {"all"}:
            rows = [row for row in rows if {row.body["asset"], altname(row.body["asset"])} & assets]
        type_ = params.get("type") or "all"
        if type_ != "all":
            rows = [row for row in rows if row.body["type"] == type_]
        return _page("ledger", rows, params)

    def query_ledgers(self, book: KrakenBook, params: dict[str, str]) -> Any:
        """`QueryLedgers`: rows by id."""
        return _by_id(book.ledgers, params.get("id", ""))

    def trades_history(self, book: KrakenBook, params: dict[str, str]) -> Any:
        """`TradesHistory`: 50 trades a page from offset `ofs`, newest first."""
        rows = self._window(book.trades, book.trade_times, params)
        type_ = params.get("type") or "all"
        if type_ not in {"all", "no position"}:
            rows = []
        page = _page("trades", rows, params)
        if params.get("ledgers") != "true":
            page["trades"] = {key: _without_ledgers(body) for key, body in page["trades"].items()}
        return page

    def query_trades(self, book: KrakenBook, params: dict[str, str]) -> Any:
        """`QueryTrades`: trades by id."""
        return {key: _without_ledgers(body) for key, body in _by_id(book.trades, params.get("txid", "")).items()}

    def _window(self, rows: list[Row], times: list[Decimal], params: dict[str, str]) -> list[Row]:
        """Rows after `start` and up to `end`, each a time or the id of a row."""
        bounds: dict[str, Decimal | None] = {}
        for name in ("start", "end"):
            value = params.get(name)
            named = [row for row in rows if row.id == value] if value and "-" in value else []
            bounds[name] = named[0].body["time"] if named else _moment(value, name)
        return between(rows, times, bounds["start"], bounds["end"])

    def open_orders(self, book: KrakenBook, _: dict[str, str]) -> Any:
        """`OpenOrders`: one resting order that holds part of the bitcoin."""
        held = book.balances().get("XXBT", (Decimal(0), Decimal(0), 0))[1]
        if not held:
            return {"open": {}}
        opened = {
            "refid": None, "userref": 0, "status": "open", "opentm": book.at_ms // 1000, "starttm": 0, "expiretm": 0,
            "descr": {
                "pair": "XBTUSD", "type": "sell", "ordertype": "limit", "price": "250000.0", "price2": "0",
                "leverage": "none", "order": f"sell {fixed(held, 8)} XBTUSD @ limit 250000.0", "close": "",
            },
            "vol": fixed(held, 8), "vol_exec": "0.00000000", "cost": "0.00000", "fee": "0.00000", "price": "0.00000",
            "stopprice": "0.00000", "limitprice": "0.00000", "misc": "", "oflags": "fciq",
        }  # fmt: skip
        return {"open": {"OHELD2-RESTI-NGSELL": opened}}

    def closed_orders(self, book: KrakenBook, params: dict[str, str]) -> Any:
        """`ClosedOrders`: the orders whose fills the trades list, 50 a page from offset `ofs`."""
        fills: dict[str, list[Row]] = {}
        for row in self._window(book.trades, book.trade_times, params):
            fills.setdefault(row.body["ordertxid"], []).append(row)
        orders = [Row(key, rows[0].at, _closed_order(rows)) for key, rows in fills.items()]
        return _page("closed", orders, params)

    def deposit_status(self, book: KrakenBook, params: dict[str, str]) -> Any:
        """`DepositStatus`: deposits, newest first."""
        return _funding_page("deposit", book.funding(("deposit",)), params)

    def withdraw_status(self, book: KrakenBook, params: dict[str, str]) -> Any:
        """`WithdrawStatus`: withdrawals, newest first, failed ones included."""
        return _funding_page("withdrawals", book.funding(("withdrawal", "failed_withdrawal")), params)


def _both(amount: Decimal, price: Decimal) -> dict[str, str]:
    return {"native": fixed(amount, 10), "converted": fixed(near(amount * price, 4), 4)}


def _without_ledgers(body: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name != "ledgers"}


def _page(name: str, rows: list[Row], params: dict[str, str]) -> dict[str, Any]:
    offset = _whole(params.get("ofs"), "ofs", 0)
    page: dict[str, Any] = {name: {row.id: row.body for row in rows[offset : offset + PAGE]}}
    if params.get("without_count") != "true":
        page["count"] = len(rows)
    return page


def _by_id(rows: list[Row], ids: str) -> dict[str, Any]:
    wanted = [one for one in ids.split(",") if one]
    if not wanted or len(wanted) > QUERY_IDS_MAX:
        raise arguments("id")
    found = {row.id: row.body for row in rows}
    return {one: found[one] for one in wanted if one in found}


def _closed_order(rows: list[Row]) -> dict[str, Any]:
    first = rows[-1].body
    volume = sum((Decimal(row.body["vol"]) for row in rows), Decimal(0))
    cost = sum((Decimal(row.body["cost"]) for row in rows), Decimal(0))
    fee = sum((Decimal(row.body["fee"]) for row in rows), Decimal(0))
    return {
        "refid": None, "userref": 0, "status": "closed", "reason": None, "opentm": first["time"],
        "closetm": rows[0].body["time"], "starttm": 0, "expiretm": 0,
        "descr": {
            "pair": first["pair"], "type": first["type"], "ordertype": first["ordertype"], "price": first["price"],
            "price2": "0", "leverage": "none", "order": "", "close": "",
        },
        "vol": str(volume), "vol_exec": str(volume), "cost": str(cost), "fee": str(fee), "price": first["price"],
        "stopprice": "0.00000", "limitprice": "0.00000", "misc": "", "oflags": "fciq",
        "trades": [row.id for row in rows],
    }  # fmt: skip


def _funding_page(name: str, rows: list[Row], params: dict[str, str]) -> Any:
    """A plain list, or with `cursor` an object with the next cursor."""
    start, end = _moment(params.get("start"), "start"), _moment(params.get("end"), "end")
    asset = params.get("asset")
    rows = [
        row
        for row in rows
        if (start is None or row.body["time"] >= start)
        and (end is None or row.body["time"] <= end)
        and (not asset or asset in {row.body["asset"], altname(row.body["asset"])})
    ]
    limit = _whole(params.get("limit"), "limit", FUNDING_PAGE)
    cursor = params.get("cursor", "false")
    if cursor == "false":
        return [row.body for row in rows[:limit]]
    offset = 0
    if cursor != "true":
        try:
            offset = int(base64.urlsafe_b64decode(cursor).decode().removeprefix(f"{name}:"))
        except ValueError as fault:
            raise arguments("cursor") from fault
    page: dict[str, Any] = {name: [row.body for row in rows[offset : offset + limit]], "next_cursor": None}
    if offset + limit < len(rows):
        page["next_cursor"] = base64.urlsafe_b64encode(f"{name}:{offset + limit}".encode()).decode()
    return page
