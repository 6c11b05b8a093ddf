"""Limits: exactly as many as the bucket holds, refilled steadily, and the same in one process as in the database."""

import asyncio

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.engine import Connection
from tests.tenancy.stand import NOW

from omnifolio.model.clock import EpochMs
from omnifolio.store.engine import SqliteStore, Store, open_store
from omnifolio.tenancy.limits import ProcessLimits, Verdict, forget_idle, take


async def test_a_bucket_gives_exactly_what_it_holds_and_refills_steadily(store: Store) -> None:
    async def ask(after_ms: int, cost: int = 1) -> Verdict:
        return await store.write(take, "k", cost=cost, per_minute=60, burst=5, now=EpochMs(NOW + after_ms))

    assert [(await ask(0)).remaining for _ in range(5)] == [4, 3, 2, 1, 0]
    assert await ask(0) == Verdict(allowed=False, remaining=0, reset_s=5, retry_after_s=1)
    assert not (await ask(999)).allowed
    assert await ask(1_000) == Verdict(allowed=True, remaining=0, reset_s=5, retry_after_s=0)
    assert await ask(3_000, cost=3) == Verdict(allowed=False, remaining=2, reset_s=3, retry_after_s=1)
    assert (await ask(4_000, cost=3)).allowed
    assert await ask(100_000) == Verdict(allowed=True, remaining=4, reset_s=1, retry_after_s=0)


async def test_whoever_waits_as_told_is_let_in(store: Store) -> None:
    verdict = await store.write(take, "k", cost=7, per_minute=11, burst=7, now=NOW)
    assert verdict.allowed
    refused = await store.write(take, "k", cost=5, per_minute=11, burst=7, now=NOW)
    assert not refused.allowed
    just_before = EpochMs(NOW + (refused.retry_after_s - 1) * 1_000)
    assert not (await store.write(take, "k", cost=5, per_minute=11, burst=7, now=just_before)).allowed
    then = EpochMs(NOW + refused.retry_after_s * 1_000)
    assert (await store.write(take, "k", cost=5, per_minute=11, burst=7, now=then)).allowed


async def test_what_costs_more_than_the_whole_bucket_is_never_allowed(store: Store) -> None:
    for _ in range(2):
        verdict = await store.write(take, "k", cost=6, per_minute=60, burst=5, now=NOW)
        assert verdict == Verdict(allowed=False, remaining=5, reset_s=0, retry_after_s=1)


async def test_requests_at_once_do_not_get_more_than_there_is(store: Store) -> None:
    answers = await asyncio.gather(
        *(store.write(take, "k", cost=1, per_minute=60, burst=10, now=NOW) for _ in range(40)),
    )
    assert sum(answer.allowed for answer in answers) == 10


async def test_keys_do_not_touch_each_other_and_idle_ones_are_forgotten(store: Store) -> None:
    for key in ("a", "b"):
        assert (await store.write(take, key, cost=1, per_minute=60, burst=1, now=NOW)).allowed
    assert await store.write(forget_idle, now=EpochMs(NOW + 999)) == 0
    assert await store.write(forget_idle, now=EpochMs(NOW + 1_000)) == 2


@pytest.fixture
def connection_store(sqlite_url: str) -> SqliteStore:
    opened = open_store(sqlite_url)
    assert isinstance(opened, SqliteStore)
    return opened


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    steps=st.lists(
        st.tuples(st.sampled_from("ab"), st.integers(1, 12), st.integers(-2_000, 30_000)),
        max_size=25,
    ),
    per_minute=st.sampled_from([1, 7, 60, 600, 100_000]),
    burst=st.integers(1, 10),
)
def test_the_process_and_the_database_say_the_same(
    connection_store: SqliteStore, steps: list[tuple[str, int, int]], per_minute: int, burst: int
) -> None:
    """For any costs and any steps of the clock, backwards ones too."""
    inside, at = ProcessLimits(), NOW
    with connection_store.engine.connect() as conn, conn.begin() as transaction:
        for key, cost, passed in steps:
            at = EpochMs(at + passed)
            found = inside.take(key, cost=cost, per_minute=per_minute, burst=burst, now=at)
            assert take(conn, key, cost=cost, per_minute=per_minute, burst=burst, now=at) == found
        transaction.rollback()


async def test_on_postgresql_as_well(postgres_url: str) -> None:
    store = open_store(postgres_url)

    def both(conn: Connection) -> None:
        inside, at = ProcessLimits(), NOW
        for number in range(200):
            at = EpochMs(at + (number * 7_919) % 4_000 - 300)
            cost = 1 + number % 4
            assert take(conn, "k", cost=cost, per_minute=90, burst=6, now=at) == inside.take(
                "k", cost=cost, per_minute=90, burst=6, now=at
            )

    await store.write(both)
    await store.close()


def test_a_process_remembers_only_so_many_keys() -> None:
    limits = ProcessLimits(keys_max=100)
    for number in range(500):
        limits.take(f"key-{number}", cost=1, per_minute=60, burst=5, now=NOW)
    assert len(limits._tats) <= 100
    assert not any(limits.take("key-499", cost=5, per_minute=60, burst=5, now=NOW).allowed for _ in range(3))
