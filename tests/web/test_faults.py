"""Every fault as a pane: its words, one way out that comes first, and that the way leads somewhere."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.web import panes
from tests.web.panes import account
from tests.web.stage import ACCOUNT, Scene, checks

SEED = "abandon ability able about above absent absorb abstract absurd abuse access accident"
REFUSED = {
    "bad_request": ("Something is not as expected", "Enter it again"),
    "invalid_field": ("Something is not as expected", "Enter it again"),
    "unsupported_chain": ("This chain cannot be read yet", "Choose another place"),
    "internal": ("Something went wrong here", "Try again"),
    "already_connected": ("This is connected already", "Use that account"),
}
FOUND_WRONG = {
    "bad_credentials": ("Binance does not accept this key", "Enter it again"),
    "wrong_passphrase": ("The passphrase is wrong", "Enter it again"),
    "ip_not_allowed": ("Binance does not let this server use the key", "I allowed them: check again"),
    "venue_clock_skew": ("The clocks do not agree", "Try again"),
    "missing_permission": ("The key may not read everything it needs", "I allowed it: check again"),
    "excess_permission": ("This key can do more than read", "I turned it off: check again"),
    "sub_account_only": ("This key belongs to a sub-account", "Enter another key"),
    "wrong_region": ("This key is from another site of Binance", "Choose the site"),
    "key_expired": ("The key has expired", "Enter a new key"),
    "security_question": ("Binance asks a question", "Enter a key"),
    "account_locked": ("Binance has locked this account", "It is open: check again"),
    "venue_unavailable": ("Binance does not answer properly", "Try again"),
    "venue_busy": ("Too many requests", "Try again"),
    "venue_banned": ("Binance blocks this server", "Choose another way"),
}


def wrong(code: str, **more: Any) -> dict[str, Any]:
    """An account whose first sync ended with an error."""
    said = {"name": "LoginFailedError", "message": "", "code": code, "cause": "", "action": "", "docs_url": ""}
    return account(status="error", error=said, **more)


def shown_once(scene: Scene, title: str, fix: str) -> None:
    """The pane says what happened, and exactly one button comes first."""
    scene.title(title)
    assert scene.frame.locator(".main:not(header *)").filter(visible=True).all_inner_texts() == [fix]
    assert scene.watched.accessibility() == []


@pytest.mark.parametrize("framed", [False])
def test_what_a_venue_finds_wrong_is_told_with_one_way_out(scene: Callable[..., Scene], framed: bool) -> None:
    shown = scene()
    shown.answers[f"GET /connect/checks/{ACCOUNT}"] = checks("failed")
    shown.answers[f"DELETE /v1/accounts/{ACCOUNT}"] = {}
    panes.key(shown, framed=framed)
    for code, (title, fix) in FOUND_WRONG.items():
        found = wrong(
            code, permission={"state": "can_withdraw", "switches": ["Enable Withdrawals"], "missing": [], "expires_at": None}
        )
        shown.answers["POST /v1/accounts"] = shown.answers[f"PUT /v1/accounts/{ACCOUNT}"] = found
        panes.send_key(shown)
        shown_once(shown, title, fix)
        shown.watched.picture(f"connect-fault-{code}")
        shown.frame.locator("header button").first.click()
        shown.frame.locator("#key").wait_for()
    assert shown.watched.faults == []


def test_what_the_server_refuses_is_told_with_one_way_out(scene: Callable[..., Scene]) -> None:
    shown = scene()
    panes.key(shown)
    for code, (title, fix) in REFUSED.items():
        shown.answers["POST /v1/accounts"] = {"http": 400, "code": code, "message": "Not so.", "request_id": "r-1"}
        panes.send_key(shown)
        shown_once(shown, title, fix)
        shown.frame.get_by_text("Details for support").click()
        assert shown.frame.locator("pre").inner_text() == f"code: {code}\nrequest: r-1\nvenue: binance"
        shown.frame.locator("header button").first.click()
        shown.frame.locator("#key").wait_for()


def test_excess_rights_are_named_and_checked_again_without_typing(scene: Callable[..., Scene]) -> None:
    shown = scene()
    rights = {"state": "can_withdraw", "switches": ["Enable Withdrawals"], "missing": [], "expires_at": None}
    shown.answers["POST /v1/accounts"] = wrong("excess_permission", permission=rights)
    shown.answers[f"PUT /v1/accounts/{ACCOUNT}"] = account(**panes.READ)
    shown.answers[f"GET /connect/checks/{ACCOUNT}"] = checks("failed")
    shown.answers[f"GET /v1/accounts/{ACCOUNT}/poll"] = "wait"
    panes.key(shown)
    panes.send_key(shown)
    shown.title("This key can do more than read")
    assert shown.frame.locator(".schematic").inner_text().strip() == "Enable Withdrawals"
    shown.press("I turned it off: check again")
    shown.title("Connected")
    sent = [body for name, body in shown.asked if name == f"PUT /v1/accounts/{ACCOUNT}"]
    assert len(sent) == 1
    assert panes.KEY in sent[0]


def test_a_busy_server_is_asked_again_only_when_its_pause_is_over(scene: Callable[..., Scene]) -> None:
    shown = scene()
    shown.page.clock.install()
    shown.answers["POST /v1/accounts"] = {"http": 429, "code": "rate_limited", "message": "Wait.", "retry_after": 42}
    panes.key(shown)
    panes.send_key(shown)
    shown_once(shown, "Too many requests", "Try again")
    assert shown.frame.get_by_role("timer").inner_text() == "Again in 42 seconds."
    shown.press("Try again")
    assert len([1 for name, _ in shown.asked if name == "POST /v1/accounts"]) == 1
    shown.page.clock.run_for(42_000)
    shown.press("Try again")
    shown.title("Too many requests")
    assert len([1 for name, _ in shown.asked if name == "POST /v1/accounts"]) == 2


def test_a_lost_connection_says_so(scene: Callable[..., Scene]) -> None:
    shown = scene()
    shown.answers["POST /v1/accounts"] = "fail"
    panes.key(shown)
    panes.send_key(shown)
    shown_once(shown, "No connection", "Try again")


def test_another_account_is_refused_on_reconnecting(scene: Callable[..., Scene]) -> None:
    shown = scene()
    held = {"id": ACCOUNT, "provider": "binance", "name": None}
    shown.answers[f"PUT /v1/accounts/{ACCOUNT}"] = {"http": 409, "code": "already_connected", "message": "No."}
    shown.open(mode="reconnect", account=held)
    shown.press("Continue")
    panes.send_key(shown)
    shown_once(shown, "This belongs to another account", "Enter the right key")


def test_an_address_without_anything_can_still_be_connected(scene: Callable[..., Scene]) -> None:
    shown = scene()
    shown.answers["POST /v1/accounts"] = account("bitcoin", status="ok")
    shown.answers[f"GET /connect/checks/{ACCOUNT}"] = checks()
    panes.asked(shown)
    shown.press("Connect")
    shown_once(shown, "Nothing was found at this address", "Enter another address")
    shown.answers[f"GET /v1/accounts/{ACCOUNT}"] = account("bitcoin", status="ok")
    shown.press("Connect it anyway")
    shown.title("Connected")


def test_a_secret_in_the_place_of_an_address_is_refused_here(scene: Callable[..., Scene]) -> None:
    shown = scene()
    panes.address(shown)
    shown.frame.locator("#wallet").fill(SEED)
    shown.frame.locator("form .main").click()
    shown_once(shown, "That is a secret, not an address", "Enter the public address")
    shown.press("Enter the public address")
    assert shown.frame.locator("#wallet").input_value() == ""
    assert not [body for _, body in shown.asked if "abandon" in str(body)]


def test_a_file_that_cannot_be_read_is_told(scene: Callable[..., Scene]) -> None:
    shown = scene()
    shown.answers["POST /connect/preview"] = {"http": 400, "code": "file_refused", "message": "No layout has these columns."}
    panes.file(shown)
    shown.frame.locator("[type=file]").set_input_files({"name": "a.csv", "mimeType": "text/csv", "buffer": b"x"})
    shown_once(shown, "This file cannot be read", "Choose another file")


@pytest.mark.parametrize(
    ("kind", "title"),
    [
        ("WRONG_CLIENT_ID", "This page cannot be opened"),
        ("INVALID_ORIGIN", "This page cannot be opened"),
        ("SESSION_EXPIRED", "This page has expired"),
    ],
)
def test_a_page_that_may_not_open_says_whose_fault_it_is(scene: Callable[..., Scene], kind: str, title: str) -> None:
    shown = scene()
    shown.open(mode="error", session=None, error={"type": kind, "message": "So it is."})
    shown.title(title)
    assert shown.watched.accessibility() == []
    assert shown.frame.locator(".main").count() == 0
