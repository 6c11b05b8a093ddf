"""From nothing to a portfolio: what a sync over the simulated venues' protocols stores equals the truth exactly."""

import json
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from omnifolio.app import link as linking
from omnifolio.app.facts import user_facts
from omnifolio.app.refreshing import sync_now
from omnifolio.app.runtime import Runtime, open_runtime
from omnifolio.app.sandbox import SandboxProcess, credentials_of, truth_of
from omnifolio.faces.cli.session import Session, session_of
from omnifolio.ledger import accounts
from omnifolio.model.settings import Settings

USER = "demo"
VENUES = ("kraken", "binance", "coinbase", "bybit", "okx", "demo")
UNCHANGED_CALLS_MAX = {"kraken": 2, "binance": 4, "coinbase": 2, "bybit": 9, "okx": 10, "demo": 3}
"""Requests of a sync that finds nothing new, as the documentation states them."""


@pytest.fixture(scope="module")
def sandbox() -> Iterator[SandboxProcess]:
    """A sandbox whose limits do not slow the test."""
    with SandboxProcess("--rate-scale", "1000") as process:
        yield process


@pytest.fixture
async def runtime(database_url: str, tmp_path_factory: pytest.TempPathFactory, sandbox: SandboxProcess) -> AsyncIterator[Runtime]:
    """An open process with workers on a fresh database of each kind."""
    settings = Settings(
        database=database_url, key_file=str(tmp_path_factory.mktemp("keys") / "root.key"), sandbox_url=sandbox.url, workers=2
    )
    opened = await open_runtime(settings, with_workers=True)
    yield opened
    await opened.close()


async def link_all(session: Session) -> None:
    """Links the sandbox user's accounts at every venue."""
    found = credentials_of(USER)
    for venue in VENUES:
        await linking.link(
            session.runtime.context, session.owner.principal, provider=venue, entered=found[venue], name=None, options={}
        )


def plain(line: dict[str, Any]) -> str:
    """A line without values, its legs in one order, as text that can be counted."""
    kept = {name: value for name, value in line.items() if name != "value"}
    if "legs" in kept:
        kept["legs"] = sorted(json.dumps({k: v for k, v in leg.items() if k != "value"}, sort_keys=True) for leg in kept["legs"])
    return json.dumps(kept, sort_keys=True)


async def test_a_sync_over_the_venues_protocols_equals_the_truth_and_then_asks_little(
    runtime: Runtime, sandbox: SandboxProcess
) -> None:
    session = await session_of(runtime)
    await link_all(session)
    context, principal = runtime.context, session.owner.principal
    await sync_now(runtime, principal, None)
    facts = await context.store.read(user_facts, principal, context.clock.now())
    stored = Counter(plain(line) for lines in facts.values() for line in lines if line["kind"] != "problem")
    truth = Counter(plain(line) for line in truth_of(USER, server=sandbox.url) if line["kind"] != "account")
    assert stored == truth
    before = await context.store.read(accounts.listed, principal, context.clock.now())
    assert [account.status for account in before] == ["ok"] * len(VENUES)

    await sync_now(runtime, principal, None)
    after = await context.store.read(accounts.listed, principal, context.clock.now())
    calls = {new.venue: new.calls - old.calls for old, new in zip(before, after, strict=True)}
    assert {venue: count for venue, count in calls.items() if count > UNCHANGED_CALLS_MAX[venue]} == {}
    again = await context.store.read(user_facts, principal, context.clock.now())
    assert Counter(plain(line) for lines in again.values() for line in lines if line["kind"] != "problem") == truth
