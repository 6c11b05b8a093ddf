"""One exchange that ccxt does not have, as an object with the doors of ccxt's objects: named, signed and judged by its row.

A call is named as the row lists it (`GET private wallets`). Parameters that the path names go into it, the others into the query
of a GET or the JSON body of a POST.
"""

from collections.abc import Awaitable, Callable, Mapping
from functools import cache
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import msgspec
from msgspec import Struct

from omnifolio.catalog import exchanges
from omnifolio.catalog.exchanges import ExchangeRow
from omnifolio.model.clock import EpochMs
from omnifolio.venues.exchanges import lazy_ccxt
from omnifolio.venues.exchanges.gate import PLACEHOLDER, Gate, Signed, endpoint_of, gated
from omnifolio.venues.exchanges.signers.contract import Keys, Unsigned
from omnifolio.venues.exchanges.signers.registry import SIGNERS

PUBLIC = "public"


class Described(Struct, frozen=True):
    """One listed endpoint, in the words that ccxt uses for its own."""

    method: str
    api: str
    path: str
    config: Mapping[str, Any] = {}


class OwnExchange:
    """The exchange of one row. The gate is put around it (`gate.gated`), the credentials are set by the bridge."""

    row: ExchangeRow
    time_ms: Callable[[], int]
    admit: Callable[[int], Awaitable[None]]

    def __init__(self, config: Mapping[str, Any]) -> None:
        self.session = config["session"]
        self.headers: Mapping[str, str] = {}
        self.urls: dict[str, Any] = {"api": dict(self.row.groups)}
        self.apiKey: str | None = None
        self.secret: str | None = None
        self.uid: str | None = None
        self.password: str | None = None

    def described(self, name: str) -> Described | None:
        """The listed endpoint of that name, or None."""
        return next((Described(*endpoint) for endpoint in self.row.allowed if " ".join(endpoint) == name), None)

    def weight(self, api: Any, method: str, path: str, params: Any, config: Any) -> int:
        """What the call costs, in milliseconds of the venue's accounting."""
        return self.row.pacing.call_ms

    def implode_hostname(self, url: str) -> str:
        """The URL itself: a row's hosts are whole."""
        return url

    async def request(self, path: str, api: Any = PUBLIC, method: str = "GET", params: Any = None) -> Any:
        """Signs and sends one endpoint."""
        return await self.fetch2(path, api, method, params)

    async def fetch2(self, path: str, api: Any = PUBLIC, method: str = "GET", params: Any = None) -> Any:
        """Signs and sends one endpoint."""
        signed = self.sign(path, api, method, params)
        return await self.fetch(signed["url"], signed["method"], signed["headers"], signed["body"])

    async def fetch(self, url: Any, method: Any = "GET", headers: Any = None, body: Any = None) -> Any:
        """Nothing: only the gate around this object knows a way out."""
        raise NotImplementedError

    def sign(self, path: str, api: Any = PUBLIC, method: str = "GET", params: Any = None) -> dict[str, Any]:
        """The request of one endpoint: its URL under the group's, its headers and its body."""
        group = endpoint_of(method, api, path)[1]
        left = dict(params or {})
        for name in PLACEHOLDER.findall(path):
            path = path.replace(f"{{{name}}}", quote(str(left.pop(name)), safe=""))
        query = urlencode(left) if method == "GET" else ""
        body = "" if method == "GET" else msgspec.json.encode(left).decode()
        base = self.row.groups[group]
        unsigned = Unsigned(
            method=method,
            path=f"{urlsplit(base).path}/{path}",
            query=query,
            body=body,
            at=EpochMs(self.time_ms()),
        )
        keys = Keys(key=self.apiKey or "", secret=self.secret or "", memo=self.uid or "", passphrase=self.password or "")
        headers = {} if group == PUBLIC else SIGNERS[self.row.signing](unsigned, keys)
        kind = {"Content-Type": "application/json"} if body else {}
        url = f"{self.urls['api'][group]}/{path}"
        return {"url": f"{url}?{query}" if query else url, "method": method, "headers": {**kind, **headers}, "body": body or None}

    def handle_errors(  # noqa: PLR0917  # ccxt's own arguments, in its order
        self, status: int, reason: str, url: str, method: str, headers: Any, text: str, parsed: Any, *sent: Any
    ) -> None:
        """Raises ccxt's general error where the row's tables tell a refusal; other failing statuses are left to the verdict."""
        answered = parsed if isinstance(parsed, dict) else {}
        is_good = all(str(answered[name]) == value for name, value in self.row.good.items() if name in answered)
        is_known = any(not known.isdigit() and known in text for known in self.row.errors)
        if not is_good or (status >= 400 and is_known):
            raise lazy_ccxt.errors().ExchangeError


@cache
def own_class(row_id: str) -> type[Any]:
    """The class of one row's exchange, gated. Raises: NotFound."""
    loaded = exchanges.load(row_id)

    class Own(OwnExchange):
        row = loaded

    Own.__name__ = Own.__qualname__ = row_id
    return gated(Own)


def make(row: ExchangeRow, *, gate: Gate, wire: Callable[[Signed], Awaitable[Any]]) -> Any:
    """The row's exchange behind its gate, without credentials."""
    return own_class(row.id)({}, gate=gate, wire=wire)
