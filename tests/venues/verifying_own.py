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
SECRETS: Mapping[str, Mapping[str, str]] = {
    "bitpanda": {"key": KEY},
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


VERIFIERS: Mapping[str, Callable[[Asked], bool]] = {"bitpanda": bitpanda}


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
        if not VERIFIERS[self.row.id](asked):
            return web.json_response({"message": "the signature is wrong"}, status=401)
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
