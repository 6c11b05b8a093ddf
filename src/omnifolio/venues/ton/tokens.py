"""What is known of a jetton or an NFT as a token: its id, its decimals, and its ticker as the catalog has it, else its own."""

from collections.abc import Mapping

import msgspec
from msgspec import Struct

from omnifolio.catalog import assets
from omnifolio.catalog.ton_chains import TonChain
from omnifolio.model.amounts import FRACTION_DIGITS_MAX
from omnifolio.model.tokens import TokenFacts
from omnifolio.venues.ton.address import friendly
from omnifolio.venues.ton.shapes import Named, Told

TICKER_LENGTH_MAX, NAME_LENGTH_MAX = 20, 60
DECIMALS_WHERE_UNSTATED = 9
"""Source: TEP-64, seen 2026-11."""
_SHOWN = 4
_JETTON, _ITEM = "jetton_masters", "nft_items"


class _Extra(Struct, frozen=True):
    decimals: int | str | None = None


class Jetton(Struct, frozen=True):
    """What a jetton says of itself."""

    decimals: int
    ticker: str = ""
    name: str = ""


def jetton_of(metadata: Mapping[str, Told], raw: str) -> Jetton | None:
    """What the indexer knows of a jetton; None where it has not read what it says, or that makes no sense."""
    found = _named(metadata, raw, _JETTON)
    if found is None:
        return None
    try:
        stated = msgspec.json.decode(found.extra, type=_Extra | None)
        decimals = DECIMALS_WHERE_UNSTATED if stated is None or stated.decimals is None else int(stated.decimals)
    except (msgspec.DecodeError, ValueError):
        return None
    if not 0 <= decimals <= FRACTION_DIGITS_MAX:
        return None
    return Jetton(decimals, _clean(found.symbol, TICKER_LENGTH_MAX), _clean(found.name, NAME_LENGTH_MAX))


def jetton_facts(chain: TonChain, raw: str, known: Jetton) -> TokenFacts:
    """The token of a jetton; one without a ticker goes by the ends of its address."""
    token = chain.token(raw, is_single=False)
    members = assets.load().members().get(token, ())
    ticker = members[-1][1].ticker if members else known.ticker or short(raw)
    name = members[-1][1].ticker if members else known.name or ticker
    return TokenFacts(id=token, ticker=ticker, name=name, decimals=known.decimals)


def item_facts(chain: TonChain, raw: str, metadata: Mapping[str, Told]) -> TokenFacts:
    """The token of an NFT."""
    found = _named(metadata, raw, _ITEM)
    name = _clean(found.name, NAME_LENGTH_MAX) if found else ""
    return TokenFacts(
        id=chain.token(raw, is_single=True), ticker=name[:TICKER_LENGTH_MAX] or short(raw), name=name, kind="nft", decimals=0
    )


def short(raw: str) -> str:
    """Both ends of an address."""
    text = friendly(raw)
    return f"{text[:_SHOWN]}…{text[-_SHOWN:]}"


def _named(metadata: Mapping[str, Told], raw: str, kind: str) -> Named | None:
    """What the indexer read of an address: its keys are in capitals. Its parts may be anything, as their owners wrote them."""
    told = metadata.get(raw.upper()) or metadata.get(raw)
    for part in (told.token_info if told else None) or ():
        try:
            found = msgspec.json.decode(part, type=Named)
        except msgspec.DecodeError:
            continue
        if found.type == kind:
            return found
    return None


def _clean(text: str | None, length_max: int) -> str:
    plain = (text or "").strip()
    return plain[:length_max] if plain.isprintable() else ""
