"""Where a reader of EVM streams goes on: the contents of its cursors, as JSON that only this family reads.

A transfers bookmark never passes what is final: the provisional end of the chain is read again each time, which is how rows
become final, and how the rows of a replaced block are replaced.
"""

from typing import TypeVar

import msgspec
from msgspec import Struct

from omnifolio.venues.evm.head import Anchor

T = TypeVar("T")


class TransfersMark(Struct, frozen=True, omit_defaults=True):
    """`next` block to read; `anchor` the block before it; `span` blocks to ask for at once (0: all there are); `refused` the
    smallest span that the node refused as too long (0: none); `tries` reads in a row that waited for receipts."""

    next: int = 0
    anchor: Anchor | None = None
    span: int = 0
    refused: int = 0
    tries: int = 0


class BalancesMark(Struct, frozen=True, omit_defaults=True):
    """`next` block to look for new tokens in; `mute` contracts that did not answer for a balance before."""

    next: int = 0
    mute: tuple[str, ...] = ()


def read_mark(token: str, kind: type[T]) -> T:
    """The bookmark in a cursor's token; a new one for "". Raises: ValueError for a token that is not one of ours."""
    return msgspec.json.decode(token or "{}", type=kind)


def write_mark(mark: TransfersMark | BalancesMark) -> str:
    """The bookmark as a cursor's token."""
    return msgspec.json.encode(mark).decode()
