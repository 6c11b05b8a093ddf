"""Bitfinex's ledger: every movement of every wallet, told in an English sentence that names what belongs together.

A row is `[ID, CURRENCY, WALLET, MTS, -, AMOUNT, BALANCE, -, DESCRIPTION]`. What the sentence does not tell in known words is
`other` with the sentence for a label: the amount counts all the same.
Source: docs.bitfinex.com, Ledgers (seen 2026-11-27), and the sentences of exported ledgers.
"""

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from msgspec import Struct

from omnifolio.model.amounts import canonical, parse_amount
from omnifolio.model.clock import EpochMs
from omnifolio.model.errors import InvalidField
from omnifolio.model.facts import Claim, Kind, Leg, Role
from omnifolio.model.tokens import TokenId
from omnifolio.venues.exchanges.codes import Codes
from omnifolio.venues.exchanges.times import from_ms

BOOK, RANK = "ledger", 0
DERIVATIVE_SUFFIX = "F0"
SECOND_MS = 1_000
WALLETS = {
    "exchange": "exchange",
    "margin": "margin",
    "trading": "margin",
    "funding": "funding",
    "deposit": "funding",
    "contribution": "contribution",
}
"""The venue's names of wallets, old ones included."""

_WALLET = re.compile(r" on wallet (\w+)\.?$", re.IGNORECASE)
_NUMBER = r"(\d+(?:\.\d+)?(?:e-?\d+)?)"
_FILL = re.compile(rf"^Exchange {_NUMBER} ([\w:]+) for [\w:]+ @ {_NUMBER}", re.IGNORECASE)
_FILL_FEE = re.compile(rf"^Trading fees? for {_NUMBER} ([\w:]+) (?:\([\w:]+\) )?@ {_NUMBER}", re.IGNORECASE)
_TRANSFER = re.compile(rf"^Transfer of {_NUMBER} \w+ from wallet \w+ to \w+(?P<elsewhere> SA\()?", re.IGNORECASE)
_DEPOSIT = re.compile(r"^Deposit(?P<fee> Fee)? \([^)]*\) #?(\d+)", re.IGNORECASE)
_WITHDRAWAL = re.compile(r"^.* Withdrawal #(\d+)", re.IGNORECASE)
_CANCELLED = re.compile(r"^Cancel+ed withdrawal (?P<fee>fee )?(?:request )?#(\d+)", re.IGNORECASE)
_WITHDRAWAL_FEE = re.compile(r"Withdrawal (?:express )?fee", re.IGNORECASE)
_TWO_SIDED = re.compile(r"^(?:Settlement @|Position (?:#\d+ )?claimed)", re.IGNORECASE)
_VARYING = re.compile(r"#?\b\d[\w.,:%]*")

_KINDS: tuple[tuple[str, Kind], ...] = (
    ("liquidat", "liquidation"),
    ("funding event", "funding_payment"),
    ("trading rebate", "rebate"),
    ("affiliate", "referral"),
    ("earned fee", "referral"),
    ("staking", "staking_reward"),
    ("margin funding payment", "interest"),
    ("interest payment", "interest"),
    ("swap payment", "interest"),
    ("profit payment", "reward"),
    ("airdrop", "airdrop"),
    ("distribution", "airdrop"),
    ("snapshot", "airdrop"),
    ("position pl", "realized_pnl"),
    ("position closed", "realized_pnl"),
    ("position modified", "realized_pnl"),
)
"""Words of a sentence → what it tells; the first that fits counts."""
_COSTS = ("fee", "charge", "funding cost", "interest", "swap")
"""Words of what is paid, where the amount is negative and nothing above fits."""


class Told(Struct, frozen=True, kw_only=True):
    """What a sentence says: the kind, the names that the event's rows share, and whether the amount is a fee."""

    kind: Kind
    refs: tuple[str, ...] = ()
    name: str = ""
    role: Role = "principal"


