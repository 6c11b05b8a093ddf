"""Exchanges that ccxt does not have, on the loopback: each checks the signature after its documentation, by code of its own."""

import base64
import hashlib
import hmac
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any

from aiohttp import web
from tests.stage import Hurry, loopback

from omnifolio.catalog import exchanges
from omnifolio.model.errors import EgressRefused, VenueError
from omnifolio.model.secrets import Secret
from omnifolio.transport.egress import Egress
from omnifolio.venues.contract import Access
from omnifolio.venues.exchanges.ccxt_bridge import Bridge

KEY, SECRET, MEMO = "Key-of-the-account-0123456789abcdef", "Secret-of-the-account-0123456789abcdef", "memo of mine"
PASSPHRASE = "passphrase of mine"
SECRETS: Mapping[str, Mapping[str, str]] = {
    "bit2me": {"key": KEY, "secret": SECRET},
    "bitcoinde": {"key": KEY, "secret": SECRET},
    "bitmart": {"key": KEY, "secret": SECRET, "memo": MEMO},
    "bitmex": {"key": KEY, "secret": SECRET},
    "bitpanda": {"key": KEY},
    "coinbaseprime": {"key": KEY, "secret": SECRET, "passphrase": PASSPHRASE},
    "coinex": {"key": KEY, "secret": SECRET},
    "iconomi": {"key": KEY, "secret": SECRET},
}


class Asked:
    """A request as the venue's own server sees it: without the path that a proxy in front of it has."""

    def __init__(self, request: web.Request, body: bytes, *, prefix: str, now_ms: int) -> None:
        self.method, self.headers, self.now_ms = request.method, request.headers, now_ms
        self.path = request.raw_path.partition("?")[0].removeprefix(prefix)
        self.query = request.raw_path.partition("?")[2]
        self.target = request.raw_path.removeprefix(prefix)
        self.body = body.decode()

    def is_fresh(self, at_ms: int) -> bool:
        """Whether a time stamp is of this minute."""
        return abs(self.now_ms - at_ms) < 60_000


def hexed(message: str) -> str:
    return hmac.new(SECRET.encode(), message.encode(), hashlib.sha256).hexdigest()


def based(message: bytes) -> str:
    return base64.b64encode(hmac.new(SECRET.encode(), message, hashlib.sha512).digest()).decode()


def bitpanda(asked: Asked) -> bool:
    """The key, in the clear."""
    return asked.headers["X-Api-Key"] == KEY


def bitmex(asked: Asked) -> bool:
    """hex(HMAC_SHA256(apiSecret, verb + path + expires + data)), and not expired."""
    expires = asked.headers["api-expires"]
    signature = hexed(f"{asked.method}{asked.target}{expires}{asked.body}")
    is_fresh = asked.now_ms < int(expires) * 1000 <= asked.now_ms + 120_000
    return is_fresh and asked.headers["api-key"] == KEY and asked.headers["api-signature"] == signature


def coinex(asked: Asked) -> bool:
    """HMAC-SHA256 of method + request_path + body + timestamp, in lower-case hex."""
    at = asked.headers["X-COINEX-TIMESTAMP"]
    signature = hexed(f"{asked.method}{asked.target}{asked.body}{at}")
    return asked.is_fresh(int(at)) and asked.headers["X-COINEX-KEY"] == KEY and asked.headers["X-COINEX-SIGN"] == signature


def bit2me(asked: Asked) -> bool:
    """HMAC-SHA512 of the SHA-256 of `nonce:url` or `nonce:url:body`, in base64."""
    nonce = asked.headers["x-nonce"]
    message = ":".join([nonce, asked.target, *([asked.body] if asked.body else [])])
    signature = based(hashlib.sha256(message.encode()).digest())
    return asked.is_fresh(int(nonce)) and asked.headers["x-api-key"] == KEY and asked.headers["api-signature"] == signature


def iconomi(asked: Asked) -> bool:
    """HMAC-SHA512 of timestamp + METHOD + path without query + body, in base64."""
    at = asked.headers["ICN-TIMESTAMP"]
    signature = based(f"{at}{asked.method}{asked.path}{asked.body}".encode())
    return asked.is_fresh(int(at)) and asked.headers["ICN-API-KEY"] == KEY and asked.headers["ICN-SIGN"] == signature


