"""The world model: conserving, repeatable, endless, and with the hard cases in it."""

from collections import Counter, defaultdict
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from omnifolio_sandbox.amounts import exact, text
from omnifolio_sandbox.clock import MS_PER_DAY
from omnifolio_sandbox.truth import truth
from omnifolio_sandbox.world.book import DEBT, Key
from omnifolio_sandbox.world.story import START_MS, size_of
from omnifolio_sandbox.world.world import STORIES, World

NOW = 1_767_225_600_000
VENUES = sorted(STORIES)


@settings(max_examples=25, deadline=None)
@given(name=st.from_regex(r"[a-z][a-z0-9]{0,8}", fullmatch=True), venue=st.sampled_from(VENUES))
def test_balances_are_the_sum_of_all_legs_and_never_negative(name: str, venue: str) -> None:
    """Holds at every moment of the story, whichever user it is about."""
    account = World().account(name, venue)
    sums: dict[Key, Decimal] = defaultdict(Decimal)
    with exact():
        for event in account.events(NOW):
            for leg in event.legs:
                sums[leg.wallet, leg.product, leg.code] += leg.amount
                assert leg.amount, "legs of zero are not told"
            assert min(amount for key, amount in sums.items() if key[1] != DEBT) >= 0
            assert max((amount for key, amount in sums.items() if key[1] == DEBT), default=0) <= 0
    assert account.balances(NOW) == {key: amount for key, amount in sorted(sums.items()) if amount}


@pytest.mark.parametrize("venue", VENUES)
def test_refs_are_unique_and_events_ordered_by_appearance(venue: str) -> None:
    events = World().account("erin", venue).events(NOW)
    assert len({event.ref for event in events}) == len(events)
    assert [event.visible_at for event in events] == sorted(event.visible_at for event in events)
    assert all(event.at <= event.visible_at for event in events)


@pytest.mark.parametrize("venue", VENUES)
def test_the_same_name_lives_the_same_life_however_it_is_asked(venue: str) -> None:
    """A world that was told step by step, or backwards, equals one told at once."""
    whole = World().account("frank", venue)
    stepwise = World().account("frank", venue)
    for at in range(START_MS, NOW, 97 * MS_PER_DAY):
        stepwise.events(at)
    assert stepwise.events(NOW) == whole.events(NOW)
    middle = START_MS + 500 * MS_PER_DAY
    assert stepwise.balances(middle) == World().account("frank", venue).balances(middle)
    assert stepwise.events(NOW) != World().account("grace", venue).events(NOW)


def test_a_story_goes_on_for_ever() -> None:
    account = World().account("demo", "kraken")
    assert len(account.events(NOW + 400 * MS_PER_DAY)) > len(account.events(NOW)) > 100


@pytest.mark.parametrize("venue", ["kraken", "binance", "coinbase", "bybit", "okx"])
def test_the_hard_cases_are_there(venue: str) -> None:
    events = World().account("demo", venue).events(NOW)
    codes = {leg.code for event in events for leg in event.legs}
    assert codes >= {"QNOVA", "ORB"}, "a token without a price, and one whose ticker is shared"
    assert any(event.visible_at - event.at >= 9 * MS_PER_DAY for event in events), "a back-dated event"
    assert any(event.type is None for event in events), "an attempt that failed"
    assert max(Counter(event.at for event in events).values()) >= 10, "many events of one instant"


@pytest.mark.parametrize(("user", "size"), [("demo", 220), ("whale-5000", 5000), ("bob-2", 220)])
def test_a_names_number_says_how_much_the_user_does(user: str, size: int) -> None:
    assert size_of(user) == size
    assert size_of(user, 7) == 7


def test_a_bigger_user_has_a_bigger_history() -> None:
    until = START_MS + 3 * 365 * MS_PER_DAY
    small, big = (len(World().account(user, "kraken").events(until)) for user in ("demo", "whale-2000"))
    assert 150 <= small <= 400
    assert 1500 <= big <= 2500


@pytest.mark.parametrize(
    ("value", "shown"),
    [("1.500", "1.5"), ("-0.0", "0"), ("1E-18", "0.000000000000000001"), ("100", "100"), ("-2E+3", "-2000")],
)
def test_amounts_are_written_canonically(value: str, shown: str) -> None:
    assert text(Decimal(value)) == shown


def test_the_truth_is_ordered_and_repeatable() -> None:
    lines = truth("demo", NOW)
    assert lines == truth("demo", NOW, world=World())
    kinds = [line["kind"] for line in lines]
    assert kinds == sorted(kinds, key=["account", "balance", "transaction"].index)
    assert [line["venue"] for line in lines if line["kind"] == "account"] == list(STORIES)
    balances = [(one["wallet"], one["product"], one["asset_id"]) for one in lines if one["kind"] == "balance"]
    assert balances == sorted(balances)
    transactions = [(one["at"], one["ref"]) for one in lines if one["kind"] == "transaction"]
    assert transactions == sorted(transactions)
