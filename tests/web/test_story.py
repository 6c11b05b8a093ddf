"""What a person does on the Connect page, what the host page hears of it, and what never leaves it."""

import json
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.web import panes
from tests.web.panes import KEY, READ, WALLET, account
from tests.web.stage import ACCOUNT, Scene, checks
from tests.web.test_faults import SEED

SECRET = "s" * 64
OTHER = "6520a1b2c3d4e5f60718293b"
TABS_MAX = 40
_FOCUSED = "(one => one.getAttribute('aria-label') || one.innerText || one.id || one.name)(document.activeElement)"


def tab_to(scene: Scene, name: str) -> None:
    """Presses Tab until what has that name has the focus, and it shows that it has."""
    for _ in range(TABS_MAX):
        if scene.page.evaluate(_FOCUSED).strip().startswith(name):
            return
        scene.page.keyboard.press("Tab")
    raise AssertionError(f"Tab never comes to {name}")


def connected(scene: Scene, **more: object) -> None:
    """A server on which all goes well."""
    scene.answers["POST /v1/accounts"] = account(**{**READ, "status": "ok", **more})
    scene.answers[f"GET /connect/checks/{ACCOUNT}"] = checks()


def test_an_account_is_connected_by_keyboard_alone(scene: Callable[..., Scene]) -> None:
    shown = scene()
    connected(shown)
    shown.open()
    shown.title("Ledgerly asks to read your balances and history")
    keys = shown.page.keyboard
    tab_to(shown, "Continue")
    keys.press("Enter")
    expect(shown.page.locator("#search")).to_be_focused()
    keys.type("binan")
    tab_to(shown, "B\nBinance")
    keys.press("Enter")
    shown.title("What Binance gives")
    expect(shown.page.locator("#title")).to_be_focused()
    tab_to(shown, "Continue")
    keys.press("Space")
    shown.title("Make a read-only key at Binance")
    tab_to(shown, "key")
    keys.type(KEY)
    keys.press("Tab")
    keys.press("Space")
    assert shown.page.locator("#key").get_attribute("type") is not None
    assert shown.page.locator("#key").evaluate("one => one.type") == "text"
    tab_to(shown, "secret")
    keys.type(SECRET)
    keys.press("Enter")
    shown.title("Connected")
    expect(shown.page.locator("#title")).to_be_focused()
    tab_to(shown, "Finish")
    keys.press("Enter")
    shown.title("Done")
    steps = [body for name, body in shown.asked if name == "POST /connect/event"]
    assert [step.split('"')[3] for step in steps] == ["opened", "consented", "searched", "chosen", "entered", "checked"]
    assert shown.watched.faults == []


def test_secrets_are_nowhere_once_they_were_sent(scene: Callable[..., Scene]) -> None:
    shown = scene()
    panes.checking(shown)
    sent = [body for name, body in shown.asked if name == "POST /v1/accounts"]
    assert len(sent) == 1
    assert KEY in sent[0]
    kept = shown.page.evaluate(
        "JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie, location.href, history.state])"
    )
    page = shown.page.content() + kept + "".join(shown.page.evaluate("[...document.querySelectorAll('input')].map(i => i.value)"))
    for secret in (KEY, SECRET, "session-secret"):
        assert secret not in page
    assert shown.page.evaluate("indexedDB.databases().then(found => found.length)") == 0
    shown.press("Cancel")
    shown.title("Where are your assets?")
    shown.frame.locator("header button").first.click()
    assert shown.frame.locator("input[type=password]").count() == 0 or shown.frame.locator("#key").input_value() == ""


def test_the_facts_leave_the_page_and_the_address_keeps_its_path_only(scene: Callable[..., Scene]) -> None:
    shown = scene()
    shown.facts = {}
    shown.open()
    shown.page.goto(f"{shown.address}/connect?token=user-token&lang=en")
    shown.title("Ledgerly asks to read your balances and history")
    assert shown.page.url == f"{shown.address}/connect"
    assert shown.page.locator("#facts").count() == 0


@pytest.mark.parametrize("secret", [SEED, "K" + "x" * 51, "xprv" + "9" * 107, "a1" * 32, "5" * 88])
def test_a_secret_in_the_search_is_removed_and_sent_nowhere(scene: Callable[..., Scene], secret: str) -> None:
    shown = scene()
    panes.search(shown)
    shown.frame.locator("#search").fill(secret)
    expect(shown.frame.get_by_text("That looks like a seed phrase or private key")).to_be_visible()
    assert shown.frame.locator("#search").input_value() == ""
    assert not [body for _, body in shown.asked if secret[:20] in str(body)]


