"""Orders at exchanges: stored whole, by the venue's own id."""

from collections.abc import Sequence

import sqlalchemy as sa
from msgspec import Struct, structs
from sqlalchemy.engine import Connection

from omnifolio.ledger.place import Place
from omnifolio.model.accounts import Principal
from omnifolio.model.clock import EpochMs
from omnifolio.model.errors import NotFound
from omnifolio.model.facts import Order
from omnifolio.model.ids import AccountId, OrderId
from omnifolio.store import bulk, codec
from omnifolio.store.lists import any_of
from omnifolio.store.schema import accounts, orders

_account: sa.BindParameter[int] = sa.bindparam("account")
_user: sa.BindParameter[int] = sa.bindparam("user")
_existing = sa.select(orders.c.ref, orders.c.payload).where(orders.c.account_id == _account, any_of(orders.c.ref, "refs"))
_update = (
    sa.update(orders)
    .where(orders.c.account_id == _account, orders.c.ref == sa.bindparam("ref_"))
    .values(payload=sa.bindparam("body"), seq=sa.bindparam("seq_"), created_at=sa.bindparam("created"))
)
_of_user = orders.c.account_id.in_(
    sa.select(accounts.c.id).where(accounts.c.id == _account, accounts.c.user_id == _user, accounts.c.is_deleted == 0)
)
_one = sa.select(orders.c.id, orders.c.payload).where(orders.c.id == sa.bindparam("order_"), _of_user)
_edge = sa.select(orders.c.created_at, orders.c.id).where(orders.c.id == sa.bindparam("order_"), _of_user)
_between = sa.select(orders.c.id, orders.c.payload).where(
    _of_user, orders.c.created_at >= sa.bindparam("start"), orders.c.created_at <= sa.bindparam("end")
)
_position = sa.tuple_(orders.c.created_at, orders.c.id)

_decode = codec.decoder(Order).decode


class StoredOrder(Struct, frozen=True):
    """An order with its id."""

    id: OrderId
    order: Order


def put(conn: Connection, place: Place, items: Sequence[Order]) -> int:
    """Stores new and changed orders; gives how many."""
    if not items:
        return 0
    plain = {item.ref: structs.replace(item, evidence=None) for item in items}
    rows = conn.execute(_existing, {"account": place.account, "refs": sorted(plain)})
    stored = {row.ref: row.payload for row in rows}
    new: list[tuple[object, ...]] = []
    changed: list[dict[str, object]] = []
    for ref, item in plain.items():
        body = codec.pack(item)
        if ref not in stored:
            new.append((place.account, ref, item.created_at, place.seq, body))
        elif stored[ref] != body:
            changed.append({"account": place.account, "ref_": ref, "body": body, "seq_": place.seq, "created": item.created_at})
    bulk.insert(conn, orders, ("account_id", "ref", "created_at", "seq", "payload"), new)
    if changed:
        conn.execute(_update, changed)
    return len(new) + len(changed)


def get(conn: Connection, principal: Principal, account: AccountId, order: OrderId) -> StoredOrder:
    """One order. Raises: NotFound."""
    values = {"account": account, "user": principal.data_user, "order_": order}
    row = conn.execute(_one, values).one_or_none()
    if row is None:
        raise NotFound("no order has this id")
    return StoredOrder(OrderId(row.id), _decode(row.payload))


def page(
    conn: Connection,
    principal: Principal,
    account: AccountId,
    *,
    start: EpochMs,
    end: EpochMs,
    limit: int,
    ascending: bool,
    last: OrderId | None = None,
) -> Sequence[StoredOrder]:
    """Orders created between two instants, in order of creation, after the order `last`."""
    statement = _between
    values: dict[str, object] = {"account": account, "user": principal.data_user, "start": start, "end": end}
    if last is not None:
        after = conn.execute(_edge, values | {"order_": last}).one_or_none()
        if after is None:
            raise NotFound("no order has the id given as last")
        edge = sa.tuple_(sa.literal(after.created_at, sa.BigInteger), sa.literal(after.id, sa.BigInteger))
        statement = statement.where(_position > edge if ascending else _position < edge)
    columns = (orders.c.created_at, orders.c.id)
    statement = statement.order_by(*(columns if ascending else tuple(column.desc() for column in columns))).limit(limit)
    return [StoredOrder(OrderId(row.id), _decode(row.payload)) for row in conn.execute(statement, values)]
