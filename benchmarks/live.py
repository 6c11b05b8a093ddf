"""live_purchase_visible: how long after a venue's event a purchase shows in `/v1`, in the transactions and in the balances.

The real server with its workers, and simulated venues in another process that tell the event over their sockets. A client asks
for both until both have it. The figure is the slowest of all purchases at Kraken and Binance; the middle one is printed.
"""

import json
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from statistics import median
from typing import Any

import httpx
from tests.faces.cli.program import Program, ready

from benchmarks.figures import Figure, figure
from omnifolio.app.sandbox import SandboxProcess, credentials_of

NAME, BAR_S = "live_purchase_visible", 2.0
USER = "live-060"
MARKETS = {"kraken": "USD", "binance": "USDT"}
PURCHASES = 10
PATIENCE_S = 60.0
LOOK_S = 0.01
APART_S = 1.5
"""Between two purchases, so that each is a burst of its own."""


def measure() -> list[Figure]:
    """The slowest of ten purchases at each venue."""
    with SandboxProcess() as sandbox, tempfile.TemporaryDirectory() as folder:
        server = Program(Path(folder), sandbox_url=sandbox.url, rate_limit_per_minute="1000000").start("serve", "--port", "0")
        try:
            told = ready(server)
            seconds = [taken for venue in MARKETS for taken in _purchases(told, sandbox.url, venue)]
        finally:
            server.terminate()
            server.communicate()
    print(f"{NAME}: the middle of {len(seconds)} purchases {median(seconds):.2f} s", file=sys.stderr)
    return [figure(NAME, max(seconds), "s", BAR_S, of=NAME)]


def _purchases(told: Any, sandbox: str, venue: str) -> list[float]:
    """Seconds from the event to its showing, for each purchase at one venue."""
    client = _client(told)
    body = {"provider": venue, "credentials": credentials_of(USER)[venue]}
    account = client.post("/accounts", json=body).json()["id"]
    _until(lambda: _is_listened_to(client, account))
    taken = []
    for number in range(PURCHASES):
        _control(sandbox, "clock", {"advance_ms": 1_000})
        before = _shown(client, account)
        asked = {"user": USER, "venue": venue, "base": "ETH", "quote": MARKETS[venue], "amount": f"0.00{number + 11}"}
        began = time.perf_counter()
        assert _control(sandbox, "purchases", asked)["told"] == 1
        _until(lambda known=before: all(new != old for new, old in zip(_shown(client, account), known, strict=True)))
        taken.append(time.perf_counter() - began)
        time.sleep(APART_S)
    return taken


def _client(told: Any) -> httpx.Client:
    client = httpx.Client(base_url=f"{told['url'].removesuffix('/v1')}/v1", timeout=PATIENCE_S)
    client_id, secret = (
        told["said"].partition(f"{word} ")[2].split("\n")[0].split(",")[0].strip() for word in ("client id", "secret")
    )
    asked = {"clientId": client_id, "secret": secret}
    token = client.post("/auth/token", json=asked, headers={"loginName": "bench"}).json()["token"]
    client.headers["Authorization"] = f"Bearer {token}"
    return client


def _is_listened_to(client: httpx.Client, account: str) -> bool:
    shown = client.get(f"/accounts/{account}").json()
    live = shown["live"] or {}
    return shown["status"] == "ok" and bool(live.get("since")) and shown["synced_at"] >= live["since"]


def _shown(client: httpx.Client, account: str) -> tuple[str, str]:
    """The newest transaction, and what is held of the token."""
    newest = client.get(f"/accounts/{account}/transactions", params={"limit": 1}).json()
    balances = client.get(f"/accounts/{account}").json()["balances"]
    return newest[0]["id"], " ".join(sorted(row["amount"] for row in balances if row["ticker"] == "ETH"))


def _control(sandbox: str, path: str, body: dict[str, Any]) -> Any:
    asked = urllib.request.Request(f"{sandbox}/_sandbox/{path}", json.dumps(body).encode(), method="POST")
    with urllib.request.urlopen(asked, timeout=PATIENCE_S) as answer:
        return json.loads(answer.read())


def _until(is_so: Any) -> None:
    end = time.monotonic() + PATIENCE_S
    while not is_so():
        assert time.monotonic() < end, "it did not come to be so"
        time.sleep(LOOK_S)
