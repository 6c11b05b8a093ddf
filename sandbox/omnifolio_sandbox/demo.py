"""The demo venue's own small protocol: log in as `demo` / `demo`, read balances, read transactions by cursor.

    POST /demo/session {"username", "password"}   -> {"token", "expires_at"}
    GET  /demo/balances                           -> {"balances": [{"asset", "name", "kind", "amount"}]}
    GET  /demo/transactions?cursor=&limit=        -> {"transactions": [...], "next_cursor"}

The token goes into `Authorization: Bearer`. A transaction is `{"id", "at", "type", "subtype", "status", "event",
"movements": [{"asset", "amount", "role"}]}`, oldest first; `at` in epoch milliseconds, `amount` a signed decimal string
(into the account is positive), `role` `principal` or `fee`, `event` the chain transaction as `<CAIP-2>:<hash>` or null.
`next_cursor` is null at the end; the cursor of the last page read goes on from there later.
"""

import hmac
from hashlib import sha256
from typing import Any

import msgspec

from omnifolio_sandbox.amounts import text
from omnifolio_sandbox.credentials import DEMO_LOGIN, MASTER
from omnifolio_sandbox.http import Request, Response, answer
from omnifolio_sandbox.state import State
from omnifolio_sandbox.world.book import Event
from omnifolio_sandbox.world.tokens import ASSETS, kind_of

SESSION_MS = 3_600_000
PAGE = 20
PAGE_MAX = 100


class Login(msgspec.Struct):
    """The body of `POST /demo/session`."""

    username: str
    password: str


class DemoServer:
    """Paths below `/demo`; errors are `{"error": code, "message": text}`."""

    name = "demo"

    def __init__(self, state: State) -> None:
        self.state = state

    def handle(self, request: Request) -> Response:
        """Answer one call."""
        request.trace.weight = 1
        if (request.method, request.path) == ("POST", "/session"):
            return self._session(request)
        if request.method != "GET":
            self.state.log_violation(self.name, request)
            return _refused(405, "read_only", "the demo venue can only be read")
        if not self._is_valid(request.headers.get("authorization", "").removeprefix("Bearer ")):
            return _refused(401, "invalid_token", "log in again at POST /demo/session")
        request.trace.label = DEMO_LOGIN["username"]
        match request.path:
            case "/balances":
                return answer({"balances": self._balances()})
            case "/transactions":
                return self._transactions(request)
        return _refused(404, "not_found", f"nothing at {request.path}")

    def _session(self, request: Request) -> Response:
        try:
            login = msgspec.json.decode(request.body, type=Login)
        except msgspec.MsgspecError as fault:
            return _refused(400, "invalid_body", str(fault))
        given = {"username": login.username, "password": login.password}
        if given != DEMO_LOGIN:
            return _refused(401, "invalid_credentials", "username or password is wrong")
        expires = self.state.server_ms() + SESSION_MS
        return answer({"token": f"{expires}.{_mac(expires)}", "expires_at": expires})

    def _is_valid(self, token: str) -> bool:
        expires, _, mac = token.partition(".")
        if not expires.isdigit() or not hmac.compare_digest(mac, _mac(int(expires))):
            return False
        return int(expires) > self.state.server_ms()

    def _account(self) -> Any:
        return self.state.world.account(DEMO_LOGIN["username"], self.name)

    def _balances(self) -> list[dict[str, str]]:
        balances = self._account().balances(self.state.clock.world_ms)
        return [
            {
                "asset": code,
                "name": ASSETS[code].name,
                "kind": "fiat" if kind_of("demo", code) == "fiat" else "crypto",
                "amount": text(amount),
            }
            for (_, _, code), amount in balances.items()
        ]

    def _transactions(self, request: Request) -> Response:
        cursor, limit = request.query.get("cursor") or "0", request.query.get("limit") or str(PAGE)
        if not cursor.isdigit() or not limit.isdigit() or int(limit) < 1:
            return _refused(400, "invalid_paging", "cursor is what the last page gave, limit a number from 1 to 100")
        events = self._account().events(self.state.clock.world_ms)
        end = int(cursor) + min(int(limit), PAGE_MAX)
        return answer(
            {
                "transactions": [_row(event) for event in events[int(cursor) : end]],
                "next_cursor": str(end) if end < len(events) else None,
            }
        )


def _row(event: Event) -> dict[str, Any]:
    return {
        "id": event.ref,
        "at": event.at,
        "type": event.type,
        "subtype": event.subtype,
        "status": event.status,
        "event": event.chain,
        "movements": [{"asset": leg.code, "amount": text(leg.amount), "role": leg.role} for leg in event.legs],
    }


def _mac(expires: int) -> str:
    return hmac.new(MASTER, f"demo session {expires}".encode(), sha256).hexdigest()


def _refused(status: int, code: str, message: str) -> Response:
    return answer({"error": code, "message": message}, status)
