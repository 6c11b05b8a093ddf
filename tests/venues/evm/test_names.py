"""Names in the place of addresses: hashed as the standard says, resolved by plain reads, refused where they could deceive."""

from pathlib import Path

import pytest
from tests.anvil import Anvil, calldata
from tests.faces.cli.program import Program

from omnifolio.model.errors import InvalidField
from omnifolio.venues.evm.names import REGISTRY, is_name, name_hash


def test_names_are_hashed_as_the_standard_says() -> None:
    """The vectors of EIP-137."""
    assert name_hash("foo.eth").hex() == "de9b09fd7c5f901e23a3f19fecc54828e9c848539801e86591bd9801b019f84f"
    assert name_hash(" Foo.ETH ") == name_hash("foo.eth")


@pytest.mark.parametrize(
    "name", ["eth", "foo..eth", "fоo.eth", "foo.eth ".replace("o", "ö"), "a" * 64 + ".eth", "x." * 130 + "eth"]
)
def test_a_name_that_could_deceive_is_refused(name: str) -> None:
    with pytest.raises(InvalidField, match="name"):
        name_hash(name)


def test_an_address_is_no_name() -> None:
    assert is_name("foo.eth")
    assert not any(map(is_name, ("0x" + "ab" * 20, "0x1.2", "ethereum", "")))


def test_a_name_is_resolved_where_a_person_types_it(tmp_path: Path, node: Anvil) -> None:
    bank, me = node.accounts[:2]
    node.place("Names", REGISTRY)
    for name, resolves in (("me.eth", True), ("lost.eth", False)):
        node.send(bank, REGISTRY, calldata("set(bytes32,address,bool)", name_hash(name), me, resolves))
    program = Program(tmp_path, base_url__ethereum=node.url)
    planned = program("accounts", "add", "ethereum", "wallet=me.eth", "--dry-run", "-o", "json")
    assert planned.json[0]["reads"] == "the address of me.eth"
    added = program("accounts", "add", "ethereum", "address=me.eth", "--no-sync")
    assert added.code == 0, added.err
    assert added.err.lower().startswith(f"me.eth is {me}")
    again = program("accounts", "add", "ethereum", f"wallet={me}", "--no-sync")
    assert "already" in again.err
    found = program("venues", "find", "me.eth", "--chain", "ethereum", "-o", "json")
    assert [row["chain"] for row in found.json] == ["ethereum"]
    for name in ("lost.eth", "nobody.eth"):
        assert "stands for no address" in program("accounts", "add", "ethereum", f"wallet={name}").err
