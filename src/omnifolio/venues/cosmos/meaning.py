"""What a transaction was meant to be, for people: its messages in plain words, and who was on the other side of a bridge.

Nothing here moves an amount. A transfer between chains (IBC) is told by the packet that it sends or receives, which names an
address of each chain. Source: ibc-go's documentation of its events and of ICS-20 packets, seen 2026-11.
"""

import binascii
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec import Struct

from omnifolio.venues.cosmos.events import Happening
from omnifolio.venues.cosmos.shapes import Told, printable

LABELS_MAX = 4
"""Kinds of messages that are named; the others are counted."""
_PACKETS: Mapping[str, int] = {"send_packet": -1, "recv_packet": 1}
"""Events that carry a packet: one that leaves, one that comes."""
_EXEC = "/cosmos.authz.v1beta1.MsgExec"
_RETURNING = frozenset({"MsgTimeout", "MsgAcknowledgement", "MsgTimeoutOnClose"})
"""Messages by which a transfer that did not arrive comes back."""


class _Packet(Struct, frozen=True):
    sender: str = ""
    receiver: str = ""


def parties_of(read: Sequence[Happening], own: str) -> dict[tuple[int | None, int], str]:
    """Addresses on other chains by message and sign: -1 for coins that leave the address, 1 for coins that come to it."""
    found: dict[tuple[int | None, int], str] = {}
    for one in read:
        sign = _PACKETS.get(one.type)
        packet = _packet(one.words) if sign else None
        if sign == -1 and packet and packet.sender == own and packet.receiver:
            found[one.message, -1] = printable(packet.receiver)
        if sign == 1 and packet and packet.receiver == own and packet.sender:
            found[one.message, 1] = printable(packet.sender)
    return found


def returned(told: Told) -> bool:
    """Whether a transfer to another chain came back."""
    return any(kind in _RETURNING for kind in told.kinds)


def label_of(told: Told, read: Sequence[Happening], own: str) -> str:
    """The messages in plain words, and when coins that are being unstaked are free."""
    names = [*dict.fromkeys(_plain(message) for message in _messages(told.messages))]
    shown = [*names[:LABELS_MAX], *([f"{len(names) - LABELS_MAX} more"] if len(names) > LABELS_MAX else [])]
    free = sorted({day for day in (_free_day(one, own) for one in read) if day})
    return ", ".join([*shown, *(f"free on {day}" for day in free)])


def _messages(told: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The messages, those that are carried out for somebody else in the place of the one that carries them."""
    for message in told:
        inner = message.get("msgs")
        if message.get("@type") == _EXEC and isinstance(inner, list):
            yield from (one for one in inner if isinstance(one, dict))
        else:
            yield message


def _plain(message: Mapping[str, Any]) -> str:
    """A message's type in words: `withdraw delegator reward`."""
    name = str(message.get("@type", "")).rpartition(".")[2].removeprefix("Msg")
    words = "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in printable(name)[:60])
    return words.strip() or "message"


def _free_day(one: Happening, own: str) -> str:
    """The day on which coins of an `unbond` event come back, where it is not somebody else's."""
    text = one.words.get("completion_time", "")
    if one.type != "unbond" or one.words.get("delegator", own) != own:
        return ""
    try:
        return datetime.fromisoformat(text[:10]).replace(tzinfo=UTC).date().isoformat()
    except ValueError:
        return ""


def _packet(words: Mapping[str, str]) -> _Packet | None:
    """The packet that an event carries, as text or in hexadecimal; None for one that is no transfer of coins."""
    text = words.get("packet_data", "").encode()
    try:
        return msgspec.json.decode(text or binascii.unhexlify(words.get("packet_data_hex", "")), type=_Packet)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, binascii.Error):
        return None
