"""What a history covers by kind, what is out of reach, and a loss that is announced before it happens."""

from typing import Any

import pytest

from omnifolio.catalog import exchanges, layouts
from omnifolio.catalog.streams import StreamRow
from omnifolio.ledger.accounts import Account
from omnifolio.ledger.traces import Told
from omnifolio.model.clock import DAY_MS, HOUR_MS, EpochMs
from omnifolio.model.facts import Interval
from omnifolio.model.ids import AccountId, UserId
from omnifolio.views.coverage import KindCoverage, history_streams, kinds, losses, missing

NOW = EpochMs(1_740_830_400_000)
KEPT_MS = 180 * DAY_MS
"""Binance keeps transfers between its wallets for six months."""
TRANSFERS = ("transfers/from-funding", "transfers/to-funding")


def days_ago(days: float) -> EpochMs:
    """An instant before now."""
    return EpochMs(NOW - int(days * DAY_MS))


def span(first: float, last: float) -> Interval:
    """From so many days ago to so many."""
    return Interval(days_ago(first), days_ago(last))


def account(venue: str = "binance", **more: Any) -> Account:
    """A linked account that synchronises itself every day."""
    fields: dict[str, Any] = {
        "id": AccountId(1), "user": UserId(1), "venue": venue, "name": None, "fields": {}, "options": {}, "key_hint": "",
        "key_label": "", "status": "ok", "progress": {}, "error_code": None, "error_text": None, "certificate": None,
        "created_at": days_ago(300), "updated_at": NOW, "v": 1, "calls": 0, "synced_at": NOW, "round_at": None,
        "scanned_at": NOW, "failures": 0, "next_sync_at": EpochMs(NOW + DAY_MS), "is_leased": False, "fence": 1,
        "live_since": None, "live_heard_at": None, "live_problem": None,
    }  # fmt: skip
    return Account(**(fields | more))


def kind(found: list[KindCoverage], name: str) -> KindCoverage:
    """One of the kinds."""
    return next(item for item in found if item.kind == name)


def row(**more: Any) -> StreamRow:
    """A stream of the catalog."""
    return StreamRow(kind="trades", calls=("x",), paths=("/x",), pager="window", floor_ms=days_ago(1000), **more)


@pytest.mark.parametrize(
    ("last_read", "more", "lost_in_days"),
    [
        (0, {}, None),
        (100, {}, None),
        (136, {}, 44),
        (0, {"status": "error", "next_sync_at": None}, 180),
        (100, {"next_sync_at": EpochMs(NOW + 81 * DAY_MS)}, 80),
        (136, {"status": "syncing"}, None),
        (200, {}, -20),
    ],
    ids=[
        "read now",
        "time enough",
        "less than a quarter is left",
        "no sync is planned",
        "the next sync is too late",
        "a sync is under way",
        "losing",
    ],
)
def test_a_loss_is_announced_when_no_sync_will_come_before_it_or_little_time_is_left(
    last_read: int, more: dict[str, Any], lost_in_days: int | None
) -> None:
    found = losses(account(**more), {name: [span(290, last_read)] for name in TRANSFERS}, NOW)
    assert [loss.stream for loss in found] == ([] if lost_in_days is None else list(TRANSFERS))
    for loss in found:
        assert loss.unread_from == days_ago(last_read)
        assert loss.lost_from == loss.unread_from + KEPT_MS == NOW + (lost_in_days or 0) * DAY_MS


def test_a_hole_within_reach_is_announced_from_its_beginning() -> None:
    found = losses(account(), {name: [span(290, 150), span(100, 0)] for name in TRANSFERS}, NOW)
    assert {loss.lost_from for loss in found} == {days_ago(150 - 180)}


def test_what_was_never_read_is_being_lost_since_the_account_was_linked_unless_its_first_sync_is_under_way() -> None:
    assert losses(account(status="syncing"), {}, NOW) == []
    assert {loss.lost_from for loss in losses(account(status="error", next_sync_at=None), {}, NOW)} == {days_ago(300)}


def test_a_product_that_was_never_opened_threatens_nothing_and_one_that_was_read_does() -> None:
    """Nobody without a margin account loses the history of one."""
    gone = account(status="error", next_sync_at=None)
    read = {name: [span(80, 0)] for name in (*TRANSFERS, "margin-flow/all")}
    assert {loss.stream for loss in losses(gone, read, NOW)} == read.keys()
    assert "margin-flow/all" not in history_streams("binance", TRANSFERS)
    assert "margin-flow/all" in history_streams("binance", read)


