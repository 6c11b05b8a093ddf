"""What contracts said of themselves in recorded `eth_call`s: decimals, symbols, names; asked one by one or many at once.

Calls come as `{to, data, result}`. Of many at once, both forms of Multicall are read: `aggregate3` and its forerunner
`tryAggregate`. An answer that does not fit is no answer.
"""

from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from omnifolio.model.errors import VenueBadResponse
from omnifolio.venues.evm.tokens import NAME_LENGTH_MAX, TICKER_LENGTH_MAX
from omnifolio.venues.evm.words import (
    AGGREGATE3,
    DECIMALS,
    NAME,
    SYMBOL,
    WORD_BYTES,
    bytes_at,
    clean_text,
    data_of,
    decode_aggregate,
    decode_text,
    uint_at,
    word,
)

TRY_AGGREGATE = bytes.fromhex("bce38bd7")
"""tryAggregate(bool,(address,bytes)[])"""
CALLS_MAX = 10_000
_SELECTOR_BYTES = 4


class Spoken(Struct):
    """By contract (lower case)."""

    decimals: dict[str, int]
    symbols: dict[str, str]
    names: dict[str, str]


def spoken(calls: Any) -> Spoken:
    """What the calls tell of tokens."""
    found = Spoken({}, {}, {})
    for contract, data, answer in _answered(calls if isinstance(calls, list) else []):
        if len(answer) < WORD_BYTES:
            continue
        if data == DECIMALS:
            found.decimals[contract] = word(answer, 0)
        elif data == SYMBOL and (text := decode_text(answer)):
            found.symbols[contract] = clean_text(text, length_max=TICKER_LENGTH_MAX)
        elif data == NAME and (text := decode_text(answer)):
            found.names[contract] = clean_text(text, length_max=NAME_LENGTH_MAX)
    return found


def _answered(calls: list[Any]) -> Iterator[tuple[str, bytes, bytes]]:
    """(contract, call data, answer) of every call, those inside others too."""
    for call in calls:
        if not isinstance(call, dict) or not all(isinstance(call.get(name), str) for name in ("to", "data", "result")):
            continue
        try:
            data, answer = data_of(call["data"]), data_of(call["result"])
            yield call["to"].lower(), data, answer
            if data[:_SELECTOR_BYTES] in (TRY_AGGREGATE, AGGREGATE3):
                yield from _inside(data, answer)
        except VenueBadResponse:
            continue


def _inside(data: bytes, answer: bytes) -> Iterator[tuple[str, bytes, bytes]]:
    """The calls of a Multicall with their answers. Raises: VenueBadResponse."""
    body, is_try = data[_SELECTOR_BYTES:], data[:_SELECTOR_BYTES] == TRY_AGGREGATE
    start = word(body, 1 if is_try else 0)
    count = uint_at(body, start)
    if count > CALLS_MAX:
        raise VenueBadResponse(f"more than {CALLS_MAX} calls at once")
    base = start + WORD_BYTES
    for n, (is_done, said) in enumerate(decode_aggregate(answer, count)):
        place = base + uint_at(body, base + n * WORD_BYTES)
        contract = f"0x{uint_at(body, place):040x}"
        asked = bytes_at(body, place + uint_at(body, place + (1 if is_try else 2) * WORD_BYTES), length_max=len(body))
        if is_done:
            yield contract, asked, said
