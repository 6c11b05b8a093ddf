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
