"""What a text that somebody typed or pasted can mean: a venue by name, other name or ticker, or an address and where it lives.

Nobody outside is asked. A private key or seed phrase is refused before anything else looks at it.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import islice
from typing import Literal

from msgspec import Struct

from omnifolio.app.finding import told_by_form
from omnifolio.app.offer import Offer, Offers
from omnifolio.app.private_keys import refuse_private_keys
from omnifolio.catalog.chains import evm_chains
from omnifolio.catalog.cosmos_chains import cosmos_chains
from omnifolio.catalog.utxo_chains import utxo_chains
from omnifolio.model.errors import InvalidField, PrivateKeyRefused

Kind = Literal["name", "alias", "ticker", "address", "xpub", "ens"]

MATCHES_MAX = 30
TEXT_LENGTH_MAX = 2_000
NAME_LENGTH_MAX = 60
"""What is longer is no name of a venue."""
ENS_CHAIN = "ethereum"

_EVM = re.compile(r"0[xX][0-9a-fA-F]{40}")
_ENS = re.compile(r"[^\s.]{1,200}(\.[^\s.]{1,63})*\.eth", re.IGNORECASE)
_XPUB = re.compile(r"[A-Za-z]{1,4}pub[1-9A-HJ-NP-Za-km-z]{70,}|[a-z]+\(.*\)(#[a-z0-9]{8})?", re.DOTALL)
_BETWEEN = re.compile(r"[\s._-]+")


class Match(Struct, frozen=True, kw_only=True):
    """One meaning: the venue, and what of the text goes into which of its fields ("" for neither)."""

    offer: Offer
    kind: Kind
    field: str = ""
    value: str = ""


def search(offers: Offers, text: str) -> list[Match]:
    """The meanings of a text, the likeliest first. Raises: PrivateKeyRefused."""
    asked = text.strip()[:TEXT_LENGTH_MAX]
    if not asked:
        return []
    refuse_private_keys({"text": asked}, of_address=frozenset({"text"}))
    found = {match.offer.name: match for match in reversed([*_named(offers, asked), *_addressed(offers, asked)])}
    return list(islice(reversed(found.values()), MATCHES_MAX))


def is_ens(text: str) -> bool:
    """Whether a text is formed as a name of Ethereum's registry."""
    return _ENS.fullmatch(text.strip()) is not None


def _named(offers: Offers, asked: str) -> Iterator[Match]:
    """By whole names and tickers, then by beginnings, then by parts."""
    wanted = _plain(asked)
    if not wanted or len(asked) > NAME_LENGTH_MAX:
        return
    tickers = _tickers()
    ranked: list[tuple[int, int, Match]] = []
    for place, offer in enumerate(offers.all):
        names = [_plain(offer.display_name), _plain(offer.name)]
        others = [_plain(name) for name in offer.alternate_names]
        closeness = _closeness(wanted, names)
        if closeness is not None:
            ranked.append((closeness, place, Match(offer=offer, kind="name")))
        elif (closeness := _closeness(wanted, others)) is not None:
            ranked.append((closeness, place, Match(offer=offer, kind="alias")))
        elif tickers.get(offer.name) == wanted:
            ranked.append((0, place, Match(offer=offer, kind="ticker")))
    for _, _, match in sorted(ranked, key=lambda one: one[:2]):
        yield match


def _closeness(wanted: str, names: list[str]) -> int | None:
    if wanted in names:
        return 0
    if any(name.startswith(wanted) for name in names):
        return 1
    return 2 if any(wanted in name for name in names) else None


def _addressed(offers: Offers, asked: str) -> Iterator[Match]:
    if _EVM.fullmatch(asked):
        for offer in _evm(offers):
            yield Match(offer=offer, kind="address", field="wallet", value=asked)
        return
    if is_ens(asked):
        for offer in _evm(offers):
            if offer.name == ENS_CHAIN:
                yield Match(offer=offer, kind="ens", field="wallet", value=asked.lower())
        return
    try:
        found = told_by_form(offers, asked, chains=())
    except (InvalidField, PrivateKeyRefused):
        return  # no chain has such addresses, and what looks like a private key was refused before
    kind: Kind = "xpub" if _XPUB.fullmatch(asked) else "address"
    for offer in found:
        yield Match(offer=offer, kind=kind, field="wallet", value=asked)


def _evm(offers: Offers) -> Iterator[Offer]:
    """The EVM chains that are offered here, in the order of the catalog, those that people have looked at first."""
    by_name = {offer.name: offer for offer in offers.all}
    for chain in sorted(evm_chains().values(), key=lambda one: not one.is_reviewed):
        if chain.id in by_name:
            yield by_name[chain.id]


@cache
def _tickers() -> Mapping[str, str]:
    """The coin of each chain, as names are compared."""
    return {
        **{chain.id: _plain(chain.ticker) for chain in evm_chains().values()},
        **{chain.id: _plain(chain.ticker) for chain in utxo_chains().values()},
        **{chain.id: _plain(chain.ticker) for chain in cosmos_chains().values()},
    }


def _plain(text: str) -> str:
    return _BETWEEN.sub("", text.casefold())
