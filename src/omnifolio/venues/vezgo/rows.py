"""Vezgo's rows as facts: pure, from one stored answer to claims, snapshots and the values that Vezgo stated.

Amounts are read exactly, whether they stand there as texts or as numbers. A row that cannot be read costs itself and is named.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from omnifolio.model.amounts import ZERO, divide, parse_amount, total
from omnifolio.model.clock import MINUTE_MS, EpochMs
from omnifolio.model.errors import InvalidAmount, InvalidField, VenueBadResponse
from omnifolio.model.facts import HANDED_ON_RANK, Balance, Claim, Evidence, Gap, Kind, Leg, Product, Quote, Snapshot, Status
from omnifolio.model.prices import BRIDGE, bucket_of
from omnifolio.model.tokens import TokenId
from omnifolio.venues.vezgo.plan import ADDRESS_CHARS_MAX, KINDS, KINDS_BY_SUBTYPE, NAME_CHARS_MAX, Names, Plan, rows_of, text_of

BOOK = "vezgo"
SOURCE = "vezgo"
"""How Vezgo is named as the source of a value."""
PRICE_PLACES = 18
STATED_MIN = Decimal(1)
"""Below it the two decimals of a stated value say too little of the price."""
TRANSFERS = ("tokenTransfers", "internalTransfers")
COLLECTIBLES = "nftTransfers"
AT_MAX = 2**53
_ID = re.compile(r"[\x21-\x7e]{1,100}")
_AMOUNTS = ("amount", "quantity")
_TICKERS = ("ticker", "symbol", "tokenSymbol")
_CONTRACTS = ("ticker_address", "contractAddress", "contract_address", "tokenAddress", "contract")
_FROM, _TO = ("from_address", "from"), ("to_address", "to")
_STATUSES: Mapping[str, Status] = {"pending": "pending", "failed": "failed", "cancelled": "cancelled"}
_UNREADABLE = (KeyError, TypeError, AttributeError, ValueError, ArithmeticError, InvalidAmount, InvalidField)


def document(evidence: Evidence) -> Any:
    """The answer's JSON, its numbers exact. Raises: VenueBadResponse."""
    try:
        return json.loads(evidence.body, parse_float=Decimal, parse_constant=_refused)
    except (ValueError, RecursionError):
        raise VenueBadResponse(f"Vezgo: {evidence.request} gave no JSON") from None


def _refused(text: str) -> Any:
    raise ValueError(text)


def listed(evidence: Evidence) -> list[Mapping[str, Any]]:
    """An answer that is a list of objects. Raises: VenueBadResponse."""
    found = document(evidence)
    if not isinstance(found, list) or not all(isinstance(row, dict) and isinstance(row.get("id"), str) for row in found):
        raise VenueBadResponse(f"Vezgo: {evidence.request} gave no list of objects with ids")
    return found


def _instant(told: Any) -> EpochMs:
    """An instant in milliseconds. Raises: InvalidField; ValueError, TypeError for what is no number."""
    at = int(told)
    if not 0 <= at <= AT_MAX:
        raise InvalidField("its time is none in milliseconds since 1970")
    return EpochMs(at)


def balances(
    row: Mapping[str, Any], names: Names, plan: Plan, *, venue: str, told_at: EpochMs
) -> tuple[list[Snapshot], list[Gap]]:
    """What an account held when Vezgo looked last, `told_at` at the latest: a snapshot for each wallet and product."""
    held: dict[tuple[str, Product], dict[TokenId, list[Decimal]]] = {}
    times: dict[tuple[str, Product], EpochMs] = {}
    gaps: list[Gap] = []
    for number, item in enumerate(rows_of(row, "balances"), start=1):
        try:
            if item.get("asset_type") == "nft":
                raise InvalidField("it is a collectible; reconnecting reads those")
            token, product = names.token(item)
            place = (plan.wallet(item.get("wallet"), venue), product)
            amount = parse_amount(item["amount"])
            at = _instant(item.get("updated_at") or row.get("updated_at") or 0)
        except _UNREADABLE as error:
            gaps.append(_left_out(f"{BOOK}/account", f"balance {number} ({str(_ticker(item))[:24]})", error))
            continue
        held.setdefault(place, {}).setdefault(token, []).append(amount)
        times[place] = max(min(at, told_at), times.get(place, EpochMs(0)))
    found = [
        Snapshot(
            wallet=wallet,
            product=product,
            at=times[wallet, product],
            balances=tuple(Balance(token, total(amounts)) for token, amounts in sorted(tokens.items())),
            evidence=0,
        )
        for (wallet, product), tokens in sorted(held.items())
    ]
    return found, gaps


