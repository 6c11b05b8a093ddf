"""The outer shell of the API: limits, request ids, headers and CORS on every answer, and the short way to the list of accounts.

A plain ASGI application around the framework's: what must hold for each request and answer, errors included, is here.
"""

import re
import secrets
from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qsl, quote_plus

from litestar.types import ASGIApp, Message, Receive, Send

from omnifolio.app.administer import origins
from omnifolio.faces.api.account_list import account_list
from omnifolio.faces.api.admission import admit, limit_headers
from omnifolio.faces.api.desk import Body, Desk
from omnifolio.faces.api.problems import MEDIA_TYPE, problem, refusal
from omnifolio.model.errors import CallerError, OmnifolioError, TooLarge, UnsupportedMedia

BODY_BYTES_MAX = 1024 * 1024
UPLOAD_BYTES_MAX = 20 * 1024 * 1024
"""Of a file that an open page of Connect sends."""
UPLOAD_COST = 10
"""Requests that one file counts as."""
QUERY_BYTES_MAX = 8_192
PATH_BYTES_MAX = 2_048
JSON_DEPTH_MAX = 64
ORIGINS_AGE_S = 30.0
"""How long the registered origins are remembered; a new one works after this at the latest."""
PREFLIGHT_AGE_S = 600

ACCOUNTS_ROUTE = "list_accounts"
PAGE_HEADERS = "page_headers"
"""Where a route that answers with a web page puts the headers of that page, in the place of the API's own."""
IS_HEAD = "is_head"
"""Where the edge says that only the head of the answer is wanted, since routes are asked as for GET."""
_ACCOUNTS_PATHS = ("/v1/accounts", "/v1/accounts/")
_UPLOAD_PATHS = ("/connect/preview", "/connect/import")
_PUBLIC_PATHS = ("/v1/providers", "/v1/teams/info", "/v1/openapi.json", "/health")
_ABSENT = ("", "undefined", "null")
_REQUEST_ID = re.compile(rb"[A-Za-z0-9_.-]{8,64}")
_STRINGS = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*(?:"|\Z)', re.DOTALL)
"""JSON strings; one that never ends reaches to the end, so that no input makes the search start over."""
_NO_BRACKETS = bytes(byte for byte in range(256) if byte not in b"[]{}")
_ALWAYS: tuple[tuple[bytes, bytes], ...] = (
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"cross-origin"),
    (b"strict-transport-security", b"max-age=31536000"),
)
_EXPOSED = b"x-request-id, retry-after, ratelimit, ratelimit-policy, etag"


