"""A world on SQLite behind a live server, and the clients for it: blocking, and asyncio made to block."""

import asyncio
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from omnifolio_client import AsyncOmnifolio, Omnifolio
from tests.faces.api.world import Client, World, served

_numbers = iter(range(10**9))
Connect = Callable[..., Omnifolio]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[World]:
    """An installation on a fresh database."""
    folder = tmp_path_factory.mktemp("world")
    (folder / "data").mkdir()
    shutil.copyfile(sqlite_template, folder / "data" / "omnifolio.db")
    made = World(f"sqlite:///{folder / 'data' / 'omnifolio.db'}", folder)
    yield made
    made.close()


@pytest.fixture(scope="module")
def address(world: World) -> Iterator[str]:
    """The address of a live server for the world."""
    with served(world, poll_wait_s=0.2) as found:
        yield found


@pytest.fixture
def client(world: World) -> Client:
    """A team of the test's own."""
    return world.team(f"team {next(_numbers)}")


class Awaited:
    """An asyncio client whose methods block: every coroutine and iterator runs to its end in a loop of its own."""

    def __init__(self, runner: asyncio.Runner, made: AsyncOmnifolio) -> None:
        self._runner, self._made = runner, made

    def for_user(self, user: str) -> "Awaited":
        """The same for another user."""
        return Awaited(self._runner, self._made.for_user(user))

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._made, name)

        def call(*args: Any, **kwargs: Any) -> Any:
            found = method(*args, **kwargs)
            return self._each(found) if hasattr(found, "__anext__") else self._runner.run(found)

        return call

    def _each(self, found: Any) -> Iterator[Any]:
        async def following() -> Any:
            return await anext(found, None)

        while (item := self._runner.run(following())) is not None:
            yield item


@pytest.fixture(params=["blocking", "asyncio"])
def connect(request: pytest.FixtureRequest, address: str, client: Client) -> Iterator[Connect]:
    """Makes clients of the test's team, of either kind; what is given replaces what is usual."""
    usual: dict[str, Any] = {"client_id": client.team.client_id, "secret": client.secret, "user": "u1"}
    made: list[Any] = []
    with asyncio.Runner() as runner:

        def one(base_url: str = address, **given: Any) -> Any:
            options = {name: value for name, value in (usual | given).items() if value is not None}
            if request.param == "blocking":
                made.append(Omnifolio(base_url, **options))
            else:
                made.append(Awaited(runner, AsyncOmnifolio(base_url, **options)))
            return made[-1]

        yield one
        for each in made:
            each.close()
