"""Vezgo's JavaScript SDK 1.0.9, as npm has it, in Chromium: its drop-in flow against a live server and the real Connect page."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.faces.connect.chromium.host import WAIT_MS, Host, Visit

KEY = {"key": "K" * 56, "secret": "c2VjcmV0" * 11}
Visiting = Callable[[str], Visit]


@pytest.mark.parametrize("build", ["/vezgo", "/vezgo.min"])
def test_a_connection_is_told_once_and_the_frame_goes(host: Host, visit: Visiting, build: str) -> None:
    there = visit(build)
    there.start("connect", {"provider": "kraken"})
    there.enter(**KEY)
    there.asks()
    account = host.settle()
    there.finishes()
    there.ends()
    assert there.heard() == [["connection", account]]
    assert {"open", "view", "submit"} <= set(there.events())


def test_a_wrong_key_is_told_stays_open_and_then_succeeds(host: Host, visit: Visiting) -> None:
    there = visit("/vezgo")
    there.start("connect", {"provider": "kraken"})
    there.enter(**KEY)
    there.asks()
    host.settle(status="error", error_code="bad_credentials", error_text="Kraken does not know this key")
    there.page.frame_locator("iframe").locator("details pre").wait_for(state="attached")
    assert there.heard() == []
    told = next(said[2] for said in there.heard("event") if said[1] == "ERROR")
    assert (told["type"], told["error"]) == ("INVALID_CREDENTIALS", {"name": "LoginFailedError"})
    frame = there.frame
    frame.locator(".main").click()
    for name, value in KEY.items():
        frame.locator(f"#{name}").fill(value)
    frame.locator("form .main").click()
    there.asks()
    account = host.settle(error_code=None, error_text=None)
    there.finishes()
    there.ends()
    assert there.heard() == [["connection", account]]


def test_an_account_that_is_there_already_is_a_duplicate(host: Host, visit: Visiting) -> None:
    for expected in ("connection", "error"):
        there = visit("/vezgo")
        there.start("connect", {"provider": "kraken"})
        there.enter(**KEY)
        if expected == "connection":
            there.asks()
            account = host.settle()
            there.finishes()
        else:
            there.frame.get_by_role("button", name="Close").click()
        there.ends()
        assert [said[0] for said in there.heard()] == [expected]
    error = there.heard("error")[0][1]
    assert (error["error_type"], error["existing_institution_id"]) == ("DUPLICATE_CONNECTION", account)
    assert there.events()[-1] == "ERROR"


def test_closing_is_told_as_vezgo_tells_it(visit: Visiting) -> None:
    there = visit("/vezgo")
    there.start("connect")
    there.frame.get_by_role("button", name="Close").click()
    there.ends()
    assert there.heard() == [["error", {"error_type": 400, "message": "Connection closed"}]]


def test_reconnecting_keeps_the_account(host: Host, visit: Visiting) -> None:
    link = host.person.account("kraken")
    link.finish(status="error", error_code="bad_credentials")
    there = visit("/vezgo")
    there.start("reconnect", link.id)
    there.enter(**KEY)
    there.asks()
    host.settle(error_code=None, error_text=None)
    there.finishes()
    there.ends()
    assert there.heard() == [["connection", link.id]]
    assert [account.id for account in host.linked()] == [link.number]


def test_demo_is_handed_over(visit: Visiting) -> None:
    there = visit("/demo")
    there.start("connect")
    there.frame.get_by_role("button", name="Close").wait_for()
    assert any("&demo=true" in request for request in there.requests)


def test_a_wrong_client_id_shows_nothing_in_a_frame(host: Host, visit: Visiting) -> None:
    host.page("/stranger", script="/vezgo.js", code=host.vezgo(init="{clientId: 'nobody'}"))
    there = visit("/stranger")
    with there.page.expect_response(lambda answer: "/connect?" in answer.url) as answer:
        there.start("connect")
    assert "frame-ancestors 'none'" in answer.value.headers["content-security-policy"]
    assert there.heard("connection", "error", "event") == []


def test_a_wrong_provider_ends_with_both_messages_in_order(visit: Visiting) -> None:
    there = visit("/vezgo")
    there.start("connect", {"provider": "nowhere"})
    there.hears("error")
    there.ends()
    assert [said[0] for said in there.heard("event", "error")] == ["event", "error"]
    assert there.heard("event")[0][2]["type"] == "PAGE_NOT_FOUND"
    assert there.heard("error")[0][1]["error_type"] == "PAGE_NOT_FOUND"


def test_a_page_of_another_origin_cannot_frame_connect(host: Host, visit: Visiting) -> None:
    there = visit("/vezgo")
    evil = host.origin.replace("127.0.0.1", "localhost")
    there.page.goto(f"{evil}/vezgo")
    with there.page.expect_response(lambda answer: "/connect?" in answer.url) as answer:
        there.start("connect")
    assert answer.value.status == 400
    frame = there.page.locator("iframe").element_handle().content_frame()
    assert frame is not None
    there.page.wait_for_timeout(300)
    assert frame.locator("#title").count() == 0
    assert there.heard("connection", "error", "event") == []


def test_an_address_with_the_token_opens_the_page_too(host: Host, visit: Visiting) -> None:
    there = visit("/vezgo")
    asked = f"client_id={host.client.team.client_id}&origin={host.origin}&lang=fr&token={host.token()}"
    there.page.evaluate(
        "src => { const f = document.createElement('iframe'); f.src = src; document.body.append(f) }",
        f"{host.server}/connect/kraken?{asked}",
    )
    expect(there.frame.locator("html")).to_have_attribute("lang", "fr", timeout=WAIT_MS)


def test_secrets_stay_out_of_documents_storage_addresses_and_logs(
    host: Host, visit: Visiting, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    there = visit("/vezgo")
    there.start("connect", {"provider": "kraken"})
    there.enter(**KEY)
    there.asks()
    frame = there.frame
    session = "omni_page_"
    host_page, page = there.page.content(), frame.content()
    kept = frame.evaluate(
        "JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie, location.href, history.state])"
    )
    for secret in (session, KEY["key"], KEY["secret"]):
        assert secret not in host_page
        assert secret not in page
        assert secret not in kept
        assert not any(secret in request for request in there.requests)
        assert secret not in caplog.text
    assert there.context.cookies() == []
    assert "eyJ" not in page + kept + "".join(there.requests) + caplog.text
    assert {request.split("/")[2] for request in there.requests} <= {host.origin.split("/")[2], host.server.split("/")[2]}
