"""The transfers inside a transaction as explorers list them: flat rows, in place of the calls of a node's trace.

Explorers leave out what moved nothing, number rows or do not, and some list everything again on each page. What a list says is
brought into the form of a trace, so that it is read like one.
"""

from collections.abc import Sequence

from msgspec import Struct, field

from omnifolio.catalog.chains import EvmChain
from omnifolio.model.errors import VenueBadResponse
from omnifolio.venues.evm.shapes import Frame, Receipt, Transaction
from omnifolio.venues.evm.words import TRANSFER, WITHDRAWAL, first_word

_CREATING = frozenset({"create", "create2"})
_NO_ADDRESS = "0x" + "00" * 20


class Inner(Struct, rename="camel", frozen=True):
    """One row of `txlistinternal`. A creation names the new contract in `contractAddress`. Values are decimal texts."""

    value: str
    sender: str = field(name="from", default="")
    to: str | None = None
    type: str = "call"
    contract_address: str | None = None
    is_error: str = "0"
    trace_id: str = ""
    index: str = ""
    hash: str = ""
    transaction_hash: str = ""
    call_type: str = ""


def frame_of(chain: EvmChain, receipt: Receipt, transaction: Transaction | None, rows: Sequence[Inner]) -> Frame:
    """The rows as the calls of a trace, each in its place. Raises: VenueBadResponse for a value that is no number."""
    calls = [_call(row) for row in once(chain, receipt, rows) if not _is_whole(row, transaction)]
    return Frame(type="CALL", calls=calls)


def _call(row: Inner) -> Frame:
    kind = row.call_type or row.type or "call"
    is_moving = kind.lower() not in ("delegatecall", "staticcall", "callcode")
    return Frame(
        type="CREATE" if row.type.lower() in _CREATING else "CALL" if is_moving else kind.upper(),
        sender=row.sender,
        to=row.to or row.contract_address,
        value=hex(units(row.value)),
        error="undone" if row.is_error == "1" else None,
    )


def units(text: str) -> int:
    """The number behind a decimal text. Raises: VenueBadResponse."""
    if not (text.isascii() and text.isdigit()):
        raise VenueBadResponse("a value of the explorer is no whole number")
    return int(text)


def _is_whole(row: Inner, transaction: Transaction | None) -> bool:
    """The row is the transaction's own call, which some lists have as their first."""
    if transaction is None or "0" not in (row.index, row.trace_id):
        return False
    same_ends = (row.sender.lower(), (row.to or "").lower()) == (transaction.sender.lower(), (transaction.to or "").lower())
    return same_ends and units(row.value) == int(transaction.value, 16)


def once(chain: EvmChain, receipt: Receipt, rows: Sequence[Inner]) -> Sequence[Inner]:
    """The rows once, where the whole list stands there several times.

    What the wrapped coin paid out tells that from a real repetition.
    """
    burnt = _unwrapped(chain, receipt)
    for length in range(1, len(rows) // 2 + 1):
        times, rest = divmod(len(rows), length)
        if rest or list(rows) != list(rows[:length]) * times:
            continue
        paid = sum(units(row.value) for row in rows if row.sender.lower() == chain.wrapped and row.is_error != "1")
        return rows[:length] if burnt and paid == burnt * times else rows
    return rows


def _unwrapped(chain: EvmChain, receipt: Receipt) -> int:
    """Units that the wrapped coin gave back, as its events say: by one kind of event or the other."""
    told = {TRANSFER: 0, WITHDRAWAL: 0}
    for log in receipt.logs:
        if log.address.lower() != chain.wrapped or not log.topics:
            continue
        if log.topics[0] == WITHDRAWAL or (log.topics[0] == TRANSFER and log.topics[-1].lower().endswith(_NO_ADDRESS[2:])):
            told[log.topics[0]] += first_word(log.data)
    return max(told.values())