def test_what_the_server_knows_as_a_secret_is_removed_too(scene: Callable[..., Scene]) -> None:
    shown = scene()
    shown.answers["POST /connect/find"] = {"matches": [], "refused": {"code": "private_key_refused", "message": "No."}}
    panes.search(shown)
    shown.frame.locator("#search").fill("0x" + "a1" * 32)
    expect(shown.frame.get_by_text("That looks like a seed phrase or private key")).to_be_visible()
    assert shown.frame.locator("#search").input_value() == ""


def test_a_pasted_address_jumps_ahead(scene: Callable[..., Scene]) -> None:
    shown = scene()
    found = {"provider": "bitcoin", "display_name": "Bitcoin", "category": "blockchains", "field": "wallet", "value": "bc1qx"}
    shown.answers["POST /connect/find"] = {"matches": [{**found, "kind": "address"}], "refused": None}
    panes.search(shown)
    shown.frame.locator("#search").fill("bc1qx")
    shown.title("Your addresses of Bitcoin")
    assert shown.frame.locator("#wallet").input_value() == "bc1qx"


def test_an_address_of_several_chains_asks_which(scene: Callable[..., Scene]) -> None:
    shown = scene()
    one = {"category": "blockchains", "field": "wallet", "value": WALLET, "kind": "address"}
    matches = [{**one, "provider": name, "display_name": name.title()} for name in ("ethereum", "solana")]
    shown.answers["POST /connect/find"] = {"matches": matches, "refused": None}
    panes.search(shown)
    shown.frame.locator("#search").fill(WALLET)
    expect(shown.frame.get_by_text("This address can be read here:")).to_be_visible()
    shown.frame.get_by_role("button", name="Ethereum").click()
    shown.title("Your addresses of Ethereum")


def test_an_unknown_name_and_an_unknown_address_are_told_apart(scene: Callable[..., Scene]) -> None:
    shown = scene()
    panes.search(shown)
    shown.frame.locator("#search").fill("Nowhere")
    expect(shown.frame.get_by_text("Nothing is known by that name")).to_be_visible()
    shown.frame.locator("#search").fill("x9" * 20)
    expect(shown.frame.get_by_text("This is no address that can be read here")).to_be_visible()


def test_what_a_host_allows_is_all_that_can_be_chosen(scene: Callable[..., Scene]) -> None:
    shown = scene()
    panes.search(shown, providers=["okex", "kraken"], disabled_providers=["kraken"])
    assert shown.frame.locator(".tile bdi").all_inner_texts() == ["OKX"]


def test_an_extended_key_needs_the_choice_of_a_server(scene: Callable[..., Scene]) -> None:
    shown = scene()
    panes.address(shown)
    xpub = "xpub" + "6" * 107
    shown.frame.locator("#wallet").fill(xpub)
    shown.frame.locator("form .main").click()
    expect(shown.frame.get_by_role("alert")).to_have_text("For an extended public key, choose the server that may be asked.")
    shown.frame.get_by_label("blockstream.info", exact=True).check()
    shown.frame.locator("form .main").click()
    shown.title("Who will be asked")
    sent = [body for name, body in shown.asked if name == "POST /connect/steps"]
    assert sent == [f'{{"provider":"bitcoin","credentials":{{"wallet":"{xpub}","source":"blockstream.info"}}}}']


def test_several_addresses_are_several_accounts_and_the_host_hears_of_each(scene: Callable[..., Scene]) -> None:
    shown = scene()
    shown.answers["POST /v1/accounts"] = [
        account("bitcoin", **{**READ, "status": "ok"}),
        {"http": 400, "code": "invalid_field", "message": "wallet: no."},
        account("bitcoin", **{**READ, "status": "ok", "id": OTHER}),
    ]
    shown.open(framed=True, provider="bitcoin", multi_wallet=True)
    shown.press("Continue")
    shown.press("Continue")
    shown.frame.locator("#wallet").fill("bc1qa\nbc1qb\nbc1qc")
    shown.press("Continue")
    shown.press("Connect")
    shown.title("2 accounts connected")
    shown.press("Finish")
    shown.title("Done")
    expect(shown.page.locator("iframe")).to_be_attached()
    (last,) = shown.heard()
    assert last == {
        "vezgo": True,
        "event": "success",
        "account": {
            "message": "Done",
            "accounts": [
                {"account": ACCOUNT, "wallet": "bc1qa", "network": "bitcoin", "message": ""},
                {"account": None, "wallet": "bc1qb", "network": "bitcoin", "message": "wallet: no."},
                {"account": OTHER, "wallet": "bc1qc", "network": "bitcoin", "message": ""},
            ],
        },
    }


