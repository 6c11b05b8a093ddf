"""Processes that commit pages and die without warning, and a nursery that raises such processes in milliseconds.

The nursery is a process of its own (`python -m tests.ledger.crashing`): it has everything imported, no thread and no loop, and
forks one child per task. The child kills itself at the named point of its n-th page, or is killed from outside at any moment.
It tells the nursery what it has committed, so that a lost page shows even if the database looks sound.
"""

import asyncio
import json
import os
import random
import select
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Literal

import msgspec
import sqlalchemy as sa
from msgspec import Struct, structs
from sqlalchemy import event

from omnifolio.ledger import coverage
from omnifolio.model import amounts
from omnifolio.model.accounts import Principal
from omnifolio.model.clock import EpochMs
from omnifolio.model.facts import Batch, Cursor, Evidence, Interval
from omnifolio.model.ids import AccountId
from omnifolio.store import bulk, reading
from omnifolio.store.engine import Store, open_store
from tests.ledger.builders import T0, Book, claim, leg
from tests.ledger.histories import API, CSV, TRADES, random_page

ROOT = Path(__file__).resolve().parents[2]

Point = Literal[
    "before BEGIN", "after the counter", "after the claims", "before COMMIT", "after COMMIT", "statement", "moment", "never"
]
POINTS: Sequence[Point] = ("before BEGIN", "after the counter", "after the claims", "before COMMIT", "after COMMIT")
"""Every place in a commit where what is stored, or what is known to be stored, changes."""

STREAM = "pages"
OPENED, COMMITTED = b"o", b"c"
FAILED_STATUS = 3
SOURCES = {"api": API, "csv": CSV, "trades": TRADES}


class Task(Struct, frozen=True, kw_only=True):
    """What one child does: which history it goes on with from the stored cursors, and where it dies.

    `pages` is the length of the random history of `seed`; with `sources` the child commits those pages instead. `die_on` counts
    pages, or statements for the point `statement`, from 1; where the page has no such point the child dies at the next one that
    has. `moment_s` is the delay of a kill from outside. `server` is the process id of a database server that dies in the same
    instant; 0 lets it live.
    """

    url: str
    principal: Principal
    account: int
    fence: int
    seed: int = 0
    pages: int = 0
    sources: tuple[str, ...] = ()
    die_at: Point = "never"
    die_on: int = 1
    moment_s: float = 0.0
    server: int = 0


class Outcome(Struct, frozen=True, kw_only=True):
    """How a child ended: how many pages it knew to be committed, and the signal or exit status that ended it."""

    acknowledged: int
    killed_by: int
    exit_status: int


@cache
def history(seed: int, count: int) -> Sequence[Batch]:
    """The pages of a seed: each moves the cursor by one, covers an interval and brings its evidence."""
    rng = random.Random(seed)
    pages = []
    for number in range(1, count + 1):
        page = random_page(rng)
        proof = Evidence(stream=STREAM, request="GET /pages", received_at=EpochMs(T0), body=f"page {number}".encode())
        pages.append(
            structs.replace(
                page,
                cursor=Cursor(STREAM, str(number)),
                claims=tuple(
                    structs.replace(told, evidence=0) for told in (*page.claims, claim(f"new {number}", leg("in 1 ETH")))
                ),
                evidence=(proof,),
                covered=(Interval(EpochMs(T0 + number * 10), EpochMs(T0 + number * 10 + 9)),),
            )
        )
    return pages


def pages_of(task: Task) -> Sequence[Batch]:
    """The whole history of a task, oldest page first."""
    if not task.sources:
        return history(task.seed, task.pages)
    return [structs.replace(SOURCES[name], cursor=Cursor(SOURCES[name].cursor.stream, "end")) for name in task.sources]


async def resume(task: Task, store: Store, said: Callable[[bytes], None], before_page: Callable[[], None]) -> None:
    """Commits every page that the stored cursors do not cover yet."""
    book = Book(store, task.principal, AccountId(task.account), task.fence)
    stored = {mark.stream: mark.token for mark in await store.read(coverage.bookmarks, book.account)}
    said(OPENED)
    for number, page in enumerate(pages_of(task), 1):
        token = stored.get(page.cursor.stream)
        if token is not None and (task.sources or int(token) >= number):
            continue
        before_page()
        await book.commit(page, now=number)
        said(COMMITTED)


class Nursery:
    """Raises children one after another."""

    def __init__(self) -> None:
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in [str(ROOT), *sys.path] if path)}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.ledger.crashing"],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def run(self, task: Task) -> Outcome:
        """Runs one child to its end. Raises: AssertionError when it ended in a way that was not asked for."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(msgspec.json.encode(task) + b"\n")
        self._process.stdin.flush()
        outcome = msgspec.json.decode(self._process.stdout.readline(), type=Outcome)
        assert outcome.exit_status == 0 or task.server, "the child failed instead of dying; its words are on stderr"
        assert outcome.killed_by in (0, signal.SIGKILL)
        return outcome

    def close(self) -> None:
        """Lets the nursery end."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()


