"""many_accounts_balances: how long until the balances of 36 healthy accounts of 40 are there, at venues that answer in 100 ms.

The four others are broken in different ways from the beginning; none of them by a refusal for too many calls, since that one is
about our address and makes every account of the venue wait as long as the venue says. The installation is one process as `serve`
opens it, with its default number of workers, on SQLite; the simulated venues run in another process.
"""

import asyncio
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

import msgspec

from benchmarks.figures import Figure, figure
from omnifolio.app import link as linking
from omnifolio.app.runtime import Runtime, open_runtime
from omnifolio.app.sandbox import SandboxProcess, credentials_of
from omnifolio.faces.cli.session import session_of
from omnifolio.ledger import read
from omnifolio.model.accounts import Principal
from omnifolio.model.ids import AccountId
from omnifolio.model.settings import Settings

NAME = "many_accounts_balances"
BAR_S = 10.0
DELAY_MS = 100
HEALTHY = 36
VENUES = ("kraken", "binance", "coinbase")
BROKEN: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("kraken", "broken-0", {"effect": "html"}),
    ("kraken", "broken-1", {"effect": "half"}),
    ("binance", "broken-2", {"status": 401, "body": '{"code":-2015,"msg":"Invalid API-key"}'}),
    ("binance", "broken-3", {"effect": "reset"}),
)
LOOK_S = 0.05
LOOKS_MAX = 4_000


async def measure() -> list[Figure]:
    """The wall time from the first account that is due to the last balance."""
    with SandboxProcess() as sandbox, tempfile.TemporaryDirectory() as folder:
        faults = [{"venue": venue, "path": "*", "user": user, **fault} for venue, user, fault in BROKEN]
        _ask(f"{sandbox.url}/_sandbox/faults", [*faults, {"venue": "*", "path": "*", "delay_ms": DELAY_MS}])
        place = Path(folder)
        (place / "data").mkdir()
        url = f"sqlite:///{place / 'data' / 'omnifolio.db'}"
        settings = Settings(database=url, key_file=str(place / "root.key"), sandbox_url=sandbox.url)
        runtime = await open_runtime(settings, with_workers=True)
        try:
            return [figure(NAME, await _until_read(runtime), "s", BAR_S, of=NAME)]
        finally:
            await runtime.close()


async def _until_read(runtime: Runtime) -> float:
    principal = (await session_of(runtime)).owner.principal
    wanted = [(VENUES[n % 3], f"holder-{n // 3}") for n in range(HEALTHY)] + [(venue, user) for venue, user, _ in BROKEN]
    fields = [credentials_of(user)[venue] for venue, user in wanted]
    made = [
        await linking.link(runtime.context, principal, provider=venue, entered=entered, name=None, options={})
        for (venue, _), entered in zip(wanted, fields, strict=True)
    ]
    healthy = frozenset(made[:HEALTHY])
    assert runtime.workers is not None
    started = time.perf_counter()
    running = asyncio.create_task(runtime.workers.run_until_idle())
    try:
        for _ in range(LOOKS_MAX):
            if await _held(runtime, principal) >= healthy:
                return time.perf_counter() - started
            await asyncio.sleep(LOOK_S)
        raise AssertionError("the balances did not all come")
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def _held(runtime: Runtime, principal: Principal) -> frozenset[AccountId]:
    return frozenset(row.account for row in await runtime.context.store.read(read.balances, principal))


def _ask(url: str, body: object) -> None:
    with urllib.request.urlopen(urllib.request.Request(url, data=msgspec.json.encode(body), method="POST")) as answer:
        answer.read()
