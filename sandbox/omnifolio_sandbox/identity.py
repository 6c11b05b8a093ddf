"""An identity provider: a page on which a person consents, a token endpoint, and where tokens are taken back.

It is strict where real ones are lax: PKCE with S256 is required, and the answer names its issuer (RFC 9207).
"""

import base64
import html
import re
from dataclasses import dataclass
from urllib.parse import unquote, urlencode, urlsplit

import msgspec

from omnifolio_sandbox import credentials
from omnifolio_sandbox.grants import Family
from omnifolio_sandbox.http import Request, Response, answer
from omnifolio_sandbox.state import State

CLIENT_ID, CLIENT_SECRET = "omnifolio-sandbox", "worthless-outside-the-sandbox"
CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
LOOPBACK = {"127.0.0.1", "::1", "localhost"}
ASKED = ("client_id", "redirect_uri", "response_type", "scope", "state", "code_challenge", "code_challenge_method")
READING = {"funds_query", "ledger_query", "trades_query_open", "trades_query_closed", "export_data"}


@dataclass(frozen=True)
class Paths:
    """Where one venue's identity provider answers."""

    authorize: str
    token: str
    separator: str
    revoke: str = ""
    mint: str = ""


PATHS = {
    "coinbase": Paths("/oauth2/auth", "/oauth2/token", ",", revoke="/oauth2/revoke"),
    "kraken": Paths("/oauth/authorize", "/oauth/token", " ", mint="/oauth/fast-api-key"),
}


class Identity:
    """The identity provider of one venue."""

    def __init__(self, state: State, venue: str) -> None:
        self.state, self.venue, self.paths = state, venue, PATHS[venue]

    def handle(self, request: Request) -> Response | None:
        """Answer one call; None where it is none of these."""
        match request.method, request.path:
            case "GET", self.paths.authorize:
                return self._page(request)
            case "POST", self.paths.authorize:
                return self._decided(request)
            case "POST", self.paths.token:
                return self._tokens(request)
            case "POST", self.paths.revoke:
                return self._revoked(request)
            case "POST", self.paths.mint:
                return self._minted(request)
        return None

    def _page(self, request: Request) -> Response:
        fault = self._fault(request.query)
        if fault:
            return _html(f"<p>{html.escape(fault)}</p>", 400)
        hidden = "".join(
            f'<input type="hidden" name="{name}" value="{html.escape(request.query.get(name, ""))}">' for name in ASKED
        )
        scopes = "".join(f"<li>{html.escape(scope)}</li>" for scope in self._scopes(request.query))
        return _html(
            f"<h1>{self.venue.capitalize()} (simulated)</h1><p>Omnifolio asks to read:</p><ul>{scopes}</ul>"
            f'<form method="post" action="/{self.venue}{self.paths.authorize}">{hidden}'
            '<p><label>Account <input name="user" value="demo" required></label></p>'
            '<button name="decision" value="allow">Allow</button> <button name="decision" value="deny">Deny</button></form>'
        )

    def _decided(self, request: Request) -> Response:
        form = request.form
        fault = self._fault(form)
        if fault or not credentials.USER.fullmatch(form.get("user", "")):
            return _html(f"<p>{html.escape(fault or 'no such account')}</p>", 400)
        told = {"state": form["state"], "iss": f"http://{request.headers['host']}/{self.venue}"}
        if form.get("decision") == "allow":
            told["code"] = self.state.grants.consent(
                Family(self.venue, form["user"], self._scopes(form)),
                redirect_uri=form["redirect_uri"],
                challenge=form["code_challenge"],
                now_ms=self.state.clock.wire_ms(),
            )
        else:
            told["error"] = "access_denied"
        return Response(302, b"", {"Location": f"{form['redirect_uri']}?{urlencode(told)}"}, "text/plain")

    def _scopes(self, asked: dict[str, str]) -> tuple[str, ...]:
        return tuple(filter(None, asked.get("scope", "").split(self.paths.separator)))

    def _fault(self, asked: dict[str, str]) -> str:
        """What is wrong with a question for consent; it is said here, never to an address that may be somebody else's."""
        target = urlsplit(asked.get("redirect_uri", ""))
        is_ours = target.hostname in LOOPBACK and target.path.endswith(f"/connect/oauth/callback/{self.venue}")
        if asked.get("client_id") != CLIENT_ID or not is_ours or target.query or target.fragment:
            return "this client or its redirect_uri is not registered"
        if asked.get("response_type") != "code" or len(asked.get("state", "")) < 8:
            return "response_type must be code, and state at least eight characters"
        if asked.get("code_challenge_method") != "S256" or not CHALLENGE.fullmatch(asked.get("code_challenge", "")):
            return "a code_challenge with the method S256 is needed"
        return ""

    def _tokens(self, request: Request) -> Response:
        if not self._is_client(request):
            return answer({"error": "invalid_client"}, 401)
        form, grants, now = request.form, self.state.grants, self.state.clock.wire_ms()
        match form.get("grant_type"):
            case "authorization_code":
                family = grants.redeem(
                    form.get("code", ""),
                    venue=self.venue,
                    redirect_uri=form.get("redirect_uri", ""),
                    verifier=form.get("code_verifier", ""),
                    now_ms=now,
                )
            case "refresh_token":
                family = grants.renew(form.get("refresh_token", ""), venue=self.venue)
            case _:
                return answer({"error": "unsupported_grant_type"}, 400)
        if family is None:
            return answer({"error": "invalid_grant"}, 400)
        request.trace.label = family.user
        return answer(grants.issue(family, now_ms=now))

    def _revoked(self, request: Request) -> Response:
        if not self._is_client(request):
            return answer({"error": "invalid_client"}, 401)
        self.state.grants.end(request.form.get("token", ""))
        return answer({})

    def _minted(self, request: Request) -> Response:
        authorization = request.headers.get("authorization", "")
        family = self.state.grants.bearer(authorization, venue=self.venue, now_ms=self.state.clock.wire_ms())
        if family is None or "account.fast-api-key:write" not in family.scopes:
            return answer({"error": "invalid_token"}, 401)
        asked = msgspec.json.decode(request.body)
        wanted = {name for name, value in asked.get("permissions", {}).items() if value}
        key, secret = credentials.kraken(family.user, "read" if wanted <= READING else "withdraw")
        return answer({"result": {"api_key": key, "api_key_name": asked["api_key_name"], "secret": secret}})

    def _is_client(self, request: Request) -> bool:
        kind, _, pair = request.headers.get("authorization", "").partition(" ")
        if kind.lower() == "basic":
            name, _, secret = base64.b64decode(pair).decode().partition(":")
            return (unquote(name), unquote(secret)) == (CLIENT_ID, CLIENT_SECRET)
        return (request.form.get("client_id"), request.form.get("client_secret")) == (CLIENT_ID, CLIENT_SECRET)


def _html(body: str, status: int = 200) -> Response:
    text = f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Simulated consent</title>{body}</html>'
    return Response(status, text.encode(), {"Referrer-Policy": "no-referrer", "Cache-Control": "no-store"}, "text/html")
