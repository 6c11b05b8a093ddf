"""What tokens call themselves: where it stands, and what is made of it."""

import base64
import json
import struct

from tests.fixtures import require

from omnifolio.venues import base58
from omnifolio.venues.solana.layouts import SYSTEM
from omnifolio.venues.solana.names import METADATA, Named, is_on_curve, metadata_address, named
from omnifolio.venues.solana.shapes import AccountInfo

GENERATOR = (4 * pow(5, -1, 2**255 - 19) % (2**255 - 19)).to_bytes(32, "little")


def account(name: bytes, ticker: bytes, owner: str = METADATA) -> AccountInfo:
    texts = b"".join(struct.pack("<I", len(text)) + text for text in (name, ticker))
    return AccountInfo(1, owner, (base64.b64encode(b"\x04" + bytes(64) + texts).decode(), "base64"))


def test_a_name_stands_where_the_program_puts_it() -> None:
    assert named(account(b"A Coin\0\0\0", b"COIN\0\0")) == Named("COIN", "A Coin")
    assert named(account(b"", b"COIN")) == Named("COIN", "COIN")


def test_what_cannot_be_shown_is_no_name() -> None:
    assert named(None) is None
    assert named(account(b"A Coin", b"COIN", owner=SYSTEM)) is None
    assert named(account(b"A Coin", b"\xff\xfe")) is None
    assert named(account(b"A Coin", b"CO\nIN")) is None
    assert named(account(b"A Coin", b"")) is None
    assert named(AccountInfo(1, METADATA, ("BA==", "base64"))) is None


def test_a_point_of_the_curve_is_told_from_other_bytes() -> None:
    assert is_on_curve(GENERATOR)
    assert not is_on_curve((2).to_bytes(32, "little"))
    assert not is_on_curve(base58.decode(metadata_address(SYSTEM)))


def test_the_metadata_of_recorded_mints_stands_at_the_derived_address() -> None:
    """In the record the metadata account was asked for right after its mint."""
    path = next(path for path in require("other") if path.name == "solana__solana_token_balances.json")
    asked = [take["body"] for take in json.loads(path.read_bytes())["requests"]]
    names = [body["params"][0] for body in asked if body["method"] == "getAccountInfo"]
    assert len(names) == 26
    assert [metadata_address(mint) for mint in names[::2]] == names[1::2]