def raise_child(task: Task) -> Outcome:
    """Forks the child, kills it where that is asked for, and reports its end."""
    pages_of(task)  # made once here and inherited by every child
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        try:
            asyncio.run(_live(task, writer))
            os._exit(0)
        except BaseException:
            if not task.server:  # when the server died first, its clients fail
                traceback.print_exc()
            os._exit(FAILED_STATUS)
    os.close(writer)
    heard = _listen(reader, child, task)
    os.close(reader)
    _, status = os.waitpid(child, 0)
    return Outcome(
        acknowledged=heard.count(COMMITTED),
        killed_by=os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0,
        exit_status=os.WEXITSTATUS(status) if os.WIFEXITED(status) else 0,
    )


def _listen(reader: int, child: int, task: Task) -> bytes:
    """What the child said until its end; kills it `moment_s` after it has opened the database, if that is its fate."""
    heard = b""
    deadline: float | None = None
    while True:
        wait = None if deadline is None else max(0.0, deadline - time.monotonic())
        if not select.select([reader], [], [], wait)[0]:
            os.kill(child, signal.SIGKILL)
            deadline = None
            continue
        part = os.read(reader, 4096)
        if not part:
            return heard
        if not heard and task.die_at == "moment":
            deadline = time.monotonic() + task.moment_s
        heard += part


async def _live(task: Task, writer: int) -> None:
    store = open_store(task.url)
    pages = 0
    statements = 0

    def die(point: Point) -> None:
        if task.die_at == point and (statements if point == "statement" else pages) >= task.die_on:
            if task.server:
                _kill_server(task.server)
            os.kill(os.getpid(), signal.SIGKILL)

    def before_page() -> None:
        nonlocal pages
        pages += 1
        die("before BEGIN")

    def after_statement(sql: str) -> None:
        nonlocal statements
        if pages:
            statements += 1
            die("statement")
            if sql.startswith("UPDATE users SET seq"):
                die("after the counter")
            if sql.startswith(('INSERT INTO "claims"', "UPDATE claims SET")):
                die("after the claims")

    _hook(store, after_statement, die)
    await resume(task, store, lambda word: _say(writer, word), before_page)
    await store.close()


def _say(writer: int, word: bytes) -> None:
    os.write(writer, word)


def _hook(store: Any, after_statement: Callable[[str], None], die: Callable[[Point], None]) -> None:
    """Calls back after each statement of a writing connection and on both sides of its COMMIT."""
    engine: sa.Engine = getattr(store.engine, "sync_engine", store.engine)
    event.listen(engine, "after_cursor_execute", lambda _conn, _cursor, sql, *_rest: after_statement(sql))
    event.listen(engine, "commit", lambda _conn: die("before COMMIT"))
    commit, run = engine.dialect.do_commit, bulk.run

    def do_commit(connection: Any) -> None:
        commit(connection)
        die("after COMMIT")

    def run_and_tell(conn: sa.Connection, sql: str, rows: Sequence[bulk.Row]) -> None:
        run(conn, sql, rows)
        after_statement(sql)

    engine.dialect.do_commit = do_commit  # type: ignore[method-assign,assignment]
    bulk.run = run_and_tell
    for kind, name in ((reading.Reading, "rows"), (reading.Writing, "run")):
        setattr(kind, name, _telling(getattr(kind, name), after_statement))


def _telling(method: Callable[..., Any], after_statement: Callable[[str], None]) -> Callable[..., Any]:
    """A statement that the driver runs itself, told like any other."""

    def told(statement: Any, conn: sa.Connection, **values: object) -> Any:
        result = method(statement, conn, **values)
        after_statement(statement._compiled[conn.dialect.name].sql)
        return result

    return told


def _kill_server(postmaster: int) -> None:
    """Kills a PostgreSQL server and all its processes, as a power cut would."""
    listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], check=True, capture_output=True, text=True).stdout
    pairs = [tuple(map(int, line.split())) for line in listed.splitlines()]
    for pid in (postmaster, *(pid for pid, parent in pairs if parent == postmaster)):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue


def main() -> None:
    """Reads one task a line and answers with one outcome a line, until the input ends."""
    amounts.install()
    for line in sys.stdin:
        outcome = raise_child(msgspec.convert(json.loads(line), Task))
        sys.stdout.write(msgspec.json.encode(outcome).decode() + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
