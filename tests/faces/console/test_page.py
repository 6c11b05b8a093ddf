"""The console as its owner uses it, in a real browser: in by a link, every page looked over, by keyboard, light and dark."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from omnifolio.app.sandbox import SandboxProcess, credentials_of
from tests.browser import DESKTOP, PHONE, Watched, browser
from tests.faces.api.world import HTTP
from tests.faces.cli.program import Program, ready

VIEWS = ("accounts", "keys", "webhooks", "requests", "security")
PASSWORD = "four unlike quiet words"


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """An installation with three accounts: one well, one whose key may trade, one whose key is wrong."""
    with SandboxProcess() as sandbox:
        made = Program(tmp_path_factory.mktemp("console"), sandbox_url=sandbox.url)
        fields = credentials_of("alice")["kraken"]
        assert made("accounts", "add", "demo", "username=demo", "password=demo").code == 0
        entered = f"{fields['key']}\n{fields['secret']}\n"
        assert made("accounts", "add", "kraken", "key=-", "secret=-", "--name", "Main", stdin=entered).code == 0
        fields = credentials_of("bob")["binance"]
        wrong = f"{fields['key']}\nnot-the-secret-of-this-key\n"
        made("accounts", "add", "binance", "key=-", "secret=-", "--name", "Old", stdin=wrong)
        yield made


@pytest.fixture(scope="module")
def address(program: Program) -> Iterator[str]:
    """The address of a running server."""
    server = program.start("serve", "--port", "0", "--workers", "0")
    try:
        yield ready(server)["url"].removesuffix("/v1")
    finally:
        server.terminate()
        _, errors = server.communicate(timeout=60)
    assert errors == ""


@pytest.fixture(scope="module")
def chromium(address: str) -> Iterator[Browser]:
    """One browser for all tests here, started after the server: its driver runs a loop in this thread."""
    del address
    with browser() as running:
        yield running


def printed(program: Program, *arguments: str) -> str:
    """What a command prints, as a process of its own."""
    process = program.start(*arguments)
    out, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    return out.strip()


def secret_of(program: Program) -> str:
    """The secret of a fresh sign-in link."""
    return printed(program, "owner", "link").partition("#")[2]


def entered(chromium: Browser, program: Program, address: str, **options: Any) -> Watched:
    """A browser of its own that came in by a link and shows the first page."""
    watched = Watched(chromium.new_context(**options))
    watched.page.goto(f"{address}/console#{secret_of(program)}")
    expect(watched.page.get_by_role("heading", name="Accounts", level=1)).to_be_visible()
    expect(watched.page.locator("main")).to_have_attribute("aria-busy", "false")
    return watched


def opened(page: Page, view: str) -> None:
    """Goes to a view by its link."""
    page.locator(f"nav a[href='#{view}']").click()
    expect(page.locator("nav a[aria-current]")).to_have_attribute("href", f"#{view}")
    expect(page.locator("main")).to_have_attribute("aria-busy", "false")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("device", "size"), [("desktop", DESKTOP), ("phone", PHONE)])
def test_every_page_is_sound(
    chromium: Browser, program: Program, address: str, theme: str, device: str, size: dict[str, int]
) -> None:
    watched = entered(chromium, program, address, viewport=size, color_scheme=theme)
    for view in VIEWS:
        opened(watched.page, view)
        watched.picture(f"console-{view}-{device}-{theme}")
        assert watched.accessibility() == []
        width = watched.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert width <= 0, f"{view} is wider than the screen"
    assert watched.faults == []


def test_the_first_page_says_what_there_is_and_what_needs_doing(chromium: Browser, program: Program, address: str) -> None:
    page = entered(chromium, program, address).page
    rows = {row.locator("th").inner_text().split("\n")[0]: row for row in page.locator("section:has(#accounts) tbody tr").all()}
    assert set(rows) == {"Demo", "Main", "Old"}
    expect(rows["Main"]).to_contain_text("Can only read")
    expect(rows["Main"]).to_contain_text("complete since")
    expect(rows["Old"]).to_contain_text("Needs you")
    expect(page.locator("section:has(#todo)")).to_contain_text("Old")
    token = {"authorization": f"Bearer {printed(program, 'owner', 'token')}"}
    told = HTTP.get(f"{address}/v1/portfolio", headers=token).json()["fiat_value"]
    shown = page.locator(".sum").inner_text()
    assert shown.replace("$", "").replace(",", "") == told


def test_the_link_leaves_the_address_and_works_once(chromium: Browser, program: Program, address: str) -> None:
    secret = secret_of(program)
    first = Watched(chromium.new_context())
    first.page.goto(f"{address}/console#{secret}")
    expect(first.page.get_by_role("heading", name="Accounts", level=1)).to_be_visible()
    assert secret not in first.page.url
    assert secret not in first.page.content()
    assert first.page.evaluate("JSON.stringify(localStorage) + JSON.stringify(sessionStorage) + document.cookie") == "{}{}"
    second = Watched(chromium.new_context())
    second.page.goto(f"{address}/console#{secret}")
    expect(second.page.get_by_role("alert")).to_contain_text("was used already")
    first.page.reload()
    expect(first.page.get_by_role("heading", name="Accounts", level=1)).to_be_visible()
    first.page.get_by_role("button", name="Sign out").click()
    expect(first.page.get_by_role("heading", name="Sign in to your console")).to_be_visible()
    first.page.reload()
    expect(first.page.get_by_role("heading", name="Sign in to your console")).to_be_visible()


def test_a_team_is_made_and_its_secret_shown_once(chromium: Browser, program: Program, address: str) -> None:
    watched = entered(chromium, program, address)
    page = watched.page
    opened(page, "keys")
    page.get_by_label("Name", exact=True).fill("Corner shop")
    page.get_by_label("Pages that may show Connect").fill("https://*.example")
    page.get_by_role("button", name="Create team").click()
    expect(page.get_by_role("alert")).to_contain_text("exact, without wildcards")
    page.get_by_label("Pages that may show Connect").fill("https://shop.example")
    page.get_by_role("button", name="Create team").click()
    expect(page.get_by_role("heading", name="Corner shop")).to_be_visible()
    secret = page.locator(".note.good code").nth(1).inner_text()
    assert secret.startswith("omni_live_")
    opened(page, "accounts")
    page.reload()
    opened(page, "keys")
    assert secret not in page.content()
    assert [fault for fault in watched.faults if "400" not in fault] == []


def test_an_account_is_connected_from_here(chromium: Browser, program: Program, address: str) -> None:
    watched = entered(chromium, program, address)
    with watched.page.context.expect_page() as opened_page:
        watched.page.get_by_role("button", name="Connect another").click()
    connect = opened_page.value
    expect(connect.get_by_role("heading").first).to_be_visible()
    assert "/connect" in connect.url
    connect.get_by_role("button").filter(has_text="Continue").click()
    expect(connect.get_by_role("searchbox").or_(connect.get_by_role("combobox")).first).to_be_visible()
    assert watched.faults == []


def test_a_webhook_is_added_tested_and_switched_off(chromium: Browser, program: Program, address: str) -> None:
    watched = entered(chromium, program, address)
    page = watched.page
    opened(page, "webhooks")
    page.get_by_text("Add a webhook").first.click()
    page.get_by_label("Address of your receiver").first.fill("https://127.0.0.1/hook")
    page.get_by_role("button", name="Add webhook").first.click()
    expect(page.get_by_role("alert")).to_be_visible()
    page.get_by_label("Address of your receiver").first.fill("https://receiver.example/hook")
    page.get_by_role("button", name="Add webhook").first.click()
    expect(page.locator(".note.good code").nth(1)).to_contain_text("whsec_")
    page.get_by_role("button", name="Send a test: https://receiver.example/hook").click()
    expect(page.get_by_role("status").first).to_contain_text("on its way")
    page.get_by_role("button", name="Show messages: https://receiver.example/hook").click()
    expect(page.get_by_role("cell", name="webhook.test")).to_be_visible()
    watched.picture("console-webhooks-used")
    assert watched.accessibility() == []
    page.get_by_role("button", name="Switch off: https://receiver.example/hook").click()
    expect(page.get_by_text("Off", exact=True)).to_be_visible()
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Remove: https://receiver.example/hook").click()
    expect(page.get_by_role("status").first).to_contain_text("is removed")
    assert [fault for fault in watched.faults if "400" not in fault] == []


def test_a_passkey_signs_in(chromium: Browser, program: Program, address: str) -> None:
    """By a virtual authenticator of the browser. Passkeys belong to a host name, so the page is opened by one."""
    named = address.replace("127.0.0.1", "localhost")
    watched = entered(chromium, program, named)
    page = watched.page
    tool = page.context.new_cdp_session(page)
    tool.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
        "isUserVerified": True, "automaticPresenceSimulation": True,
    }  # fmt: skip
    tool.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    opened(page, "security")
    page.get_by_label("New passkey").fill("Test key")
    page.get_by_role("button", name="Add passkey").click()
    expect(page.get_by_role("status")).to_contain_text("Your passkey is added")
    page.get_by_role("button", name="Sign out", exact=True).click()
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_role("heading", name="Accounts", level=1)).to_be_visible()
    opened(page, "security")
    expect(page.locator("section:has(#browsers)")).to_contain_text("by passkey")
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Remove Test key").click()
    expect(page.get_by_role("status")).to_contain_text("is removed")
    assert watched.faults == []


def test_a_password_signs_in_by_keyboard_alone(chromium: Browser, program: Program, address: str) -> None:
    watched = entered(chromium, program, address)
    page = watched.page
    opened(page, "security")
    page.locator("input[type=password]").fill(PASSWORD)
    page.get_by_role("button", name="Set password").click()
    expect(page.get_by_role("status")).to_contain_text("Your new password is set")
    page.get_by_role("button", name="Sign out", exact=True).click()
    expect(page.get_by_label("Password", exact=True)).to_be_visible()
    page.keyboard.press("Tab")
    page.get_by_label("Password", exact=True).focus()
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Accounts", level=1)).to_be_focused()
    assert watched.faults == []


def test_no_page_can_frame_the_console(chromium: Browser, address: str) -> None:
    context = chromium.new_context()
    page = context.new_page()
    page.route(
        "https://evil.example/*", lambda route: route.fulfill(content_type="text/html", body=f"<iframe src={address}/console>")
    )
    page.goto("https://evil.example/")
    page.wait_for_load_state()
    assert all("omnifolio" not in frame.content().lower() for frame in page.frames[1:])
