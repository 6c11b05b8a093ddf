"""A connection that runs the ledger's own statements by the driver alone, each compiled once by SQLAlchemy.

The SQL and the values are what SQLAlchemy sends; left out is what it does around every execution, which is most of the time of
ten thousand histories. Some seeds go by SQLAlchemy itself, so that the two are held against each other.
"""

from collections import namedtuple
from collections.abc import Callable, Iterator, Mapping, Sequence
from operator import itemgetter
from typing import Any

from sqlalchemy.dialects import sqlite

ATTRIBUTE = "_lean"
DIALECT = sqlite.dialect()


class _Compiled:
    """A statement as the driver takes it when values of these names are given."""

    def __init__(self, statement: Any, keys: Sequence[str]) -> None:
        compiled: Any = statement.compile(dialect=DIALECT, column_keys=list(keys))
        self.sql: str = compiled.string
        self._constants: Mapping[str, Any] = compiled.params
        self._names: Sequence[str] = compiled.positiontup or ()
        processors = compiled._bind_processors
        self._processors = [(name, processors[name]) for name in self._names if name in processors]
        is_plain = len(self._names) > 1 and set(self._names) <= set(keys) and not self._processors
        self.values: Callable[[Mapping[str, Any]], Sequence[Any]] = itemgetter(*self._names) if is_plain else self._prepared
        self.make: Callable[[Sequence[Any]], Any] | None = None

    def _prepared(self, given: Mapping[str, Any]) -> Sequence[Any]:
        """The values in the order of the statement's marks."""
        named = {**self._constants, **given}
        for name, processor in self._processors:
            named[name] = processor(named[name])
        return [named[name] for name in self._names]


class Result:
    """Rows with names, as far as the ledger asks for them."""

    __slots__ = ("_rows", "rowcount")

    def __init__(self, compiled: _Compiled, cursor: Any) -> None:
        self.rowcount = cursor.rowcount
        if cursor.description is None:
            self._rows: list[Any] = []
            return
        if compiled.make is None:
            names = [column[0] for column in cursor.description]
            row: Any = namedtuple("Row", names, rename=True)  # type: ignore[misc]  # the statement's names
            compiled.make = row._make
        self._rows = [*map(compiled.make, cursor)]

    def __iter__(self) -> Iterator[Any]:
        return iter(self._rows)

    def all(self) -> list[Any]:
        """Every row."""
        return self._rows

    def first(self) -> Any:
        """The first row, or None."""
        return self._rows[0] if self._rows else None

    def one_or_none(self) -> Any:
        """The only row, or None."""
        assert len(self._rows) <= 1
        return self.first()

    def scalar_one_or_none(self) -> Any:
        """The value of the only row, or None."""
        row = self.one_or_none()
        return None if row is None else row[0]

    def scalar_one(self) -> Any:
        """The value of the only row."""
        (row,) = self._rows
        return row[0]


class LeanConnection:
    """What a unit of work is given in the place of SQLAlchemy's connection `behind` it."""

    dialect = DIALECT

    def __init__(self, behind: Any) -> None:
        self.connection = behind.connection
        self._raw = behind.connection.driver_connection

    def execute(self, statement: Any, given: Any = None) -> Any:
        """Runs a statement; one that is kept is compiled once."""
        owner, kept = statement.__dict__.get(ATTRIBUTE, (0, None))
        if owner != id(statement):
            # Not met before, or derived from one that was: SQLAlchemy copies what hangs on a statement.
            kept = {}
            statement.__dict__[ATTRIBUTE] = id(statement), kept
        many = given if isinstance(given, list) else [given or {}]
        if not many:
            return None
        keys = tuple(many[0])
        compiled = kept.get(keys)
        if compiled is None:
            compiled = kept[keys] = _Compiled(statement, keys)
        if len(many) == 1:
            return Result(compiled, self._raw.execute(compiled.sql, compiled.values(many[0])))
        return Result(compiled, self._raw.executemany(compiled.sql, [compiled.values(one) for one in many]))

    def exec_driver_sql(self, sql: str, values: Sequence[Any]) -> Any:
        """Runs a statement as it is written."""
        return self._raw.execute(sql, values)
