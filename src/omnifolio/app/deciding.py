"""What a user decides and takes back: written with its line in the audit, listed, carried away and brought back."""

from collections.abc import Sequence
from datetime import date

from msgspec import Struct
from sqlalchemy.engine import Connection

from omnifolio.app.context import Context
from omnifolio.ledger import carrying, decisions, overlays, overrides
from omnifolio.ledger.carrying import Document, Loaded
from omnifolio.ledger.overlays import Overlay, OverlayKind, transactions_in
from omnifolio.ledger.tokens import by_ids
from omnifolio.model.accounts import Principal
from omnifolio.model.amounts import canonical, parse_amount
from omnifolio.model.clock import EpochMs
from omnifolio.model.errors import InvalidField, NotFound
from omnifolio.model.ids import TransactionId, WireIds
from omnifolio.model.prices import BRIDGE
from omnifolio.model.tokens import TokenId, token_id


class Said(Struct, frozen=True, kw_only=True):
    """A decision in words of the outside: what it is about, what it says, who said it when, and under which sequence.

    One of `transaction` (with `other` for a pair), `address` and `asset_id` says what it is about; a price is in `currency` and
    holds on one `day` or on all.
    """

    id: str
    kind: OverlayKind
    transaction: str | None = None
    other: str | None = None
    address: str | None = None
    asset_id: str | None = None
    day: str | None = None
    value: str
    currency: str | None = None
    reason: str
    author: str
    at: EpochMs
    v: int


class Asked(Struct, frozen=True, kw_only=True):
    """A decision that somebody wants to make, in the words of `Said`."""

    kind: OverlayKind
    value: str
    transaction: str | None = None
    other: str | None = None
    address: str | None = None
    asset_id: str | None = None
    day: str | None = None
    currency: str | None = None
    reason: str = ""


async def listed(context: Context, principal: Principal) -> Sequence[Said]:
    """Every decision of the user that stands, oldest first."""
    return [said(context.ids, item) for item in await context.store.read(overlays.listed, principal)]


async def decide(context: Context, principal: Principal, asked: Asked) -> Said:
    """Makes a decision, in the place of an earlier one on the same thing. Raises: NotFound, InvalidField, InvalidAmount."""

    def op(conn: Connection) -> Overlay:
        now = context.clock.now()
        if asked.kind == overrides.OVERLAY_KIND:
            made = _set_price(conn, principal, asked, now=now)
        else:
            if asked.day is not None or asked.currency is not None:
                raise InvalidField("day, currency: belong to a price")
            target = _target(conn, principal, context.ids, asked)
            made = decisions.decide(
                conn, principal, kind=asked.kind, target=target, value=asked.value, now=now, reason=asked.reason
            )
        context.note(conn, principal, "decision.made", context.ids.wire("decision", made.id))
        return made

    return said(context.ids, await context.store.write(op))


async def undo(context: Context, principal: Principal, decision: str) -> None:
    """Takes a decision back, by its id. Raises: NotFound."""

    def op(conn: Connection) -> None:
        item = overlays.get(conn, principal, context.ids.integer("decision", decision))
        decisions.undo(conn, principal, kind=item.kind, target=item.target, now=context.clock.now())
        context.note(conn, principal, "decision.undone", decision.lower())

    await context.store.write(op)


async def undo_on(context: Context, principal: Principal, asked: Asked) -> None:
    """Takes back what was decided of a kind on a thing, whatever it says. Raises: NotFound, InvalidField."""

    def find(conn: Connection) -> str:
        target = _target(conn, principal, context.ids, asked)
        found = [item for item in overlays.listed(conn, principal) if (item.kind, item.target) == (asked.kind, target)]
        if not found:
            raise NotFound(f"there is no {asked.kind} to take back")
        return context.ids.wire("decision", found[0].id)

    await undo(context, principal, await context.store.read(find))


async def unload(context: Context, principal: Principal) -> Document:
    """Every decision of the user as a document."""
    return await context.store.read(carrying.unload, principal, context.clock.now())


async def load(context: Context, principal: Principal, document: Document) -> Loaded:
    """Takes over the decisions of a document. Raises: InvalidField."""

    def op(conn: Connection) -> Loaded:
        done = carrying.load(conn, principal, document, context.clock.now())
        context.note(conn, principal, "decisions.imported", str(done.made))
        return done

    return await context.store.write(op)


def said(ids: WireIds, item: Overlay) -> Said:
    """A stored decision in words of the outside."""
    numbers = [ids.wire("transaction", number) for number in transactions_in(item.target)]
    is_address = item.target.startswith(decisions.ADDRESS)
    token, _, day = item.target.partition(" ")
    value, currency = item.value, None
    if item.kind == overrides.OVERLAY_KIND:
        price = overrides.stated(item.value)
        value, currency = canonical(price.price), price.currency
    return Said(
        id=ids.wire("decision", item.id),
        kind=item.kind,
        transaction=numbers[0] if numbers else None,
        other=numbers[1] if len(numbers) > 1 else None,
        address=item.target.removeprefix(decisions.ADDRESS) if is_address else None,
        asset_id=None if numbers or is_address else token,
        day=day or None,
        value=value,
        currency=currency,
        reason=item.reason,
        author=item.author,
        at=item.at,
        v=item.seq,
    )


def _set_price(conn: Connection, principal: Principal, asked: Asked, *, now: EpochMs) -> Overlay:
    if asked.asset_id is None:
        raise InvalidField("asset_id: expected the id of a token")
    try:
        day = None if asked.day is None else date.fromisoformat(asked.day)
    except ValueError:
        raise InvalidField("day: expected YYYY-MM-DD") from None
    override = overrides.Override(price=parse_amount(asked.value, where="value"), currency=asked.currency or BRIDGE)
    token = _known(conn, asked.asset_id)
    return overrides.set_price(conn, principal, token, override, day=day, now=now, reason=asked.reason)


def _target(conn: Connection, principal: Principal, ids: WireIds, asked: Asked) -> str:
    named = [name for name in ("transaction", "address", "asset_id") if getattr(asked, name) is not None]
    if len(named) != 1 or (asked.other is not None and asked.transaction is None):
        raise InvalidField("decision: expected one of transaction (and other, for a link), address and asset_id")
    if asked.address is not None:
        return decisions.of_address(asked.address)
    if asked.asset_id is not None:
        return _known(conn, asked.asset_id)
    first = TransactionId(ids.integer("transaction", str(asked.transaction)))
    if asked.other is None:
        return decisions.of_transaction(conn, principal, first)
    return decisions.of_pair(conn, principal, first, TransactionId(ids.integer("transaction", asked.other)))


def _known(conn: Connection, text: str) -> TokenId:
    token = token_id(text)
    if not by_ids(conn, [token]):
        raise NotFound(f"no balance or transaction names {text[:80]!r}")
    return token
