"""Statements that run with every request or every page: compiled once for each store, run by the driver itself.

Running a small statement by SQLAlchemy costs several times what it costs the driver. The values go to the driver, and the rows
come from it, as they are: for statements over integers, texts and bytes.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.util import await_only


class _Compiled(NamedTuple):
    """A statement as a driver takes it: `names` says which value stands in which place."""

    sql: str
    names: Sequence[str]
    constants: Mapping[str, object]


class _Statement:
    """A statement, written the same for both stores or once for each (by the dialect's name)."""

    def __init__(self, statement: sa.ClauseElement | Mapping[str, sa.TextClause]) -> None:
        self._statement = statement
        self._compiled: dict[str, _Compiled] = {}

    def _ready(self, conn: Connection, values: Mapping[str, object]) -> tuple[Any, str, Sequence[object]]:
        """The driver's connection, the statement as it takes it, and the values in their places."""
        dialect = conn.dialect.name
        raw: Any = conn.connection.driver_connection
        if dialect == "postgresql" and not raw.is_in_transaction():
            # SQLAlchemy begins the transaction, and with it the snapshot, only before the first statement that it runs itself.
            adapter: Any = conn.connection.dbapi_connection
            await_only(adapter._start_transaction())
        compiled = self._compiled.get(dialect)
        if compiled is None:
            compiled = self._compiled[dialect] = _compile(self._for(dialect), conn)
        return raw, compiled.sql, [values[name] if name in values else compiled.constants[name] for name in compiled.names]

    def _for(self, dialect: str) -> sa.ClauseElement:
        return self._statement[dialect] if isinstance(self._statement, Mapping) else self._statement


class Reading(_Statement):
    """One statement that gives rows."""

    def rows(self, conn: Connection, **values: object) -> Sequence[Sequence[Any]]:
        """All rows, in the transaction of `conn`."""
        raw, sql, given = self._ready(conn, values)
        is_sqlite = conn.dialect.name == "sqlite"
        rows: Sequence[Sequence[Any]] = raw.execute(sql, given).fetchall() if is_sqlite else await_only(raw.fetch(sql, *given))
        return rows


class Writing(_Statement):
    """One UPDATE or DELETE; of many rows that are alike, `bulk` writes them together."""

    def run(self, conn: Connection, **values: object) -> int:
        """How many rows it changed, in the transaction of `conn`."""
        raw, sql, given = self._ready(conn, values)
        if conn.dialect.name == "sqlite":
            return int(raw.execute(sql, given).rowcount)
        return int(await_only(raw.execute(sql, *given)).rpartition(" ")[2])


def _compile(statement: sa.ClauseElement, conn: Connection) -> _Compiled:
    compiled: Any = statement.compile(dialect=conn.dialect)
    return _Compiled(compiled.string, tuple(compiled.positiontup or ()), dict(compiled.params))
