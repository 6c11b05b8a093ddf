"""Our own loader on a host page with a strict policy: link tokens, callbacks, the element, forged messages, redirects, and its size."""

import gzip
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

from omnifolio.faces.pages.assets import LOADER, STATIC
from tests.faces.connect.chromium.host import Host, Visit
from tests.faces.connect.chromium.test_vezgo import KEY

BYTES_MAX = 3 * 1024
Visiting = Callable[[str], Visit]


def test_the_loader_is_small() -> None:
    assert len(gzip.compress((STATIC / LOADER).read_bytes(), 9)) <= BYTES_MAX


def test_a_link_token_connects_and_stands_in_no_address(host: Host, visit: Visiting) -> None:
    there = visit("/loader")
    token = host.link_token(provider="kraken", state="s")
    there.start({"linkToken": token})
    there.enter(**KEY)
    there.asks()
    account = host.settle()
    there.finishes()
    there.ends()
    assert there.heard() == [["success", account]]
    assert not any(token in request for request in there.requests)
    assert there.watched.faults == []


def test_a_user_s_token_opens_it_with_the_team_s_id(host: Host, visit: Visiting) -> None:
    there = visit("/loader")
    there.start({"clientId": host.client.team.client_id, "token": host.token(), "theme": "dark", "providers": ["kraken"]})
    there.frame.get_by_role("button", name="Close").click()
    there.ends()
    assert (there.heard(), there.watched.faults) == ([["close"]], [])


def test_a_link_that_was_used_is_an_error(host: Host, visit: Visiting) -> None:
    there = visit("/loader")
    there.start({"clientId": host.client.team.client_id, "token": "x"})
    there.ends()
    assert [said[0] for said in there.heard("event", "error")] == ["event", "error"]
    assert there.heard("error")[0][1]["type"] == "INVALID_TOKEN"


def test_messages_of_others_are_ignored(host: Host, visit: Visiting) -> None:
    there = visit("/loader")
    there.start({"linkToken": host.link_token()})
    frame = there.frame
    forged = "({vezgo: true, event: 'success', account: 'forged'})"
    there.page.evaluate(f"postMessage({forged}, '*')")
    there.page.evaluate(
        f"""async () => {{ const other = document.createElement('iframe'); other.id = 'other'; document.body.append(other);
        other.contentWindow.parent.postMessage({forged}, '*');
        dispatchEvent(new MessageEvent('message', {{data: {forged}, origin: {host.server!r}, source: other.contentWindow}}));
        dispatchEvent(new MessageEvent('message', {{data: {forged}, origin: 'https://evil.example',
            source: document.querySelector('iframe').contentWindow}}));
        other.remove(); }}"""
    )
    frame.evaluate("parent.postMessage({event: 'success', account: 'forged'}, '*')")
    frame.get_by_role("button", name="Close").click()
    there.ends()
    assert there.heard() == [["close"]]


def test_after_its_end_nothing_is_heard_any_more(host: Host, visit: Visiting) -> None:
    there = visit("/loader")
    there.start({"linkToken": host.link_token()})
    there.frame.locator("#title").wait_for()
    there.page.evaluate("opened.close()")
    there.ends()
    assert there.heard() == []


def test_the_element_opens_connect_and_tells_by_events(host: Host, visit: Visiting) -> None:
    there = visit("/loader")
    there.page.evaluate(
        """token => { const element = document.createElement('omnifolio-connect'); const button = document.createElement('button');
        button.textContent = 'Connect an account'; element.append(button); element.options = {linkToken: () => Promise.resolve(token)};
        element.setAttribute('theme', 'dark');
        for (const name of ['success', 'error', 'close']) element.addEventListener(name, event => hear(name, event.detail));
        document.body.append(element); }""",
        host.link_token(),
    )
    there.page.get_by_role("button", name="Connect an account").click()
    there.frame.get_by_role("button", name="Close").click()
    there.ends()
    assert there.heard() == [["close", None]]
    assert there.page.evaluate("document.activeElement.textContent") == "Connect an account"


def test_a_redirect_brings_the_account_and_the_state_back(host: Host, visit: Visiting) -> None:
    there = visit("/loader")
    back = f"{host.origin}/back?kept=1"
    there.page.evaluate("address => history.replaceState(null, '', address)", "/loader")
    there.start(
        {"mode": "redirect", "linkToken": host.link_token(origin=None, redirect_uri=back, state="YQ==", provider="kraken")}
    )
    there.page.wait_for_url(f"{host.server}/**")
    page = there.page
    page.locator(".main").click()
    page.locator("dl").first.wait_for(state="attached")
    page.locator(".main").click()
    for name, value in KEY.items():
        page.locator(f"#{name}").fill(value)
    page.locator("form .main").click()
    page.locator(".checks li").nth(4).wait_for()
    account = host.settle()
    page.get_by_role("button", name="Finish").click()
    page.wait_for_url(f"{host.origin}/back**")
    assert parse_qs(urlsplit(page.url).query) == {"kept": ["1"], "account": [account], "code": [account], "state": ["YQ=="]}
