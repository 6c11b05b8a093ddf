"""What a request costs: CPU of `GET /v1/accounts` against a bare ASGI application that returns the same bytes.

    python -m benchmarks.api [sqlite] [postgresql]

One user with 20 accounts of 30 balances, 600 different tokens, all priced; every check on (token, team and user looked up, scope,
rate limit, headers). Both applications run under the same uvicorn, each in a process of its own whose CPU time (user and system,
all threads) is read before and after; a client in this process asks over one connection.

`accounts_unchanged` nothing has changed since the last answer.
`accounts_first`     one account has changed before each request (by another process): the first answer after a change.
`accounts_cold`      all 20 accounts have changed before each request: nothing that was kept is of use. It has no bar.
"""

import asyncio
import http.client
import json
import multiprocessing
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from statistics import median
from typing import Any

import uvicorn
from sqlalchemy.engine import Connection
from tests import postgres
from tests.faces.api.world import Client, Link, World, served, token_of

from omnifolio.ledger import accounts
from omnifolio.model.facts import Balance, Batch, Cursor, Snapshot, Wallet
from omnifolio.model.tokens import TokenFacts, TokenId

ACCOUNTS, BALANCES = 20, 30
ROUNDS = 3
UNCHANGED_REQUESTS, FIRST_REQUESTS = 200, 30
WARMING_REQUESTS = 30
BARS = {
    ("accounts_unchanged", "sqlite"): 2.5,
    ("accounts_first", "sqlite"): 25.0,
    ("accounts_unchanged", "postgresql"): 6.0,
    ("accounts_first", "postgresql"): 30.0,
}
LOGIN = "bench"


def fill(world: World) -> tuple[Client, list[Link]]:
    """The user of this benchmark."""
    client = world.team("bench")
    person = client.user(LOGIN)
    links = []
    for number in range(ACCOUNTS):
        link = person.account("demo", mark=str(number))
        tokens = [TokenId(f"venue:demo/T{number}-{n}") for n in range(BALANCES)]
        now = world.clock.now()
        held = tuple(Balance(token, Decimal("1234.56789") + n) for n, token in enumerate(tokens))
        link.commit(
            Batch(
                cursor=Cursor("balances/all", "c"),
                observed_at=now,
                tokens=tuple(
                    TokenFacts(id=token, ticker=f"T{n}", name=f"Token {n}", decimals=18) for n, token in enumerate(tokens)
                ),
                wallets=(Wallet(key="spot", name="Spot"),),
                snapshots=(Snapshot(wallet="spot", product="spot", at=now, balances=held),),
            )
        )
        link.finish()
        world.price({token: f"{n + 1}.25" for n, token in enumerate(tokens)})
        links.append(link)
    return client, links


def serve(pipe: Pipe, url: str, folder: str, body: bytes | None) -> None:
    """A process that serves the API, or with `body` the bare application, and tells its CPU time whenever it is asked."""
    world = World(url, Path(folder), rate_limit_per_minute=10_000_000)
    with served(world) if body is None else bare(world, body) as address:
        pipe.send(address)
        while pipe.recv():
            pipe.send(time.process_time())
    world.close()


