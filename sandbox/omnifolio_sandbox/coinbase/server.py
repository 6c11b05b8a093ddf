"""Coinbase's REST server: tokens, permissions, rate limit, cursor paging, and which answer belongs to which path."""

import base64
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from omnifolio_sandbox.amounts import divide, exact, fixed, text
from omnifolio_sandbox.coinbase import auth
from omnifolio_sandbox.coinbase.book import CoinbaseBook, Row, currency_row, fine_stamp, products
from omnifolio_sandbox.credentials import Holder
from omnifolio_sandbox.grants import Family
from omnifolio_sandbox.http import Request, Response, answer
from omnifolio_sandbox.identity import Identity
from omnifolio_sandbox.state import State
from omnifolio_sandbox.world.book import Event
from omnifolio_sandbox.world.coinbase import uuid_of
from omnifolio_sandbox.world.prices import day_of, eur_rate, token_price
from omnifolio_sandbox.world.tokens import ASSETS, CRYPTO, FIAT, STABLE, code_of

V2_PAGE = 25
V2_PAGE_MAX = 100
V3_ACCOUNTS_PAGE = 49
V3_ACCOUNTS_PAGE_MAX = 250
V3_FILLS_PAGE = 100
V3_FILLS_PAGE_MAX = 1000
FLAGS = {
    "read": {},
    "trade": {"can_trade": True},
    "withdraw": {"can_transfer": True},
    "unknown-flag": {"can_teleport": True},
    "no-history": {"can_view": False},
    "bound": {},
    "expiring": {},
}


SCOPES = {
    "user": "wallet:user:read",
    "accounts": "wallet:accounts:read",
    "transactions": "wallet:transactions:read",
}


