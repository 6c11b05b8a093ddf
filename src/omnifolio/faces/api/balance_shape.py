"""Balances on the wire, written as text: what they share with other balances is encoded once, the amounts are put in between.

An answer has hundreds of balances of 24 fields, most of which say what the token is, and that is the same for everybody. The text
is the encoding of `wire.BalanceOut`, byte for byte. Values are rounded here and nowhere before, half to even at two places.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec

from omnifolio.catalog.assets import Assets
from omnifolio.faces.api.shape import is_verified, raw_code
from omnifolio.ledger.tokens import TokenRow
from omnifolio.model.amounts import canonical, money
from omnifolio.model.clock import DAY_MS, EpochMs
from omnifolio.model.ids import WalletId
from omnifolio.model.prices import Price
from omnifolio.model.tokens import contract_of
from omnifolio.views.accounts import Holding
from omnifolio.views.valuation import Money

FACES_MAX = 100_000
"""Tokens whose appearance in a balance is kept, and prices whose text is."""
_STAKED = "staked"
_encode = msgspec.json.Encoder().encode


class _Face(NamedTuple):
    """A balance's text up to its amount, and whether its token is reviewed."""

    text: str
    is_verified: str


class BalanceShape:
    """Writes balances, with this installation's assets."""

    def __init__(self, assets: Assets) -> None:
        self._assets = assets
        self._faces: dict[tuple[int, str], _Face] = {}
        self._prices: dict[int, tuple[Price, str]] = {}
        self._day = 0

    def balances(
        self, holdings: Sequence[Holding], wallets: Mapping[WalletId, str], *, currency: str, now: EpochMs
    ) -> msgspec.Raw:
        """The JSON array of an account's balances, valued in `currency`; `wallets` are their wallets on the wire."""
        places = {
            (number, is_suspect): f',"wallet":{_json(wallet)},"misc":null,"is_suspect":{_json(is_suspect)},'
            for number, wallet in wallets.items()
            for is_suspect in (True, False)
        }
        ticker = f',"fiat_ticker":{_json(currency)},"fiat_asset_is_verified":'
        faces, prices = self._kept(now)
        texts = []
        for holding in holdings:
            held, value = holding.held, holding.value
            face = faces.get((held.token, held.product)) or self._face(holding.token, held.product, now)
            place = places[held.wallet, held.is_suspect]
            if isinstance(value, Money):
                worth, verified = f'"{money(value.amount)}"', face.is_verified
                price = value.price
                known = prices.get(held.token)
                # Another user of the same minute has the very same price; one that a user has set is another object.
                origin = known[1] if known is not None and known[0] is price else self._origin(held.token, price)
            else:
                worth, verified, origin = "null", "false", _origin_of(reason=value.text)
            texts.append(
                f'{face.text}{held.text}","fiat_value":{worth}{ticker}{verified},"updated_at":{held.last_seen}{place}{origin}'
            )
        return msgspec.Raw(f"[{','.join(texts)}]".encode())

    def _kept(self, now: EpochMs) -> tuple[dict[tuple[int, str], _Face], dict[int, tuple[Price, str]]]:
        """What is kept for the day: which asset a token is may change from one day to the next."""
        today = now // DAY_MS
        if today != self._day or max(len(self._faces), len(self._prices)) >= FACES_MAX:
            self._day, self._faces, self._prices = today, {}, {}
        return self._faces, self._prices

    def _face(self, token: TokenRow, product: str, now: EpochMs) -> _Face:
        raw = raw_code(token)
        fields = {
            "resource_type": "balance",
            "ticker": token.ticker,
            "provider_ticker": f"{raw}.staked" if product == _STAKED else raw,
            "provider_ticker_name": token.name or token.ticker,
            "ticker_address": contract_of(token.id),
            "name": token.name or token.ticker,
            "asset_type": _asset_type(token, product),
            "decimals": token.decimals,
            "asset_is_verified": is_verified(token, self._assets, now),
            "asset_id": token.id,
            "logo": None,
            "product": product,
        }
        text = _json(fields).removesuffix("}") + ',"amount":"'
        face = self._faces[token.number, product] = _Face(text, _json(fields["asset_is_verified"]))
        return face

    def _origin(self, token: int, price: Price | None) -> str:
        if price is None:
            return _origin_of(source="par")
        text = _origin_of(price=canonical(price.price), source=price.source, is_stale=price.is_stale)
        self._prices[token] = price, text
        return text


def _origin_of(*, price: str | None = None, source: str | None = None, reason: str | None = None, is_stale: bool = False) -> str:
    """A balance's text behind its wallet: where its value is from."""
    return _json({"fiat_price": price, "fiat_source": source, "fiat_reason": reason, "is_stale": is_stale}).removeprefix("{")


def _json(value: object) -> str:
    return _encode(value).decode()


def _asset_type(token: TokenRow, product: str) -> str:
    if token.kind == "fiat":
        return "cash" if token.ticker == "USD" else "cash_equivalent"
    if token.kind == "nft":
        return "nft"
    return _STAKED if product == _STAKED else "crypto"
