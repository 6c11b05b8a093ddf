"""Balances on the wire, written as text: what they share with other balances is encoded once, the amounts are put in between.

An answer has hundreds of balances of 24 fields, most of which say what the token is, and that is the same for everybody. The text
is the encoding of `wire.BalanceOut`, byte for byte. Values are rounded here and nowhere before, half to even at two places.
"""

import threading
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


_PARTS = 7
"""Texts that one balance of a plain pocket is put together from."""


class _Faces(NamedTuple):
    """By token: the text of a balance up to its amount, and whether the token is reviewed."""

    texts: dict[int, str]
    reviewed: dict[int, bool]


class _Origins(NamedTuple):
    """By token: a price, and the text of a balance that has its value from it."""

    prices: dict[int, Price]
    texts: dict[int, str]


class BalanceShape:
    """Writes balances, with this installation's assets."""

    def __init__(self, assets: Assets) -> None:
        self._assets = assets
        self._faces: dict[str, _Faces] = {}
        self._origins = _Origins({}, {})
        self._day = 0
        self._lock = threading.Lock()
        """Lists are written by several readers at once."""

    def balances(self, pockets: Sequence[Pocket], wallets: Mapping[WalletId, str], *, now: EpochMs) -> msgspec.Raw:
        """The JSON array of an account's balances; `wallets` are their wallets on the wire."""
        with self._lock:
            return msgspec.Raw(self._array(pockets, wallets, now).encode())

    def _array(self, pockets: Sequence[Pocket], wallets: Mapping[WalletId, str], now: EpochMs) -> str:
        today = now // DAY_MS
        if today != self._day or len(self._origins.texts) + sum(len(faces.texts) for faces in self._faces.values()) >= KEPT_MAX:
            # Which asset a token is may change from one day to the next.
            self._day, self._faces, self._origins = today, {}, _Origins({}, {})
        texts = [self._text(pocket, wallets[pocket.look.wallet], now) for pocket in pockets if pocket.look.tokens]
        return f"[{','.join(texts)}]"

    def _text(self, pocket: Pocket, wallet: str, now: EpochMs) -> str:
        """The balances of a pocket that is not empty, parted by commas."""
        look = pocket.look
        faces = self._faces.setdefault(look.product, _Faces({}, {}))
        for number in set(look.tokens).difference(faces.texts):
            self._add_face(faces, pocket.rows[number], look.product, now)
        believed = _places(pocket, wallet, is_suspect=False)
        if pocket.is_plain and not look.doubted:
            return self._plain(pocket, faces, believed)
        doubted = _places(pocket, wallet, is_suspect=True) if look.doubted else believed
        texts = []
        for number, amount, price, worth in zip(look.tokens, look.texts, pocket.prices, pocket.worths, strict=True):
            places = doubted if number in look.doubted else believed
            if isinstance(worth, Decimal):
                value, is_reviewed, origin = f'"{money(worth)}"', faces.reviewed[number], self._origin(number, price)
            else:
                value, is_reviewed, origin = "null", False, _origin_of(reason=worth.text)
            texts.append(f'{faces.texts[number]}{amount}","fiat_value":{value}{places[is_reviewed]}{origin}')
        return ",".join(texts)

    def _plain(self, pocket: Pocket, faces: _Faces, places: Mapping[bool, str]) -> str:
        """The usual case, column by column: nothing here is done for one balance alone."""
        tokens, origins = pocket.look.tokens, self._origins
        if list(map(origins.prices.get, tokens)) != pocket.prices:
            for number, price in zip(tokens, pocket.prices, strict=True):
                self._origin(number, price)
        parts = [","] * (_PARTS * len(tokens))
        parts[0::_PARTS] = map(faces.texts.__getitem__, tokens)
        parts[1::_PARTS] = pocket.look.texts
        parts[2::_PARTS] = ['","fiat_value":"'] * len(tokens)
        parts[3::_PARTS] = monies(pocket.plain_worths)
        parts[4::_PARTS] = map(
            {known: f'"{text}' for known, text in places.items()}.__getitem__, map(faces.reviewed.__getitem__, tokens)
        )
        parts[5::_PARTS] = map(origins.texts.__getitem__, tokens)
        parts.pop()
        return "".join(parts)

    def _origin(self, token: int, price: Price | None) -> str:
        if price is None:
            return _origin_of(source="par")
        prices, texts = self._origins
        # Another user of the same minute has the same price; one that a user has set is another one.
        if prices.get(token) != price:
            prices[token] = price
            texts[token] = _origin_of(price=canonical(price.price), source=price.source, is_stale=price.is_stale)
        return texts[token]

    def _add_face(self, faces: _Faces, token: TokenRow, product: str, now: EpochMs) -> None:
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
        faces.texts[token.number] = _json(fields).removesuffix("}") + ',"amount":"'
        faces.reviewed[token.number] = is_reviewed


def _places(pocket: Pocket, wallet: str, *, is_suspect: bool) -> Mapping[bool, str]:
    """The text between a balance's value and its origin, by whether the token of the value is reviewed."""
    fields = {"updated_at": pocket.look.last_seen, "wallet": wallet, "misc": None, "is_suspect": is_suspect}
    rest = _json(fields).removeprefix("{").removesuffix("}")
    start = f',"fiat_ticker":{_json(pocket.currency)},"fiat_asset_is_verified":'
    return {False: f"{start}false,{rest},", True: f"{start}true,{rest},"}


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
