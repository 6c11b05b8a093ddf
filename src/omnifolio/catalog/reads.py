"""Every read that may be asked of any exchange of ccxt: its row's list, else the reviewed list of traced reads, else nothing."""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources

import msgspec
from msgspec import Struct

from omnifolio.catalog import exchanges

FILE = "data/policy/ccxt_reads.toml"


class TracedReads(Struct, frozen=True, forbid_unknown_fields=True):
    """The reviewed file: the ccxt version that was traced, and by exchange `METHOD group path`."""

    ccxt: str
    reads: Mapping[str, tuple[str, ...]]


@cache
def traced() -> TracedReads:
    """The reviewed file."""
    text = (resources.files(__package__) / FILE).read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(text), TracedReads)


def allowed(ccxt_id: str) -> frozenset[tuple[str, str, str]]:
    """(METHOD, group, path) of every read of an exchange; empty for one that nobody has reviewed."""
    if ccxt_id in exchanges.ids():
        return frozenset(exchanges.load(ccxt_id).allowed)
    lines = (line.split(" ", 2) for line in traced().reads.get(ccxt_id, ()))
    return frozenset((method, group, path) for method, group, path in lines)
