"""Clock, faults, call log, scripted events and the demo venue, over HTTP as a user scripts them."""

import gzip
from collections.abc import Callable
from typing import Any

import pytest
import requests
from tests.sandbox.conftest import NOW, Running
from tests.sandbox.reading import told_balances

from omnifolio_sandbox.clock import MS_PER_DAY
from omnifolio_sandbox.world.scripted import PLACES

TIME = "/kraken/0/public/Time"


def post(sandbox: Running, path: str, body: Any) -> requests.Response:
    """A JSON call."""
    return requests.post(sandbox.url + path, json=body, timeout=20)


def get(sandbox: Running, path: str, **headers: str) -> requests.Response:
    """A plain call."""
    return requests.get(sandbox.url + path, headers=headers, timeout=20)


def session(sandbox: Running) -> dict[str, str]:
    """Logged in at the demo venue."""
    token = post(sandbox, "/demo/session", {"username": "demo", "password": "demo"}).json()["token"]
    return {"Authorization": f"Bearer {token}"}


def test_moving_the_clock_makes_events_appear_and_disappear(sandbox: Running) -> None:
    client = sandbox.kraken()
    before = client.private_post_ledgers()["result"]["count"]
    assert post(sandbox, "/_sandbox/clock", {"advance_ms": 60 * MS_PER_DAY}).json()["at"] == NOW + 60 * MS_PER_DAY
    assert client.private_post_ledgers()["result"]["count"] > before
    assert len(sandbox.truth("demo", "kraken"))
    post(sandbox, "/_sandbox/clock", {"at": NOW})
    assert client.private_post_ledgers()["result"]["count"] == before


def test_the_wire_can_follow_the_world(sandbox: Running) -> None:
    post(sandbox, "/_sandbox/clock", {"wire": "world"})
    assert get(sandbox, TIME).json()["result"]["unixtime"] == NOW // 1000


@pytest.mark.parametrize("body", [{}, {"at": -1}, {"wire": "never"}, {"back": 3}])
def test_a_clock_that_makes_no_sense_is_refused(sandbox: Running, body: dict[str, Any]) -> None:
    assert post(sandbox, "/_sandbox/clock", body).status_code == 400


def test_the_truth_over_http_equals_the_worlds(sandbox: Running) -> None:
    body = get(sandbox, f"/_sandbox/truth?user=demo&venue=kraken&at={NOW}").text
    assert len(body.splitlines()) == len(sandbox.truth("demo", "kraken"))
    assert get(sandbox, "/_sandbox/truth?user=NOT+A+NAME").status_code == 400


def test_a_scripted_deposit_appears_at_its_time(sandbox: Running) -> None:
    for venue in ("kraken", "binance", "coinbase", "bybit", "okx"):
        place = (*PLACES.get(venue, ("spot", "spot")), "BTC")
        before = told_balances(sandbox.truth("erin", venue)).get(place)
        event = {"user": "erin", "venue": venue, "ticker": "BTC", "amount": "1.25", "at": NOW - MS_PER_DAY,
                 "visible_at": NOW + MS_PER_DAY}  # fmt: skip
        assert post(sandbox, "/_sandbox/events", event).status_code == 200
        assert told_balances(sandbox.truth("erin", venue)).get(place) == before
        shown = sandbox.state.world.account("erin", venue)
        later = {event.ref for event in shown.events(NOW + MS_PER_DAY)} - {event.ref for event in shown.events(NOW)}
        assert len(later) >= 1


def test_a_scripted_withdrawal_takes_everything_and_no_more(sandbox: Running) -> None:
    for venue in ("kraken", "binance", "coinbase"):
        held = told_balances(sandbox.truth("erin", venue))[("spot", "spot", "BTC")]
        event = {"user": "erin", "venue": venue, "ticker": "BTC", "amount": f"-{held}1", "at": NOW}
        assert post(sandbox, "/_sandbox/events", event).status_code == 400
        assert post(sandbox, "/_sandbox/events", event | {"amount": f"-{held}"}).status_code == 200
        assert ("spot", "spot", "BTC") not in told_balances(sandbox.truth("erin", venue))


@pytest.mark.parametrize("amount", ["0", "-1000000", "x", "1.123456789"])
def test_a_scripted_amount_must_make_sense(sandbox: Running, amount: str) -> None:
    event = {"user": "erin", "venue": "kraken", "ticker": "BTC", "amount": amount, "at": NOW}
    assert post(sandbox, "/_sandbox/events", event).status_code == 400


def test_calls_are_logged_without_secrets(sandbox: Running) -> None:
    client = sandbox.kraken()
    client.private_post_ledgers()
    get(sandbox, TIME)
    text = get(sandbox, "/_sandbox/calls").text
    found = get(sandbox, "/_sandbox/calls").json()
    assert found["counts"]["kraken POST /0/private/Ledgers"] == {"calls": 1, "weight": 2}
    assert [call["key"] for call in found["calls"]] == ["demo/read", None]
    assert client.secret not in text
    assert client.apiKey not in text
    requests.delete(f"{sandbox.url}/_sandbox/calls", timeout=10)
    assert get(sandbox, "/_sandbox/calls").json()["total"] == 0


