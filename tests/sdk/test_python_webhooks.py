"""A webhook is taken only from who knows the secret, only as it was sent, and only in time."""

import base64
import hashlib
import hmac
from typing import Any

import pytest

from omnifolio_client import WebhookInvalid, webhooks

SECRET = "whsec_plJ3nmyCDGBKInavdOK15jsl"
OLD = "whsec_" + base64.b64encode(b"the secret before").decode()
AT = 1_731_705_121
BODY = b'{"event_type":"ping","data":{"success":true}}'
HEADERS = {
    "webhook-id": "msg_loFOjxBNrRLzqYUf",
    "webhook-timestamp": str(AT),
    "webhook-signature": "v1,rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0=",
}
"""An example that the standard publishes, with its secret."""


def signed(secret: str, **changes: str) -> dict[str, str]:
    """Headers as a sender writes them."""
    headers = HEADERS | {name.replace("_", "-"): value for name, value in changes.items()}
    key = base64.b64decode(secret.removeprefix("whsec_"))
    text = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + BODY
    digest = base64.b64encode(hmac.digest(key, text, hashlib.sha256)).decode()
    return headers | {"webhook-signature": f"v1,{digest}"}


def verify(headers: dict[str, str], body: Any = BODY, *, secrets: Any = SECRET, now: float = AT) -> webhooks.Event:
    """Checks one that has just arrived."""
    return webhooks.verify(secrets, headers, body, now=now)


def test_the_example_of_the_standard_is_taken() -> None:
    event = verify(HEADERS)
    assert (event.id, event.timestamp) == ("msg_loFOjxBNrRLzqYUf", AT)
    assert event.payload["data"] == {"success": True}
    assert verify({name.title(): value for name, value in HEADERS.items()}, BODY.decode()) == event


def test_while_a_secret_is_replaced_both_are_taken() -> None:
    assert verify(signed(OLD), secrets=[SECRET, OLD]).id
    both = HEADERS | {"webhook-signature": f"v1a,ignored {signed(OLD)['webhook-signature']} {HEADERS['webhook-signature']}"}
    assert verify(both).id
    with pytest.raises(WebhookInvalid, match="no signature fits"):
        verify(signed(OLD))


@pytest.mark.parametrize(
    "changes",
    [
        {"webhook-id": "msg_other"},
        {"webhook-timestamp": str(AT + 1)},
        {"webhook-signature": "v1,AAAA"},
        {"webhook-signature": "v1,not base64"},
        {"webhook-signature": HEADERS["webhook-signature"].replace("v1", "v2")},
    ],
)
def test_what_was_changed_is_refused(changes: dict[str, str]) -> None:
    with pytest.raises(WebhookInvalid, match="no signature fits"):
        verify(HEADERS | changes)


def test_a_body_that_was_written_again_is_refused() -> None:
    with pytest.raises(WebhookInvalid):
        verify(HEADERS, BODY.replace(b":", b": "))


@pytest.mark.parametrize("name", HEADERS)
def test_every_header_is_needed(name: str) -> None:
    with pytest.raises(WebhookInvalid, match=name):
        verify({key: value for key, value in HEADERS.items() if key != name})


@pytest.mark.parametrize("late_s", [301, -301])
def test_one_that_is_too_old_or_too_new_is_refused(late_s: int) -> None:
    with pytest.raises(WebhookInvalid, match="too old or too new"):
        verify(HEADERS, now=AT + late_s)
    assert verify(HEADERS, now=AT + late_s - (1 if late_s > 0 else -1)).id


@pytest.mark.parametrize("stamp", ["x", "-1", "1.5", "٣"])
def test_a_time_that_is_none_is_refused(stamp: str) -> None:
    with pytest.raises(WebhookInvalid, match="timestamp"):
        verify(signed(SECRET, webhook_timestamp=stamp))


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_ä", "not base64!"])
def test_a_secret_that_is_none_is_a_mistake_of_ours(secret: str) -> None:
    with pytest.raises(ValueError, match="whsec_"):
        verify(HEADERS, secrets=secret)


def test_without_a_secret_nothing_is_taken() -> None:
    with pytest.raises(WebhookInvalid, match="no signature fits"):
        verify(HEADERS, secrets=[])
