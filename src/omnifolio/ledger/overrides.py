"""Prices that users set themselves: for a token on one day or for always. They win over every source, for their user alone.

Each is an overlay of kind `price`. Its target is the token's id, followed by a space and the UTC day where it holds on that day
alone; its value is the price and the currency in which the user stated it.
"""

import re
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Final

import msgspec
import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.engine import Connection

from omnifolio.ledger import overlays
from omnifolio.model.accounts import Principal
from omnifolio.model.amounts import bounded, canonical
from omnifolio.model.clock import DAY_MS, EpochMs, day_of, start_of_day
from omnifolio.model.errors import InvalidField
from omnifolio.model.prices import ALL_TIME, BRIDGE, Price
from omnifolio.model.tokens import TokenId, token_id
from omnifolio.store import schema
from omnifolio.store.lists import any_of

OVERLAY_KIND: Final = "price"
SOURCE = "user"
"""The source that stands beside a price which a user set."""

_CURRENCY = re.compile(r"[A-Z]{3}")
_ALL = sa.select(schema.overlays.c.target, schema.overlays.c.value, schema.overlays.c.at).where(
    schema.overlays.c.user_id == sa.bindparam("user"), schema.overlays.c.kind == OVERLAY_KIND
)
_NUMBERS = sa.select(schema.tokens.c.token, schema.tokens.c.id).where(any_of(schema.tokens.c.token, "ids"))


class Override(Struct, frozen=True, kw_only=True):
    """A price that a user has set, in any currency with reference rates."""

    price: Decimal
    currency: str = BRIDGE


class Stated(Struct, frozen=True, kw_only=True):
    """A price with what stands beside it. `day` is a UTC day as YYYY-MM-DD, None where it holds on every day."""

    token: TokenId
    day: str | None
    override: Override
    reason: str
    at: EpochMs


_read = msgspec.json.Decoder(Override)


def set_price(
    conn: Connection,
    principal: Principal,
    token: TokenId,
    override: Override,
    *,
    day: date | None,
    now: EpochMs,
    reason: str = "",
) -> overlays.Overlay:
    """Sets the price of a token on a UTC day, or for always where `day` is None. Zero is a price: the token is worth nothing.

    Raises: InvalidField for a negative price or what is no ISO 4217 code; InvalidAmount beyond the limits of amounts.
    """
    if bounded(override.price, where="price") < 0:
        raise InvalidField("price: a price is zero or more")
    if not _CURRENCY.fullmatch(override.currency):
        raise InvalidField("currency: expected an ISO 4217 code such as USD or EUR")
    value = msgspec.json.encode({"price": canonical(override.price), "currency": override.currency}).decode()
    return overlays.put(conn, principal, kind=OVERLAY_KIND, target=target_of(token, day), value=value, now=now, reason=reason)


def stated(value: str) -> Override:
    """The price that a decision's value says."""
    return _read.decode(value)


def restate(
    conn: Connection, principal: Principal, target: str, value: str, *, now: EpochMs, reason: str = ""
) -> overlays.Overlay:
    """Sets a price that stands in a document, by its target and value as they are kept. Raises: InvalidField, InvalidAmount."""
    token, _, day = target.partition(" ")
    try:
        override, on = _read.decode(value), date.fromisoformat(day) if day else None
    except (msgspec.MsgspecError, ValueError):
        raise InvalidField("price: expected a price, its currency, and a day as YYYY-MM-DD or none") from None
    return set_price(conn, principal, token_id(token), override, day=on, now=now, reason=reason)


def listed(conn: Connection, principal: Principal) -> list[Stated]:
    """Every price that the user has set, oldest first."""
    found = []
    for overlay in overlays.listed(conn, principal):
        if overlay.kind == OVERLAY_KIND:
            token, _, day = overlay.target.partition(" ")
            found.append(
                Stated(
                    token=TokenId(token),
                    day=day or None,
                    override=_read.decode(overlay.value),
                    reason=overlay.reason,
                    at=overlay.at,
                )
            )
    return found


def target_of(token: TokenId, day: date | None) -> str:
    """The target of a price overlay."""
    return token if day is None else f"{token} {day.isoformat()}"


def among(conn: Connection, principal: Principal, wanted: Iterable[tuple[int, EpochMs]]) -> dict[tuple[int, EpochMs], Price]:
    """The prices that the user has set among (token, minute) places; one for the day wins over one for always."""
    by_token: dict[TokenId, dict[str, Price]] = {}
    for target, value, at in conn.execute(_ALL, {"user": principal.data_user}):
        token, _, day = target.partition(" ")
        override = _read.decode(value)
        by_token.setdefault(TokenId(token), {})[day] = Price(
            price=override.price,
            currency=override.currency,
            bucket=start_of_day(date.fromisoformat(day)) if day else EpochMs(0),
            resolution=DAY_MS if day else ALL_TIME,
            source=SOURCE,
            observed_at=at,
        )
    if not by_token:
        return {}
    known = {row[1]: by_token[row[0]] for row in conn.execute(_NUMBERS, {"ids": sorted(by_token)})}
    found = {}
    for number, at in wanted:
        days = known.get(number, {})
        price = days.get(day_of(at).isoformat()) or days.get("")
        if price is not None:
            found[number, at] = price
    return found
