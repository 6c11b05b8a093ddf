"""One browser and one server of the built files for each module."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.browser import browser
from tests.faces.api.world import World, served
from tests.web.stage import Scene, hosting


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A browser without any state."""
    with browser() as running:
        yield running


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[str]:
    """The address of a server that sends the built files and its list of providers."""
    folder = tmp_path_factory.mktemp("pages")
    (folder / "data").mkdir()
    shutil.copyfile(sqlite_template, folder / "data" / "omnifolio.db")
    world = World(f"sqlite:///{folder / 'data' / 'omnifolio.db'}", folder)
    with served(world) as address:
        yield address
    world.close()


@pytest.fixture(scope="module")
def host() -> Iterator[str]:
    """The origin of a host page."""
    with hosting() as origin:
        yield origin


@pytest.fixture
def scene(chromium: Browser, origin: str, host: str) -> Iterator[Callable[..., Scene]]:
    """Makes pages; each is closed when the test ends."""
    made: list[Scene] = []

    def make(**more: Any) -> Scene:
        made.append(Scene(chromium, origin, host, **more))
        return made[-1]

    yield make
    for one in made:
        one.close()