class CoinbaseError(Exception):
    """A v2 error: `{"errors": [{"id", "message"}]}`."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


class CoinbaseServer:
    """All paths below https://api.coinbase.com that the sandbox speaks."""

    name = "coinbase"

    def __init__(self, state: State) -> None:
        self.state = state
        self.identity = Identity(state, self.name)
        self._books: dict[str, tuple[tuple[int, int], CoinbaseBook]] = {}

    def handle(self, request: Request) -> Response:
        """Answer one call."""
        consented = self.identity.handle(request)
        if consented is not None:
            return consented
        request.trace.weight = 1
        v3 = request.path.startswith("/api/v3/")
        if request.method != "GET":
            self.state.log_violation(self.name, request)
            return answer(_error("forbidden", "Missing required scopes", v3=v3), 403)
        try:
            verdict = self.state.limits.coinbase.spend("ip", 1, self.state.clock.wire_ms())
            if verdict.status != 200:
                retry = {"Retry-After": str(verdict.retry_after_s)}
                return answer(_error("rate_limit_exceeded", "Too many requests", v3=v3), 429, retry)
            return answer(self._result(request))
        except auth.Unauthorized as fault:
            if v3:
                return Response(401, b"Unauthorized\n", {}, "text/plain")
            return answer(_error("authentication_error", f"invalid token: {fault}", v3=False), 401)
        except CoinbaseError as fault:
            return answer(_error(fault.code, str(fault), v3=v3), fault.status)

    def _result(self, request: Request) -> Any:
        found = self._public(request.path.strip("/").split("/"), request.query)
        if found is not None:
            return found
        now, parts = self.state.server_ms(), request.path.strip("/").split("/")
        family = self.state.grants.bearer(request.headers.get("authorization", ""), venue=self.name, now_ms=now)
        if family is not None:
            return self._consented(parts, request, family)
        holder = auth.holder_of(request, now)
        request.trace.label = f"{holder.user}/{holder.permission}"
        if parts == ["api", "v3", "brokerage", "key_permissions"]:
            return self._permissions(holder)
        if holder.permission == "no-history":
            raise CoinbaseError(403, "invalid_scope", "Missing required scopes")
        with exact():
            return self._private(parts, request, self.book(holder.user))

    def _consented(self, parts: list[str], request: Request, family: Family) -> Any:
        """The answer to a token, as far as its scopes reach."""
        request.trace.label = f"{family.user}/consent"
        if parts == ["v2", "user", "auth"]:
            return {"data": {"method": "oauth", "scopes": list(family.scopes), "oauth_meta": {}}}
        needed = SCOPES.get(parts[3] if len(parts) > 3 else parts[1]) if parts[0] == "v2" else None
        if needed is None or needed not in family.scopes:
            raise CoinbaseError(403, "invalid_scope", "Missing required scopes")
        with exact():
            return self._private(parts, request, self.book(family.user))

    def _public(self, parts: list[str], query: dict[str, str]) -> Any:
        now = self.state.server_ms()
        match parts:
            case ["v2", "time"]:
                moment = datetime.fromtimestamp(now // 1000, UTC)
                return {"data": {"iso": moment.strftime("%Y-%m-%dT%H:%M:%SZ"), "epoch": now // 1000}}
            case ["v2", "currencies"]:
                fiats = [asset for asset in ASSETS.values() if asset.kind == FIAT]
                return {"data": [{"id": a.ticker, "name": a.name, "min_size": "0.01000000"} for a in fiats]}
            case ["v2", "currencies", "crypto"]:
                coins = [asset for asset in ASSETS.values() if asset.kind in {CRYPTO, STABLE}]
                return {"data": [currency_row(code_of("coinbase", asset.ticker)) for asset in coins]}
            case ["v2", "exchange-rates"]:
                return {"data": exchange_rates(query.get("currency", "USD"), now)}
            case ["api", "v3", "brokerage", "market", "products"]:
                return product_list(query, now)
            case ["api", "v3", "brokerage", "time"]:
                moment = datetime.fromtimestamp(now // 1000, UTC)
                iso = moment.strftime("%Y-%m-%dT%H:%M:%SZ")
                return {"iso": iso, "epochSeconds": str(now // 1000), "epochMillis": str(now)}
        return None

    def _permissions(self, holder: Holder) -> Any:
        flags = {"can_view": True, "can_trade": False, "can_transfer": False}
        portfolio = {"portfolio_uuid": uuid_of("portfolio", holder.user), "portfolio_type": "DEFAULT"}
        return {**flags, **FLAGS[holder.permission], **portfolio}

    def _private(self, parts: list[str], request: Request, book: CoinbaseBook) -> Any:
        query, now = request.query, self.state.server_ms()
        match parts:
            case ["v2", "user"]:
                user = {"id": uuid_of("user", book.user), "name": book.user, "username": None}
                return {"data": {**user, "native_currency": "USD", "resource": "user", "resource_path": "/v2/user"}}
            case ["v2", "accounts"]:
                return paged(book.accounts(), request, newest_first=False)
            case ["v2", "accounts", account]:
                return {"data": book.account_row(_code(book, account))}
            case ["v2", "accounts", account, "transactions"]:
                return paged(book.rows.get(_code(book, account), []), request, newest_first=True)
            case ["v2", "accounts", account, "transactions", wanted]:
                for row in book.rows.get(_code(book, account), []):
                    if row["id"] == wanted:
                        return {"data": row}
            case ["api", "v3", "brokerage", "accounts"]:
                rows, cursor = _slice(book.brokerage_accounts(), query, V3_ACCOUNTS_PAGE, V3_ACCOUNTS_PAGE_MAX)
                return {"accounts": rows, "has_next": bool(cursor), "cursor": cursor, "size": len(rows)}
            case ["api", "v3", "brokerage", "orders", "historical", "fills"]:
                rows, cursor = _slice(fills(book, query), query, V3_FILLS_PAGE, V3_FILLS_PAGE_MAX)
                return {"fills": rows, "cursor": cursor}
            case ["api", "v3", "brokerage", "products"]:
                return product_list(query, now)
            case ["api", "v3", "brokerage", "transaction_summary"]:
                tier = {"pricing_tier": "Advanced 1", "usd_from": "0", "usd_to": "1000", "taker_fee_rate": "0.006",
                        "maker_fee_rate": "0.006", "aop_from": "", "aop_to": ""}  # fmt: skip
                return {"total_volume": "0", "total_fees": "0", "fee_tier": tier}
        raise CoinbaseError(404, "not_found", "Not found")

    def book(self, user: str) -> CoinbaseBook:
        """The user's account as of the world's time."""
        account = self.state.world.account(user, self.name)
        mark = (self.state.clock.world_ms, account.version)
        kept = self._books.get(user)
        if kept is None or kept[0] != mark:
            kept = (mark, CoinbaseBook(account, mark[0]))
            self._books[user] = kept
        return kept[1]


def _error(code: str, message: str, *, v3: bool) -> Any:
    if v3:
        return {"error": code.upper(), "error_details": message, "message": message}
    return {"errors": [{"id": code, "message": message}]}


def _code(book: CoinbaseBook, account_id: str) -> str:
    code = book.code_of_account(account_id)
    if code is None:
        raise CoinbaseError(404, "not_found", "Not found")
    return code


def _size(query: dict[str, str], default: int, most: int) -> int:
    asked = query.get("limit", "")
    if asked and not asked.isdigit():
        raise CoinbaseError(400, "validation_error", "limit must be a number")
    return min(int(asked or 0) or default, most)


def paged(rows: list[Row], request: Request, *, newest_first: bool) -> Any:
    """v2 paging: `limit` up to 100, `order`, `starting_after` or `ending_before` a row's id, and where to go on."""
    query = request.query
    size, order = _size(query, V2_PAGE, V2_PAGE_MAX), query.get("order", "desc")
    if order not in {"asc", "desc"}:
        raise CoinbaseError(400, "validation_error", "order must be asc or desc")
    listed = rows[::-1] if newest_first == (order == "desc") else rows
    ids = [row["id"] for row in listed]
    after, before = query.get("starting_after"), query.get("ending_before")
    for wanted in (after, before):
        if wanted and wanted not in ids:
            raise CoinbaseError(400, "validation_error", f"no such id: {wanted}")
    if after:
        listed = listed[ids.index(after) + 1 :]
    elif before:
        end = ids.index(before)
        listed = listed[max(0, end - size) : end]
    page = listed[:size]
    following = page[-1]["id"] if len(listed) > size else None
    next_query = {"limit": size, "order": order, "starting_after": following}
    return {
        "pagination": {
            "ending_before": before, "starting_after": after, "previous_ending_before": None,
            "next_starting_after": following, "limit": size, "order": order, "previous_uri": None,
            "next_uri": f"{request.path}?{urlencode(next_query)}" if following else None,
        },
        "data": page,
    }  # fmt: skip


def _slice(rows: list[Row], query: dict[str, str], default: int, most: int) -> tuple[list[Row], str]:
    """v3 paging: a page and the opaque cursor of the next one, empty at the end."""
    size, offset = _size(query, default, most), 0
    if query.get("cursor"):
        try:
            offset = int(base64.urlsafe_b64decode(query["cursor"]).decode().removeprefix("from:"))
        except ValueError as fault:
            raise CoinbaseError(400, "invalid_argument", "invalid cursor") from fault
    more = offset + size < len(rows)
    cursor = base64.urlsafe_b64encode(f"from:{offset + size}".encode()).decode() if more else ""
    return rows[offset : offset + size], cursor


def _moment_ms(query: dict[str, str], name: str) -> int | None:
    value = query.get(name)
    if not value:
        return None
    try:
        return int(datetime.fromisoformat(value.replace("Z", "+00:00")).timestamp() * 1000)
    except ValueError as fault:
        raise CoinbaseError(400, "invalid_argument", f"{name} is not a time") from fault


def fills(book: CoinbaseBook, query: dict[str, str]) -> list[Row]:
    """v3 fills, newest first."""
    start, end = _moment_ms(query, "start_sequence_timestamp"), _moment_ms(query, "end_sequence_timestamp")
    product = query.get("product_id") or query.get("product_ids")
    return [
        _fill(book, event)
        for event in reversed(book.fills)
        if (start is None or event.at >= start) and (end is None or event.at <= end) and product in {None, event.facts["product"]}
    ]


def _fill(book: CoinbaseBook, event: Event) -> Row:
    facts = event.facts
    return {
        "entry_id": f"{facts['trade'].replace('-', '')}{facts['order'].replace('-', '')}", "trade_id": facts["trade"],
        "order_id": facts["order"], "trade_time": fine_stamp(event), "trade_type": "FILL",
        "price": text(facts["price"]), "size": text(facts["size"]), "commission": text(facts["fee"]),
        "product_id": facts["product"], "sequence_timestamp": fine_stamp(event),
        "liquidity_indicator": "MAKER" if facts["maker"] else "TAKER", "size_in_quote": False,
        "user_id": uuid_of("user", book.user), "side": "BUY" if facts["buying"] else "SELL",
        "retail_portfolio_id": uuid_of("portfolio", book.user),
    }  # fmt: skip


def exchange_rates(currency: str, at_ms: int) -> Any:
    """Units of everything for one unit of `currency`."""
    base = token_price("coinbase", currency, at_ms) if currency in ASSETS else None
    if base is None:
        raise CoinbaseError(400, "invalid_request", "Invalid currency")
    rates = {}
    for asset in ASSETS.values():
        code = code_of("coinbase", asset.ticker)
        price = token_price("coinbase", code, at_ms)
        if price is not None:
            rates[code] = text(divide(base, price, 12))
    for name in ("GBP", "CHF", "JPY"):
        euros = divide(base, eur_rate("USD", day_of(at_ms)), 30)
        rates[name] = text(divide(euros * eur_rate(name, day_of(at_ms)), Decimal(1), 12))
    return {"currency": currency, "rates": rates}


def product_list(query: dict[str, str], at_ms: int) -> Any:
    """v3 spot products with their prices; no futures are listed."""
    if query.get("product_type", "SPOT") != "SPOT":
        return {"products": [], "num_products": 0}
    rows: list[Row] = []
    for product, base, quote, price_places, size_places in products():
        base_usd, quote_usd = token_price("coinbase", base, at_ms), token_price("coinbase", quote, at_ms)
        assert base_usd is not None
        assert quote_usd is not None
        step = fixed(Decimal(1).scaleb(-price_places), price_places)
        rows.append(
            {
                "product_id": product, "price": text(divide(base_usd, quote_usd, price_places)),
                "price_percentage_change_24h": "0", "volume_24h": "1000", "volume_percentage_change_24h": "0",
                "base_increment": fixed(Decimal(1).scaleb(-size_places), size_places), "quote_increment": step,
                "quote_min_size": "1", "quote_max_size": "150000000", "base_min_size": "0.00000001",
                "base_max_size": "3400", "base_name": base, "quote_name": quote, "watched": False,
                "is_disabled": False, "new": False, "status": "online", "cancel_only": False, "limit_only": False,
                "post_only": False, "trading_disabled": False, "auction_mode": False, "product_type": "SPOT",
                "quote_currency_id": quote, "base_currency_id": base, "fcm_trading_session_details": None,
                "mid_market_price": "", "alias": "", "alias_to": [], "base_display_symbol": base,
                "quote_display_symbol": quote, "view_only": False, "price_increment": step, "display_name": product,
                "product_venue": "CBE",
            }
        )  # fmt: skip
    return {"products": rows, "num_products": len(rows)}
