"""Ids that are minted before their rows are written, and never given out twice, whatever is deleted or rolled back."""

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.engine import Connection

from omnifolio.store.reading import Reading
from omnifolio.store.schema import counters

_sequence = sa.text("SELECT nextval(pg_get_serial_sequence(:table, 'id')) FROM generate_series(1, :count)")
_insert = insert(counters).values(name=sa.bindparam("name"), value=sa.bindparam("count"))
_take = Reading(
    _insert.on_conflict_do_update(
        index_elements=[counters.c.name], set_={"value": counters.c.value + _insert.excluded.value}
    ).returning(counters.c.value)
)


def mint(conn: Connection, table: sa.Table, count: int) -> range | list[int]:
    """`count` new ids for rows of `table`, ascending."""
    if count == 0:
        return []
    if conn.dialect.name == "postgresql":
        return [int(row[0]) for row in conn.execute(_sequence, {"table": table.name, "count": count})]
    last = _take.rows(conn, name=table.name, count=count)[0][0]
    return range(last - count + 1, last + 1)
