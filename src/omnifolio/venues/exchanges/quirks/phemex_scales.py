"""Phemex's scaled integers: what its list of products says of currencies and contracts, and an amount made real by it.

`Ev` counts units of a currency's `valueScale`, `Ep` of a product's `priceScale`, `Er` is always scaled by 8; `Rv`, `Rp`, `Rq` and
`Rr` are real. An amount of a currency that the list does not name is not told, but for zero.
Source: phemex-docs.github.io of 2026-01-07: Query product information, Price/Ratio/Value scales.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from msgspec import Struct

from omnifolio.model.amounts import EXACT, parse_amount
from omnifolio.model.errors import InvalidField, VenueBadResponse
from omnifolio.model.facts import Evidence
from omnifolio.venues.exchanges.answers import decode, expect_dict, expect_list
from omnifolio.venues.exchanges.positions import by_name

PRODUCTS_PATH = "/public/products"
RATIO_SCALE = 8
_SCALE_MAX = 30


class Products(Struct, frozen=True):
    """The venue's currencies by their codes; its products by their symbols."""

    currencies: Mapping[str, Mapping[str, Any]] = {}
    symbols: Mapping[str, Mapping[str, Any]] = {}

    def value(self, row: Mapping[str, Any], field: str, code: Any) -> Decimal:
        """A scaled value in a currency. Raises: InvalidField, InvalidAmount, KeyError."""
        units = parse_amount(row[field], where=field)
        return _real(units, self.currencies.get(str(code), {}), "valueScale", str(code)) if units else units

    def price(self, row: Mapping[str, Any], field: str, symbol: str) -> Decimal | None:
        """A scaled price of a product, None where it is zero. Raises: InvalidField, InvalidAmount, KeyError."""
        units = parse_amount(row[field], where=field)
        return _real(units, self.symbols.get(symbol, {}), "priceScale", symbol) if units else None

    def decimals(self, code: str) -> int:
        """How many decimals a currency's values have. Raises: InvalidField."""
        return _scale(self.currencies.get(code, {}), "valueScale", code)


def _real(units: Decimal, about: Mapping[str, Any], field: str, name: str) -> Decimal:
    return units.scaleb(-_scale(about, field, name), EXACT)


def _scale(about: Mapping[str, Any], field: str, name: str) -> int:
    scale = about.get(field)
    if isinstance(scale, bool) or not isinstance(scale, int) or not 0 <= scale <= _SCALE_MAX:
        raise InvalidField(f"{field} of {name[:24]}: the list of products does not tell it")
    return scale


def ratio(row: Mapping[str, Any], field: str) -> Decimal:
    """A scaled ratio. Raises: InvalidAmount, KeyError."""
    return parse_amount(row[field], where=field).scaleb(-RATIO_SCALE, EXACT)


def data_of(evidence: Evidence) -> Any:
    """What an answer holds; some lists come without an envelope. Raises: VenueBadResponse for a refusal."""
    body = decode(evidence)
    if isinstance(body, list):
        return body
    told = expect_dict(body, evidence, where="the answer")
    if told.get("code") not in (0, "0"):
        raise VenueBadResponse(f"{evidence.request}: the venue answered with an error")
    return told.get("data")


def rows_of(evidence: Evidence) -> list[Any]:
    """The rows of a list, which some calls put beside their count. Raises: VenueBadResponse."""
    data = data_of(evidence)
    return expect_list(data.get("rows") if isinstance(data, dict) else data, evidence, where="data")


def products_of(evidence: Iterable[Evidence]) -> Products:
    """What the list of products among the answers says; nothing where it is missing. Raises: VenueBadResponse."""
    for item in evidence:
        if item.request.endswith(PRODUCTS_PATH):
            data = expect_dict(data_of(item), item, where="data")
            listed = [expect_list(data.get(name, []), item, where=name) for name in ("products", "perpProductsV2")]
            currencies = expect_list(data.get("currencies"), item, where="currencies")
            return Products(by_name(currencies, "currency"), by_name([row for rows in listed for row in rows], "symbol"))
    return Products()
