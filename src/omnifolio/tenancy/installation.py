"""Facts of this installation that never change: its id, which tokens name as their issuer, and the key of its wire ids."""

import os
import uuid

import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.engine import Connection

from omnifolio.model.accounts import Principal
from omnifolio.store.schema import meta
from omnifolio.tenancy.principals import require_operator

ID_KEY = "installation.id"
WIRE_KEY = "installation.wire_key"
WIRE_KEY_BYTES = 32

_FIND = sa.select(meta.c.value).where(meta.c.key == sa.bindparam("name"))
_CLAIM = sa.text("INSERT INTO meta (key, value) VALUES (:name, :value) ON CONFLICT (key) DO NOTHING").bindparams(
    sa.bindparam("value", type_=meta.c.value.type)
)


class Installation(Struct, frozen=True, kw_only=True):
    """`id` is a UUID; `wire_key` the 32 bytes for `model.ids.WireIds`."""

    id: str
    wire_key: bytes

    def __repr__(self) -> str:
        return f"Installation({self.id})"


def ensure(conn: Connection, principal: Principal) -> Installation:
    """The installation's facts, made at the first start; several processes that start at once agree on them.

    Raises: Forbidden for everybody but the operator.
    """
    require_operator(principal)
    return Installation(
        id=_first(conn, ID_KEY, str(uuid.uuid4()).encode()).decode(),
        wire_key=_first(conn, WIRE_KEY, os.urandom(WIRE_KEY_BYTES)),
    )


def _first(conn: Connection, name: str, value: bytes) -> bytes:
    conn.execute(_CLAIM, {"name": name, "value": value})
    return bytes(conn.execute(_FIND, {"name": name}).scalar_one())
