"""What a wallet was worth each day: calculated where the history is complete, else observed, else silent."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from omnifolio.model.clock import DAY_MS, EpochMs
from omnifolio.model.facts import Gap, Interval
from tests.faces.api import seed
from tests.faces.api.test_answers import Reader
from tests.faces.api.world import Client, Link, World


def noon(world: World, days_ago: int) -> EpochMs:
    """Noon (UTC) so many days ago; for today the present instant, if that is earlier."""
    now = world.clock.now()
    return EpochMs(min(now - now % DAY_MS - days_ago * DAY_MS + DAY_MS // 2, now))


def closes(world: World) -> None:
    """Daily closes of BTC: 100 dollars today, 101 yesterday, 102 the day before …"""
    today = world.clock.now() // DAY_MS
    for days_ago in range(6):
        world.price({seed.BTC: f"{100 + days_ago}"}, at=(today - days_ago) * DAY_MS, resolution=DAY_MS)


def rows(world: World, address: str, client: Client, link: Link, **more: Any) -> dict[int, tuple[str | None, str]]:
    """Value and source by how many days ago."""
    today = world.clock.now() // DAY_MS
    found = Reader(address, client)(f"accounts/{link.id}/history", **more)
    return {today - row["date"] // DAY_MS: (row["fiat_value"], row["fiat_source"]) for row in found}


def bitcoin(world: World, client: Client, *, covered_days: int, **columns: Any) -> Link:
    """2 BTC arrived four days ago, 1 BTC two days ago; 3 BTC are seen today; the history covers so many days."""
    link = client.user("u1").account()
    now = world.clock.now()
    claims = [
        seed.deposit(1, noon(world, 4), token=seed.BTC, amount=Decimal(2)),
        seed.deposit(2, noon(world, 2), token=seed.BTC, amount=Decimal(1)),
    ]
    seed.balances(link, {seed.BTC: "3"}, at=now)
    seed.page(link, "deposits/all", claims, covered=(Interval(EpochMs(now - covered_days * DAY_MS), now),))
    link.finish(**columns)
    closes(world)
    return link


def test_a_complete_history_gives_every_day_from_the_first_movement_on(world: World, address: str, client: Client) -> None:
    link = bitcoin(world, client, covered_days=30)
    found = rows(world, address, client, link)
    assert {n: found[n] for n in (4, 3, 2, 1)} == {
        4: ("208.00", "ledger"),
        3: ("206.00", "ledger"),
        2: ("306.00", "ledger"),
        1: ("303.00", "ledger"),
    }
    assert set(found) == {0, 1, 2, 3, 4}


def test_days_before_the_covered_time_are_silent(world: World, address: str, client: Client) -> None:
    link = bitcoin(world, client, covered_days=3)
    assert set(rows(world, address, client, link)) == {0, 1, 2, 3}


def test_without_a_finished_sync_only_what_was_seen_is_shown(world: World, address: str, client: Client) -> None:
    link = bitcoin(world, client, covered_days=30, synced_at=None)
    found = rows(world, address, client, link)
    assert set(found) == {0}
    assert found[0][1] == "observed"


def test_a_gap_makes_the_days_before_its_end_uncertain(world: World, address: str, client: Client) -> None:
    link = client.user("u1").account()
    now = world.clock.now()
    seed.balances(link, {seed.BTC: "3"}, at=now)
    gap = Gap(stream="deposits/all", code="unread", text="a page is missing", start=EpochMs(0), end=noon(world, 2))
    seed.page(link, "deposits/all", [seed.deposit(1, noon(world, 4), token=seed.BTC, amount=Decimal(3))],
              covered=(Interval(EpochMs(now - 30 * DAY_MS), now),), gaps=(gap,))  # fmt: skip
    link.finish()
    closes(world)
    assert set(rows(world, address, client, link)) == {0, 1, 2}


def test_observed_balances_fill_days_without_history(world: World, address: str, client: Client) -> None:
    link = client.user("u1").account()
    seed.balances(link, {seed.BTC: "1"}, at=noon(world, 5))
    seed.balances(link, {seed.BTC: "1"}, at=noon(world, 4))
    seed.balances(link, {seed.BTC: "2"}, at=noon(world, 1))
    link.finish()
    closes(world)
    assert rows(world, address, client, link) == {
        5: ("105.00", "observed"),
        4: ("104.00", "observed"),
        1: ("202.00", "observed"),
    }


def test_a_day_without_a_price_says_what_is_missing(world: World, address: str, client: Client) -> None:
    link = client.user("u1").account()
    seed.balances(link, {seed.DUST: "1", seed.USD: "5"}, at=noon(world, 1))
    link.finish()
    (row,) = Reader(address, client)(f"accounts/{link.id}/history")
    assert (row["fiat_value"], row["complete"], [part["ticker"] for part in row["missing"]]) == ("5.00", False, ["DUST"])


def test_the_window_includes_both_ends(world: World, address: str, client: Client) -> None:
    link = bitcoin(world, client, covered_days=30)

    def day(days_ago: int) -> str:
        return datetime.fromtimestamp(noon(world, days_ago) / 1000, UTC).date().isoformat()

    assert set(rows(world, address, client, link, **{"from": day(3), "to": day(2)})) == {2, 3}
    assert set(rows(world, address, client, link, wallet="demo:spot", **{"from": day(3)})) == {0, 1, 2, 3}
    assert rows(world, address, client, link, wallet="demo:other") == {}
