"""What is said of an event: thin, with ids and never an amount, an address or a name; in our form or in Vezgo's.

Vezgo's two bodies are its own byte for byte. Its `loginName` is the user's UUID here: a name that a team gave a user is kept as a
keyed hash only, and a text is what its readers expect in that place.
"""

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct

from omnifolio.model.clock import EpochMs, iso
from omnifolio.model.errors import account_error_name
from omnifolio.model.happenings import EventType, WebhookFormat
from omnifolio.model.ids import WireIds

TEST_USER = "00000000-0000-0000-0000-000000000000"
TEST_ACCOUNT = "0" * 24
TEST_PROVIDER = "demo"


class Event(Struct, frozen=True, kw_only=True):
    """What happened. `user` is a UUID ("" for a test), `sequence` the user's at that commit, `data` what else is said."""

    id: int
    user: str
    account: int | None
    sequence: int
    type: EventType
    data: Mapping[str, Any]
    at: EpochMs


def message_id(event: Event, ids: WireIds) -> str:
    """The name of the message: the same for every try, and for every webhook that is told."""
    return "msg_" + ids.wire("event", event.id)


def body_of(event: Event, form: WebhookFormat, ids: WireIds) -> bytes:
    """The message's body; the same bytes for every try."""
    return msgspec.json.encode(_vezgo(event, ids) if form == "vezgo" else _own(event, ids))


def _own(event: Event, ids: WireIds) -> Mapping[str, Any]:
    data: dict[str, Any] = {}
    if event.user:
        data["user"] = event.user
    if event.account is not None:
        data["account"] = ids.wire("account", event.account)
    data.update(event.data)
    if code := event.data.get("error"):
        data["error"] = {"code": code, "name": account_error_name(code)}
    if event.user:
        data["sequence"] = event.sequence
    return {"type": event.type, "timestamp": iso(event.at), "data": data}


def _vezgo(event: Event, ids: WireIds) -> Mapping[str, Any]:
    user = event.user or TEST_USER
    account = TEST_ACCOUNT if event.account is None else ids.wire("account", event.account)
    said: dict[str, Any] = {
        "hook": "SyncError" if event.type == "sync.failed" else "SyncAccount",
        "user": {"id": user, "loginName": user},
        "account": {"id": account, "provider": event.data.get("provider", TEST_PROVIDER)},
    }
    if event.type == "sync.failed":
        said["error"] = account_error_name(event.data["error"])
    return said
