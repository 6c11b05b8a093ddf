"""What is known of an asset: how many decimals it is counted in, and what it is called.

On the chain amounts are whole numbers. Decimals are what the token registry or the asset's datum (CIP-68) states; one of which
there is one alone has none; for all others **nobody has said**, and their amounts stay in their smallest units. Names may be
anything, also the name of another asset, so nothing is valued by them.
Source: CIP-14 (fingerprint), CIP-25 and CIP-68 (metadata), CIP-67 (labels in names), CIP-26 (registry), seen 2026-11.
"""

from decimal import Decimal
from hashlib import blake2b
from typing import Any

import msgspec
from msgspec import Raw, Struct

from omnifolio.catalog import assets
from omnifolio.catalog.cardano_chains import CardanoChain
from omnifolio.model.amounts import FRACTION_DIGITS_MAX, from_units
from omnifolio.model.errors import VenueBadResponse
from omnifolio.model.tokens import TokenFacts, TokenId, token_id
from omnifolio.venues import bech32
from omnifolio.venues.cardano.shapes import AssetInfo

POLICY_DIGITS = 56
TICKER_LENGTH_MAX, NAME_LENGTH_MAX = 20, 60
_LABELS = {"000643b0": 100, "000de140": 222, "0014df10": 333, "001bc280": 444}
"""The labels of CIP-67 that CIP-68 gives: a reference, a collectible, a token, a token with metadata of its own."""
_COLLECTIBLE = 222


class Known(Struct, frozen=True):
    """An asset as far as it is known. `scale`: its decimals, 0 where they are not stated and amounts are in smallest units."""

    facts: TokenFacts
    scale: int

    @property
    def is_stated(self) -> bool:
        """Whether its decimals are known."""
        return self.facts.decimals is not None

    def amount(self, quantity: int) -> Decimal:
        """The amount of a number of smallest units."""
        return from_units(quantity, self.scale)


def known(chain: CardanoChain, key: str, info: AssetInfo | None) -> Known:
    """The asset with that policy and name, in hexadecimal. Raises: VenueBadResponse."""
    token = _id(chain, key)
    decimals, is_single = _decimals(info), _is_single(key, info)
    if is_single:
        decimals = 0
    members = assets.load().members().get(token, ())
    ticker, name = (members[-1][1].ticker, members[-1][1].name) if members else _names(chain, key, info)
    facts = TokenFacts(id=token, ticker=ticker, name=name, kind="nft" if is_single else "crypto", decimals=decimals)
    return Known(facts, decimals or 0)


def fingerprint(key: str) -> str:
    """The asset's fingerprint (CIP-14): `asset1…`."""
    return bech32.encode_plain("asset", blake2b(bytes.fromhex(key), digest_size=20).digest())


def _id(chain: CardanoChain, key: str) -> TokenId:
    if len(key) < POLICY_DIGITS or len(key) % 2 or not set(key) <= set("0123456789abcdef"):
        raise VenueBadResponse("the server names an asset by something that is no policy and name")
    return token_id(f"{chain.caip2}/token:{key}")


def _decimals(info: AssetInfo | None) -> int | None:
    if info is None:
        return None
    registered = info.token_registry_metadata
    stated = registered.decimals if registered is not None else None
    found = stated if stated is not None else _datum(info).get("decimals")
    return found if isinstance(found, int) and 0 <= found <= FRACTION_DIGITS_MAX else None


def _is_single(key: str, info: AssetInfo | None) -> bool:
    """One alone: by its label, or because no more of it was ever made and nobody gave it decimals."""
    if _LABELS.get(key[POLICY_DIGITS : POLICY_DIGITS + 8]) == _COLLECTIBLE:
        return True
    return info is not None and info.total_supply == "1" and not _decimals(info)


def _names(chain: CardanoChain, key: str, info: AssetInfo | None) -> tuple[str, str]:
    """Ticker and name: by the registry, by the asset's own metadata, by the text that its name spells, by its fingerprint."""
    registered = info.token_registry_metadata if info is not None else None
    own = _text(_metadata(key, info).get("name")) or _spelt(key)
    short = fingerprint(key)
    ticker = _text(registered.ticker if registered else None) or own or f"{short[:9]}…{short[-4:]}"
    name = _text(registered.name if registered else None) or own or short
    # Whoever calls himself like the coin is not the coin.
    return f"{ticker[:TICKER_LENGTH_MAX]}?" if ticker.upper() == chain.ticker else ticker[:TICKER_LENGTH_MAX], name[
        :NAME_LENGTH_MAX
    ]


def _metadata(key: str, info: AssetInfo | None) -> dict[str, Any]:
    """What the asset says of itself: its datum (CIP-68), else what its mint carried (CIP-25)."""
    if info is None:
        return {}
    return _datum(info) or _minted(key, info)


def _datum(info: AssetInfo) -> dict[str, Any]:
    """The datum's map of names and values: text, and whole numbers."""
    told = _json(info.cip68_metadata)
    datum = next(iter(told.values()), None)
    fields = datum.get("fields") if isinstance(datum, dict) else None
    pairs = fields[0].get("map") if isinstance(fields, list) and fields and isinstance(fields[0], dict) else None
    found: dict[str, Any] = {}
    for pair in pairs if isinstance(pairs, list) else ():
        if isinstance(pair, dict) and isinstance(pair.get("k"), dict) and isinstance(pair.get("v"), dict):
            name = _bytes_text(pair["k"].get("bytes"))
            value = pair["v"]
            found[name] = value["int"] if isinstance(value.get("int"), int) else _bytes_text(value.get("bytes"))
    return found


def _minted(key: str, info: AssetInfo) -> dict[str, Any]:
    """The entry of the mint's metadata under the label 721, where names stand as text or in hexadecimal."""
    label = _json(info.minting_tx_metadata).get("721")
    policy = label.get(key[:POLICY_DIGITS]) if isinstance(label, dict) else None
    if not isinstance(policy, dict):
        return {}
    entry = policy.get(_bytes_text(key[POLICY_DIGITS:]), policy.get(key[POLICY_DIGITS:]))
    return entry if isinstance(entry, dict) else {}


def _json(told: Raw) -> dict[str, Any]:
    """An object that anybody may have written; nothing where it is none."""
    try:
        found = msgspec.json.decode(told)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _spelt(key: str) -> str:
    name = key[POLICY_DIGITS:]
    return _text(_bytes_text(name[8:] if name[:8] in _LABELS else name))


def _bytes_text(digits: object) -> str:
    """The text of bytes in hexadecimal; "" where they spell none."""
    try:
        return bytes.fromhex(digits).decode() if isinstance(digits, str) else ""
    except ValueError:
        return ""


def _text(found: object) -> str:
    """What can be shown of a text."""
    return found.strip() if isinstance(found, str) and found.isprintable() else ""
