"""Lines of any layout that data can describe: one signed amount, a sent and a received one, a pair with a price, a column a coin.

All give claims of a book of their own with the last rank: what a venue's interface said of the same event stands. Their names
begin with `file-`, so that a number in a file is never taken for one of the interface.
"""

import re
from collections.abc import Iterable, Sequence
from decimal import Decimal
from functools import cache

from omnifolio.catalog.layouts import OWN
from omnifolio.model.amounts import product, total
from omnifolio.model.errors import InvalidField
from omnifolio.model.facts import Claim, Kind, Leg, Role
from omnifolio.model.tokens import TokenId
from omnifolio.venues.exchanges.codes import Codes
from omnifolio.venues.files.fields import Fields

RANK = 9
"""Behind every book of an interface."""

OWN_BOOK = "file"
_RECEIVING: frozenset[Kind] = frozenset(
    {"deposit", "staking_reward", "interest", "reward", "airdrop", "referral", "rebate", "cashback", "refund", "mining", "fork"}
)
_SENDING: frozenset[Kind] = frozenset({"withdrawal", "fee"})
_PAIR = re.compile(r"([A-Za-z0-9]{2,12})[/:_-]([A-Za-z0-9]{2,12})")


def single(fields: Fields, codes: Codes) -> Claim | None:
    """A line with one signed amount, perhaps with what it was exchanged for, and its fee."""
    if fields.is_silent:
        return None
    kind = fields.known_kind()
    amount, beside = fields.amount("amount")
    if amount is None:
        raise InvalidField("amount: there is none")
    amount = -abs(amount) if fields.is_outgoing else amount
    asset = codes.token(fields.code("asset", beside))
    # A file without signs that has the fee in the amount names the sender's fee beside what comes in.
    is_senders = fields.layout.fees == "inside" and bool(fields.layout.outgoing) and not fields.is_outgoing
    fee = None if is_senders else _fee(fields, codes, asset)
    if fee and fee.token != asset and kind != "trade" and "value" in fields.layout.columns:
        fee = None  # where each line is valued, a fee in money beside what was not bought or sold is a value as well
    if fee and fields.layout.fees == "inside" and fee.token == asset:
        amount = total((amount, -fee.amount))
    role: Role = "fee" if kind == "fee" else "principal"
    legs = [Leg(fields.ref, fields.wallet, asset, amount, role, fields.text("counterparty") or None)]
    gained, gained_beside = fields.amount("to_amount")
    if gained:
        legs.append(_leg(fields, "to", codes.token(fields.code("to_asset", gained_beside)), abs(gained)))
    value, value_beside = fields.amount("value")
    if value and kind == "trade":
        counter = codes.token(fields.code("value_asset", value_beside))
        legs.append(_leg(fields, "value", counter, abs(value) if amount < 0 else -abs(value)))
    return _claim(fields, kind, [*legs, *([fee] if fee else [])])


def double(fields: Fields, codes: Codes) -> Claim | None:
    """A line with what was sent, what was received and the fee."""
    if fields.is_silent:
        return None
    sent, received = _side(fields, codes, "sent", "out"), _side(fields, codes, "received", "in")
    kind = fields.kind or ("trade" if sent and received else "deposit" if received else "withdrawal")
    if kind in _RECEIVING and received:
        sent = None
    if kind in _SENDING and sent:
        received = None
    if not sent and not received and not fields.amount("fee")[0]:
        raise InvalidField("amount: neither sent nor received")
    if sent and received and sent.token == received.token and not total((sent.amount, received.amount)):
        sent = received = None  # from the account to itself
    side = sent or received
    fee = _fee(fields, codes, side.token if side else None)
    if sent and kind == "fee":
        sent = Leg(sent.key, sent.wallet, sent.token, sent.amount, "fee")
    if sent and fee and fields.layout.fees == "inside" and fee.token == sent.token:
        sent = Leg(sent.key, sent.wallet, sent.token, total((sent.amount, -fee.amount)), sent.role)
    legs = [leg for leg in (sent, received, fee) if leg]
    return _claim(fields, kind, legs) if legs else None


