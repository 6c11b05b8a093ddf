"""What the bank's events say of a transaction: who spent and who received, in the order in which it happened.

The bank tells every movement by a pair: `coin_spent` and `coin_received` of the same coins, one after the other. A payment to
several has one spender and then its receivers; coins that are made have no spender, coins that are burnt no receiver. Software
before SDK 0.44 tells a `transfer` alone, and nothing of what is staked.
Source: the SDK's documentation of bank events (v0.44 to v0.55), seen 2026-11.
"""

import base64
import re
from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from omnifolio.model.errors import VenueBadResponse
from omnifolio.venues.cosmos.shapes import Event

SPENT, RECEIVED, TRANSFER = "coin_spent", "coin_received", "transfer"
_OWNER = {SPENT: "spender", RECEIVED: "receiver"}
_KEYS = ("spender", "receiver", "recipient", "sender", "amount", "action", "fee", "acc_seq", "signature")
_ENCODED = frozenset(base64.b64encode(key.encode()).decode() for key in _KEYS)
_COIN = re.compile(r"([0-9]{1,78})([a-zA-Z][\x21-\x2b\x2d-\x3a\x3c-\x7e]{0,127})")


class Happening(Struct, frozen=True):
    """An event with its words as text. `message` is the place of the message that it belongs to, None: the transaction itself."""

    type: str
    words: Mapping[str, str]
    message: int | None


class Movement(Struct, frozen=True):
    """Coins that moved, by denomination. A side that nobody named is "". `message` as in the happening."""

    source: str
    target: str
    coins: Mapping[str, int]
    message: int | None


def happenings(events: Sequence[Event]) -> list[Happening]:
    """The events in order. Raises: VenueBadResponse for one whose base64 is none.

    New software numbers the message of each event (`msg_index`); in old software a `message` event with an `action` begins each.
    """
    is_encoded = any(word.key in _ENCODED for event in events for word in event.attributes)
    read = [(event.type, _words(event, is_encoded=is_encoded)) for event in events]
    is_numbered = any("msg_index" in words for _, words in read)
    found, place = [], -1
    for kind, words in read:
        if is_numbered:
            message = int(words["msg_index"]) if words.get("msg_index", "").isdigit() else None
        else:
            place += kind == "message" and "action" in words
            message = place if place >= 0 else None
        found.append(Happening(kind, words, message))
    return found


def movements(told: Sequence[Happening]) -> list[Movement]:
    """All coins that moved. Raises: VenueBadResponse for an amount that is none."""
    if any(one.type in _OWNER for one in told):
        return list(_paired([one for one in told if one.type in _OWNER]))
    return [
        Movement(one.words.get("sender", ""), one.words.get("recipient", ""), coins(one.words.get("amount", "")), one.message)
        for one in told
        if one.type == TRANSFER
    ]


def coins(text: str) -> dict[str, int]:
    """Coins as events write them, units by denomination: `5uatom,7ibc/…`. Raises: VenueBadResponse."""
    found: dict[str, int] = {}
    for part in filter(None, text.split(",")):
        match = _COIN.fullmatch(part)
        if match is None:
            raise VenueBadResponse("the node states an amount of coins that is none")
        found[match[2]] = found.get(match[2], 0) + int(match[1])
    return found


def _paired(told: Sequence[Happening]) -> Iterator[Movement]:
    """Each spending with the receivings right after it that are of the same coins, or of parts of them."""
    source, message = "", None
    left: dict[str, int] = {}
    for one in told:
        moved, owner = coins(one.words.get("amount", "")), one.words.get(_OWNER[one.type], "")
        if one.type == SPENT:
            yield from _burnt(source, left, message)
            source, left, message = owner, moved, one.message
        elif left and one.message == message and all(left.get(denom, 0) >= units for denom, units in moved.items()):
            left = {denom: units - moved.get(denom, 0) for denom, units in left.items() if units > moved.get(denom, 0)}
            yield Movement(source, owner, moved, one.message)
        else:
            yield from _burnt(source, left, message)
            left = {}
            yield Movement("", owner, moved, one.message)
    yield from _burnt(source, left, message)


def _burnt(source: str, left: Mapping[str, int], message: int | None) -> Iterator[Movement]:
    if left:
        yield Movement(source, "", dict(left), message)


def _words(event: Event, *, is_encoded: bool) -> dict[str, str]:
    """An event's words; of a key that stands there twice, the first."""
    found: dict[str, str] = {}
    for word in event.attributes:
        key, value = word.key, word.value or ""
        if is_encoded:
            key, value = _decoded(key), _decoded(value)
        # A database may not hold it, and nobody's address has it.
        found.setdefault(key, value.replace("\x00", ""))
    return found


def _decoded(text: str) -> str:
    try:
        return base64.b64decode(text, validate=True).decode(errors="replace")
    except ValueError:
        raise VenueBadResponse("an event's words are not base64 where others are") from None
