"""The example application: it is short, and a person connects an account with it and sees the portfolio."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import expect

from tests import npm
from tests.browser import Watched, browser
from tests.sdk.javascript import typescript

EXAMPLE = npm.ROOT / "examples" / "portfolio"
LINES_MAX = 60
STOP_S = 10.0
WAIT_MS = 30_000


@pytest.fixture
def app(live: dict[str, str], tmp_path: Path) -> Iterator[httpx.Client]:
    """The running application, with the client installed beside it."""
    home = tmp_path / "portfolio"
    shutil.copytree(EXAMPLE, home)
    typescript.placed(home)
    command = [npm.node(), "server.mjs"]
    with subprocess.Popen(command, cwd=home, env=live, stdout=subprocess.PIPE, text=True) as running:
        try:
            assert running.stdout is not None
            yield httpx.Client(base_url=running.stdout.readline().strip(), trust_env=False, timeout=60)
        finally:
            running.terminate()
            running.wait(STOP_S)


def test_it_is_short() -> None:
    lines = sum(len((EXAMPLE / name).read_text(encoding="utf-8").splitlines()) for name in ("server.mjs", "index.html"))
    assert lines <= LINES_MAX


def test_a_person_connects_an_account_and_sees_the_portfolio(app: httpx.Client, live: dict[str, str]) -> None:
    assert live["SECRET"] not in app.get("/").text
    assert app.get("/nowhere").status_code == 404
    with browser() as running:
        shown = Watched(running.new_context())
        page, frame = shown.page, shown.page.frame_locator("iframe")
        page.goto(str(app.base_url))
        expect(page.locator("#status")).to_have_text("Nothing is connected.", timeout=WAIT_MS)
        page.get_by_role("button", name="Connect an account").click()
        frame.locator(".main").click(timeout=WAIT_MS)
        frame.locator("#search").fill("Demo")
        frame.get_by_role("button", name="Demo").first.click()
        frame.get_by_role("button", name="Continue").click()
        frame.locator("#username").fill("demo")
        frame.locator("#password").fill("demo")
        frame.locator("form .main").click()
        frame.get_by_role("button", name="Finish").click(timeout=WAIT_MS)
        expect(page.locator("#status")).to_have_text("Demo: ok", timeout=WAIT_MS)
        expect(page.locator("#assets tr").first).to_be_visible()
        expect(page.locator("#total")).to_contain_text("USD")
        assert page.locator("iframe").count() == 0
        assert shown.faults == []