def paired(fields: Fields, codes: Codes) -> Claim | None:
    """A line of a trade: pair, signed amount of the base, price."""
    found = _PAIR.fullmatch(fields.required["pair"])
    if not found:
        raise InvalidField(f"pair: expected two codes, got {fields.required['pair'][:24]!r}")
    amount, _ = fields.amount("amount")
    price, _ = fields.amount("price")
    if amount is None or price is None:
        raise InvalidField("amount: there is none" if amount is None else "price: there is none")
    quote = codes.token(found[2])
    legs = [
        _leg(fields, "base", codes.token(found[1]), amount),
        _leg(fields, "quote", quote, -product(amount, price)),
    ]
    fee = _fee(fields, codes, quote)
    return _claim(fields, "trade", [*legs, *([fee] if fee else [])])


def wide(fields: Fields, codes: Codes) -> Claim | None:
    """A line with a column for each coin's amount, and one for each coin's fee."""
    if fields.is_silent:
        return None
    kind = fields.known_kind()
    legs = []
    for column in fields.line.cells:
        coin, fee_coin = (_coin_in(column, fields.layout.columns[name]) for name in ("amounts", "fees"))
        amount = fields.cell(column)[0] if coin or fee_coin else None
        if coin and amount:
            legs.append(_leg(fields, coin, codes.token(coin), amount))
        elif fee_coin and amount:
            legs.append(Leg(f"{fields.ref}:fee:{fee_coin}", fields.wallet, codes.token(fee_coin), -abs(amount), "fee"))
    if not legs:
        raise InvalidField("amount: no coin has one")
    return _claim(fields, kind, legs)


def _claim(fields: Fields, kind: Kind, legs: Sequence[Leg]) -> Claim:
    own = fields.layout.id == OWN
    namespace = OWN_BOOK if own else f"file-{fields.layout.id}"
    group = fields.group(kind)  # our own reference means the same event in every file that we wrote
    named = fields.text("group") if own else fields.text("id") or fields.text("hash")
    return Claim(
        book=namespace,
        ref=fields.ref,
        refs=(f"{namespace}:{fields.ref}", *([f"{OWN_BOOK if fields.reference else namespace}-group:{group}"] if group else [])),
        name=named or fields.ref,
        at=fields.at,
        kind=kind,
        label=fields.text("type") or fields.text("label"),
        legs=tuple(leg for leg in legs if leg.amount),
        origin="file",
        rank=RANK,
        evidence=0,
    )


def _side(fields: Fields, codes: Codes, name: str, key: str) -> Leg | None:
    amount, beside = fields.amount(name)
    if not amount:
        return None
    size = abs(amount)
    return _leg(fields, key, codes.token(fields.code(f"{name}_asset", beside)), size if key == "in" else -size)


def _fee(fields: Fields, codes: Codes, asset: TokenId | None) -> Leg | None:
    """The fee's leg; without a code of its own it is of the line's token."""
    amount, beside = fields.amount("fee")
    if not amount:
        return None
    if asset is None or fields.text("fee_asset") or beside:
        asset = codes.token(fields.code("fee_asset", beside))
    return Leg(f"{fields.ref}:fee", fields.wallet, asset, amount if fields.layout.signed_fees else -abs(amount), "fee")


def _leg(fields: Fields, key: str, token: TokenId, amount: Decimal) -> Leg:
    return Leg(f"{fields.ref}:{key}", fields.wallet, token, amount)


@cache
def _pattern(column: str) -> re.Pattern[str]:
    first, *others = re.escape(column).split(re.escape("{code}"))
    return re.compile(first + "(?P<code>[A-Za-z0-9]{2,12})" + "(?P=code)".join(others))


def _coin_in(column: str, wanted: str | Iterable[str]) -> str | None:
    names = (wanted,) if isinstance(wanted, str) else wanted
    found = (_pattern(name).fullmatch(column) for name in names)
    return next((match["code"] for match in found if match), None)
