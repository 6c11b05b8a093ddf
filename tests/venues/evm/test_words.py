"""The word codec against eth_abi, and against answers that no honest contract gives."""

import unicodedata

import pytest
from eth_abi.abi import decode, encode
from eth_utils.crypto import keccak
from hypothesis import given
from hypothesis import strategies as st

from omnifolio.model.errors import VenueBadResponse
from omnifolio.venues.evm import words

ADDRESSES = st.binary(min_size=20, max_size=20).map(lambda raw: "0x" + raw.hex())
UINTS = st.integers(min_value=0, max_value=2**256 - 1)
CALLS = st.lists(st.tuples(ADDRESSES, st.binary(max_size=100)), max_size=8)
RESULTS = st.lists(st.tuples(st.booleans(), st.binary(max_size=100)), max_size=8)


@pytest.mark.parametrize(
    ("ours", "signature"),
    [
        (words.BALANCE_OF, "balanceOf(address)"),
        (words.DECIMALS, "decimals()"),
        (words.SYMBOL, "symbol()"),
        (words.NAME, "name()"),
        (words.GET_ETH_BALANCE, "getEthBalance(address)"),
        (words.AGGREGATE3, "aggregate3((address,bool,bytes)[])"),
        (bytes.fromhex(words.TRANSFER[2:]), "Transfer(address,address,uint256)"),
        (bytes.fromhex(words.DEPOSIT[2:]), "Deposit(address,uint256)"),
        (bytes.fromhex(words.WITHDRAWAL[2:]), "Withdrawal(address,uint256)"),
    ],
)
def test_selectors_and_topics_are_hashes_of_their_signatures(ours: bytes, signature: str) -> None:
    assert keccak(text=signature)[: len(ours)] == ours


@given(ADDRESSES, UINTS)
def test_static_words_are_written_and_read_as_eth_abi_does(address: str, number: int) -> None:
    data = words.encode_address(address) + words.encode_uint(number)
    assert data == encode(("address", "uint256"), (address, number))
    assert words.word(data, 1) == number
    assert words.address_of(words.topic_of(address)) == address
    assert words.quantity(hex(number)) == number


@given(CALLS)
def test_aggregate_calls_are_written_as_eth_abi_does(calls: list[tuple[str, bytes]]) -> None:
    expected = encode(("(address,bool,bytes)[]",), ([(address, True, data) for address, data in calls],))
    assert words.encode_aggregate(calls) == words.AGGREGATE3 + expected


@given(RESULTS)
def test_aggregate_answers_are_read_as_eth_abi_does(results: list[tuple[bool, bytes]]) -> None:
    data = encode(("(bool,bytes)[]",), (results,))
    assert words.decode_aggregate(data, len(results)) == list(decode(("(bool,bytes)[]",), data)[0])


@given(RESULTS, st.binary(max_size=40), st.integers(0, 300), st.integers(1, 8))
def test_a_damaged_aggregate_answer_is_read_or_refused_but_never_anything_else(
    results: list[tuple[bool, bytes]], noise: bytes, at: int, count: int
) -> None:
    data = encode(("(bool,bytes)[]",), (results,))
    damaged = data[:at] + noise + data[at + len(noise) :]
    try:
        found = words.decode_aggregate(damaged, count)
    except VenueBadResponse:
        return
    assert len(found) == count
    assert all(len(answer) <= len(damaged) for _, answer in found)


@given(st.text(max_size=300))
def test_strings_are_read_as_eth_abi_does(text: str) -> None:
    assert words.decode_text(encode(("string",), (text,))) == text


@given(st.binary(max_size=200))
def test_any_bytes_are_a_text_or_none(data: bytes) -> None:
    text = words.decode_text(data)
    assert text is None or len(text) <= len(data)


def test_a_text_longer_than_the_limit_is_not_read() -> None:
    assert words.decode_text(encode(("string",), ("x" * (words.TEXT_BYTES_MAX + 1),))) is None


def test_an_old_symbol_of_32_bytes_is_read() -> None:
    assert words.decode_text(b"MKR".ljust(32, b"\0")) == "MKR"


@given(st.text(max_size=200), st.integers(4, 64))
def test_clean_text_is_short_and_hides_nothing(text: str, length_max: int) -> None:
    clean = words.clean_text(text, length_max=length_max)
    assert len(clean) <= length_max
    assert all(unicodedata.category(c) not in {"Cc", "Cf", "Co", "Cs", "Zl", "Zp"} for c in clean)
    assert clean == clean.strip()


@pytest.mark.parametrize("text", ["", "0x", "1", "0x-1", "0x+1", "0x1_0", "0x 1", "0xg", "0x" + "1" * 65, "0X1"])
def test_a_malformed_quantity_is_refused(text: str) -> None:
    with pytest.raises(VenueBadResponse):
        words.quantity(text)


@pytest.mark.parametrize("topic", ["0x", "0x" + "11" * 32, "0x" + "00" * 31, "11" * 33])
def test_a_topic_that_is_no_address_is_refused(topic: str) -> None:
    with pytest.raises(VenueBadResponse):
        words.address_of(topic)
