"""The balance request of each exchange of ccxt as its own `sign` builds it from made-up credentials: names only, never values.

Signatures, nonces and time stamps change with each run; which parameters, headers and body fields there are does not.
"""

import base64
import json
from contextlib import suppress
from typing import Any, NoReturn
from urllib.parse import parse_qsl, urlsplit

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from tools.ccxt_cases import LOADERS, markets

from omnifolio.venues.exchanges import offline

CREDENTIALS = {
    "apiKey": "12345678-1234-1234-1234-123456789012",
    "secret": base64.b64encode(b"0123456789abcdef" * 2).decode(),
    "password": "pw",
    "uid": "1001",
    "login": "l",
    "accountId": "1001",
    "walletAddress": "0x" + "1" * 40,
    "privateKey": "0x" + "2" * 64,
    "token": "t",
}


class Captured(Exception):
    """Raised in the place of sending."""


def signing_line(ccxt_id: str) -> str:
    """`id VERB host path query=… headers=… body=…` of the balance request, or that none can be built offline."""
    base: Any = offline.load(ccxt_id)
    sent: list[str] = []

    class Signing(base):  # type: ignore[misc]  # ccxt is untyped
        async def fetch(self, url: str, method: str = "GET", headers: Any = None, body: Any = None) -> NoReturn:
            parts = urlsplit(url)
            query = _names(parts.query)
            sent.append(f"{method} {parts.netloc} {parts.path} query={query} headers={_list(headers or {})} body={_names(body)}")
            raise Captured

        async def load_markets(self, *args: Any) -> Any:
            return self.markets

    exchange = Signing({"enableRateLimit": False})
    exchange.set_markets(markets())
    exchange.accounts = [{"id": "1", "type": "main", "code": None, "info": {}}]
    _without_loaders(exchange)
    for name, value in {**CREDENTIALS, **_key_pair(ccxt_id)}.items():
        setattr(exchange, name, value)
    # What it stumbles over differs with where it runs: whether something was signed is the fact.
    with suppress(Exception):
        offline.result(exchange.fetch_balance)
    return f"{ccxt_id} {sent[0]}" if sent else f"{ccxt_id} - not offline"


def _without_loaders(exchange: Any) -> None:
    async def nothing(*args: object) -> list[bool]:
        return [False, True]

    for name in LOADERS:
        if hasattr(exchange, name):
            setattr(exchange, name, nothing)


def _key_pair(ccxt_id: str) -> dict[str, str]:
    if ccxt_id != "coinbase":
        return {}
    key = ec.generate_private_key(ec.SECP256R1())
    form = serialization.PrivateFormat.TraditionalOpenSSL
    pem = key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()
    return {"apiKey": "organizations/a/apiKeys/b", "secret": pem}


def _list(names: Any) -> str:
    return ",".join(sorted(str(name) for name in names)) or "-"


def _names(text: Any) -> str:
    """The names of a form's or JSON object's fields; `opaque` for a body that is encoded otherwise."""
    if not text:
        return "-"
    if isinstance(text, dict):
        return _list(text)
    try:
        value = json.loads(text)
    except (TypeError, ValueError):
        form = str(text)
        return _list({name for name, _ in parse_qsl(form, keep_blank_values=True)}) if "=" in form.rstrip("=") else "opaque"
    return _list(value) if isinstance(value, dict) else type(value).__name__
