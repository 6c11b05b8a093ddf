"""A server that speaks Vezgo's wire as far as moving away from it needs, and what it says of simulated venues' users.

It is told users with accounts and transactions, answers like Vezgo (token, lists, pages by the last id, errors on request), notes
what it was asked, and refuses everything that would write.
"""

import base64
import hashlib
import json
import random
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

from aiohttp import web

from tests.stage import loopback

CLIENT_ID, SECRET = "vezgo-client", "vezgo-secret-1234567890"
TOKEN_S = 1_200
Line = dict[str, Any]


def wire_id(*words: object) -> str:
    """24 hexadecimal digits of the form that Vezgo's ids have, always the same for the same words."""
    return hashlib.sha256("/".join(map(str, words)).encode()).hexdigest()[:24]


class Vezgo:
    """What Vezgo knows: users by login name, each with accounts, each with transactions in the order of their ids."""

    def __init__(self, now_ms: Callable[[], int]) -> None:
        self._now_ms = now_ms
        self.users: dict[str, list[Line]] = {}
        self.transactions: dict[str, list[Line]] = {}
        self.faults: list[tuple[str, int, dict[str, str]]] = []
        """(word in the path, status, headers): each answers one request instead."""
        self.asked: list[tuple[str, str, Mapping[str, str]]] = []
        self.rows_max = 10**9
        """More rows than this in a page are too large an answer."""
        self.before: Callable[[], None] = lambda: None
        """Called before each answer."""

    def add(self, login: str, account: Line, transactions: Sequence[Line] = ()) -> str:
        """Gives a user an account; its id."""
        self.users.setdefault(login, []).append(account)
        self.transactions[account["id"]] = list(transactions)
        number: str = account["id"]
        return number

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """One request."""
        self.before()
        path = request.path.removeprefix("/v1")
        self.asked.append((request.method, path, dict(request.query)))
        for fault in self.faults:
            if fault[0] in path:
                self.faults.remove(fault)
                return web.json_response({"message": "asked for by the test"}, status=fault[1], headers=fault[2])
        if request.method == "POST" and path == "/auth/token":
            return await self._token(request)
        if request.method != "GET":
            return web.json_response({"message": "no"}, status=405)
        login = self._login(request.headers.get("Authorization", ""))
        if login is None:
            return web.json_response({"message": "Unauthorized"}, status=401)
        return self._read(login, path, request.query)

    async def _token(self, request: web.Request) -> web.Response:
        body = json.loads(await request.read())
        if body != {"clientId": CLIENT_ID, "secret": SECRET}:
            return web.json_response({"message": "wrong secret"}, status=401)
        told = {"login": request.headers["loginName"], "exp": self._now_ms() // 1000 + TOKEN_S}
        return web.json_response({"token": f"e30.{_packed(told)}.{_packed(told)}"})

    def _login(self, header: str) -> str | None:
        try:
            told = json.loads(base64.urlsafe_b64decode(header.removeprefix("Bearer ").split(".")[1] + "=="))
        except (ValueError, IndexError):
            return None
        return told["login"] if told["exp"] > self._now_ms() // 1000 else None

    def _read(self, login: str, path: str, query: Mapping[str, str]) -> web.Response:
        accounts = {account["id"]: account for account in self.users.get(login, [])}
        words = path.strip("/").split("/")
        if words == ["accounts"]:
            return web.json_response(list(accounts.values()))
        if words[0] != "accounts" or words[1] not in accounts:
            return web.json_response({"message": "Not found"}, status=404)
        if len(words) == 2:
            return web.json_response(accounts[words[1]])
        return self._page(self.transactions[words[1]], query)

    def _page(self, rows: Sequence[Line], query: Mapping[str, str]) -> web.Response:
        assert query["sort"] == "asc"
        assert query["from"] == "2009-01-03", "without a first day Vezgo tells one year"
        limit = int(query["limit"])
        if limit > self.rows_max:
            return web.json_response({"message": "too large"}, status=502)
        ids = [row["id"] for row in rows]
        start = ids.index(query["last"]) + 1 if query.get("last") else 0
        return web.json_response(list(rows[start : start + limit]))


def _packed(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


@asynccontextmanager
async def serving(now_ms: Callable[[], int]) -> AsyncIterator[tuple[Vezgo, str]]:
    """A server without users, and its base URL."""
    made = Vezgo(now_ms)
    async with loopback(made.handle) as url:
        yield made, f"{url}/v1"


def account(number: str, slug: str, **more: Any) -> Line:
    """An account as Vezgo lists it."""
    return {
        "id": number,
        "name": None,
        "resource_type": "account",
        "blockchain": None,
        "created_at": 1_700_000_000_000,
        "updated_at": 1_700_000_000_000,
        "status": "ok",
        "error": None,
        "fiat_value": "0.00",
        "fiat_ticker": "USD",
        "provider": {"name": slug, "display_name": slug, "resource_type": "provider"},
        "wallets": [],
        "balances": [],
        **more,
    }


def transaction(number: str, at: int, kind: str, parts: Sequence[Line], **more: Any) -> Line:
    """A transaction as Vezgo tells it."""
    return {
        "id": number,
        "resource_type": "transaction",
        "status": None,
        "transaction_type": kind,
        "transaction_subtype": None,
        "transaction_hash": None,
        "fiat_calculated_at": at,
        "initiated_at": at,
        "confirmed_at": at,
        "wallet": "",
        "misc": {},
        "parts": list(parts),
        "fees": [],
        **more,
    }


def part(direction: str, amount: str, ticker: str, **more: Any) -> Line:
    """A part of a transaction."""
    return {
        "direction": direction,
        "ticker": ticker,
        "provider_ticker": ticker,
        "ticker_address": None,
        "amount": amount,
        "fiat_ticker": "USD",
        "fiat_value": None,
        "from_address": None,
        "to_address": None,
        "other_parties": [],
        **more,
    }


def told_by_vezgo(venue: str, lines: Iterable[Line], rng: random.Random, *, named: float) -> tuple[Line, list[Line]]:
    """A simulated user's account and transactions as Vezgo would tell them; `named` of them bear the venue's own id.

    As there: history begins some day and not at the beginning, what lies in earn wallets has tickers that end in `.staked`, and a
    transaction names one wallet.
    """
    found = list(lines)
    balances = [line for line in found if line["kind"] == "balance"]
    events = [line for line in found if line["kind"] == "transaction"]
    begin = rng.choice(events)["at"] if rng.random() < 0.5 else 0
    made = account(
        wire_id(venue, rng.random()),
        venue,
        wallets=[{"id": _wallet(venue, name), "name": name, "address": None} for name in sorted({b["wallet"] for b in balances})],
        balances=[_balance(venue, line) for line in balances],
    )
    rows = [_transaction(venue, line, rng, named=named) for line in events if line["at"] >= begin]
    return made, rows


def _wallet(venue: str, name: str) -> str:
    return f"{venue}:cash:usd" if name == "spot" else f"{venue}:{name}:usd"


def _coin(line: Line) -> Line:
    ending = ".staked" if line["wallet"] == "earn" else ""
    return {
        "ticker": line["asset"] + ending,
        "provider_ticker": line["asset_id"].partition("/")[2] + ending,
        "ticker_address": None,
    }


def _balance(venue: str, line: Line) -> Line:
    kind = "staked" if line["wallet"] == "earn" else "crypto"
    return {
        **_coin(line),
        "resource_type": "balance",
        "asset_type": kind,
        "amount": line["amount"],
        "fiat_value": (line["value"] or {}).get("USD"),
        "fiat_ticker": "USD",
        "updated_at": 1_740_000_000_000,
        "wallet": _wallet(venue, line["wallet"]),
    }


def _transaction(venue: str, line: Line, rng: random.Random, *, named: float) -> Line:
    principals = [leg for leg in line["legs"] if leg["role"] == "principal"]
    first = (principals or line["legs"] or [{"wallet": "spot"}])[0]
    is_named = rng.random() < named
    return transaction(
        wire_id(venue, line["ref"], line["at"]),
        line["at"] if rng.random() < 0.7 else line["at"] - line["at"] % 1000,
        line["type"],
        [_part(leg) for leg in principals],
        transaction_subtype=line["subtype"],
        transaction_hash=line["event"].rpartition(":")[2] if line["event"] and rng.random() < named else None,
        wallet=_wallet(venue, first["wallet"]),
        misc={"origin_id": line["ref"] if is_named else None},
        fees=[
            {**_coin(leg), "amount": _size(leg), "fiat_ticker": "", "fiat_value": ""}
            for leg in line["legs"]
            if leg["role"] == "fee"
        ],
    )


def _part(leg: Line) -> Line:
    value = (leg["value"] or {}).get("USD")
    worth = None if value is None else f"{abs(Decimal(value)):.2f}"
    way = "sent" if leg["amount"].startswith("-") else "received"
    return {**part(way, _size(leg), leg["asset"]), **_coin(leg), "fiat_value": worth, "to_address": leg["counterparty"]}


def _size(leg: Line) -> str:
    # A fee is a cost there; one that was given back is negative.
    amount: str = leg["amount"]
    if leg["role"] == "fee":
        return amount[1:] if amount.startswith("-") else f"-{amount}"
    return amount.lstrip("-")