class Edge:
    """The ASGI application that a server runs."""

    def __init__(self, app: ASGIApp, desk: Desk) -> None:
        self._app, self._desk = app, desk
        self._origins: frozenset[str] = frozenset()
        self._origins_until_s = float("-inf")

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        scope["state"] = dict(scope.get("state") or {})
        request_id = _request_id(headers.get(b"x-request-id"))
        scope["state"]["request_id"] = request_id
        is_head = scope["state"][IS_HEAD] = scope["method"] == "HEAD"
        if is_head:
            # A copy: the server itself must go on knowing that this is HEAD.
            scope = {**scope, "method": "GET"}
        answer = _Answer(self._desk, scope, send, await self._cors(scope, headers), is_head=is_head)
        clock = self._desk.context.clock
        began_s = clock.monotonic()
        try:
            most = await self._bytes_max(scope)
            _check_request(scope, headers, most)
            if scope["method"] == "OPTIONS" and b"access-control-request-method" in headers:
                await answer.empty(204)
                return
            body = await self._accounts(scope)
            if body is not None:
                await answer.whole(200, [(b"content-type", b"application/json"), (b"etag", body.etag)], body.data)
                return
            await self._app(scope, await _buffered(scope, headers, receive, most), answer.send)
        except OmnifolioError as error:
            await answer.refuse(error)
        except Exception as error:
            await answer.refuse(refusal(error, scope))
        finally:
            took_ms = int((clock.monotonic() - began_s) * 1_000)
            self._desk.requests.note(scope, at=clock.now(), status=answer.status, took_ms=took_ms)

    async def _accounts(self, scope: Any) -> Body | None:
        """The list of accounts if that is what is asked, all checks made; None where the framework has to look at the request."""
        if scope["path"] not in _ACCOUNTS_PATHS or scope["method"] != "GET" or scope["query_string"]:
            return None
        context = self._desk.context
        scope["path_template"] = _ACCOUNTS_PATHS[0]
        session = await admit(context, scope, needed="read", route=ACCOUNTS_ROUTE, connect="also")
        assert session is not None
        return await account_list(self._desk, session, context.settings.fiat)

    async def _bytes_max(self, scope: Any) -> int:
        """How large the body may be: a file's size only for an open page of Connect, and only once it is known to be one."""
        if scope["path"].rstrip("/") not in _UPLOAD_PATHS or scope["method"] != "POST":
            return BODY_BYTES_MAX
        await admit(self._desk.context, scope, needed="link", route="upload", cost=UPLOAD_COST, connect="only")
        return UPLOAD_BYTES_MAX

    async def _cors(self, scope: Any, headers: dict[bytes, bytes]) -> list[tuple[bytes, bytes]]:
        """The CORS headers for the page that asks. Registered pages of any team; bearer tokens are no cookies, so none are sent
        by a browser on its own, and what is public is public to every page."""
        origin = headers.get(b"origin")
        if origin is None:
            return [(b"vary", b"Origin")]
        if scope["path"].rstrip("/").startswith(_PUBLIC_PATHS):
            found = [(b"access-control-allow-origin", b"*")]
        elif origin.decode("latin-1") in await self._registered():
            found = [(b"access-control-allow-origin", origin), (b"vary", b"Origin")]
        else:
            return [(b"vary", b"Origin")]
        found.append((b"access-control-expose-headers", _EXPOSED))
        if scope["method"] == "OPTIONS":
            found += [
                (b"access-control-allow-methods", b"GET, HEAD, POST, PUT, DELETE"),
                (b"access-control-allow-headers", b"authorization, content-type, loginname, x-request-id"),
                (b"access-control-max-age", str(PREFLIGHT_AGE_S).encode()),
            ]
        return found

    async def _registered(self) -> frozenset[str]:
        now_s = self._desk.context.clock.monotonic()
        if now_s >= self._origins_until_s:
            try:
                self._origins = await origins(self._desk.context)
            except OmnifolioError:
                return self._origins  # the answer itself will say what is wrong
            self._origins_until_s = now_s + ORIGINS_AGE_S
        return self._origins


class _Answer:
    """One answer on its way out: adds what every answer has, and leaves out the body where there must be none."""

    def __init__(self, desk: Desk, scope: Any, send: Send, cors: list[tuple[bytes, bytes]], *, is_head: bool) -> None:
        self._desk, self._scope, self._send, self._cors, self._is_head = desk, scope, send, cors, is_head
        self._is_started = False
        self.status = 0
        """The status that was sent; 0 until then."""

    async def send(self, message: Message) -> None:
        """Passes a message of the framework on."""
        if message["type"] == "http.response.start":
            self._is_started, self.status = True, message["status"]
            given = {name for name, _ in message["headers"]}
            message["headers"] = [*message["headers"], *(item for item in self._extra() if item[0] not in given)]
        elif message["type"] == "http.response.body" and self._is_head:
            message["body"] = b""
        await self._send(message)

    async def whole(self, status: int, headers: Iterable[tuple[bytes, bytes]], body: bytes) -> None:
        """Sends an answer in one piece."""
        self._is_started, self.status = True, status
        length = (b"content-length", b"%d" % len(body))
        await self._send({"type": "http.response.start", "status": status, "headers": [*headers, length, *self._extra()]})
        await self._send({"type": "http.response.body", "body": b"" if self._is_head else body, "more_body": False})

    async def empty(self, status: int) -> None:
        """Sends an answer without a body."""
        self.status = status
        await self._send({"type": "http.response.start", "status": status, "headers": self._extra()})
        await self._send({"type": "http.response.body", "body": b"", "more_body": False})

    async def refuse(self, error: OmnifolioError) -> None:
        """Sends an error, unless an answer is under way already."""
        if self._is_started:
            raise error
        state: dict[str, Any] = self._scope["state"]
        status, extra, body = problem(error, request_id=state["request_id"], path=self._scope["path"], ids=self._desk.context.ids)
        headers = [(name.encode(), value.encode()) for name, value in extra.items()]
        await self.whole(status, [(b"content-type", MEDIA_TYPE.encode()), *headers], body)

    def _extra(self) -> list[tuple[bytes, bytes]]:
        state: dict[str, Any] = self._scope["state"]
        found = [(b"x-request-id", state["request_id"].encode()), *state.get(PAGE_HEADERS, _ALWAYS), *self._cors]
        if "limit" in state:
            found += limit_headers(state["limit"], self._desk.context.settings.rate_limit_per_minute)
        return found


