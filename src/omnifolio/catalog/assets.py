"""Which tokens are one asset, and under which ids the price sources know it: reviewed data, applied on reading.

A token is an asset's member only because a row says so (with dates where a venue gave a code to another coin); equal tickers are
never evidence. The order of the rows is the order of liquidity, best first.
"""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from functools import cache
from hashlib import sha256
from importlib import resources
from typing import Literal

import msgspec
from msgspec import Struct

from omnifolio.model.clock import EpochMs, day_of
from omnifolio.model.tokens import TokenId, token_id, venue_token

AssetRole = Literal["", "stablecoin", "major"]

UNRANKED = 1_000_000
"""The liquidity rank of a token without an asset: behind every asset."""


class Dated(Struct, frozen=True, forbid_unknown_fields=True):
    """A venue's code that means the asset only from `since` (included) until `until` (excluded)."""

    code: str
    since: date | None = None
    until: date | None = None

    def holds(self, day: date) -> bool:
        """Whether the code means the asset on that UTC day."""
        return (self.since is None or self.since <= day) and (self.until is None or day < self.until)


class Asset(Struct, frozen=True, kw_only=True):
    """One economic asset.

    `rank`    liquidity, 0 is best.   `role`  stablecoins and majors anchor the value of a trade, in order of rank.
    `coingecko`  its id at CoinGecko (and, as `coingecko:<id>`, at DefiLlama); "" where it has none.
    `represents`  the asset that a bridged, wrapped or staked form stands for; "" for an asset by itself.
    """

    id: str
    rank: int
    ticker: str
    name: str
    role: AssetRole
    coingecko: str
    decimals: int | None
    represents: str


class _Row(Struct, frozen=True, forbid_unknown_fields=True):
    ticker: str
    name: str
    coingecko: str = ""
    decimals: int | None = None
    role: AssetRole = ""
    represents: str = ""
    venues: dict[str, tuple[str | Dated, ...]] = {}
    tokens: tuple[str, ...] = ()


class CommonCodes(Struct, frozen=True, forbid_unknown_fields=True):
    """Assets that many exchanges list, and the code at each: `codes` by exchange where it is not the asset's ticker."""

    exchanges: tuple[str, ...] = ()
    assets: tuple[str, ...] = ()
    codes: Mapping[str, Mapping[str, str]] = {}

    def of(self, asset: Asset) -> Iterator[TokenId]:
        """The tokens of these exchanges that are the asset."""
        if asset.id in self.assets:
            for exchange in self.exchanges:
                code = self.codes.get(exchange, {}).get(asset.id, asset.ticker)
                if code:
                    yield venue_token(exchange, code)


class Assets:
    """The catalog's assets and who belongs to them. `digest` changes with the data."""

    def __init__(self, rows: Mapping[str, _Row], *, digest: str, common: CommonCodes) -> None:
        self.digest = digest
        self.all: tuple[Asset, ...] = tuple(
            Asset(
                id=name,
                rank=rank,
                ticker=row.ticker,
                name=row.name,
                role=row.role,
                coingecko=row.coingecko,
                decimals=row.decimals,
                represents=row.represents,
            )
            for rank, (name, row) in enumerate(rows.items())
        )
        self._members: dict[TokenId, list[tuple[Dated, Asset]]] = {}
        for asset, row in zip(self.all, rows.values(), strict=True):
            for token in row.tokens:
                self._add(token_id(token), Dated(token), asset)
            for venue, codes in row.venues.items():
                for code in codes:
                    dated = Dated(code) if isinstance(code, str) else code
                    self._add(venue_token(venue, dated.code), dated, asset)
            for token in common.of(asset):
                self._add(token, Dated(token), asset)

    def _add(self, token: TokenId, dated: Dated, asset: Asset) -> None:
        self._members.setdefault(token, []).append((dated, asset))

    def of(self, token: TokenId, at: EpochMs) -> Asset | None:
        """The asset to which `token` belonged at the instant; None for a token that nobody has reviewed."""
        members = self._members.get(_folded(token))
        if members is None:
            return None
        if len(members) == 1 and members[0][0].since is None and members[0][0].until is None:
            return members[0][1]
        day = day_of(at)
        return next((asset for dated, asset in members if dated.holds(day)), None)

    def ever(self, token: TokenId) -> tuple[str, ...]:
        """The ids of all assets to which a token belongs or belonged."""
        return tuple(asset.id for _, asset in self._members.get(_folded(token), ()))

    def members(self) -> Mapping[TokenId, Sequence[tuple[Dated, Asset]]]:
        """Every reviewed token with its memberships."""
        return self._members


@cache
def load() -> Assets:
    """The assets that come with this version."""
    folder = resources.files("omnifolio.catalog").joinpath("data")
    rows, common = (folder.joinpath(name).read_text(encoding="utf-8") for name in ("assets.toml", "common_codes.toml"))
    return read(rows, common)


def read(text: str, common: str = "") -> Assets:
    """The assets of a TOML document, one table each, best liquidity first, with the codes that many exchanges share.

    Raises: msgspec.ValidationError.
    """
    rows = msgspec.convert(tomllib.loads(text), dict[str, _Row])
    shared = msgspec.convert(tomllib.loads(common), CommonCodes)
    return Assets(rows, digest=sha256((text + common).encode()).hexdigest(), common=shared)


def _folded(token: TokenId) -> TokenId:
    """EVM addresses are stored in lower case; what arrives with a checksum's capitals is the same token."""
    return TokenId(token.lower()) if token.startswith("eip155:") else token
