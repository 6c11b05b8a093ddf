"""How to come to each pane, for the tests that look at all of them."""

from collections.abc import Callable
from typing import Any

from tests.web.stage import ACCOUNT, PROVIDERS, Scene, checks

KEY = "k" * 64
WALLET = "0x" + "ab" * 20


def account(provider: str = "binance", **more: Any) -> dict[str, Any]:
    """An account as the server shows it, while its first sync runs."""
    return {
        "id": ACCOUNT,
        "name": None,
        "status": "syncing",
        "status_details": {"wallets": "syncing", "balances": "syncing", "transactions": "syncing"},
        "error": None,
        "provider": PROVIDERS[provider],
        "balances": [],
        "wallets": [],
        "fiat_value": None,
        "fiat_ticker": "USD",
        "complete": True,
        "permission": None,
        "coverage": {"complete_from": None, "complete_to": None, "gaps": 0},
        "synced_at": None,
        "next_sync_at": None,
        "v": 1,
        **more,
    }


READ = {
    "status": "syncing",
    "status_details": {"wallets": "ok", "balances": "ok", "transactions": "syncing"},
    "balances": [
        {"ticker": "BTC", "amount": "0.41500000", "fiat_value": "26145.00", "fiat_ticker": "USD"},
        {"ticker": "ETH", "amount": "3.2", "fiat_value": "8320.64", "fiat_ticker": "USD"},
        {"ticker": "NEWCOIN", "amount": "120000.000000000000000001", "fiat_value": None, "fiat_ticker": "USD"},
    ],
    "fiat_value": "34465.64",
    "complete": False,
    "permission": {"state": "read_only", "switches": [], "excess": [], "missing": [], "expires_at": None},
    "v": 2,
}


def consent(scene: Scene, **facts: Any) -> None:
    """The first pane."""
    scene.open(**facts)
    scene.frame.locator("#title").wait_for()


def search(scene: Scene, **facts: Any) -> None:
    """The search."""
    consent(scene, **facts)
    scene.frame.locator(".main").click()
    scene.frame.locator("#search").wait_for()


def venue(scene: Scene, **facts: Any) -> None:
    """Binance's card."""
    search(scene, **facts)
    scene.frame.locator(".tiles .tile").first.click()
    scene.frame.locator("dl").wait_for(state="attached")


def key(scene: Scene, **facts: Any) -> None:
    """Binance's form."""
    venue(scene, **facts)
    scene.frame.locator(".main").click()
    scene.frame.locator("#key").wait_for()


def send_key(scene: Scene) -> None:
    """Fills the form of a key and sends it."""
    scene.frame.locator("#key").fill(KEY)
    scene.frame.locator("#secret").fill("s" * 64)
    scene.frame.locator("form .main").click()


def checking(scene: Scene, **facts: Any) -> None:
    """The checks under way."""
    scene.answers["POST /v1/accounts"] = account()
    scene.answers[f"GET /connect/checks/{ACCOUNT}"] = checks("waiting")
    scene.answers[f"GET /v1/accounts/{ACCOUNT}/poll"] = "wait"
    key(scene, **facts)
    send_key(scene)
    scene.frame.locator(".checks li").nth(4).wait_for()


def values(scene: Scene, **facts: Any) -> None:
    """First values, while history is being read."""
    scene.answers["POST /v1/accounts"] = account(**READ)
    scene.answers[f"GET /connect/checks/{ACCOUNT}"] = checks()
    scene.answers[f"GET /v1/accounts/{ACCOUNT}/poll"] = "wait"
    key(scene, **facts)
    send_key(scene)
    scene.frame.locator(".balances").wait_for()


def done(scene: Scene, **facts: Any) -> None:
    """The end."""
    values(scene, **facts)
    scene.frame.locator(".main").click()
    scene.frame.locator(".icon.large.good").wait_for()


def address(scene: Scene, **facts: Any) -> None:
    """The form of addresses of Bitcoin, where an extended key is a choice."""
    consent(scene, provider="bitcoin", multi_wallet=True, **facts)
    scene.frame.locator(".main").click()
    scene.frame.locator("dl").wait_for(state="attached")
    scene.frame.locator(".main").click()
    scene.frame.locator("#wallet").wait_for()


def asked(scene: Scene, **facts: Any) -> None:
    """Who will be asked."""
    scene.answers["POST /connect/steps"] = {
        "steps": [
            {"reads": "balances and history", "source": "mempool.space", "own": False, "calls": "2 and one a page", "time": ""},
            {"reads": "the same again", "source": "node.example", "own": True, "calls": "1", "time": "seconds"},
        ]
    }
    address(scene, **facts)
    scene.frame.locator("#wallet").fill("bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq")
    scene.frame.locator("form .main").click()
    scene.frame.locator(".card").first.wait_for()


def file(scene: Scene, **facts: Any) -> None:
    """The choice of a file."""
    search(scene, **facts)
    scene.frame.locator(".ways .button").nth(1).click()
    scene.frame.locator("[type=file]").wait_for()


def preview(scene: Scene, **facts: Any) -> None:
    """What a file brings."""
    scene.answers["POST /connect/preview"] = {
        "layout": "koinly",
        "lines": 1204,
        "new": 1180,
        "unreadable": ["line 7: the date is none"],
        "first": [],
    }
    file(scene, **facts)
    scene.frame.locator("[type=file]").set_input_files({"name": "history.csv", "mimeType": "text/csv", "buffer": b"a,b\n"})
    scene.frame.locator(".facts").wait_for()


def wallets(scene: Scene, **facts: Any) -> None:
    """Wallets in this browser."""
    scene.page.add_init_script(WALLET_SCRIPT)
    search(scene, **facts)
    scene.frame.locator(".ways .button").first.click()
    scene.frame.locator(".tile").first.wait_for()


WALLET_SCRIPT = """
addEventListener('eip6963:requestProvider', () => dispatchEvent(new CustomEvent('eip6963:announceProvider', {detail: {
  info: {uuid: 'u-1', name: 'Testmask', icon: 'data:image/svg+xml,<svg xmlns="http://www.w3.org/2000/svg"/>'},
  provider: {request: async call => { (window.calls ??= []).push(call.method);
    return call.method === 'eth_requestAccounts' ? ['0xabababababababababababababababababababab'] : '0xsigned' }}}})));
"""

PANES: dict[str, Callable[..., None]] = {
    one.__name__: one for one in (consent, search, venue, key, checking, values, done, address, asked, file, preview, wallets)
}
