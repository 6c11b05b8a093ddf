"""API credentials of simulated users: derived from the user's name, so no server has to remember them.

A key carries its user and its permission set in a readable envelope with a check code; its secret is derived from the
key. All of them are worthless outside the sandbox, and the derivation is public on purpose.
"""

import base64
import hmac
import re
import string
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha512
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

PERMISSIONS = ("read", "trade", "withdraw", "unknown-flag", "no-history", "bound", "expiring")
ADDRESS = "127.0.0.1"  # what a bound key is bound to
USER = re.compile(r"[a-z0-9][a-z0-9._-]{0,21}")
MASTER = b"omnifolio sandbox: these keys open nothing"
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
NAME_BYTES = 22  # what fits into two UUIDs beside the permission and the check code
ALPHABET = string.digits + string.ascii_letters
NAME_LETTERS = string.ascii_lowercase + string.digits + "._-"
OKX_KEY_BYTES = 20
BYBIT_DIGITS = 31  # what the longest name and its permission come to
DEMO_LOGIN = {"username": "demo", "password": "demo"}


@dataclass(frozen=True, slots=True)
class Holder:
    """Who a key belongs to and what it may do."""

    user: str
    permission: str


def check_user(user: str) -> str:
    """The name itself, if it is one a user can have.

    Raises: ValueError with the rule.
    """
    if not USER.fullmatch(user):
        raise ValueError(f"user name {user!r} is not usable: up to 22 of a-z 0-9 . _ -, beginning with a letter or digit")
    return user


def _mac(*parts: str) -> bytes:
    return hmac.new(MASTER, "\x1f".join(parts).encode(), sha512).digest()


def kraken(user: str, permission: str) -> tuple[str, str]:
    """Key (56 characters or more of base64) and secret (base64 of 64 bytes)."""
    body = f"{permission}|{check_user(user)}".encode()
    padded = body + b"\0" * (-(len(body) + 8) % 3) if len(body) >= 34 else body.ljust(34, b"\0")
    key = base64.b64encode(padded + _mac("kraken", user, permission)[:8]).decode()
    return key, base64.b64encode(_mac("kraken secret", key)).decode()


def kraken_holder(key: str) -> Holder | None:
    """Whose Kraken key this is; None if it is none of ours."""
    try:
        body = base64.b64decode(key, validate=True)[:-8].rstrip(b"\0").decode()
    except ValueError:
        return None
    return _holder(body, key, kraken)


def binance(user: str, permission: str) -> tuple[str, str]:
    """Key and secret, both of 64 letters and digits or more."""
    body = f"{permission}|{check_user(user)}".encode().hex()
    key = (body + "Z").ljust(64, _mac("binance", user, permission).hex()[0])
    return key, _mac("binance secret", key).hex()[:64]


def binance_holder(key: str) -> Holder | None:
    """Whose Binance key this is; None if it is none of ours."""
    try:
        body = bytes.fromhex(key.partition("Z")[0]).decode()
    except ValueError:
        return None
    return _holder(body, key, binance)


def bybit(user: str, permission: str) -> tuple[str, str]:
    """Key and secret, of letters and digits."""
    number = int.from_bytes(bytes([PERMISSIONS.index(permission) + 1]) + check_user(user).encode(), "big")
    digits = ""
    while number:
        number, place = divmod(number, len(ALPHABET))
        digits = ALPHABET[place] + digits
    key = "By" + digits.rjust(BYBIT_DIGITS, ALPHABET[0]) + _mac("bybit", user, permission).hex()[:4]
    return key, _mac("bybit secret", key).hex()[:36]


