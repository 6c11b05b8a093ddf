"""Connect end to end: a host page, the real server, the simulated venues, and a person in a browser."""

import time
from collections.abc import Iterator

import pytest
import requests
from playwright.sync_api import Browser, BrowserContext, Frame, expect

from omnifolio.app.sandbox import SandboxProcess, credentials_of
from tests.browser import ROOT, Watched
from tests.faces.cli.program import Program
from tests.faces.cli.test_contract import serving

USER = "alice"
SAMPLE = ROOT / "tests" / "golden" / "file" / "koinly" / "movements" / "sample.csv"
FIRST_BALANCE_S_MAX = 5.0
WAIT_MS = 30_000
TIMEOUT_S = 30
_OPEN = """([action, token]) => {
  const frame = document.createElement('iframe'); frame.name = 'connect'; frame.width = 480; frame.height = 800;
  const form = document.createElement('form'); form.method = 'POST'; form.action = action; form.target = 'connect';
  const field = document.createElement('input'); field.type = 'hidden'; field.name = 'token'; field.value = token;
  form.append(field); document.body.append(frame, form); form.submit(); }"""


class App:
    """A developer's app: its server knows the secret, its page opens Connect."""

    def __init__(self, program: Program, url: str, host: str) -> None:
        made = program("teams", "create", "Ledgerly", "--origin", host, "-o", "json")
        assert made.code == 0, made.err
        self.url, self.host = url.removesuffix("/v1"), host
        self.client_id, self._secret = made.json["client_id"], made.json["secret"]

    def token(self, login: str) -> str:
        """A user's token."""
        body = {"clientId": self.client_id, "secret": self._secret}
        answer = requests.post(f"{self.url}/v1/auth/token", json=body, headers={"loginName": login}, timeout=TIMEOUT_S)
        token: str = answer.json()["token"]
        return token

    def accounts(self, token: str) -> list[dict[str, object]]:
        """What is connected."""
        answer = requests.get(f"{self.url}/v1/accounts", headers={"Authorization": f"Bearer {token}"}, timeout=TIMEOUT_S)
        found: list[dict[str, object]] = answer.json()
        return found

    def open(self, watched: Watched, token: str, path: str = "/connect") -> Frame:
        """Connect in a frame of the host page."""
        page = watched.page
        page.goto(f"{self.host}/")
        page.evaluate(_OPEN, [f"{self.url}{path}?client_id={self.client_id}&lang=en&origin={self.host}&theme=light", token])
        found = page.wait_for_selector("iframe")
        frame = found.content_frame() if found else None
        assert frame is not None
        frame.locator("#title").wait_for(timeout=WAIT_MS)
        return frame


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory, host: str) -> Iterator[App]:
    """The app, with a server of its own on simulated venues."""
    with SandboxProcess() as sandbox:
        program = Program(tmp_path_factory.mktemp("connect"), sandbox_url=sandbox.url)
        with serving(program) as (_, url, _):
            yield App(program, url, host)


@pytest.fixture
def watched(chromium: Browser) -> Iterator[Watched]:
    """A page without any state."""
    context: BrowserContext = chromium.new_context()
    context.set_default_timeout(WAIT_MS)
    yield Watched(context)
    context.close()


def press(frame: Frame, name: str) -> None:
    """Presses the button with that name."""
    frame.get_by_role("button", name=name, exact=True).click()


def choose(frame: Frame, venue: str) -> None:
    """From the consent to the form of a venue."""
    press(frame, "Continue")
    frame.locator("#search").fill(venue)
    frame.locator(".tile").filter(has_text=venue).first.click()
    press(frame, "Continue")


def title(frame: Frame, text: str) -> None:
    """Waits for the pane with that heading."""
    expect(frame.get_by_role("heading", level=1)).to_have_text(text, timeout=WAIT_MS)


def heard(watched: Watched, event: str) -> list[dict[str, object]]:
    """What the host page was told under that name."""
    return [data for _, data in watched.page.evaluate("heard") if data["event"] == event]


def test_binance_is_linked_and_its_first_balances_are_there_in_seconds(app: App, watched: Watched) -> None:
    fields, token = credentials_of(USER)["binance"], app.token("first")
    frame = app.open(watched, token)
    choose(frame, "Binance")
    frame.locator("#key").fill(fields["key"])
    frame.locator("#secret").fill(fields["secret"])
    began = time.monotonic()
    press(frame, "Check and connect")
    frame.locator(".balances li").first.wait_for()
    took_s = time.monotonic() - began
    title(frame, "Connected")
    expect(frame.get_by_text("Proved: this key can only read.")).to_be_visible()
    watched.picture("connect-real-values")
    press(frame, "Finish")
    title(frame, "Done")
    (account,) = app.accounts(token)
    assert heard(watched, "success") == [{"vezgo": True, "event": "success", "account": account["id"]}]
    assert watched.faults == []
    assert took_s < FIRST_BALANCE_S_MAX


def test_a_wrong_secret_is_told_and_mended_on_the_same_account(app: App, watched: Watched) -> None:
    fields, token = credentials_of(USER)["kraken"], app.token("second")
    frame = app.open(watched, token)
    choose(frame, "Kraken")
    for secret, ends in (("B" * 86 + "==", "Kraken does not accept this key"), (fields["secret"], "Connected")):
        frame.locator("#key").fill(fields["key"])
        frame.locator("#secret").fill(secret)
        press(frame, "Check and connect")
        title(frame, ends)
        if ends != "Connected":
            press(frame, "Enter it again")
    press(frame, "Finish")
    title(frame, "Done")
    assert [told["data"]["type"] for told in heard(watched, "ERROR")] == ["INVALID_CREDENTIALS"]  # type: ignore[index]
    assert len(app.accounts(token)) == 1
    assert len(heard(watched, "success")) == 1


def test_a_seed_phrase_is_refused_by_page_and_server_alike(app: App, watched: Watched) -> None:
    frame = app.open(watched, app.token("third"))
    press(frame, "Continue")
    frame.locator("#search").fill("0x" + "a1" * 33)
    expect(frame.get_by_text("This is no address that can be read here")).to_be_visible()
    frame.locator("#search").fill(" ".join(["zoo"] * 11 + ["wrong"]))
    expect(frame.get_by_text("That looks like a seed phrase or private key")).to_be_visible()


def test_a_file_is_previewed_and_imported(app: App, watched: Watched) -> None:
    token = app.token("fourth")
    frame = app.open(watched, token)
    press(frame, "Continue")
    press(frame, "Import an exported file")
    frame.locator("[type=file]").set_input_files(SAMPLE)
    title(frame, "What this file brings")
    press(frame, "Import it")
    title(frame, "Connected")
    press(frame, "Finish")
    title(frame, "Done")
    assert len(app.accounts(token)) == 1
    assert not [fault for fault in watched.faults if "409 (Conflict)" not in fault], "a new account may be read for a moment"


def test_closing_leaves_nothing_behind(app: App, watched: Watched) -> None:
    token = app.token("fifth")
    frame = app.open(watched, token)
    choose(frame, "Kraken")
    frame.locator("#key").fill("A" * 56)
    frame.locator("#secret").fill("B" * 86 + "==")
    press(frame, "Check and connect")
    title(frame, "Kraken does not accept this key")
    press(frame, "Close")
    title(frame, "Closed")
    assert app.accounts(token) == []
    assert len(heard(watched, "close")) == 1
