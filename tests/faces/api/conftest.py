"""One world and one server per kind of database and test file; tests keep apart by making their own teams."""

import asyncio
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from msgspec import structs

from omnifolio.faces.api.desk import Desk
from omnifolio.faces.api.server import desk_of
from tests import postgres
from tests.conftest import DIALECTS
from tests.faces.api import seed
from tests.faces.api.replica import NOW, StillClock
from tests.faces.api.world import Client, World, served

POLL_WAIT_S = 0.2
_numbers = iter(range(10**9))


@pytest.fixture(scope="module", params=DIALECTS)
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[World]:
    """An installation on a fresh database."""
    folder = tmp_path_factory.mktemp("world")
    if request.param == "sqlite":
        (folder / "data").mkdir()
        shutil.copyfile(sqlite_template, folder / "data" / "omnifolio.db")
        made = World(f"sqlite:///{folder / 'data' / 'omnifolio.db'}", folder)
        yield made
        made.close()
        return
    fresh = postgres.database(postgres.shared())
    with ThreadPoolExecutor(1) as thread, asyncio.Runner() as runner:
        url = thread.submit(runner.run, fresh.__aenter__()).result()
        made = World(url, folder)
        yield made
        made.close()
        thread.submit(runner.run, fresh.__aexit__(None, None, None)).result()


@pytest.fixture(scope="module")
def address(world: World) -> Iterator[str]:
    """The address of a live server for the world."""
    with served(world, poll_wait_s=POLL_WAIT_S) as found:
        yield found


@pytest.fixture
def client(world: World) -> Client:
    """A team of the test's own."""
    return world.team(f"team {next(_numbers)}", origins=["https://app.example"], redirect_uris=["https://app.example/back"])


@pytest.fixture(scope="module")
def desk(world: World) -> Desk:
    """The routes' desk, under a clock that stands still."""
    seed.balances(world.team("tokens").user("first").account(), dict.fromkeys([seed.USD, seed.BTC, seed.ETH], "1"), at=NOW)
    world.price({seed.BTC: "50000", seed.ETH: "2000"}, at=NOW)
    return desk_of(structs.replace(world.context, clock=StillClock()), poll_wait_s=0)
