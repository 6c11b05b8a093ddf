"""`column is one of many values` with a single parameter, so that a statement is compiled once whatever the count.

SQLite gets the values as one JSON text through `json_each`, PostgreSQL as one array.
"""

from collections.abc import Sequence
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import Connection, Dialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler

_json = msgspec.json.Encoder().encode


class _Values(sa.types.TypeDecorator[Any]):
    impl = sa.Text
    cache_ok = True

    def __init__(self, *, numbers: bool) -> None:
        super().__init__()
        self.numbers = numbers

    def load_dialect_impl(self, dialect: Dialect) -> sa.types.TypeEngine[Any]:
        if dialect.name == "postgresql":
            return dialect.type_descriptor(postgresql.ARRAY(sa.BigInteger() if self.numbers else sa.Text()))
        return dialect.type_descriptor(sa.Text())

    def process_bind_param(self, value: Sequence[object] | None, dialect: Dialect) -> object:
        if value is None or dialect.name == "postgresql":
            return None if value is None else list(value)
        return _json(list(value)).decode()


class _AnyOf(sa.sql.expression.ColumnElement[bool]):
    inherit_cache = True
    type = sa.Boolean()

    def __init__(self, column: sa.ColumnElement[Any], values: sa.BindParameter[Any]) -> None:
        self.column = column
        self.values = values

    _traverse_internals = [  # noqa: RUF012 - SQLAlchemy reads it from the class
        ("column", sa.sql.visitors.InternalTraversal.dp_clauseelement),
        ("values", sa.sql.visitors.InternalTraversal.dp_clauseelement),
    ]

    def self_group(self, against: object = None) -> "_AnyOf":
        """Stands in AND and OR as it is. SQLAlchemy would write `… = 1` on SQLite, and that hides the column from every index."""
        return self

    @property
    def _from_objects(self) -> list[Any]:
        return list(self.column._from_objects)


@compiles(_AnyOf, "sqlite")
def _sqlite(element: _AnyOf, compiler: SQLCompiler, **kw: Any) -> str:
    return f"{compiler.process(element.column, **kw)} IN (SELECT value FROM json_each({compiler.process(element.values, **kw)}))"


@compiles(_AnyOf, "postgresql")
def _postgresql(element: _AnyOf, compiler: SQLCompiler, **kw: Any) -> str:
    return f"{compiler.process(element.column, **kw)} = ANY ({compiler.process(element.values, **kw)})"


def any_of(column: sa.ColumnElement[Any], name: str) -> sa.ColumnElement[bool]:
    """`column` equals one of the values of parameter `name` (a sequence, integers or texts as the column is)."""
    numbers = isinstance(column.type, sa.Integer)
    return _AnyOf(column, sa.bindparam(name, type_=_Values(numbers=numbers)))


def given(conn: Connection, values: Sequence[object]) -> object:
    """The values of such a parameter as the driver takes them: for a `Reading`, which hands them on as they are."""
    return list(values) if conn.dialect.name == "postgresql" else _json(list(values)).decode()


def any_of_text(dialect: str, name: str) -> str:
    """The condition of `any_of` for integers in a statement that is written as text, without its column."""
    return f"IN (SELECT value FROM json_each(:{name}))" if dialect == "sqlite" else f"= ANY (CAST(:{name} AS BIGINT[]))"
