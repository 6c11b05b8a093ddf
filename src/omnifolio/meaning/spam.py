"""What is spam, and why: points for what a token calls itself and for how it came, each with a reason that people can check.

Pure functions over words and a few facts. Nothing here hides anything: a verdict is laid over facts when they are read, a token
that people have reviewed never gets one, and what the user says stands over all of it.
"""

import re
import unicodedata
from collections.abc import Container, Iterable, Mapping
from functools import cache
from typing import Literal

from msgspec import Struct

Reason = Literal[
    "user", "hidden_characters", "link_in_name", "site_in_name", "look_alike", "claim_words", "borrowed_ticker", "unsolicited",
    "no_price", "mass_mint", "spam_token", "zero_value", "imitated_address",
]  # fmt: skip
REASONS: Mapping[Reason, str] = {
    "user": "you said so",
    "hidden_characters": "its name has characters that cannot be seen",
    "link_in_name": "its name asks you to visit a page",
    "site_in_name": "its name is a site's",
    "look_alike": "its name is written to look like a known asset's",
    "claim_words": "its name promises something to claim",
    "borrowed_ticker": "it has the ticker of a known asset but not its contract",
    "unsolicited": "it only ever came by itself, from nobody that you know",
    "no_price": "no price source lists it",
    "mass_mint": "it was minted to you unasked",
    "spam_token": "it moves nothing but spam",
    "zero_value": "it moves nothing, and you did not pay for it",
    "imitated_address": "its sender imitates an address that you have sent to",
}
"""Every reason in words for people."""

SPAM_FROM = 100
_POINTS: Mapping[Reason, int] = {
    "hidden_characters": 200, "link_in_name": 200, "look_alike": 200, "claim_words": 60, "site_in_name": 30,
    "borrowed_ticker": 60, "unsolicited": 50, "no_price": 50, "mass_mint": 50,
}  # fmt: skip
_LISTED = 80
"""What it speaks for a token that a price source lists it."""

_LINK = re.compile(r"https?:|www\.|\bt\.me\b|\bvisit\b|\.(?:com|net|org|io|xyz|app|site|top|vip|info|live|claims?)/", re.I)
_SITE = re.compile(
    r"[a-z0-9-]\.(?:com|net|org|io|xyz|app|site|top|vip|info|live|claims?|finance|fi|network|events?|gift|click|lol|pro|cc|me)\b",
    re.I,
)
_CLAIM = re.compile(
    r"\b(?:claim(?:able|s|ed)?|rewards?|air-?drops?|vouchers?|redeem|eligible|bonus|gift|giveaway|free|winner|prize|"
    r"activate|access|distribution|invitation|mystery ?box|whitelist)\b",
    re.I,
)
_MONEY = re.compile(r"[$€£]\s?\d[\d,.]*|\b\d[\d,.]*\s?[$€£]")
_HIDDEN_KINDS = frozenset({"Cf", "Cc", "Co", "Cn", "Cs"})
_LOOKS = str.maketrans(
    {
        "А": "A", "В": "B", "С": "C", "Е": "E", "Н": "H", "І": "I", "Ј": "J", "К": "K", "М": "M", "О": "O", "Р": "P", "Ѕ": "S",
        "Т": "T", "У": "Y", "Х": "X", "а": "a", "с": "c", "е": "e", "о": "o", "р": "p", "ѕ": "s", "х": "x", "у": "y", "і": "i",
        "Α": "A", "Β": "B", "Ε": "E", "Ζ": "Z", "Η": "H", "Ι": "I", "Κ": "K", "Μ": "M", "Ν": "N", "Ο": "O", "Ρ": "P", "Τ": "T",
        "Υ": "Y", "Χ": "X", "ν": "v", "ο": "o", "ρ": "p", "υ": "u", "Ꭰ": "D", "Ꮪ": "S", "Ꮯ": "C", "Ս": "U", "Տ": "S", "Լ": "L",
        "ꓳ": "O", "ꓢ": "S", "ꓓ": "D", "ꓴ": "U", "ꓚ": "C", "ꓔ": "T", "ꓐ": "B", "₿": "B", "Đ": "D", "Ð": "D", "Ł": "L",
    }
)  # fmt: skip
"""Letters of other scripts that look like Latin ones."""