def claims(
    rows: Sequence[Mapping[str, Any]], names: Names, plan: Plan, *, venue: str, stream: str
) -> tuple[list[Claim], list[Gap]]:
    """What happened, row by row."""
    found: list[Claim] = []
    gaps: list[Gap] = []
    for row in rows:
        try:
            if not _ID.fullmatch(row["id"]):
                raise InvalidField("its id is none that can be kept")
            legs = [leg for leg, _ in _legs(row, names, plan, venue)]
            found.append(_claim(row, legs, plan))
        except _UNREADABLE as error:
            gaps.append(_left_out(stream, f"transaction {text_of(row['id'], 40)}", error))
    if any(_misc(row).get(COLLECTIBLES) for row in rows):
        text = "moved collectibles were left out; reconnecting reads them"
        gaps.append(Gap(stream=stream, code="collectibles_left_out", text=text))
    return found, gaps


def stated(rows: Sequence[Mapping[str, Any]], names: Names, plan: Plan, *, venue: str, observed_at: EpochMs) -> Iterator[Quote]:
    """The prices that Vezgo's stated values in dollars imply, each for the minute of its transaction."""
    for row in rows:
        try:
            at = _instant(row["initiated_at"])
            legs = list(_legs(row, names, plan, venue))
        except _UNREADABLE:
            continue
        for leg, part in legs:
            try:
                worth = parse_amount(part.get("fiat_value"))
            except InvalidAmount:
                continue
            is_money = names.facts[leg.token].kind == "fiat"
            if is_money or part.get("fiat_ticker") != BRIDGE or abs(worth) < STATED_MIN or not leg.amount:
                continue
            price = divide(abs(worth), abs(leg.amount), places=PRICE_PLACES)
            if price:
                yield Quote(
                    token=leg.token, currency=BRIDGE, bucket=bucket_of(at, MINUTE_MS), resolution=MINUTE_MS, price=price,
                    source=SOURCE, observed_at=observed_at,
                )  # fmt: skip


def _claim(row: Mapping[str, Any], legs: Sequence[Leg], plan: Plan) -> Claim:
    number, misc = row["id"], _misc(row)
    hash_ = text_of(row.get("transaction_hash"), ADDRESS_CHARS_MAX)
    event = f"{plan.chain}:{hash_.lower() if plan.chain.startswith('eip155:') else hash_}" if plan.chain and hash_ else None
    status = _STATUSES.get(row.get("status") or "", "confirmed")
    origin = misc.get("origin_id")
    confirmed_at = row.get("confirmed_at")
    return Claim(
        book=BOOK,
        ref=number,
        refs=(f"{BOOK}:{number}", *((f"tx:{event}",) if event else ())),
        at=_instant(row["initiated_at"]),
        kind=_kind(row),
        legs=tuple(legs) if status in ("confirmed", "pending") else (),
        rank=HANDED_ON_RANK,
        name=text_of(str(origin) if isinstance(origin, int) else origin, ADDRESS_CHARS_MAX) or hash_,
        label=text_of(misc.get("origin_type"), NAME_CHARS_MAX),
        status=status,
        confirmed_at=_instant(confirmed_at) if confirmed_at else None,
        event=event,
        evidence=0,
    )


