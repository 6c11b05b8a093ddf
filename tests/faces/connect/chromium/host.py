"""A host application: pages with a strict policy on a port of their own, its route for tokens, and people in a browser."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Frame, expect

from omnifolio.ledger import accounts
from omnifolio.ledger.accounts import Account
from omnifolio.model.clock import DAY_MS
from tests import vezgo_js
from tests.browser import Watched
from tests.faces.api.world import HTTP, Link, World, token_of

LOGIN = "person"
WAIT_MS = 10_000
LOOK_MS = 50
_HEARD = "window.heard = []; const hear = (...said) => heard.push(said);"
VEZGO = """
const user = Vezgo.init({ clientId: '{client}', baseURL: '{server}/v1', connectURL: '{server}', ...{init} }).login();
window.start = (method, ...given) => user[method](...given)
  .onConnection(account => hear('connection', account)).onError(error => hear('error', error))
  .onEvent((name, data) => hear('event', name, data));
"""
LOADER = """
const told = { onSuccess: account => hear('success', account), onError: error => hear('error', error),
  onClose: () => hear('close'), onEvent: (name, data) => hear('event', name, data) };
window.start = options => { window.opened = Connect.open({ ...told, ...options }); };
"""


class Host:
    """The application. `pages` are its addresses → (content type, body, policy); `origin` is its own and registered."""

    def __init__(self, world: World, server: str) -> None:
        self.world, self.server = world, server
        self.pages: dict[str, tuple[str, bytes, str]] = {}
        self.asked: list[str] = []
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.origin = f"http://127.0.0.1:{self._http.server_port}"
        self.client = world.team("Host", origins=[self.origin], redirect_uris=[f"{self.origin}/back?kept=1"])
        self.person = self.client.user(LOGIN)
        self._thread = threading.Thread(target=self._http.serve_forever, daemon=True)

    def __enter__(self) -> "Host":
        folder = vezgo_js.installed() / "dist"
        for name in ("vezgo.js", "vezgo.min.js"):
            self.pages[f"/{name}"] = ("text/javascript", (folder / name).read_bytes(), "")
            self.page(f"/{name.removesuffix('.js')}", script=f"/{name}", code=self.vezgo())
        self.page("/demo", script="/vezgo.js", code=self.vezgo(init="{demo: true}"))
        self.page("/loader", script=f"{self.server}/static/connect.js", code=LOADER)
        self.page("/back", script="/none.js", code="")
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def vezgo(self, *, init: str = "{}") -> str:
        """The script of a page that uses Vezgo's SDK."""
        return VEZGO.replace("{client}", self.client.team.client_id).replace("{server}", self.server).replace("{init}", init)

    def page(self, path: str, *, script: str, code: str) -> None:
        """A page with one foreign script and one of its own; nothing inline runs, and no style is written into it."""
        name = f"{path}.own.js"
        self.pages[name] = ("text/javascript", (_HEARD + code).encode(), "")
        scripts = f"<script src='{script}'></script><script src='{name}'></script>"
        body = f"<!doctype html><title>Host</title><main></main>{scripts}"
        policy = (
            f"default-src 'none'; script-src 'self' {self.server}; connect-src 'self' {self.server}; frame-src {self.server}; "
            f"form-action {self.server}; base-uri 'none'; img-src 'self'; style-src 'none'; require-trusted-types-for 'script'"
        )
        if "vezgo" in script:  # Vezgo's SDK writes styles into the page
            policy = policy.replace("style-src 'none'; require-trusted-types-for 'script'", "style-src 'unsafe-inline'")
        self.pages[path] = ("text/html", body.encode(), policy)

    def token(self) -> str:
        """The user's token, as the host's server gets it."""
        return token_of(self.server, self.client, LOGIN)

    def link_token(self, **body: Any) -> str:
        """A link token, as the host's server gets it."""
        headers = {"authorization": f"Bearer {self.token()}"}
        answer = HTTP.post(f"{self.server}/v1/link-tokens", headers=headers, json={"origin": self.origin, **body})
        assert answer.status_code == 201, answer.text
        return str(answer.json()["link_token"])

    def linked(self) -> list[Account]:
        """The user's accounts."""
        found: list[Account] = self.world.read(accounts.listed, self.person.principal, self.world.clock.now())
        return found

    def settle(self, **state: Any) -> str:
        """What a worker does: the sync of the newest account comes to its end. Gives the account's id."""
        account = self.linked()[-1].id
        lease = {"owner": "test", "now": self.world.clock.now(), "length_ms": DAY_MS}
        fence = self.world.write(accounts.lease, self.person.principal, account, **lease)
        assert fence is not None
        link = Link(self.person, account, fence)
        link.finish(**state)
        return link.id

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        host = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                host.asked.append(self.path)
                kind, body, policy = host.pages.get(urlsplit(self.path).path, ("text/plain", b"", ""))
                self._answer(kind, body, {"content-security-policy": policy} if policy else {})

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers.get("content-length", 0)))
                self._answer("application/json", f'{{"token": "{host.token()}"}}'.encode(), {})

            def _answer(self, kind: str, body: bytes, headers: dict[str, str]) -> None:
                self.send_response(200)
                for name, value in {"content-type": kind, "content-length": str(len(body)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name that the library gives it
                """Says nothing."""

        return Handler


class Visit:
    """A person on a page of the host."""

    def __init__(self, chromium: Browser, host: Host, page: str) -> None:
        self.host = host
        self.context = chromium.new_context(locale="en-GB")
        self.context.set_default_timeout(WAIT_MS)
        self.watched = Watched(self.context)
        self.page = self.watched.page
        self.requests: list[str] = []
        self.page.on("request", lambda request: self.requests.append(f"{request.method} {request.url}"))
        self.page.goto(f"{host.origin}{page}")

    def start(self, *given: Any) -> None:
        """Has the host open Connect."""
        self.page.evaluate("given => start(...given)", list(given))

    @property
    def frame(self) -> Frame:
        """The Connect page, once it is drawn."""
        self.page.frame_locator("iframe").locator("#title").wait_for()
        return self.page.frames[-1]

    def heard(self, *kinds: str) -> list[list[Any]]:
        """What the host's callbacks were told of these kinds."""
        found: list[list[Any]] = self.page.evaluate("heard")
        return [said for said in found if said[0] in (kinds or ("connection", "success", "error", "close"))]

    def hears(self, kind: str) -> None:
        """Waits until the host's callbacks were told of this kind; the page's policy lets no test put a question into it."""
        for _ in range(WAIT_MS // LOOK_MS):
            if self.heard(kind):
                return
            self.page.wait_for_timeout(LOOK_MS)
        raise AssertionError(f"nothing of the kind {kind} within {WAIT_MS} ms: {self.heard()}")

    def events(self) -> list[str]:
        """The names of the events that end nothing."""
        return [said[1] for said in self.heard("event")]

    def ends(self) -> None:
        """Waits until the frame is gone."""
        expect(self.page.locator("iframe")).to_have_count(0, timeout=WAIT_MS)

    def enter(self, **fields: str) -> None:
        """Goes from the first pane to the fields of the provider that was chosen before, and sends them."""
        frame = self.frame
        frame.locator(".main").click()
        frame.locator("dl, form").first.wait_for(state="attached")
        if not frame.locator("form").count():
            frame.locator(".main").click()
        for name, value in fields.items():
            frame.locator(f"#{name}").fill(value)
        frame.locator("form .main").click()

    def asks(self) -> None:
        """Waits until the venue is being asked."""
        self.page.frame_locator("iframe").locator(".checks li").nth(4).wait_for()

    def finishes(self) -> None:
        """Is content with what was found."""
        self.frame.get_by_role("button", name="Finish").click()

    def close(self) -> None:
        """Leaves."""
        self.context.close()
