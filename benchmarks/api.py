"""What a request costs: CPU of `GET /v1/accounts` against a bare ASGI application that returns the same bytes.

    python -m benchmarks.api [sqlite] [postgresql]

Each user has 20 accounts of 30 balances, 600 different tokens, all priced, all explained by the account's history and reconciled
with it; every check on (token, team and user looked up, scope, rate limit, headers). Both applications run under the same
uvicorn, each in a process of its own whose CPU time (user and system, all threads) is read before and after; a client in this
process asks over one connection.

`accounts_unchanged` nothing has changed since the last answer.
`accounts_first`     the first answer for a user: each request is that of a user of whom this process has never heard. What it
                     keeps for everybody (tokens, the catalog, the prices of the minute) it has.
`accounts_changed`   one account has changed before each request (by another process). It has no bar.
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
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from statistics import median
from typing import Any

import uvicorn
from sqlalchemy.engine import Connection
from tests import postgres
from tests.faces.api.world import Person, World, served, token_of

from omnifolio.ledger import accounts
from omnifolio.ledger.commit import commit
from omnifolio.model.accounts import AccountStatus, Principal
from omnifolio.model.clock import DAY_MS, EpochMs
from omnifolio.model.facts import Balance, Batch, Claim, Cursor, Interval, Leg, Snapshot, Wallet
from omnifolio.model.ids import AccountId
from omnifolio.model.tokens import TokenFacts, TokenId

ACCOUNTS, BALANCES = 20, 30
ROUNDS = 3
UNCHANGED_REQUESTS, FIRST_REQUESTS, CHANGED_REQUESTS = 200, 20, 30
WARMING_REQUESTS = 30
BARS = {
    ("accounts_unchanged", "sqlite"): 2.5,
    ("accounts_first", "sqlite"): 25.0,
    ("accounts_unchanged", "postgresql"): 6.0,
    ("accounts_first", "postgresql"): 30.0,
}
DECIMALS = 18
WARM_USERS = 5
"""Users whose first answers are asked before anything is measured."""


def fill(world: World, person: Person) -> list[AccountId]:
    """The accounts of one user, read a moment ago."""

    def op(conn: Connection) -> list[AccountId]:
        return [_account(conn, person.principal, world.clock.now(), f"{person.login}/{n}", n) for n in range(ACCOUNTS)]

    found: list[AccountId] = world.write(op)
    return found


def _account(conn: Connection, principal: Principal, now: EpochMs, mark: str, number: int) -> AccountId:
    made = accounts.add(conn, principal, venue="demo", fingerprint=mark.encode(), now=now, name=f"Account {number}")
    fence = accounts.lease(conn, principal, made, owner="bench", now=now, length_ms=DAY_MS)
    assert fence is not None
    held = [Balance(token, Decimal("1234.56789") + n) for n, token in enumerate(_tokens(number))]
    batch = Batch(
        cursor=Cursor("deposits/all", "c"),
        observed_at=now,
        tokens=tuple(
            TokenFacts(id=row.token, ticker=f"T{n}", name=f"Token {n}", decimals=DECIMALS) for n, row in enumerate(held)
        ),
        wallets=(Wallet(key="spot", name="Spot"),),
        snapshots=(Snapshot(wallet="spot", product="spot", at=now, balances=tuple(held)),),
        claims=tuple(
            Claim(
                book="deposits",
                ref=f"d{n}",
                refs=(f"deposits:d{n}",),
                at=EpochMs(now - DAY_MS + n),
                kind="deposit",
                legs=(Leg("in", "spot", row.token, row.amount),),
            )
            for n, row in enumerate(held)
        ),
        covered=(Interval(EpochMs(now - 2 * DAY_MS), now),),
        done=True,
    )
    commit(conn, principal, made, batch, fence=fence, now=now)
    progress: dict[str, AccountStatus] = dict.fromkeys(("wallets", "balances", "transactions"), "ok")
    accounts.set_state(conn, principal, made, now, status="ok", progress=progress, synced_at=now, next_sync_at=now + DAY_MS)
    accounts.release(conn, made, fence=fence)
    return made


def _tokens(number: int) -> list[TokenId]:
    return [TokenId(f"venue:demo/T{number}-{n}") for n in range(BALANCES)]


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

    def __init__(self, url: str, folder: Path, body: bytes | None) -> None:
        self._pipe, theirs = multiprocessing.Pipe()
        self._process = multiprocessing.get_context("spawn").Process(
            target=serve, args=(theirs, url, str(folder), body), daemon=True
        )
        self._process.start()
        self.address = self._pipe.recv()
        self._http = http.client.HTTPConnection(self.address.removeprefix("http://"))

    def get(self, token: str) -> bytes:
        """The accounts of the user with this token."""
        self._http.request("GET", "/v1/accounts", headers={"authorization": f"Bearer {token}"})
        answer = self._http.getresponse()
        data = answer.read()
        assert answer.status == 200, data
        return data

    def cpu_s(self) -> float:
        """CPU seconds that the process has used."""
        self._pipe.send(True)
        seconds: float = self._pipe.recv()
        return seconds

    def cost_s(self, tokens: Sequence[str], *, known: str, before_each: Callable[[], None] | None = None) -> float:
        """CPU seconds of one request: one is made with each of the tokens. `known` is one that has been used already."""
        self._http.close()  # the server has closed it, if it stood idle while the other one was measured
        self.get(known)
        start = self.cpu_s()
        for token in tokens:
            if before_each is not None:
                before_each()
            self.get(token)
        return (self.cpu_s() - start) / len(tokens)

    def stop(self) -> None:
        """Ends the process."""
        self._http.close()
        self._pipe.send(False)
        self._process.join()


def measure(dialect: str, url: str, folder: Path) -> list[dict[str, object]]:
    """Both ratios on one database."""
    world = World(url, folder, rate_limit_per_minute=10_000_000)
    client = world.team("bench")
    people = [client.user(f"user {n}") for n in range(1 + WARM_USERS + ROUNDS * FIRST_REQUESTS)]
    filled = [fill(world, person) for person in people]
    with served(world) as address:
        known, *others = [token_of(address, client, person.login) for person in people]
    world.price({token: f"{n + 1}.25" for number in range(ACCOUNTS) for n, token in enumerate(_tokens(number))})

    def change() -> None:
        world.write(accounts.change, people[0].principal, filled[0][0], world.clock.now(), name="again")

    api = Served(url, folder, None)
    body = api.get(known)
    plain = Served(url, folder, body)
    for server in (api, plain):
        server.cost_s([known] * WARMING_REQUESTS + others[:WARM_USERS], known=known)
    others = others[WARM_USERS:]
    costs: dict[str, list[float]] = {"bare": [], "unchanged": [], "first": [], "changed": []}
    for number in range(ROUNDS):  # in turns, so that a busy machine slows all alike
        strangers = others[number * FIRST_REQUESTS :][:FIRST_REQUESTS]
        costs["bare"].append(plain.cost_s([known] * UNCHANGED_REQUESTS, known=known))
        costs["unchanged"].append(api.cost_s([known] * UNCHANGED_REQUESTS, known=known))
        costs["first"].append(api.cost_s(strangers, known=known))
        costs["changed"].append(api.cost_s([known] * CHANGED_REQUESTS, known=known, before_each=change))
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
        for name in ("accounts_unchanged", "accounts_first", "accounts_changed")
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
    is_alone = not os.environ.get(postgres.RUN_VARIABLE)
    if is_alone:
        postgres.begin_run()
    fresh = postgres.database(postgres.shared())
    with asyncio.Runner() as runner:
        url = runner.run(fresh.__aenter__())
        try:
            return measure("postgresql", url, folder)
        finally:
            runner.run(fresh.__aexit__(None, None, None))
            if is_alone:
                postgres.end_run()
            shutil.rmtree(folder, ignore_errors=True)


def main() -> None:
    """Prints one figure a line."""
    for dialect in sys.argv[1:] or ("sqlite", "postgresql"):
        for figure in on_sqlite() if dialect == "sqlite" else on_postgresql():
            print(json.dumps(figure))


if __name__ == "__main__":
    main()