def test_a_host_hears_of_success_once_with_the_account(scene: Callable[..., Scene]) -> None:
    shown = scene()
    connected(shown)
    panes.key(shown, framed=True)
    panes.send_key(shown)
    shown.title("Connected")
    assert shown.heard() == []
    shown.press("Close")
    shown.title("Done")
    assert shown.heard() == [{"vezgo": True, "event": "success", "account": ACCOUNT}]


def test_a_host_hears_of_a_wrong_key_and_then_of_success(scene: Callable[..., Scene]) -> None:
    shown = scene()
    connected(shown)
    shown.answers["POST /v1/accounts"] = {"http": 400, "code": "bad_credentials", "message": "No."}
    panes.key(shown, framed=True)
    panes.send_key(shown)
    shown.title("Binance does not accept this key")
    (told,) = shown.heard()
    assert (told["event"], told["data"]["type"], told["data"]["error"]) == (
        "ERROR",
        "INVALID_CREDENTIALS",
        {"name": "LoginFailedError"},
    )
    connected(shown)
    shown.press("Enter it again")
    panes.send_key(shown)
    shown.title("Connected")
    shown.press("Finish")
    shown.title("Done")
    assert shown.heard()[1:] == [{"vezgo": True, "event": "success", "account": ACCOUNT}]


def test_a_host_hears_that_a_person_closed_the_page(scene: Callable[..., Scene]) -> None:
    shown = scene()
    panes.search(shown, framed=True)
    shown.press("Close")
    shown.title("Closed")
    assert shown.heard() == [{"vezgo": True, "event": "close"}]


def test_a_failure_that_ends_the_page_is_told_twice_for_older_and_newer_hosts(scene: Callable[..., Scene]) -> None:
    shown = scene()
    shown.open(framed=True, mode="error", error={"type": "INVALID_TOKEN", "message": "Expired."}, session=None)
    shown.title("This page has expired")
    assert [told["event"] for told in shown.heard()] == ["ERROR", "error"]
    assert shown.heard()[1]["error"] == {"error_type": "INVALID_TOKEN", "message": "Expired."}


def test_an_account_that_is_there_already_is_used_or_told(scene: Callable[..., Scene]) -> None:
    refused = {"http": 409, "code": "already_connected", "message": "Twice.", "existing_institution_id": OTHER}
    for press in ("Use that account", "Close"):
        shown = scene()
        shown.answers["POST /v1/accounts"] = refused
        panes.key(shown, framed=True)
        panes.send_key(shown)
        shown.title("This is connected already")
        shown.press(press)
        shown.title("Done" if press != "Close" else "Closed")
        told = shown.heard()
        if press == "Close":
            assert [one["event"] for one in told] == ["ERROR", "error"]
            assert told[0]["data"] == {"type": "DUPLICATE_CONNECTION", "message": "Twice.", "existing_institution_id": OTHER}
        else:
            assert told == [{"vezgo": True, "event": "success", "account": OTHER}]


def test_without_an_exact_origin_no_page_hears_anything(scene: Callable[..., Scene]) -> None:
    shown = scene()
    panes.search(shown, framed=True, opener=None)
    shown.press("Close")
    shown.title("Closed")
    assert shown.page.evaluate("heard") == []


def test_an_origin_that_is_another_hears_nothing(scene: Callable[..., Scene]) -> None:
    shown = scene()
    panes.search(shown, framed=True, opener="http://other.example")
    shown.press("Close")
    shown.title("Closed")
    assert shown.page.evaluate("heard") == []


def test_the_end_of_the_session_ends_the_page(scene: Callable[..., Scene]) -> None:
    shown = scene()
    shown.answers["POST /v1/accounts"] = {"http": 401, "code": "unauthenticated", "message": "Over."}
    panes.key(shown, framed=True)
    panes.send_key(shown)
    shown.title("This page has expired")
    assert [told["event"] for told in shown.heard()] == ["ERROR", "error"]
    assert shown.heard()[0]["data"]["type"] == "SESSION_EXPIRED"