class Past(Struct, frozen=True):
    """How a token came to a user. `is_unsolicited`: it only ever came in, in transactions that the user did not pay for and from
    nobody of theirs; `is_minted`: straight from its contract. Both are false where no history tells."""

    is_unsolicited: bool = False
    is_minted: bool = False


class Verdict(Struct, frozen=True):
    """Whether something is spam, and the reasons that speak for it; none where nothing does."""

    is_spam: bool
    reasons: tuple[Reason, ...]


CLEAN = Verdict(False, ())


def judge(*, ticker: str, name: str, is_nft: bool, known_tickers: Container[str], past: Past, is_listed: bool | None) -> Verdict:
    """The verdict on a token that nobody has reviewed.

    `known_tickers` are those of reviewed assets, in capitals; `is_listed` whether a price source knows it, None where none was
    asked, or none knows such contracts: then an equal ticker tells nothing.
    """
    reasons = list(_named(ticker, name)) + _ticker(ticker, name, known_tickers)
    if is_listed is None and "borrowed_ticker" in reasons:
        reasons.remove("borrowed_ticker")
    if past.is_unsolicited:
        reasons.append("unsolicited")
        if is_nft and past.is_minted:
            reasons.append("mass_mint")
        if not is_nft and is_listed is False:
            reasons.append("no_price")
    points = sum(_POINTS[reason] for reason in reasons) - (_LISTED if is_listed else 0)
    return Verdict(points >= SPAM_FROM, tuple(reasons)) if reasons else CLEAN


@cache
def _named(ticker: str, name: str) -> tuple[Reason, ...]:
    text = f"{ticker} {name}"
    if any(unicodedata.category(char) in _HIDDEN_KINDS for char in text):
        return ("hidden_characters",)
    found: list[Reason] = []
    has_claim = bool(_CLAIM.search(text) or _MONEY.search(text))
    has_site = bool(_SITE.search(text))
    if _LINK.search(text) or (has_claim and has_site):
        found.append("link_in_name")
    elif has_site:
        found.append("site_in_name")
    if has_claim:
        found.append("claim_words")
    return tuple(found)


def _ticker(ticker: str, name: str, known_tickers: Container[str]) -> list[Reason]:
    plain = ticker.strip()
    if plain.upper() in known_tickers:
        return ["borrowed_ticker"]
    seen = _as_seen(plain)
    if seen.upper() in known_tickers and not plain.isascii():
        return ["look_alike"]
    if not name.isascii() and _as_seen(name).isascii() and _is_mixed(name):
        return ["look_alike"]
    return []


def _as_seen(text: str) -> str:
    """The text with every letter that looks like a Latin one written as that."""
    decomposed = unicodedata.normalize("NFKD", text.translate(_LOOKS))
    return "".join(char for char in decomposed if not unicodedata.combining(char))


def _is_mixed(text: str) -> bool:
    """Whether letters of other scripts stand among Latin ones, as no language writes them."""
    letters = [char for char in text if char.isalpha()]
    return any(char.isascii() for char in letters) and any(char in _LOOKED for char in letters)


_LOOKED = frozenset(map(chr, _LOOKS))


def poisoned(senders: Iterable[str], imitated: Mapping[str, Container[str]], mask_of: Mapping[str, str]) -> bool:
    """Whether every sender looks like somebody to whom the user has sent, and is somebody else.

    `imitated` are these addresses by their first and last characters, `mask_of` the same characters of each sender.
    """
    asked = list(senders)
    return bool(asked) and all(mask_of.get(sender) in imitated and sender not in imitated[mask_of[sender]] for sender in asked)
