"""A power cut: from some writing statement or COMMIT on, whoever runs it, everything in the process fails."""

from collections.abc import Callable, Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import Connection

from omnifolio.store.reading import _Statement


def cut(engine: Any, after: int, error: type[BaseException]) -> Callable[[], None]:
    """Lets everything raise `error` after so many statements and COMMITs of a store's writing engine; gives what ends that."""
    left = [after]
    counted: sa.Engine = getattr(engine, "sync_engine", engine)
    ready = _Statement._ready

    def count(*_: object) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise error

    def ready_and_counted(statement: Any, conn: Connection, values: Mapping[str, object]) -> Any:
        if conn.engine is counted:
            count()
        return ready(statement, conn, values)

    def mend() -> None:
        _Statement._ready = ready  # type: ignore[method-assign]

    event.listen(counted, "before_cursor_execute", count)
    event.listen(counted, "commit", count)
    _Statement._ready = ready_and_counted  # type: ignore[method-assign,assignment]
    return mend
