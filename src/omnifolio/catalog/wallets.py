"""Wallet brands as data: names, the chains that each keeps keys for, where its public addresses are found.

A brand is a way into chains, never a venue: what is connected through it is an account of a chain. Rows are `data/wallets.toml`.
"""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

import msgspec
from msgspec import Struct


class WalletRow(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One brand.

    `chains`  ids of chains, or namespaces of CAIP-2 that mean all of theirs; the order is that in which an address is tried.
    `where`   where its public addresses are found, for people.   `source`  where its maker says which chains it keeps.
    """

    id: str
    name: str
    also: tuple[str, ...] = ()
    chains: tuple[str, ...]
    where: str
    source: str


@cache
def wallet_brands() -> Mapping[str, WalletRow]:
    """All brands by id, the best known first."""
    rows = tomllib.loads((files("omnifolio.catalog") / "data" / "wallets.toml").read_text(encoding="utf-8"))
    return {name: msgspec.convert(row | {"id": name}, WalletRow) for name, row in rows.items()}
