"""Receiving webhooks: who sent it, and is it still the time (Standard Webhooks, https://www.standardwebhooks.com)."""

import base64
import binascii
import hashlib
import hmac
import time
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from omnifolio_client.errors import WebhookInvalid

TOLERANCE_S = 300.0
"""How far the sender's clock, or a delay, may be off."""
_PREFIX = "whsec_"
_VERSION = "v1,"


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """A webhook that is what it says. `id` is the same however often it is delivered: take in each id once."""

    id: str
    timestamp: int
    payload: Any


def verify(
    secrets: str | Iterable[str],
    headers: Mapping[str, str],
    body: bytes | str,
    *,
    tolerance_s: float = TOLERANCE_S,
    now: float | None = None,
) -> Event:
    """The event, if one of the secrets signed it. Give the body as it came, not one that was parsed and written again.

    Several secrets are given while one replaces another. Raises: WebhookInvalid, ValueError for a secret that is none.
    """
    found = {name.lower(): value for name, value in headers.items()}
    missing = [name for name in ("webhook-id", "webhook-timestamp", "webhook-signature") if not found.get(name)]
    if missing:
        raise WebhookInvalid(f"the header {missing[0]} is missing")
    number, stamp = found["webhook-id"], found["webhook-timestamp"]
    if not (stamp.isascii() and stamp.isdigit()):
        raise WebhookInvalid("webhook-timestamp: expected seconds since 1970")
    if abs((time.time() if now is None else now) - int(stamp)) > tolerance_s:
        raise WebhookInvalid("the webhook is too old or too new")
    data = body.encode() if isinstance(body, str) else bytes(body)
    signed = f"{number}.{stamp}.".encode() + data
    keys = [_key(secret) for secret in ([secrets] if isinstance(secrets, str) else secrets)]
    given = [_digest(part) for part in found["webhook-signature"].split(" ") if part.startswith(_VERSION)]
    expected = [hmac.digest(key, signed, hashlib.sha256) for key in keys]
    # Every pair is compared, so that the time says nothing of which one fits.
    if not sum(hmac.compare_digest(one, other) for one in expected for other in given):
        raise WebhookInvalid("no signature fits")
    try:
        payload = msgspec.json.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise WebhookInvalid("the body is not JSON") from None
    return Event(id=number, timestamp=int(stamp), payload=payload)


def _key(secret: str) -> bytes:
    try:
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not key:
        raise ValueError("a webhook secret is whsec_ and base64")
    return key


def _digest(part: str) -> bytes:
    try:
        return base64.b64decode(part.removeprefix(_VERSION), validate=True)
    except (binascii.Error, ValueError):
        return b""
