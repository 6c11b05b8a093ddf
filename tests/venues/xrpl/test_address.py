"""Addresses: the vectors of the address format's own codec, and what is refused with words that help."""

import pytest

from omnifolio.model.errors import InvalidField, PrivateKeyRefused
from omnifolio.venues.xrpl.address import parse_address

PLAIN = {
    "X7AcgcsBL6XDcUb289X4mJ8djcdyKaB5hJDWMArnXr61cqZ": "r9cZA1mLK5R5Am25ArfXFmqgNwjZgnfk59",
    "XVZVpQj8YSVpNyiwXYSqvQoQqgBttTxAZwMcuJd4xteQHyt": "rLczgQHxPhWtjkaQqn3Q6UM8AbRbbRvs5K",
    "X7YenJqxv3L66CwhBSfd3N8RzGXxYqPopMGMsCcpho79rex": "rpZc4mVfWUif9CRoHRKKcmhu1nx2xktxBo",
    "XVLhHMPHU98es4dbozjVtdWzVrDjtV5fdx1mHp98tDMoQXb": "rGWrZyQqhTp9Xu7G5Pkayo7bXjH4k4QYpf",
}
"""X-addresses without a tag. Source: the tests of ripple-address-codec, seen 2026-08."""
TAGGED = {
    "X7AcgcsBL6XDcUb289X4mJ8djcdyKaGZMhc9YTE92ehJ2Fu": ("r9cZA1mLK5R5Am25ArfXFmqgNwjZgnfk59", 1),
    "XVLhHMPHU98es4dbozjVtdWzVrDjtV8AqEL4xcZj5whKbmc": ("rGWrZyQqhTp9Xu7G5Pkayo7bXjH4k4QYpf", 0),
    "XVLhHMPHU98es4dbozjVtdWzVrDjtV18pX8yuPT7y4xaEHi": ("rGWrZyQqhTp9Xu7G5Pkayo7bXjH4k4QYpf", 4294967295),
}
SEED, ED_SEED = "sn259rEFXrQrWyx3Q7XneWcwV6dfL", "sEdTM1uX8pu2do5XvTnutH6HsouMaM2"
"""Seeds that are public: examples of the same codec's tests."""


@pytest.mark.parametrize(("text", "classic"), PLAIN.items())
def test_both_spellings_are_one_address(text: str, classic: str) -> None:
    assert parse_address(f" {text} ") == classic
    assert parse_address(classic) == classic


@pytest.mark.parametrize(("text", "stands_for"), TAGGED.items())
def test_a_tag_names_somebody_elses_customer(text: str, stands_for: tuple[str, int]) -> None:
    classic, tag = stands_for
    with pytest.raises(InvalidField, match=f"the tag {tag}, which names one customer of the account {classic}"):
        parse_address(text)


@pytest.mark.parametrize(
    "text",
    [
        SEED,
        ED_SEED,
        "ED" + "5A" * 32,
        "5a" * 32,
        " ".join(["abandon"] * 11 + ["about"]),
        "554872 394230 209376 323698 140250 387423 652803 258676",
    ],
)
def test_private_keys_are_refused(text: str) -> None:
    with pytest.raises(PrivateKeyRefused):
        parse_address(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("T719a5UwUCnEs54UsxG9CJYYDhwmFCqkr7wxCcNcfZ6p5GZ", "test network"),
        ("0x00000000219ab540356cBB839Cbe05303d7705Fa", "Ethereum"),
        ("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", "Bitcoin"),
        ("r9cZA1mLK5R5Am25ArfXFmqgNwjZgnfk58", "checksum"),
        ("r9cZA1mLK5R5Am25ArfXFmqgNwjZgnf0O", "'0' is in none of them"),
        ("", "begins with r or X"),
    ],
)
def test_what_is_no_account_here_is_named(text: str, words: str) -> None:
    with pytest.raises(InvalidField, match=words):
        parse_address(text)