def bitmart(asked: Asked) -> bool:
    """HMAC-SHA256 of timestamp + "#" + memo + "#" + what was sent, in hex."""
    at = asked.headers["X-BM-TIMESTAMP"]
    is_json = not asked.body or asked.headers["Content-Type"] == "application/json"
    signature = hexed(f"{at}#{MEMO}#{asked.body or asked.query}")
    is_signed = asked.headers["X-BM-KEY"] == KEY and asked.headers["X-BM-SIGN"] == signature
    return is_json and is_signed and asked.is_fresh(int(at))


def bitcoinde(asked: Asked) -> bool:
    """HMAC-SHA256 of METHOD#URI#KEY#NONCE#md5 of the body, in hex, over the URI that the venue itself has."""
    nonce, empty = asked.headers["X-API-NONCE"], "d41d8cd98f00b204e9800998ecf8427e"
    assert not asked.body
    signature = hexed(f"{asked.method}#https://api.bitcoin.de{asked.target}#{KEY}#{nonce}#{empty}")
    is_signed = asked.headers["X-API-KEY"] == KEY and asked.headers["X-API-SIGNATURE"] == signature
    return is_signed and asked.is_fresh(int(nonce))


def coinbaseprime(asked: Asked) -> bool:
    """HMAC-SHA256 of timestamp + METHOD + path without query + body, in base64, with key and passphrase beside it."""
    at = asked.headers["X-CB-ACCESS-TIMESTAMP"]
    message = f"{at}{asked.method}{asked.path}{asked.body}".encode()
    signature = base64.b64encode(hmac.new(SECRET.encode(), message, hashlib.sha256).digest()).decode()
    is_own = (asked.headers["X-CB-ACCESS-KEY"], asked.headers["X-CB-ACCESS-PASSPHRASE"]) == (KEY, PASSPHRASE)
    return is_own and asked.headers["X-CB-ACCESS-SIGNATURE"] == signature and asked.is_fresh(int(at) * 1000)


VERIFIERS: Mapping[str, Callable[[Asked], bool]] = {
    "bit2me": bit2me,
    "bitcoinde": bitcoinde,
    "bitmart": bitmart,
    "bitmex": bitmex,
    "bitpanda": bitpanda,
    "coinbaseprime": coinbaseprime,
    "coinex": coinex,
    "iconomi": iconomi,
}


REFUSALS: Mapping[str, tuple[int, object]] = {"coinex": (200, {"code": 4006, "data": {}, "message": "signature error"})}
EXPIRED: Mapping[str, tuple[int, object]] = {"coinex": (200, {"code": 4017, "data": {}, "message": "signature expired"})}
"""How a wrong signature is refused where it is not by 401, and how one of another time."""


class OwnVenue:
    """A server that verifies and answers from a script; what it saw stays."""

    def __init__(self, name: str, *, script: list[tuple[int, object]] | None = None, prefix: str = "", ahead_ms: int = 0) -> None:
        self.row = exchanges.load(name)
        self.script = script or [(200, {**self.row.good, "data": []})]
        self.prefix = prefix
        self.ahead_ms = ahead_ms
        self.clock = Hurry()
        self.lines: list[str] = []

    def running(self) -> AbstractAsyncContextManager[str]:
        return loopback(self.handle)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        asked = Asked(request, await request.read(), prefix=self.prefix, now_ms=self.clock.now() + self.ahead_ms)
        self.lines.append(f"{asked.method} {asked.target}")
        assert request.headers["User-Agent"].startswith("omnifolio/")
        if asked.path.endswith("/time"):
            return web.json_response({**self.row.good, "data": {"timestamp": asked.now_ms}})
        if not VERIFIERS[self.row.id](asked):
            status, said = REFUSALS.get(self.row.id, (401, {"message": "the signature is wrong"}))
            if self.ahead_ms:
                status, said = EXPIRED[self.row.id]
            return web.json_response(said, status=status)
        status, said = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        return web.json_response(said, status=status)

    async def asked(self, *calls: tuple[str, dict[str, str | int]]) -> list[Any]:
        """Evidence, or the error, of calls made one after another over the real network."""
        found: list[Any] = []
        secrets = {name: Secret(text) for name, text in SECRETS[self.row.id].items()}
        async with self.running() as url:
            egress = Egress(clock=self.clock, sleep=self.clock.sleep)
            access = Access(
                venue=self.row.id,
                egress=egress,
                clock=self.clock,
                key_label="k",
                secrets=secrets,
                base_url=url + self.prefix,
            )
            bridge = Bridge(access, self.row)
            for endpoint, params in calls:
                try:
                    found.append(await bridge.call(endpoint, params))
                except (VenueError, EgressRefused) as error:
                    found.append(error)
            await bridge.close()
            await egress.close()
        return found