def test_reconnecting_keeps_the_account(scene: Callable[..., Scene]) -> None:
    shown = scene()
    shown.answers[f"PUT /v1/accounts/{ACCOUNT}"] = account(**{**READ, "status": "ok"})
    shown.answers[f"GET /connect/checks/{ACCOUNT}"] = checks()
    shown.open(framed=True, mode="reconnect", account={"id": ACCOUNT, "provider": "binance", "name": "Main"})
    shown.title("Ledgerly asks you to reconnect this account")
    shown.press("Continue")
    shown.title("Make a read-only key at Binance")
    panes.send_key(shown)
    shown.title("Connected again")
    shown.press("Finish")
    shown.title("Done")
    assert shown.heard() == [{"vezgo": True, "event": "success", "account": ACCOUNT}]
    assert not [name for name, _ in shown.asked if name == "POST /v1/accounts"]


def test_another_account_can_be_added_before_the_end(scene: Callable[..., Scene]) -> None:
    shown = scene()
    connected(shown)
    panes.values(shown)
    shown.press("Add another")
    shown.title("Where are your assets?")


@pytest.mark.parametrize("proves", [True, False])
def test_a_wallet_in_the_browser_tells_its_address_and_may_prove_it(scene: Callable[..., Scene], proves: bool) -> None:
    shown = scene()
    if proves:
        shown.answers["POST /connect/proof/begin"] = {"message": "host wants you to sign in", "nonce": "n"}
        shown.answers["POST /connect/proof/finish"] = {"proved": True}
    panes.wallets(shown)
    shown.press("Testmask")
    shown.title("Who will be asked")
    expect(shown.frame.get_by_text(WALLET)).to_be_visible()
    assert shown.page.evaluate("calls") == ["eth_requestAccounts", *(["personal_sign"] if proves else [])]
    finished = [body for name, body in shown.asked if name == "POST /connect/proof/finish"]
    assert len(finished) == proves
    assert not proves or '"signature":"0xsigned"' in finished[0]


def test_a_file_is_looked_at_and_then_imported(scene: Callable[..., Scene]) -> None:
    shown = scene()
    shown.answers["POST /v1/accounts"] = account("manual", status="ok")
    shown.answers[f"GET /v1/accounts/{ACCOUNT}"] = account("manual", status="ok")
    shown.answers["POST /connect/import"] = {"layout": "koinly", "lines": 1, "new": 1}
    panes.preview(shown)
    shown.press("Import it")
    shown.title("Connected")
    assert [name for name, _ in shown.asked if name.startswith(("POST /v1", "POST /connect/import"))] == [
        "POST /v1/accounts",
        "POST /connect/import",
    ]


def test_a_pasted_file_of_keys_fills_the_form(scene: Callable[..., Scene]) -> None:
    shown = scene()
    shown.open(provider="coinbase")
    shown.press("Continue")
    shown.press("Continue")
    pem = "-----BEGIN EC PRIVATE KEY-----\nx\n-----END EC PRIVATE KEY-----\n"
    pasted = json.dumps({"name": "organizations/1/apiKeys/2", "privateKey": pem})
    shown.page.evaluate(
        "text => { const data = new DataTransfer(); data.setData('text/plain', text); document.querySelector('#key')"
        ".dispatchEvent(new ClipboardEvent('paste', {clipboardData: data, bubbles: true, cancelable: true})) }",
        pasted,
    )
    assert shown.frame.locator("#key").input_value() == "organizations/1/apiKeys/2"
    assert shown.frame.locator("#secret").input_value() == pem


def test_a_form_says_what_is_missing_and_takes_the_person_there(scene: Callable[..., Scene]) -> None:
    shown = scene()
    panes.key(shown)
    shown.frame.locator("#key").fill("short")
    shown.frame.locator("form .main").click()
    expect(shown.frame.get_by_role("alert")).to_have_text("API key: this does not look complete. Copy all of it, without spaces.")
    expect(shown.frame.locator("#key")).to_be_focused()
    shown.frame.locator("#key").fill(KEY)
    shown.frame.locator("#secret").fill(SEED)
    shown.frame.locator("form .main").click()
    expect(shown.frame.get_by_role("alert")).to_contain_text("looks like a seed phrase")
    assert shown.frame.locator("#secret").input_value() == ""
    assert not [name for name, _ in shown.asked if name == "POST /v1/accounts"]


@pytest.mark.parametrize("lang", ["es", "fr", "it", "de", "fr-CA"])
def test_the_page_speaks_the_language_that_was_asked_for(scene: Callable[..., Scene], lang: str) -> None:
    shown = scene()
    shown.open(lang=lang)
    first = {"es": "Continuar", "fr": "Continuer", "it": "Continua", "de": "Weiter"}[lang[:2]]
    expect(shown.frame.locator(".main")).to_have_text(first)
    assert shown.page.evaluate("document.documentElement.lang") == lang[:2]