@contextmanager
def bare(world: World, body: bytes) -> Iterator[str]:
    """The least that an application can do with these bytes."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    config = uvicorn.Config(app, log_level="warning", lifespan="off", access_log=False, host="127.0.0.1", port=0)
    server = uvicorn.Server(config)
    running = asyncio.run_coroutine_threadsafe(server.serve(), world.loop)
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    running.result()


class Served:
    """A serving process and the connection to it."""

    def __init__(self, url: str, folder: Path, body: bytes | None, headers: dict[str, str]) -> None:
        self._pipe, theirs = multiprocessing.Pipe()
        self._process = multiprocessing.get_context("spawn").Process(
            target=serve, args=(theirs, url, str(folder), body), daemon=True
        )
        self._process.start()
        self.address = self._pipe.recv()
        self._http = http.client.HTTPConnection(self.address.removeprefix("http://"))
        self._headers = headers

    def get(self) -> bytes:
        """The accounts."""
        self._http.request("GET", "/v1/accounts", headers=self._headers)
        answer = self._http.getresponse()
        data = answer.read()
        assert answer.status == 200, data
        return data

    def cpu_s(self) -> float:
        """CPU seconds that the process has used."""
        self._pipe.send(True)
        seconds: float = self._pipe.recv()
        return seconds

    def cost_s(self, count: int, before_each: Callable[[], None] | None = None) -> float:
        """CPU seconds of one request."""
        self._http.close()  # the server has closed it, if it stood idle while the other one was measured
        self.get()
        start = self.cpu_s()
        for _ in range(count):
            if before_each is not None:
                before_each()
            self.get()
        return (self.cpu_s() - start) / count

    def stop(self) -> None:
        """Ends the process."""
        self._http.close()
        self._pipe.send(False)
        self._process.join()


def measure(dialect: str, url: str, folder: Path) -> list[dict[str, object]]:
    """Both ratios on one database."""
    world = World(url, folder, rate_limit_per_minute=10_000_000)
    client, links = fill(world)
    with served(world) as address:
        headers = {"authorization": "Bearer " + token_of(address, client, LOGIN)}

    def change() -> None:
        rename(links[:1])

    def rename(chosen: list[Link]) -> None:
        def op(conn: Connection) -> None:
            for link in chosen:
                accounts.change(conn, link.person.principal, link.number, world.clock.now(), name="again")

        world.write(op)

    api = Served(url, folder, None, headers)
    body = api.get()
    plain = Served(url, folder, body, headers)
    for server in (api, plain):
        server.cost_s(WARMING_REQUESTS)
    costs: dict[str, list[float]] = {"bare": [], "unchanged": [], "first": [], "cold": []}
    for _ in range(ROUNDS):  # in turns, so that a busy machine slows all alike
        costs["bare"].append(plain.cost_s(UNCHANGED_REQUESTS))
        costs["unchanged"].append(api.cost_s(UNCHANGED_REQUESTS))
        costs["first"].append(api.cost_s(FIRST_REQUESTS, change))
        costs["cold"].append(api.cost_s(FIRST_REQUESTS, lambda: rename(links)))
    api.stop()
    plain.stop()
    world.close()
    found = {name: median(values) for name, values in costs.items()}
    print(
        f"{dialect}: {len(body)} bytes; " + ", ".join(f"{name} {value * 1e6:.0f} us" for name, value in found.items()),
        file=sys.stderr,
    )
    return [
        {
            "name": name if dialect == "sqlite" else f"{name}_{dialect}",
            "value": round(found[name.removeprefix("accounts_")] / found["bare"], 2),
            "unit": "ratio",
            "bar": BARS.get((name, dialect)),
            "command": f"python -m benchmarks.api {dialect}",
        }
        for name in ("accounts_unchanged", "accounts_first", "accounts_cold")
    ]


def on_sqlite() -> list[dict[str, object]]:
    """The figures on SQLite."""
    folder = Path(tempfile.mkdtemp(prefix="omnifolio-bench-"))
    (folder / "data").mkdir()
    url = f"sqlite:///{folder / 'data' / 'omnifolio.db'}"
    asyncio.run(postgres.prepare_database(url))
    try:
        return measure("sqlite", url, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def on_postgresql() -> list[dict[str, object]]:
    """The figures on PostgreSQL, with a server of its own."""
    folder = Path(tempfile.mkdtemp(prefix="omnifolio-bench-"))
    if not os.environ.get(postgres.RUN_VARIABLE):
        postgres.begin_run()
    fresh = postgres.database(postgres.shared())
    with asyncio.Runner() as runner:
        url = runner.run(fresh.__aenter__())
        try:
            return measure("postgresql", url, folder)
        finally:
            runner.run(fresh.__aexit__(None, None, None))
            postgres.end_run()
            shutil.rmtree(folder, ignore_errors=True)


def main() -> None:
    """Prints one figure a line."""
    for dialect in sys.argv[1:] or ("sqlite", "postgresql"):
        for figure in on_sqlite() if dialect == "sqlite" else on_postgresql():
            print(json.dumps(figure))


if __name__ == "__main__":
    main()
