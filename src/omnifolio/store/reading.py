"""Questions that are asked with every request: a statement compiled once for each store, run by the driver itself.

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


class Reading:
    """One SELECT, written the same for both stores or once for each (by the dialect's name)."""

    def __init__(self, statement: sa.Select[Any] | sa.TextClause | Mapping[str, sa.TextClause]) -> None:
        self._statement = statement
        self._compiled: dict[str, _Compiled] = {}

    def rows(self, conn: Connection, **values: object) -> Sequence[Sequence[Any]]:
        """All rows, in the transaction of `conn`."""
        dialect = conn.dialect.name
        raw: Any = conn.connection.driver_connection
        if dialect == "postgresql" and not raw.is_in_transaction():
            # SQLAlchemy begins the transaction, and with it the snapshot, only before the first statement that it runs itself.
            adapter: Any = conn.connection.dbapi_connection
            await_only(adapter._start_transaction())
        compiled = self._compiled.get(dialect)
        if compiled is None:
            compiled = self._compiled[dialect] = _compile(self._for(dialect), conn)
        given = [values[name] if name in values else compiled.constants[name] for name in compiled.names]
        is_sqlite = dialect == "sqlite"
        rows: Sequence[Sequence[Any]]
        rows = raw.execute(compiled.sql, given).fetchall() if is_sqlite else await_only(raw.fetch(compiled.sql, *given))
        return rows

    def _for(self, dialect: str) -> sa.Select[Any] | sa.TextClause:
        return self._statement[dialect] if isinstance(self._statement, Mapping) else self._statement


def _compile(statement: sa.Select[Any] | sa.TextClause, conn: Connection) -> _Compiled:
    compiled: Any = statement.compile(dialect=conn.dialect)
    return _Compiled(compiled.string, tuple(compiled.positiontup or ()), dict(compiled.params))
