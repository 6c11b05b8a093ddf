"""Ten thousand histories from one number each: nothing lost, doubled, falsely zeroed or withheld in silence.

`python -m tests.proof.seeds --seed N -v` lives through one of them again. What the simulator proves it proves only as far as it
finds mistakes: those that are planted must be found, each by one of the first seeds.
"""

import asyncio
import time
from collections.abc import Iterator

import pytest

from tests.proof.seeds.exchange import STREAMS, opened
from tests.proof.seeds.faults import KINDS
from tests.proof.seeds.life import Life, lives
from tests.proof.seeds.oracle import Wrong
from tests.proof.seeds.planted import PLANTED
from tests.proof.seeds.world import ROWS_MIN

SEEDS = 10_000
CHUNK = 250
PLANTED_SEEDS = 400
"""A planted mistake is found by one of so many seeds."""
STREAMS_MIN = 3


@pytest.fixture(autouse=True)
def exchanges() -> Iterator[None]:
    """The simulated exchanges."""
    with opened():
        yield


@pytest.mark.parametrize("first", range(0, SEEDS, CHUNK))
def test_whatever_happens_the_ledger_holds_the_truth(first: int) -> None:
    began = time.process_time()
    fired = lives(range(first, first + CHUNK))
    pace = CHUNK / (time.process_time() - began)
    print(f"seeds {first} to {first + CHUNK - 1}: {pace:.1f} a second of CPU time; fired {dict(sorted(fired.items()))}")
    assert fired.keys() >= set(KINDS)
    assert {
        "crash",
        "lost lease",
        "late row",
        "delayed row",
        "back-dated",
        "correction",
        "sell-off",
        "sell-off in doubt",
    } <= fired.keys()


def test_a_history_has_enough_rows_and_streams() -> None:
    for seed in range(20):
        life = Life(seed)
        assert life.world.count() >= ROWS_MIN
        assert len(STREAMS[life.world.venue]) >= STREAMS_MIN


def test_a_seed_can_be_lived_through_again() -> None:
    """The same number is the same history, call by call."""
    for seed in (7, 20):
        logs: list[list[str]] = [[], []]
        for log in logs:
            asyncio.run(Life(seed, log=log.append).live())
        assert logs[0] == logs[1]
        assert logs[0]


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_mistake_is_found(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    PLANTED[name](monkeypatch)
    with pytest.raises(Wrong, match="seed") as found:
        lives(range(PLANTED_SEEDS))
    print(f"{name}: {found.value}")
