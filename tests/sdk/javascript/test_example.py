"""The example application: it is short, and its back end connects an account and shows the portfolio."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests import npm
from tests.sdk.javascript import typescript

EXAMPLE = npm.ROOT / "examples" / "portfolio"
LINES_MAX = 60
STOP_S = 10.0


@pytest.fixture
def app(live: dict[str, str], tmp_path: Path) -> Iterator[httpx.Client]:
    """The running application, with the client installed beside it."""
    home = tmp_path / "portfolio"
    shutil.copytree(EXAMPLE, home)
    typescript.placed(home)
    command = [npm.node(), "server.mjs"]
    with subprocess.Popen(command, cwd=home, env=live | {"PORT": "0"}, stdout=subprocess.PIPE, text=True) as running:
        try:
            assert running.stdout is not None
            yield httpx.Client(base_url=running.stdout.readline().strip(), trust_env=False, timeout=60)
        finally:
            running.terminate()
            running.wait(STOP_S)


def test_it_is_short() -> None:
    lines = sum(len((EXAMPLE / name).read_text(encoding="utf-8").splitlines()) for name in ("server.mjs", "index.html"))
    assert lines <= LINES_MAX


def test_it_connects_an_account_and_shows_the_portfolio(app: httpx.Client, live: dict[str, str]) -> None:
    page = app.get("/")
    assert page.headers["content-type"].startswith("text/html")
    assert live["SECRET"] not in page.text
    before = app.get("/portfolio").json()
    assert (before["assets"], before["status"]) == ([], [])
    added = app.post("/accounts")
    assert added.json()["status"] == "ok", added.text
    shown = app.get("/portfolio").json()
    assert shown["status"] == ["Demo: ok"]
    assert {"BTC", "ETH"} <= {asset["ticker"] for asset in shown["assets"]}
    assert shown["fiat_ticker"] == "USD"
    again = app.post("/accounts")
    assert (again.status_code, "already" in again.json()["message"]) == (502, True)
    assert app.get("/nowhere").status_code == 404
