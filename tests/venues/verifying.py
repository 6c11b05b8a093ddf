"""Exchanges on the loopback that check every signature by code of their own, and answer from a script."""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any
from urllib.parse import parse_qs, parse_qsl

import jwt
from aiohttp import web
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from tests.stage import Hurry, loopback

from omnifolio.catalog import exchanges
from omnifolio.model.errors import EgressRefused, VenueError
from omnifolio.model.secrets import Secret
from omnifolio.transport.egress import Egress
from omnifolio.venues.contract import Access
from omnifolio.venues.exchanges.ccxt_bridge import Bridge

KEY = "K" * 56
KRAKEN_SECRET = base64.b64encode(b"kraken secret of 64 bytes " * 3).decode()
BINANCE_SECRET = "b" * 64
EC_KEY = ec.generate_private_key(ec.SECP256R1())
PEM = EC_KEY.private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
).decode()
COINBASE_KEY = "organizations/11111111-1111/apiKeys/22222222-2222"
SECRETS: Mapping[str, Mapping[str, str]] = {
    "kraken": {"key": KEY, "secret": KRAKEN_SECRET},
    "binance": {"key": KEY, "secret": BINANCE_SECRET},
    "coinbase": {"key": COINBASE_KEY, "secret": PEM},
}


def verified_kraken(request: web.Request, body: bytes, nonces: list[int]) -> bool:
    """Kraken: API-Sign = HMAC-SHA512(path + SHA256(nonce + body), secret), and the nonce must grow."""
    nonce = int(parse_qs(body.decode())["nonce"][0])
    is_new = not nonces or nonce > nonces[-1]
    nonces.append(nonce)
    path = request.path[request.path.index("/0/") :]
    message = path.encode() + hashlib.sha256(str(nonce).encode() + body).digest()
    expected = hmac.new(base64.b64decode(KRAKEN_SECRET), message, hashlib.sha512).digest()
    given = base64.b64decode(request.headers["API-Sign"])
    return is_new and request.headers["API-Key"] == KEY and hmac.compare_digest(given, expected)


def verified_binance(request: web.Request, body: bytes, now_ms: int) -> bool:
    """Binance: signature = HMAC-SHA256 over everything before it, and the time stamp within the window."""
    signed = body.decode() if body else request.query_string
    payload, _, signature = signed.rpartition("&signature=")
    expected = hmac.new(BINANCE_SECRET.encode(), payload.encode(), hashlib.sha256).hexdigest()
    fields = dict(parse_qsl(payload))
    is_fresh = abs(now_ms - int(fields["timestamp"])) <= int(fields["recvWindow"])
    return is_fresh and request.headers["X-MBX-APIKEY"] == KEY and hmac.compare_digest(signature, expected)


def verified_coinbase(request: web.Request) -> bool:
    """Coinbase: an ES256 token for this method, host and path, valid for two minutes."""
    token = request.headers["Authorization"].removeprefix("Bearer ")
    claims = jwt.decode(token, EC_KEY.public_key(), algorithms=["ES256"], options={"verify_aud": False, "verify_exp": False})
    is_bound = claims["uri"] == f"{request.method} {request.host}{request.path}"
    return bool(is_bound and claims["sub"] == COINBASE_KEY and claims["exp"] - claims["nbf"] == 120)


class Venue:
    """A server that verifies and answers from a script; what it saw stays."""

    def __init__(self, name: str, *, script: list[tuple[int, object]] | None = None, ahead_ms: int = 0) -> None:
        self.name = name
        self.script = script or [(200, {"error": [], "result": {"ok": "1"}, "data": [{"id": "1"}]})]
        self.ahead_ms = ahead_ms
        self.clock = Hurry()
        self.paths: list[str] = []
        self.agents: set[str] = set()
        self.nonces: list[int] = []

    def running(self) -> AbstractAsyncContextManager[str]:
        return loopback(self.handle)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.paths.append(f"{request.method} {request.path}")
        self.agents.add(request.headers["User-Agent"])
        body, now_ms = await request.read(), self.clock.now() + self.ahead_ms
        if request.path.endswith("/time"):
            return web.json_response({"serverTime": now_ms, "data": {"epoch": now_ms // 1000}})
        if request.path.endswith("/Time"):
            return web.json_response({"error": [], "result": {"unixtime": now_ms // 1000}})
        if self.name == "kraken" and not verified_kraken(request, body, self.nonces):
            return web.json_response({"error": ["EAPI:Invalid nonce"]})
        if self.name == "binance" and not verified_binance(request, body, now_ms):
            return web.json_response(
                {"code": -1021, "msg": "Timestamp for this request is outside of the recvWindow."}, status=400
            )
        if self.name == "coinbase" and not verified_coinbase(request):
            return web.json_response({"errors": [{"id": "authentication_error", "message": "bad token"}]}, status=401)
        status, said = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if isinstance(said, bytes):
            return web.Response(body=said, status=status)
        return web.json_response(said, status=status)

    def access(self, url: str, egress: Egress) -> Access:
        secrets = {name: Secret(text) for name, text in SECRETS[self.name].items()}
        return Access(venue=self.name, egress=egress, clock=self.clock, key_label="k", secrets=secrets, base_url=url)

    async def asked(self, *calls: tuple[str, dict[str, str | int]], prefix: str = "") -> list[Any]:
        """Evidence, or the error, of calls made one after another over the real network."""
        found: list[Any] = []
        async with self.running() as url:
            egress = Egress(clock=self.clock, sleep=self.clock.sleep)
            bridge = Bridge(self.access(url + prefix, egress), exchanges.load(self.name))
            for endpoint, params in calls:
                try:
                    found.append(await bridge.call(endpoint, params))
                except (VenueError, EgressRefused) as error:
                    found.append(error)
            await bridge.close()
            await egress.close()
        return found