@pytest.mark.parametrize(
    ("fault", "status", "body"),
    [
        ({"status": 503, "body": {"error": "down"}}, 503, b'{"error":"down"}'),
        ({"status": 429, "body": "slow", "headers": {"Retry-After": "9"}}, 429, b"slow"),
        ({"effect": "empty_object"}, 200, b"{}"),
        ({"effect": "empty_list"}, 200, b"[]"),
        ({"effect": "rate_limit"}, 200, b'{"error":["EAPI:Rate limit exceeded"]}'),
        ({"effect": "ban"}, 200, b'{"error":["EGeneral:Temporary lockout"]}'),
    ],
)
def test_a_fault_answers_in_the_venues_place(sandbox: Running, fault: dict[str, Any], status: int, body: bytes) -> None:
    post(sandbox, "/_sandbox/faults", {"venue": "kraken", **fault})
    answer = get(sandbox, TIME)
    assert (answer.status_code, answer.content) == (status, body)
    requests.delete(f"{sandbox.url}/_sandbox/faults", timeout=10)
    assert get(sandbox, TIME).json()["error"] == []


def test_half_an_answer_and_a_page_of_html_and_no_answer(sandbox: Running) -> None:
    whole = get(sandbox, "/kraken/0/public/Assets").content
    path = "/0/public/Assets"
    script = [{"venue": "kraken", "path": path, "effect": effect, "nth": place} for place, effect in
              enumerate(("half", "html", "reset"), start=1)]  # fmt: skip
    post(sandbox, "/_sandbox/faults", script)
    assert get(sandbox, f"/kraken{path}").content == whole[: len(whole) // 2]
    page = get(sandbox, f"/kraken{path}")
    assert (page.status_code, page.headers["content-type"]) == (502, "text/html")
    with pytest.raises(requests.RequestException):
        get(sandbox, f"/kraken{path}")
    assert get(sandbox, f"/kraken{path}").content == whole


def test_a_dropped_page_keeps_its_count(sandbox: Running) -> None:
    client = sandbox.kraken()
    whole = client.private_post_ledgers()["result"]
    post(sandbox, "/_sandbox/faults", {"venue": "kraken", "path": "/0/private/*", "effect": "drop_page", "nth": [2]})
    assert client.private_post_ledgers()["result"] == whole
    assert client.private_post_ledgers()["result"] == {"ledger": {}, "count": whole["count"]}


def test_a_skewed_clock_and_a_bomb(sandbox: Running) -> None:
    post(sandbox, "/_sandbox/faults", {"venue": "binance", "path": "/api/v3/time", "skew_ms": 3_600_000})
    ahead = get(sandbox, "/binance/api/v3/time").json()["serverTime"] - sandbox.state.server_ms()
    assert 3_590_000 < ahead <= 3_600_000
    post(sandbox, "/_sandbox/faults", {"venue": "coinbase", "effect": "gzip_bomb"})
    answer = requests.get(f"{sandbox.url}/coinbase/v2/time", stream=True, timeout=20)
    packed = answer.raw.read(decode_content=False)
    assert len(packed) < 200_000 < len(gzip.decompress(packed))


@pytest.mark.parametrize("fault", [{"venue": "kraken", "effect": "magic"}, {"path": "/"}, {"venue": "x", "status": 99}])
def test_a_fault_that_makes_no_sense_is_refused(sandbox: Running, fault: dict[str, Any]) -> None:
    assert post(sandbox, "/_sandbox/faults", fault).status_code == 400


def test_the_demo_venue_tells_the_truth_page_by_page(sandbox: Running) -> None:
    headers = session(sandbox)
    lines = sandbox.truth("demo", "demo")
    shown = {row["asset"]: row["amount"] for row in get(sandbox, "/demo/balances", **headers).json()["balances"]}
    assert shown == {line["asset"]: line["amount"] for line in lines if line["kind"] == "balance"}
    assert 8 <= len(shown) <= 10
    found: list[Any] = []
    cursor: str | None = ""
    while cursor is not None:
        page = get(sandbox, f"/demo/transactions?limit=7&cursor={cursor}", **headers).json()
        found += page["transactions"]
        cursor = page["next_cursor"]
    told = [line for line in lines if line["kind"] == "transaction"]
    assert [(row["id"], row["at"], row["type"], row["subtype"], row["event"]) for row in found] == [
        (line["ref"], line["at"], line["type"], line["subtype"], line["event"]) for line in told
    ]
    assert [{(one["asset"], one["amount"], one["role"]) for one in row["movements"]} for row in found] == [
        {(leg["asset"], leg["amount"], leg["role"]) for leg in line["legs"]} for line in told
    ]


def test_the_demo_venue_wants_its_login(start: Callable[..., Running]) -> None:
    sandbox = start()
    sandbox.state.clock.wire = "world"
    assert post(sandbox, "/demo/session", {"username": "demo", "password": "x"}).status_code == 401
    assert get(sandbox, "/demo/balances").status_code == 401
    headers = session(sandbox)
    assert get(sandbox, "/demo/balances", **headers).status_code == 200
    sandbox.state.clock.advance(3_600_000)
    assert get(sandbox, "/demo/balances", **headers).status_code == 401
