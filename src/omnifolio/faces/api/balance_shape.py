"""Balances on the wire, written as text: what they share with other balances is encoded once, the amounts are put in between.

An answer has hundreds of balances of 24 fields, most of which say what the token is, and that is the same for everybody. The text
is the encoding of `wire.BalanceOut`, byte for byte. Values are rounded here and nowhere before, half to even at two places.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple

import msgspec

from omnifolio.catalog.assets import Assets
from omnifolio.faces.api.shape import is_verified, raw_code
from omnifolio.ledger.tokens import TokenRow
from omnifolio.model.amounts import canonical, money, monies
from omnifolio.model.clock import DAY_MS, EpochMs
from omnifolio.model.ids import WalletId
from omnifolio.model.prices import Price
from omnifolio.model.tokens import contract_of
from omnifolio.views.accounts import Pocket

KEPT_MAX = 100_000
"""Texts that are kept: of tokens and of prices."""
_STAKED = "staked"
_encode = msgspec.json.Encoder().encode


class _Face(NamedTuple):
    """A balance's text up to its amount, and whether its token is reviewed."""

    text: str
    is_verified: bool


class BalanceShape:
    """Writes balances, with this installation's assets."""

    def __init__(self, assets: Assets) -> None:
        self._assets = assets
        self._faces: dict[str, dict[int, _Face]] = {}
        self._origins: dict[int, tuple[Price, str]] = {}
        self._day = 0

    def balances(self, pockets: Sequence[Pocket], wallets: Mapping[WalletId, str], *, now: EpochMs) -> msgspec.Raw:
        """The JSON array of an account's balances; `wallets` are their wallets on the wire."""
        today = now // DAY_MS
        if today != self._day or len(self._origins) + sum(map(len, self._faces.values())) >= KEPT_MAX:
            # Which asset a token is may change from one day to the next.
            self._day, self._faces, self._origins = today, {}, {}
        texts = [text for pocket in pockets for text in self._texts(pocket, wallets[pocket.look.wallet], now)]
        return msgspec.Raw(f"[{','.join(texts)}]".encode())

    def _texts(self, pocket: Pocket, wallet: str, now: EpochMs) -> list[str]:
        look, origins = pocket.look, self._origins
        faces = self._faces.setdefault(look.product, {})
        believed = _places(pocket, wallet, is_suspect=False)
        doubted = _places(pocket, wallet, is_suspect=True) if look.doubted else believed
        if pocket.is_plain and not look.doubted:
            return self._plain(pocket, believed, now)
        texts = []
        for number, amount, price, worth in zip(look.tokens, look.texts, pocket.prices, pocket.worths, strict=True):
            face = faces.get(number) or self._face(pocket.rows[number], look.product, now)
            places = doubted if number in look.doubted else believed
            if isinstance(worth, Decimal):
                known = origins.get(number)
                # Another user of the same minute has the very same price; one that a user has set is another object.
                origin = known[1] if known is not None and known[0] is price else self._origin(number, price)
                texts.append(f'{face.text}{amount}","fiat_value":"{money(worth)}"{places[face.is_verified]}{origin}')
            else:
                texts.append(f'{face.text}{amount}","fiat_value":null{places[False]}{_origin_of(reason=worth.text)}')
        return texts

    def _plain(self, pocket: Pocket, places: tuple[str, str], now: EpochMs) -> list[str]:
        """The usual case, column by column."""
        look, faces, origins = pocket.look, self._faces[pocket.look.product], self._origins
        for number, price in zip(look.tokens, pocket.prices, strict=True):
            if number not in faces:
                self._face(pocket.rows[number], look.product, now)
            if number not in origins or origins[number][0] is not price:
                self._origin(number, price)
        worths = monies(worth for worth in pocket.worths if isinstance(worth, Decimal))
        columns = map(faces.__getitem__, look.tokens), look.texts, worths, map(origins.__getitem__, look.tokens)
        return [
            f'{face}{amount}","fiat_value":"{worth}"{places[is_reviewed]}{origin}'
            for (face, is_reviewed), amount, worth, (_price, origin) in zip(*columns, strict=True)
        ]

    def _face(self, token: TokenRow, product: str, now: EpochMs) -> _Face:
        raw, is_reviewed = raw_code(token), is_verified(token, self._assets, now)
        fields = {
            "resource_type": "balance",
            "ticker": token.ticker,
            "provider_ticker": f"{raw}.staked" if product == _STAKED else raw,
            "provider_ticker_name": token.name or token.ticker,
            "ticker_address": contract_of(token.id),
            "name": token.name or token.ticker,
            "asset_type": _asset_type(token, product),
            "decimals": token.decimals,
            "asset_is_verified": is_reviewed,
            "asset_id": token.id,
            "logo": None,
            "product": product,
        }
        text = _json(fields).removesuffix("}") + ',"amount":"'
        face = self._faces[product][token.number] = _Face(text, is_reviewed)
        return face

    def _origin(self, token: int, price: Price | None) -> str:
        if price is None:
            return _origin_of(source="par")
        text = _origin_of(price=canonical(price.price), source=price.source, is_stale=price.is_stale)
        self._origins[token] = price, text
        return text


def _places(pocket: Pocket, wallet: str, *, is_suspect: bool) -> tuple[str, str]:
    """The text between a balance's value and its origin, for a value of a token that is not reviewed and of one that is."""
    fields = {"updated_at": pocket.look.last_seen, "wallet": wallet, "misc": None, "is_suspect": is_suspect}
    rest = _json(fields).removeprefix("{").removesuffix("}")
    start = f',"fiat_ticker":{_json(pocket.currency)},"fiat_asset_is_verified":'
    return f"{start}false,{rest},", f"{start}true,{rest},"


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