def _kind(row: Mapping[str, Any]) -> Kind:
    return KINDS_BY_SUBTYPE.get(row.get("transaction_subtype") or "") or KINDS.get(row.get("transaction_type") or "", "other")


def _legs(row: Mapping[str, Any], names: Names, plan: Plan, venue: str) -> Iterator[tuple[Leg, Mapping[str, Any]]]:
    """The legs of a row, each with what told it. Keys bear the row's id: several rows of one hash are one event."""
    number = row["id"]
    here = plan.wallet(row.get("wallet"), venue)
    own = set(plan.wallets.values())
    parts: set[tuple[TokenId, Decimal]] = set()
    for place, part in enumerate(rows_of(row, "parts")):
        token, _ = names.token(part)
        size = parse_amount(part["amount"])
        is_received = {"received": True, "sent": False}[part["direction"]]
        amount = abs(size) if is_received else -abs(size)
        parts.add((token, amount))
        wallet = plan.wallet(part["wallet"], venue) if part.get("wallet") else here
        party = part.get("from_address" if is_received else "to_address")
        yield Leg(f"{number}/part{place}", wallet, token, amount, "principal", _party(party, plan, own)), part
    for place, fee in enumerate(rows_of(row, "fees")):
        if fee.get("amount") in (None, ""):
            continue
        token, _ = names.token(fee)
        wallet = plan.wallet(fee["wallet"], venue) if fee.get("wallet") else here
        yield Leg(f"{number}/fee{place}", wallet, token, -parse_amount(fee["amount"]), "fee"), fee
    misc = _misc(row)
    for kind in TRANSFERS:
        for place, move in enumerate(rows_of(misc, kind)):
            leg = _transfer(move, names, plan, f"{number}/{kind}{place}", here)
            if (leg.token, leg.amount) not in parts:
                yield leg, move


def _transfer(move: Mapping[str, Any], names: Names, plan: Plan, key: str, wallet: str) -> Leg:
    """A movement that Vezgo tells beside the parts: signed, negative where it was sent."""
    raw = _first(move, _AMOUNTS)
    if raw is None:
        raise InvalidField(f"a movement in {key.partition('/')[2]} has no amount under a name that is known")
    ticker = _first(move, _TICKERS) or plan.coin_ticker
    token, _ = names.token({"ticker": ticker, "ticker_address": _first(move, _CONTRACTS), "name": move.get("name")})
    amount = parse_amount(raw)
    if move.get("direction") in ("sent", "received"):
        amount = abs(amount) if move["direction"] == "received" else -abs(amount)
    party = _first(move, _FROM if amount > ZERO else _TO)
    return Leg(key, wallet, token, amount, "principal", _party(party, plan, {wallet}))


def _party(told: object, plan: Plan, own: set[str]) -> str | None:
    """The other side's address, unless it is the account's own."""
    shown = text_of(told, ADDRESS_CHARS_MAX)
    if not shown:
        return None
    address = shown.lower() if plan.chain.startswith("eip155:") else shown
    return None if f"{plan.chain}:{address}" in own else address


def _misc(row: Mapping[str, Any]) -> Mapping[str, Any]:
    found = row.get("misc")
    return found if isinstance(found, dict) else {}


def _first(row: Mapping[str, Any], names: Sequence[str]) -> Any:
    return next((row[name] for name in names if row.get(name) not in (None, "")), None)


def _ticker(item: Any) -> object:
    return item.get("ticker") if isinstance(item, dict) else "?"


def _left_out(stream: str, what: str, error: Exception) -> Gap:
    if isinstance(error, InvalidAmount | InvalidField):
        reason = error.message
    elif isinstance(error, KeyError):
        reason = f"{error.args[0]} is missing or of no known value"
    else:
        reason = "it is not of the documented form"
    return Gap(stream=stream, code="row_unreadable", text=f"{what} was left out: {reason}")
