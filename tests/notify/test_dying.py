"""A worker that is killed loses nothing: what it may have sent is sent again under its id, by whoever comes after the lease."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from omnifolio.notify import queue
from omnifolio.store.engine import open_store
from tests.notify.dying import POINTS
from tests.notify.stand import SetClock, Team, receiving, secret, telling, until_settled

ROOT = Path(__file__).resolve().parents[2]
EVENTS = ("connection.created", "balances.updated", "sync.completed")


@pytest.mark.parametrize("point", POINTS)
async def test_a_killed_worker_loses_nothing(database_url: str, point: str) -> None:
    clock = SetClock()
    store = open_store(database_url)
    async with receiving(clock) as receiver:
        team = await Team.make(store, clock)
        receiver.secrets.append(secret(await team.hook(receiver.url)))
        await team.happen("alice", *EVENTS)  # type: ignore[arg-type]
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.notify.dying", database_url, str(clock.now_ms), point,
            cwd=ROOT, env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT / "sandbox"), str(ROOT)])},
        )  # fmt: skip
        assert await child.wait() == -signal.SIGKILL
        before = {"claimed": 0, "sent": 1, "recorded": 1}[point]
        assert len(receiver.arrived) == before
        async with telling(store, clock) as worker:
            await worker.run_until_idle()
            if point != "recorded":
                assert len(receiver.arrived) == before, "the dead one's claim is respected until its lease ends"
                clock.now_ms += queue.LEASE_MS + 1
            await until_settled(store, clock, worker)
    await store.close()
    assert receiver.types() == list(EVENTS)
    assert len(receiver.arrived) == len(EVENTS) + (point == "sent")
