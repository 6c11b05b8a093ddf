"""A browser, one installation on SQLite, its server, and a host application on another port."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser import browser
from tests.faces.api.world import World, served
from tests.faces.connect.chromium.host import Host, Visit


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A browser without any state."""
    with browser() as running:
        yield running


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[World]:
    """One installation; which database it has makes no difference to a browser."""
    folder = tmp_path_factory.mktemp("world")
    (folder / "data").mkdir()
    shutil.copyfile(sqlite_template, folder / "data" / "omnifolio.db")
    made = World(f"sqlite:///{folder / 'data' / 'omnifolio.db'}", folder)
    yield made
    made.close()


@pytest.fixture(scope="module")
def address(world: World) -> Iterator[str]:
    """The address of its server."""
    with served(world, poll_wait_s=0.2) as found:
        yield found


@pytest.fixture
def host(world: World, address: str) -> Iterator[Host]:
    """A team's application, which is all that its pages are registered for."""
    with Host(world, address) as made:
        yield made


@pytest.fixture
def visit(chromium: Browser, host: Host) -> Iterator[Callable[[str], Visit]]:
    """Opens a page of the host; each is closed when the test ends."""
    made: list[Visit] = []

    def make(page: str) -> Visit:
        made.append(Visit(chromium, host, page))
        return made[-1]

    yield make
    for one in made:
        one.close()