def ledger_row(codes: Codes, row: Sequence[Any]) -> Claim:
    """The claim of one ledger row. Raises: InvalidField, InvalidAmount, IndexError, TypeError."""
    number, text = row[0], str(row[8] or "")
    if isinstance(number, bool) or not isinstance(number, int):
        raise InvalidField("ID: expected an integer")
    at, amount = from_ms(row[3]), parse_amount(row[5], where="AMOUNT")
    token, is_derivative = token_of(codes, row[1])
    wallet = wallet_of(row[2], text, is_derivative=is_derivative)
    told = told_by(codes, text, at=at, amount=amount, wallet=wallet, token=token)
    leg = Leg(str(number), wallet, token, amount, told.role)
    return Claim(
        book=BOOK,
        rank=RANK,
        ref=str(number),
        refs=(f"ledger:{number}", *told.refs),
        name=told.name,
        at=at,
        kind=told.kind,
        label=_label(text),
        legs=(leg,) if amount else (),
        evidence=0,
    )


def token_of(codes: Codes, code: Any) -> tuple[TokenId, bool]:
    """Token of a currency, and whether it stands for collateral of derivatives: USTF0 is UST. Raises: InvalidField."""
    name = codes.canonical(code)
    is_derivative = name.endswith(DERIVATIVE_SUFFIX) and len(name) > len(DERIVATIVE_SUFFIX)
    return codes.token(name.removesuffix(DERIVATIVE_SUFFIX) if is_derivative else name), is_derivative


def wallet_of(named: Any, text: str, *, is_derivative: bool) -> str:
    """The wallet of a row, by its own field or by the end of its sentence. Raises: InvalidField."""
    if is_derivative:
        return "derivatives"
    found = _WALLET.search(text)
    name = named or (found[1] if found else None)
    wallet = WALLETS.get(str(name).lower())
    if wallet is None:
        raise InvalidField(f"WALLET: not a known wallet: {str(name)[:24]!r}")
    return wallet


def told_by(codes: Codes, text: str, *, at: EpochMs, amount: Decimal, wallet: str, token: TokenId) -> Told:
    """What the sentence of a row says."""
    if found := _FILL.match(text):
        return Told(kind="trade", refs=(fill_ref(codes, at, found[1], found[2], found[3]),))
    if found := _FILL_FEE.match(text):
        return Told(kind="fee", refs=(fill_ref(codes, at, found[1], found[2], found[3]),), role="fee")
    if found := _TRANSFER.match(text):
        name = f"transfer:{at}/{canonical(parse_amount(found[1]))}"
        return Told(kind="transfer", refs=() if found["elsewhere"] else (name,))
    if found := _DEPOSIT.match(text):
        return Told(kind="deposit", refs=(movement_ref(found[2]),), name=found[2], role="fee" if found["fee"] else "principal")
    if found := _CANCELLED.match(text):
        return Told(kind="refund", refs=(movement_ref(found[2]),), name=found[2], role="fee" if found["fee"] else "principal")
    # The fee's row does not name its withdrawal; it is booked beside it.
    beside = f"withdrawal:{at}/{wallet}/{token}"
    if found := _WITHDRAWAL.match(text):
        return Told(kind="withdrawal", refs=(movement_ref(found[1]), beside), name=found[1])
    if _WITHDRAWAL_FEE.search(text):
        return Told(kind="fee", refs=(beside,), role="fee")
    if _TWO_SIDED.match(text):
        return Told(kind="trade", refs=(f"settlement:{at}/{_WALLET.sub('', text)}",))
    return _by_words(text.lower(), amount)


def _by_words(text: str, amount: Decimal) -> Told:
    """What single words say, where the sentence names nothing that other rows share."""
    for words, kind in _KINDS:
        if words in text and not (kind == "interest" and amount < 0):
            return Told(kind=kind)
    if amount < 0 and any(word in text for word in _COSTS):
        return Told(kind="fee", role="fee")
    return Told(kind="other")


def fill_ref(codes: Codes, at: int, amount: str, base: str, price: str) -> str:
    """The name that the two sides and the fee of a fill share: its second, base, amount and price."""
    quantity, rate = (canonical(parse_amount(text)) for text in (amount, price))
    return f"fill:{at // SECOND_MS}/{codes.canonical(base)}/{quantity}/{rate}"


def movement_ref(number: object) -> str:
    """The name of a deposit or withdrawal."""
    return f"bitfinex:{number}"


def _label(text: str) -> str:
    """The sentence without its numbers and its wallet."""
    return " ".join(_VARYING.sub("", _WALLET.sub("", text)).split())
