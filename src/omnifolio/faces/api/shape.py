"""What all objects of the wire have in common: names of wallets and tokens, totals, and whether a token is reviewed."""

from collections.abc import Container, Iterable

from omnifolio.catalog.assets import Assets
from omnifolio.faces.api.wire import MissingOut, ReasonOut
from omnifolio.ledger.read import WalletRow
from omnifolio.ledger.tokens import TokenRow
from omnifolio.meaning.spam import REASONS, Reason
from omnifolio.model.amounts import money
from omnifolio.model.clock import EpochMs
from omnifolio.venues.vezgo.plan import wallet_key as vezgo_wallet_key
from omnifolio.views.valuation import Part, Total

VEZGO_CASH = "cash"
"""The word in Vezgo's wallet ids that none of ours has."""


def total_text(total: Total) -> str | None:
    """A total as money; null when not one part of it has a value."""
    return None if total.missing and not total.amount else money(total.amount)


def named(parts: Iterable[Part]) -> list[MissingOut]:
    """What is missing or stale in a total."""
    return [MissingOut(ticker=part.name, reason=part.text) for part in parts]


def spam_reasons(reasons: Iterable[Reason]) -> list[ReasonOut]:
    """Why something is spam."""
    return [ReasonOut(code=reason, text=REASONS[reason]) for reason in reasons]


def wallet_id(venue: str, purse: WalletRow) -> str:
    """A wallet on the wire: `kraken:spot`; a chain address is its own CAIP-10 name."""
    return purse.key if ":" in purse.key else f"{venue}:{purse.key}"


def wallet_key(text: str, venues: Container[str]) -> str:
    """The key of a wallet that the wire names: `kraken:spot` and `spot` both mean the wallet `spot`, as does `kraken:cash:usd`,
    which is Vezgo's name of it."""
    venue, _, rest = text.partition(":")
    if rest.partition(":")[0] == VEZGO_CASH and venue in venues:
        return vezgo_wallet_key(venue, text)
    return rest if rest and venue in venues else text


def raw_code(token: TokenRow) -> str:
    """What the venue itself calls the token; on chains its ticker."""
    return token.id.partition("/")[2] if token.id.startswith("venue:") else token.ticker


def is_verified(token: TokenRow, assets: Assets, at: EpochMs) -> bool:
    """Whether the token is reviewed: government money, or a member of an asset of the catalog."""
    return token.kind == "fiat" or assets.of(token.id, at) is not None