def _request_id(given: bytes | None) -> str:
    return given.decode() if given is not None and _REQUEST_ID.fullmatch(given) else secrets.token_hex(12)


def _check_request(scope: Any, headers: dict[bytes, bytes], most: int) -> None:
    """What no route wants to see. Raises: CallerError, TooLarge, UnsupportedMedia."""
    query = scope["query_string"]
    if len(query) > QUERY_BYTES_MAX or len(scope["path"]) > PATH_BYTES_MAX:
        raise TooLarge(f"the address is longer than {PATH_BYTES_MAX} bytes of path or {QUERY_BYTES_MAX} of query")
    if "\0" in scope["path"] or b"%00" in query:
        raise CallerError("the address holds a null character")
    if headers.get(b"content-encoding", b"identity").lower() != b"identity":
        raise UnsupportedMedia("compressed request bodies are not read; send it as it is")
    length = headers.get(b"content-length", b"")
    if length.isdigit() and int(length) > most:
        raise TooLarge(f"the request body has more than {most} bytes")
    if query:
        scope["query_string"] = _cleaned(query)


def _cleaned(query: bytes) -> bytes:
    """The query without parameters that say nothing: clients in JavaScript send `undefined` and `null` for what they lack."""
    pairs = parse_qsl(query.decode("latin-1"), keep_blank_values=True, errors="replace")
    kept = [(name, value) for name, value in pairs if value not in _ABSENT]
    return "&".join(f"{quote_plus(name)}={quote_plus(value)}" for name, value in kept).encode()


async def _buffered(scope: Any, headers: dict[bytes, bytes], receive: Receive, most: int) -> Receive:
    """The request's body, read up to its limit and looked over, as the framework will receive it."""
    if headers.get(b"content-length", b"0") == b"0" and b"transfer-encoding" not in headers:
        return receive
    data = bytearray()
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return receive
        data += message.get("body", b"")
        if len(data) > most:
            raise TooLarge(f"the request body has more than {most} bytes")
        if not message.get("more_body"):
            break
    if most == BODY_BYTES_MAX:  # a file is checked by who reads it
        _check_json(bytes(data))
    is_given = False

    async def again() -> Any:
        nonlocal is_given
        if is_given:
            return await receive()
        is_given = True
        return {"type": "http.request", "body": bytes(data), "more_body": False}

    return again


def _check_json(data: bytes) -> None:
    try:
        data.decode()
    except UnicodeDecodeError:
        raise CallerError("the request body is not UTF-8") from None
    if b"\0" in data or b"\\u0000" in data:
        raise CallerError("the request body holds a null character")
    depth = 0
    for bracket in _STRINGS.sub(b"", data).translate(None, _NO_BRACKETS):
        depth += 1 if bracket in b"[{" else -1
        if depth > JSON_DEPTH_MAX:
            raise CallerError(f"the request body is nested deeper than {JSON_DEPTH_MAX} levels")
