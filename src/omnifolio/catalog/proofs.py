"""How each exchange connector was proved, stream by stream: written by the tests, never by hand.

`live`      somebody with an account confirmed this very connector (`confirmed`); never in this file, as it ends by itself.
`recorded`  the decoder was checked with the venue's own answers to a real account.
`sampled`   with at least five dated cases after the operator's documentation, errors and the empty account among them.
`listed`    its calls are known, nothing was checked; it cannot be linked.
"""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Literal

import msgspec
from msgspec import Struct

Proof = Literal["executed", "live", "recorded", "sampled", "listed"]

FILE = "data/proofs.toml"


class VenueProof(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One venue. `cases` counts its reviewed cases, `seen` is the newest one's day, `streams` has each kind of stream's proof."""

    proof: Proof
    cases: int
    seen: str
    streams: Mapping[str, Proof]


@cache
def proofs() -> Mapping[str, VenueProof]:
    """The proof of every exchange that has cases, by its id."""
    text = (resources.files(__package__) / FILE).read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(text), dict[str, VenueProof])


def of(venue: str) -> VenueProof:
    """The proof of one exchange; without cases it is only listed."""
    return proofs().get(venue) or VenueProof(proof="listed", cases=0, seen="", streams={})