@pytest.mark.parametrize("venue", ["kraken", "demo", "ethereum"])
def test_a_venue_that_keeps_everything_threatens_nothing(venue: str) -> None:
    assert losses(account(venue, status="error", next_sync_at=None), {}, NOW) == []


def test_every_catalogued_look_back_is_longer_than_a_day() -> None:
    """An account is read once a day by default: a venue that forgets sooner would lose rows at every sync."""
    kept = [stream.look_back_ms for name in exchanges.ids() for stream in exchanges.load(name).reading.streams]
    assert all(look_back > DAY_MS for look_back in kept if look_back is not None)


def test_a_hole_is_parted_where_the_look_back_ends() -> None:
    streams = {"trades/all": row(look_back_ms=90 * DAY_MS)}
    found = missing(streams, {"trades/all": [span(50, 0)]}, NOW)
    assert [(hole.why, hole.start, hole.end) for hole in found] == [
        ("unreachable", days_ago(1000), days_ago(90) - 1),
        ("unread", days_ago(90), days_ago(50) - 1),
    ]
    assert found[0].text == "the venue keeps 90 days"


def test_what_a_file_of_the_venue_tells_is_no_hole() -> None:
    spans = {"trades/all": [span(50, 0)], "file/omnifolio": [span(1000, 40)]}
    assert missing({"trades/all": row(look_back_ms=90 * DAY_MS)}, spans, NOW) == []
    elsewhere = {"deposits/all": [span(50, 0)], "file/kraken-trades": [span(1000, 40)]}
    assert [hole.why for hole in missing({"deposits/all": row()}, elsewhere, NOW)] == ["unread"]


def test_a_kind_is_complete_where_all_its_streams_are_and_empty_around_its_records() -> None:
    streams = history_streams("demo", ["trades/A", "trades/B", "balances/all", "file/omnifolio"])
    spans = {"trades/A": [span(100, 0)], "trades/B": [span(90, 60), span(50, 10)]}
    told = {"trades/A": Told(3, days_ago(80), days_ago(40)), "trades/B": Told(1, days_ago(30), days_ago(30))}
    [found] = kinds("demo", streams, spans, told, NOW)
    assert (found.kind, found.streams, found.rows) == ("trades", ["trades/A", "trades/B"], 4)
    assert found.fetched == [span(80, 60), span(50, 30)]
    assert found.empty == [Interval(days_ago(90), EpochMs(days_ago(80) - 1)), Interval(EpochMs(days_ago(30) + 1), days_ago(10))]
    assert found.unread == [Interval(EpochMs(days_ago(60) + 1), EpochMs(days_ago(50) - 1))]
    assert [layout.id for layout in found.fill] == ["omnifolio"]


def test_a_kind_without_records_is_proven_empty_and_one_of_orders_is_not_counted() -> None:
    streams = history_streams("demo", ["rewards/all", "orders/all"])
    found = kinds("demo", streams, {name: [span(10, 0)] for name in streams}, {}, NOW)
    assert (kind(found, "rewards").rows, kind(found, "rewards").fetched, kind(found, "rewards").empty) == (0, [], [span(10, 0)])
    assert (kind(found, "orders").rows, kind(found, "orders").fetched, kind(found, "orders").empty) == (None, [span(10, 0)], [])


def test_what_the_catalog_knows_is_there_before_anything_was_read() -> None:
    found = kinds("kraken", history_streams("kraken", []), {}, {}, NOW)
    assert [item.kind for item in found] == ["deposits", "ledger", "orders", "trades", "withdrawals"]
    assert [row.id for row in kind(found, "trades").fill] == ["kraken-ledgers", "kraken-trades"]
    assert [row.id for row in kind(found, "deposits").fill] == ["kraken-ledgers"]
    assert kind(found, "orders").fill == ()
    assert history_streams("binance", ["symbols/held", "trades/BTCUSDT", "orders/open"]).keys() >= {*TRANSFERS, "trades/BTCUSDT"}
    assert not {"symbols/held", "orders/open"} & history_streams("binance", ["symbols/held", "orders/open"]).keys()


def test_every_layout_fills_only_kinds_that_its_venue_has() -> None:
    for name in layouts.ids():
        layout = layouts.load(name)
        if layout.fills:
            assert set(layout.fills) <= {stream.kind for stream in exchanges.load(layout.venue).reading.streams}, name


def test_an_hour_is_no_gap_between_the_last_record_and_the_present() -> None:
    """What happened since the last sync is not missing: it was not asked for yet."""
    [found] = kinds("demo", {"trades/A": None}, {"trades/A": [Interval(days_ago(9), EpochMs(NOW - HOUR_MS))]}, {}, NOW)
    assert (found.unread, found.fill) == ([], ())
