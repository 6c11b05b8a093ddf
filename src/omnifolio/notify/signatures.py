"""Signatures of messages after Standard Webhooks 1.0, made here and checked by whoever receives them.

`webhook-signature` holds one signature for each secret that is valid, separated by spaces: while a secret is changed there are
two. Signed are id, time and body, so that nothing of them can be exchanged and an old message cannot be sent again.
Source: the specification of Standard Webhooks, https://github.com/standard-webhooks/standard-webhooks, seen 2026-11-28.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping, Sequence

from omnifolio.model.clock import SECOND_MS, SystemClock
from omnifolio.model.errors import SignatureInvalid
from omnifolio.model.secrets import Secret

PREFIX = "whsec_"
SCHEME = "v1"
TOLERANCE_S = 300
"""So far a message's time may be from the receiver's."""
SIGNATURES_MAX = 8
"""More signatures in one header are not looked at."""


def secret_of(key: bytes, webhook: str, version: int) -> Secret:
    """The signing secret of a webhook (its id on the wire): it follows from the installation's key and is stored nowhere."""
    made = hmac.digest(key, f"webhook\0{webhook}\0{version}".encode(), hashlib.sha256)
    return Secret(PREFIX + base64.b64encode(made).decode())


def signed(secrets: Sequence[Secret], *, message: str, at_s: int, body: bytes) -> Mapping[str, str]:
    """The three headers of a message."""
    signatures = [_signature(_key(secret.reveal()), message, str(at_s), body) for secret in secrets]
    return {"webhook-id": message, "webhook-timestamp": str(at_s), "webhook-signature": " ".join(signatures)}


def verify(body: bytes, headers: Mapping[str, str], *secrets: str, now_s: int | None = None) -> str:
    """The message's id, by which a receiver knows a repetition, if it was signed with one of the secrets and is not old.

    `body` are the bytes as they came, before any parsing; `headers` may be written in any case.

    Raises: SignatureInvalid.
    """
    given = {name.lower(): value for name, value in headers.items()}
    message, at, signatures = (given.get(f"webhook-{name}", "") for name in ("id", "timestamp", "signature"))
    if not (message and at.isascii() and at.isdigit() and len(at) <= 12 and signatures):
        raise SignatureInvalid("the headers webhook-id, webhook-timestamp and webhook-signature are missing or not well formed")
    now = SystemClock().now() // SECOND_MS if now_s is None else now_s
    if abs(now - int(at)) > TOLERANCE_S:
        raise SignatureInvalid(f"the message's time differs from ours by more than {TOLERANCE_S} seconds")
    expected = [_signature(_key(secret), message, at, body).encode() for secret in secrets]
    offered = [text.encode() for text in signatures.split(" ")[:SIGNATURES_MAX]]
    # Each is compared in full: how long it takes must not say how much of it was right.
    matching = [hmac.compare_digest(one, other) for one in expected for other in offered]
    if not any(matching):
        raise SignatureInvalid
    return message


def _signature(key: bytes, message: str, at: str, body: bytes) -> str:
    made = hmac.digest(key, f"{message}.{at}.".encode() + body, hashlib.sha256)
    return f"{SCHEME},{base64.b64encode(made).decode()}"


def _key(secret: str) -> bytes:
    try:
        return base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error:
        raise SignatureInvalid("the secret is none: expected whsec_ and base64") from None