def bybit_holder(key: str) -> Holder | None:
    """Whose Bybit key this is; None if it is none of ours."""
    digits = key[2:-4]
    if not key.startswith("By") or len(digits) != BYBIT_DIGITS or any(digit not in ALPHABET for digit in digits):
        return None
    number = 0
    for digit in digits:
        number = number * len(ALPHABET) + ALPHABET.index(digit)
    body = number.to_bytes((number.bit_length() + 7) // 8, "big")
    if not body or not 0 < body[0] <= len(PERMISSIONS):
        return None
    return _holder(f"{PERMISSIONS[body[0] - 1]}|{body[1:].decode(errors='replace')}", key, bybit)


def okx(user: str, permission: str) -> tuple[str, str, str]:
    """Key, secret and passphrase; the key has 40 hexadecimal digits."""
    number = 0
    for letter in check_user(user):
        number = number * (len(NAME_LETTERS) + 1) + NAME_LETTERS.index(letter) + 1
    body = bytes([PERMISSIONS.index(permission)]) + number.to_bytes(15, "big")
    key = (body + _mac("okx", user, permission)[:4]).hex()
    return key, _mac("okx secret", key).hex()[:32].upper(), f"Pass-{_mac('okx passphrase', key).hex()[:10]}"


def okx_holder(key: str) -> Holder | None:
    """Whose OKX key this is; None if it is none of ours."""
    try:
        raw = bytes.fromhex(key)
    except ValueError:
        return None
    if len(raw) != OKX_KEY_BYTES or raw[0] >= len(PERMISSIONS):
        return None
    number, name = int.from_bytes(raw[1:16], "big"), ""
    while number:
        number, place = divmod(number, len(NAME_LETTERS) + 1)
        name = (NAME_LETTERS[place - 1] if place else "?") + name
    permission = PERMISSIONS[raw[0]]
    return Holder(name, permission) if USER.fullmatch(name) and okx(name, permission)[0] == key else None


def user_in(headers: Mapping[str, str]) -> str | None:
    """Whose Kraken, Binance, Bybit or OKX key a request carries, valid or not; None where it carries none of them."""
    holder = (
        kraken_holder(headers.get("api-key", ""))
        or binance_holder(headers.get("x-mbx-apikey", ""))
        or bybit_holder(headers.get("x-bapi-api-key", ""))
        or okx_holder(headers.get("ok-access-key", ""))
    )
    return None if holder is None else holder.user


def _holder(body: str, key: str, derive: Any) -> Holder | None:
    permission, _, user = body.partition("|")
    if permission not in PERMISSIONS or not USER.fullmatch(user) or derive(user, permission)[0] != key:
        return None
    return Holder(user, permission)


def coinbase(user: str, permission: str) -> tuple[str, str]:
    """Key name `organizations/<uuid>/apiKeys/<uuid>` and the private key as PEM (EC P-256)."""
    name = check_user(user).encode().ljust(NAME_BYTES, b"\0")
    mark = bytes([PERMISSIONS.index(permission)]) + _mac("coinbase", user, permission)[:7]
    raw = name + mark  # 30 bytes: 15 in each UUID, whose version and variant take the 16th
    key = f"organizations/{_uuid(raw[:15])}/apiKeys/{_uuid(raw[15:])}"
    return key, _coinbase_pem(key)


def coinbase_holder(key: str) -> Holder | None:
    """Whose Coinbase key name this is; None if it is none of ours."""
    found = re.fullmatch(r"organizations/([0-9a-f-]{36})/apiKeys/([0-9a-f-]{36})", key)
    if not found:
        return None
    raw = _plain(found.group(1)) + _plain(found.group(2))
    name, place = raw[:NAME_BYTES].rstrip(b"\0"), raw[NAME_BYTES]
    try:
        user = name.decode("ascii")
    except ValueError:
        return None
    if place >= len(PERMISSIONS) or not USER.fullmatch(user) or coinbase(user, PERMISSIONS[place])[0] != key:
        return None
    return Holder(user, PERMISSIONS[place])


def _uuid(raw: bytes) -> UUID:
    """15 bytes in a UUID of version 8 (its free form)."""
    digits = raw.hex()
    return UUID(f"{digits[:12]}8{digits[12:15]}a{digits[15:]}".ljust(32, "0"))


def _plain(uuid: str) -> bytes:
    digits = uuid.replace("-", "")
    return bytes.fromhex(digits[:12] + digits[13:16] + digits[17:32])[:15]


@lru_cache(maxsize=256)
def coinbase_private_key(key: str) -> ec.EllipticCurvePrivateKey:
    """The private key that belongs to a key name."""
    scalar = int.from_bytes(_mac("coinbase secret", key), "big") % (P256_ORDER - 1) + 1
    return ec.derive_private_key(scalar, ec.SECP256R1())


@lru_cache(maxsize=256)
def _coinbase_pem(key: str) -> str:
    return (
        coinbase_private_key(key)
        .private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        )
        .decode()
    )


def of_user(user: str, permission: str) -> dict[str, dict[str, str]]:
    """All credentials of a user with one permission set, by venue and field name."""
    if permission not in PERMISSIONS:
        raise ValueError(f"permission {permission!r} is not known: give one of {', '.join(PERMISSIONS)}")
    found: dict[str, dict[str, str]] = {}
    for venue, derive in (("kraken", kraken), ("binance", binance), ("bybit", bybit)):
        key, secret = derive(user, permission)
        found[venue] = {"apiKey": key, "secret": secret}
    name, pem = coinbase(user, permission)
    found["coinbase"] = {"apiKey": name, "secret": pem}
    key, secret, passphrase = okx(user, permission)
    found["okx"] = {"apiKey": key, "secret": secret, "passphrase": passphrase}
    if user == DEMO_LOGIN["username"]:
        found["demo"] = dict(DEMO_LOGIN)
    return found
