"""A connection that runs the ledger's own statements by the driver alone, each compiled once by SQLAlchemy.

The SQL and the values are what SQLAlchemy sends; left out is what it does around every execution, which is most of the time of
ten thousand histories. Some seeds go by SQLAlchemy itself, so that the two are held against each other.
"""

from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from operator import itemgetter
from typing import Any

from sqlalchemy.dialects import sqlite

DIALECT = sqlite.dialect()
STATEMENTS_MAX = 1_000
"""Far more than the ledger has."""


class _Compiled:
    """A statement as the driver takes it when values of these names are given."""

    def __init__(self, statement: Any, keys: tuple[str, ...]) -> None:
        compiled: Any = statement.compile(dialect=DIALECT, column_keys=list(keys))
        self.statement, self.keys = statement, keys
        self.sql: str = compiled.string
        self._constants: Mapping[str, Any] = compiled.params
        self._names: tuple[str, ...] = tuple(compiled.positiontup or ())
        processors = compiled._bind_processors
        self._processors = [(name, processors[name]) for name in self._names if name in processors]
        is_plain = set(self._names) <= set(keys) and not self._processors
        self.values: Callable[[Mapping[str, Any]], Sequence[Any]] = self._prepared
        if is_plain and len(self._names) == 1:
            only = self._names[0]
            self.values = lambda given: (given[only],)
        elif is_plain and self._names:
            self.values = itemgetter(*self._names)
        self._make: Callable[[Sequence[Any]], Any] | None = None

    def _prepared(self, given: Mapping[str, Any]) -> Sequence[Any]:
        """The values in the order of the statement's marks."""
        named = {**self._constants, **given}
        for name, processor in self._processors:
            named[name] = processor(named[name])
        return [named[name] for name in self._names]

    def result(self, cursor: Any) -> Any:
        """The rows of a statement that gives some, else the cursor, which tells how many were changed."""
        if cursor.description is None:
            return cursor
        if self._make is None:
            names = [column[0] for column in cursor.description]
            row: Any = namedtuple("Row", names, rename=True)  # type: ignore[misc]  # the statement's names
            self._make = partial(tuple.__new__, row)
        return Rows(map(self._make, cursor))


class Rows(list[Any]):
    """Rows with names, as far as the ledger asks for them."""

    __slots__ = ()

    def all(self) -> list[Any]:
        """Every row."""
        return self

    def first(self) -> Any:
        """The first row, or None."""
        return self[0] if self else None

    def one_or_none(self) -> Any:
        """The only row, or None."""
        assert len(self) <= 1
        return self.first()

    def scalar_one_or_none(self) -> Any:
        """The value of the only row, or None."""
        row = self.one_or_none()
        return None if row is None else row[0]

    def scalar_one(self) -> Any:
        """The value of the only row."""
        (row,) = self
        return row[0]


_known: dict[int, _Compiled] = {}
"""By the id of the statement, which is kept alive with it."""


class LeanConnection:
    """What a unit of work is given in the place of SQLAlchemy's connection `behind` it."""

    dialect = DIALECT

    def __init__(self, behind: Any) -> None:
        self.connection = behind.connection
        self._raw = behind.connection.driver_connection

    def execute(self, statement: Any, given: Any = None) -> Any:
        """Runs a statement, which is compiled when it is met first."""
        if given is None:
            given = {}
        elif isinstance(given, list):
            if not given:
                return None
            if len(given) > 1:
                compiled = _compiled(statement, tuple(given[0]))
                return self._raw.executemany(compiled.sql, map(compiled.values, given))
            (given,) = given
        compiled = _compiled(statement, tuple(given))
        return compiled.result(self._raw.execute(compiled.sql, compiled.values(given)))

    def exec_driver_sql(self, sql: str, values: Sequence[Any]) -> Any:
        """Runs a statement as it is written."""
        return self._raw.execute(sql, values)


def _compiled(statement: Any, keys: tuple[str, ...]) -> _Compiled:
    compiled = _known.get(id(statement))
    if compiled is None or compiled.keys != keys:
        assert len(_known) < STATEMENTS_MAX, "a statement that is made anew for every execution is compiled for every execution"
        compiled = _known[id(statement)] = _Compiled(statement, keys)
    return compiled
