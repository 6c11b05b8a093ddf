"""A scene for every test, once on each database."""

from collections.abc import AsyncIterator

import pytest

from omnifolio.store.engine import Store
from tests.notify.scene import Scene
from tests.notify.stand import SetClock, Team, receiving


@pytest.fixture
async def scene(store: Store) -> AsyncIterator[Scene]:
    clock = SetClock()
    async with receiving(clock) as receiver:
        yield Scene(store, clock, await Team.make(store, clock), receiver)
