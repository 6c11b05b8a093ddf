"""Private streams of the program as people run it: in the API after the event, heard on when one is killed.

Tests wait until something is so, and time nothing; `make bench ARGS="live_purchase_visible"` measures.
"""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from omnifolio_sandbox import credentials
from omnifolio_sandbox.clock import machine_ms
from tests.proof.programs import Program
from tests.proof.simulation import Venues, simulated

USER = "live-060"
PATIENCE_S = 120.0
LOOK_S = 0.05
MARKETS = {"kraken": "USD", "binance": "USDT"}


@pytest.fixture
def venues() -> Iterator[Venues]:
    """Venues in the machine's time; nothing but reads, logins, subscriptions and pings may have come."""
    with simulated(now=machine_ms() // 60_000 * 60_000, wire="real") as found:
        yield found
        assert found.violations() == []


def lines(venues: Venues) -> list[dict[str, Any]]:
    """Streams that are subscribed to."""
    return [line for line in venues.ask("GET", "/sockets")["sockets"] if line["channels"]]


class Client:
    """A developer's client of a server."""

    def __init__(self, url: str, said: str) -> None:
        self._http = httpx.Client(base_url=f"{url}/v1", timeout=60)
        client_id, secret = (
            said.partition(f"{word} ")[2].split("\n")[0].split(",")[0].strip() for word in ("client id", "secret")
        )
        asked = {"clientId": client_id, "secret": secret}
        token = self._http.post("/auth/token", json=asked, headers={"loginName": "somebody"}).json()["token"]
        self._http.headers["Authorization"] = f"Bearer {token}"

    def get(self, path: str, **query: Any) -> Any:
        return self._http.get(path, params=query).json()

    def link(self, venue: str) -> str:
        fields = credentials.of_user(USER, "read")[venue]
        body = {"provider": venue, "credentials": {"key": fields["apiKey"], "secret": fields["secret"]}}
        found: str = self._http.post("/accounts", json=body).json()["id"]
        return found

    def held(self, account: str, ticker: str) -> str:
        """What the account holds of a ticker, wallet by wallet."""
        balances = self.get(f"/accounts/{account}")["balances"]
        return " ".join(sorted(row["amount"] for row in balances if row["ticker"] == ticker))

    def ids(self, account: str) -> set[str]:
        """The newest transactions."""
        return {row["id"] for row in self.get(f"/accounts/{account}/transactions", limit=5)}


def wait(is_so: Callable[[], object], what: str) -> None:
    end = time.monotonic() + PATIENCE_S
    while not is_so():
        assert time.monotonic() < end, what
        time.sleep(LOOK_S)


def well(client: Client, account: str) -> bool:
    """Whether an account is listened to and was read since."""
    shown = client.get(f"/accounts/{account}")
    live = shown["live"] or {}
    return shown["status"] == "ok" and bool(live.get("since")) and shown["synced_at"] >= live["since"]


@pytest.mark.parametrize("venue", MARKETS)
def test_a_purchase_shows_in_the_api(tmp_path: Path, venues: Venues, venue: str) -> None:
    program = Program(tmp_path / "run", f"sqlite:///{tmp_path / 'run' / 'data' / 'omnifolio.db'}", sandbox_url=venues.url)
    try:
        server = program.serve("--workers", "2")
        client = Client(server.url, server.said)
        account = client.link(venue)
        wait(lambda: well(client, account), "the account is not listened to")
        known, held = client.ids(account), client.held(account, "ETH")
        venues.pass_time(1_000)
        asked = {"user": USER, "venue": venue, "base": "ETH", "quote": MARKETS[venue], "amount": "0.0021"}
        assert venues.ask("POST", "/purchases", asked)["told"] == 1
        wait(lambda: client.ids(account) - known, "the purchase does not show")
        wait(lambda: client.held(account, "ETH") != held, "the balance does not show")
        wait(lambda: client.get(f"/accounts/{account}")["live"]["heard_at"], "the account does not say when it heard of it")
        assert server.stop() == 0
    finally:
        program.end()


def test_when_a_worker_is_killed_another_listens_on(tmp_path: Path, venues: Venues, postgres_url: str) -> None:
    program = Program(tmp_path / "run", postgres_url, sandbox_url=venues.url)
    try:
        first = program.serve("--workers", "2")
        client = Client(first.url, first.said)
        account = client.link("kraken")
        wait(lambda: well(client, account), "the account is not listened to")
        second = program.serve("--workers", "2")
        client = Client(second.url, first.said)
        assert len(lines(venues)) == 1, "one process listens"
        first.kill()
        wait(lambda: lines(venues) == [], "the dead process still holds its socket")
        wait(lambda: lines(venues), "nobody has taken over")
        wait(lambda: well(client, account), "the account is not listened to again")
        known = client.ids(account)
        venues.pass_time(1_000)
        asked = {"user": USER, "venue": "kraken", "base": "ETH", "quote": "USD", "amount": "0.0021"}
        assert venues.ask("POST", "/purchases", asked)["told"] == 1
        wait(lambda: client.ids(account) - known, "the purchase does not show")
    finally:
        program.end()
