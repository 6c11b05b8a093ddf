"""The built Connect page in a browser, under the policy that the server sends, with answers that a test writes down.

What is tested against a real server is in `test_connect.py`; here are panes that no sandbox can be brought to show.
"""

import json
from collections import defaultdict
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import msgspec
from litestar import Request
from playwright.sync_api import Browser, Frame, Page, Route, expect

from omnifolio.app.offer import Offers
from omnifolio.app.offers import all_offers
from omnifolio.faces.api.edge import PAGE_HEADERS
from omnifolio.faces.api.provider_shape import Providers
from omnifolio.faces.pages.page import page, protect
from omnifolio.model.clock import SystemClock
from omnifolio.model.settings import Settings
from tests.browser import DESKTOP, Watched

HOST = "http://host.example"
ACCOUNT = "6520a1b2c3d4e5f60718293a"
TIMEOUT_MS = 5_000
_HOST_PAGE = "<!doctype html><title>Host</title><script>window.heard=[];addEventListener('message',e=>heard.push([e.origin,e.data]))</script>"

NAMES = (
    "binance", "coinbase", "kraken", "okx", "bybit", "kucoin", "bitstamp", "hyperliquid", "bitcoin", "ethereum", "solana",
    "cosmoshub", "metamask", "ledger", "manual",
)  # fmt: skip
CHECKS = ("reached", "signature", "read_permission", "no_withdraw", "clock")


def checks(state: str = "ok") -> dict[str, Any]:
    """A list of checks that all stand alike."""
    return {"checks": [{"name": name, "state": state, "text": "", "fix": None} for name in CHECKS], "subaccounts": []}


def providers() -> dict[str, dict[str, Any]]:
    """Some of the providers, as the server lists them."""
    offers = Offers(all_offers(Settings(egress_ips=("203.0.113.7",))))
    listed = Providers(offers, currencies=["USD"], clock=SystemClock()).listed(None)
    return {provider.name: msgspec.to_builtins(provider) for provider in listed if provider.name in NAMES}


PROVIDERS = providers()


class Scene:
    """One opened page. `answers` are by method and path; a list is given out one by one, its last for ever.

    "wait" never answers, "fail" breaks the connection; `http` in an answer is its status, `retry_after` that header.
    """

    def __init__(self, browser: Browser, address: str, *, viewport: Mapping[str, int] = DESKTOP, scheme: str = "light") -> None:
        self.address = address
        self.context = browser.new_context(viewport=dict(viewport), color_scheme=scheme, locale="en-GB")  # type: ignore[arg-type]
        self.context.set_default_timeout(TIMEOUT_MS)
        self.watched = Watched(self.context)
        self.page: Page = self.watched.page
        self.answers: dict[str, Any] = {
            "POST /connect/event": {},
            "POST /connect/done": {"redirect_to": None},
            "POST /connect/find": {"matches": [], "refused": None},
            "POST /connect/steps": {"steps": []},
        }
        self.asked: list[tuple[str, Any]] = []
        self._given: defaultdict[str, int] = defaultdict(int)
        self.facts: dict[str, Any] = {}
        self.context.route(f"{address}/connect**", self._answer)
        self.context.route(f"{address}/v1/accounts**", self._answer)
        self.context.route(f"{address}/v1/providers", lambda route: route.fulfill(json=list(PROVIDERS.values())))
        self.context.route(f"{HOST}/**", lambda route: route.fulfill(body=_HOST_PAGE, content_type="text/html"))

    def open(self, *, framed: bool = False, **facts: Any) -> "Scene":
        """Opens the page with these facts beside the usual ones; `framed` puts it into a page of a host."""
        self.facts = {**FACTS, **({"opener": HOST} if framed else {}), **facts}
        if not framed:
            self.page.goto(f"{self.address}/connect")
            return self
        self.page.goto(f"{HOST}/")
        self.page.evaluate(
            "src => { const f = document.createElement('iframe'); f.src = src; f.width = 400; f.height = 700; document.body.append(f) }",
            f"{self.address}/connect",
        )
        return self

    @property
    def frame(self) -> Frame:
        """The page itself, also where it is in a frame."""
        inner = [frame for frame in self.page.frames if frame.url.startswith(self.address)]
        return inner[0] if inner else self.page.main_frame

    def heard(self) -> list[dict[str, Any]]:
        """What the host was told, without the steps that only tell where the person is."""
        told = self.page.evaluate("heard")
        assert {origin for origin, _ in told} <= {self.address}
        return [
            data for _, data in told if data["event"] not in ("open", "view", "venue_selected", "submit", "reconnect", "exit")
        ]

    def title(self, text: str) -> None:
        """Waits for the pane with that heading."""
        expect(self.frame.get_by_role("heading", level=1)).to_have_text(text, timeout=TIMEOUT_MS)

    def press(self, name: str, *, exact: bool = True) -> None:
        """Presses the button with that name."""
        self.frame.get_by_role("button", name=name, exact=exact).click()

    def close(self) -> None:
        """Ends the page."""
        self.context.close()

    def _answer(self, route: Route) -> None:
        request = route.request
        path = urlsplit(request.url).path
        if path == "/connect" and request.method == "GET":
            route.fulfill(**self._document())
            return
        name = f"{request.method} {path}"
        self.asked.append((name, request.post_data))
        given = self.answers.get(name)
        if isinstance(given, list):
            at = min(self._given[name], len(given) - 1)
            self._given[name] += 1
            given = given[at]
        if given is None:
            route.fulfill(status=404, json={"code": "not_found", "message": "no such route"})
            return
        if given == "wait":
            return
        if given == "fail":
            route.abort()
            return
        headers = {"content-type": "application/json"}
        if "retry_after" in given:
            headers["retry-after"] = str(given["retry_after"])
        route.fulfill(status=given.get("http", 200), headers=headers, body=json.dumps(given))

    def _document(self) -> dict[str, Any]:
        settings = Settings()
        request: Request[Any, Any, Any] = Request({"type": "http", "state": {}, "headers": []})  # type: ignore[typeddict-item, arg-type]
        protect(request, framed_by=[HOST])
        sent = page(
            settings,
            "connect",
            title="Connect",
            lang=self.facts["lang"],
            theme=self.facts["theme"],
            data=self.facts,
        )
        headers = {name.decode(): value.decode() for name, value in request.scope["state"][PAGE_HEADERS]}
        return {"body": sent.content, "headers": {**headers, "content-type": "text/html; charset=utf-8"}}


FACTS: dict[str, Any] = {
    "mode": "connect",
    "lang": "en",
    "theme": "auto",
    "prefix": "",
    "client": {"name": "Ledgerly", "logo": None, "accent": None},
    "session": "session-secret",
    "expires_at": 4_000_000_000_000,
    "opener": None,
    "redirect_uri": None,
    "leave_to": None,
    "state": None,
    "provider": None,
    "account": None,
    "categories": None,
    "providers": None,
    "disabled_providers": [],
    "providers_per_line": 2,
    "multi_wallet": False,
    "preferences": {},
    "sync_nfts": True,
    "demo": False,
    "egress_ips": ["203.0.113.7", "2001:db8::7"],
    "error": None,
}
