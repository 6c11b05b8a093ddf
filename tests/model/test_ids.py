"""Wire ids: 24 hexadecimal digits, reversible with the installation's key, and worthless with another."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omnifolio.model.errors import NotFound
from omnifolio.model.ids import WireIds

OURS = WireIds(b"a" * 32)
THEIRS = WireIds(b"b" * 32)


@given(st.integers(min_value=0, max_value=2**63 - 1))
def test_a_wire_id_leads_back_to_its_integer_only_as_its_kind_and_with_its_key(number: int) -> None:
    wire = OURS.wire("transaction", number)
    assert len(wire) == 24
    assert OURS.integer("transaction", wire) == number
    with pytest.raises(NotFound):
        OURS.integer("account", wire)
    with pytest.raises(NotFound):
        THEIRS.integer("transaction", wire)


@pytest.mark.parametrize("wire", ["", "zz", "0" * 23, "g" * 24, "0" * 25, "undefined"])
def test_what_is_no_wire_id_is_not_found(wire: str) -> None:
    with pytest.raises(NotFound):
        OURS.integer("account", wire)


def test_an_account_that_was_brought_keeps_its_id_and_answers_to_ours_too() -> None:
    ids = WireIds(b"c" * 32)
    derived = ids.wire("account", 7)
    ids.learn([(1, 7, "5f1a2b3c4d5e6f708192a3b4"), (2, 9, "0" * 24)])
    assert ids.wire("account", 7) == "5f1a2b3c4d5e6f708192a3b4"
    assert ids.integer("account", "5F1A2B3C4D5E6F708192A3B4") == ids.integer("account", derived) == 7
    assert ids.wire("transaction", 7) == WireIds(b"c" * 32).wire("transaction", 7)
    assert ids.learned == 2
    with pytest.raises(NotFound):
        ids.integer("transaction", "0" * 24)


@given(st.integers(min_value=0, max_value=2**63 - 1))
def test_what_this_installation_could_have_made_is_known_as_its_own(number: int) -> None:
    assert OURS.is_ours(OURS.wire("leg", number))
    assert not THEIRS.is_ours(OURS.wire("leg", number))
