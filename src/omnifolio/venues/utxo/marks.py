"""Where a reader of UTXO streams goes on: the contents of its cursors, as JSON that only this family reads.

A history's bookmark never passes what is final: the provisional end of the chain is read again each time.
"""

from typing import TypeVar

import msgspec
from msgspec import Struct

from omnifolio.model.clock import EpochMs

T = TypeVar("T")


class Anchor(Struct, frozen=True):
    """A final block: a server that has another one there follows another chain."""

    height: int
    hash: str


class BalancesMark(Struct, frozen=True, omit_defaults=True):
    """`ends` of the last scan's branches."""

    ends: tuple[int, ...] = ()


class HistoryMark(Struct, frozen=True, omit_defaults=True):
    """Everything at or below (`height`, `name`) was read for the scripts below `ends`; `at` is the time of that block.

    `seen` keeps when each waiting transaction was first met, for servers that do not say.
    """

    height: int = 0
    name: str = ""
    at: EpochMs = EpochMs(0)
    ends: tuple[int, ...] = ()
    anchor: Anchor | None = None
    seen: dict[str, EpochMs] = {}


class WalkMark(Struct, frozen=True, omit_defaults=True):
    """Everything at or below height `floor` was read for the scripts below `ends`. A walk that was broken off goes on: it reads
    down from block `top` for the scripts below `aims`, and has come to the place `place`, and there to `after` (a transaction, or
    the number of a page). `seen` keeps when each waiting transaction was first met."""

    floor: int = 0
    ends: tuple[int, ...] = ()
    top: int = 0
    aims: tuple[int, ...] = ()
    place: str = ""
    after: str = ""
    seen: dict[str, EpochMs] = {}


def read_mark(token: str, kind: type[T]) -> T:
    """The bookmark in a cursor's token; a new one for "". Raises: ValueError for a token that is not one of ours."""
    return msgspec.json.decode(token or "{}", type=kind)


def write_mark(mark: BalancesMark | HistoryMark | WalkMark) -> str:
    """The bookmark as a cursor's token."""
    return msgspec.json.encode(mark).decode()
