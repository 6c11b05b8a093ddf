"""One request and all that it takes, without any input or output: the token, the attempts, the pauses, the answer.

`perform` says step by step what is to be sent and how long to wait, and is told what came back. A blocking loop and an
asynchronous one carry that out, so both behave alike.
"""

import base64
import binascii
import random
import time
from collections.abc import Callable, Generator, Mapping
from email.utils import parsedate_to_datetime
from typing import Any, Generic, Literal, TypeVar

import msgspec

from omnifolio_client import codes
from omnifolio_client.errors import ApiError, ConnectionFailed, UnexpectedAnswer

T = TypeVar("T")
Method = Literal["GET", "POST", "PUT", "DELETE"]

REFRESH_EARLY_S = 120.0
"""A token with less left than this is replaced before it is used."""
RETRIED_STATUSES = frozenset({429, 502, 503, 504})
"""Worth another attempt whoever answered, even a proxy; of others the server says so itself."""
EXCERPT_CHARACTERS = 200


class Call(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """What to ask. `kind` is the type of the answer; None where there is none. Parameters that are None are left out."""

    method: Method
    path: str
    kind: Any
    query: Mapping[str, object] = {}
    body: object = None
    needs_token: bool = True
    headers: Mapping[str, str] = {}
    timeout_s: float | None = None

    @property
    def is_idempotent(self) -> bool:
        """Sending it twice does what sending it once does."""
        return self.method != "POST"


class Answer(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """An answer with all around it. Header names are in lower case."""

    value: T
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def request_id(self) -> str:
        """What to name when something is wrong."""
        return self.headers.get("x-request-id", "")


class Retries(msgspec.Struct, frozen=True, kw_only=True):
    """How often idempotent requests are sent again, and after which pauses.

    A pause is random between nothing and `pause_s`, which doubles each time up to `pause_max_s`; where the server says how long
    to wait (Retry-After), it is that. `wait_max_s`: who asks for more than this gets no second attempt.
    """

    attempts_max: int = 4
    pause_s: float = 0.5
    pause_max_s: float = 8.0
    wait_max_s: float = 60.0


class Send(msgspec.Struct, frozen=True):
    """Send this, and tell what came back."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes | None
    timeout_s: float | None


class Wait(msgspec.Struct, frozen=True):
    """Do nothing for so long."""

    seconds: float


class Reply(msgspec.Struct, frozen=True):
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes


Result = Reply | ConnectionFailed | None
"""What is told after a step: an answer or the lack of one after `Send`, nothing after `Wait`."""
Steps = Generator[Send | Wait, Result, T]


class Identity:
    """Who asks: a team's id and secret with the user that it asks for, or a token that somebody else has got."""

    def __init__(self, *, client_id: str | None, secret: str | None, user: str | None, token: str | None) -> None:
        self.client_id, self.user = client_id, user
        self._secret, self._given = secret, token
        self._token, self._until = "", 0.0

    def __repr__(self) -> str:
        return f"Identity(client_id={self.client_id!r}, user={self.user!r})"

    def of(self, user: str) -> "Identity":
        """The same team for another user."""
        return Identity(client_id=self.client_id, secret=self._secret, user=user, token=None)

    def usable(self, now: float) -> str | None:
        """A token that holds for long enough, if there is one."""
        if self._given is not None:
            return self._given
        return self._token if self._until - now > REFRESH_EARLY_S else None

    def request(self) -> Call[dict[str, str]]:
        """Asks for a token. Raises: ValueError where something of it was not given."""
        if self.client_id is None or self._secret is None or self.user is None:
            raise ValueError("this call needs a user: give client_id, secret and user, or a token")
        body = {"clientId": self.client_id, "secret": self._secret}
        return Call(
            method="POST",
            path="/v1/auth/token",
            kind=dict[str, str],
            body=body,
            needs_token=False,
            headers={"loginname": self.user},
        )

    def keep(self, token: str, now: float) -> None:
        """Takes a token over until shortly before it ends."""
        self._token, self._until = token, _end_of(token, now)

    def forget(self) -> bool:
        """Lets a token go that the server no longer takes; false where there is no way to another one."""
        self._token, self._until = "", 0.0
        return self._given is None


def perform(
    call: Call[T],
    identity: Identity,
    retries: Retries,
    *,
    clock: Callable[[], float] = time.time,
    dice: Callable[[], float] = random.random,
) -> Steps[Answer[T]]:
    """The steps of one call. Raises: ApiError (by code), ConnectionFailed, UnexpectedAnswer."""
    token = identity.usable(clock()) if call.needs_token else ""
    was_refreshed = token is None
    if token is None:
        token = yield from _fresh_token(identity, retries, clock, dice)
    try:
        return (yield from _attempts(call, token, retries, dice, clock, is_repeatable=call.is_idempotent))
    except ApiError as error:
        # The team may have ended all tokens, or the server's key has changed: a new one, once.
        if error.status != 401 or not call.needs_token or was_refreshed or not identity.forget():
            raise
    token = yield from _fresh_token(identity, retries, clock, dice)
    return (yield from _attempts(call, token, retries, dice, clock, is_repeatable=call.is_idempotent))


def _fresh_token(identity: Identity, retries: Retries, clock: Callable[[], float], dice: Callable[[], float]) -> Steps[str]:
    # Asking twice for a token gives two tokens and changes nothing else.
    answer = yield from _attempts(identity.request(), "", retries, dice, clock, is_repeatable=True)
    token = answer.value["token"]
    identity.keep(token, clock())
    return token


def _attempts(
    call: Call[T], token: str, retries: Retries, dice: Callable[[], float], clock: Callable[[], float], *, is_repeatable: bool
) -> Steps[Answer[T]]:
    send = _send(call, token)
    for attempt in range(1, max(1, retries.attempts_max) + 1):
        is_last = attempt >= retries.attempts_max or not is_repeatable
        pause_s = min(retries.pause_max_s, retries.pause_s * 2 ** (attempt - 1)) * dice()
        result = yield send
        assert result is not None, "a request has an answer or none"
        if isinstance(result, ConnectionFailed):
            if is_last:
                raise result
        elif result.status < 400:
            return _answer(call, result)
        else:
            error = _refusal(result, clock())
            if is_last or not _is_worth_it(error):
                raise error
            if error.retry_after_s is not None:
                if error.retry_after_s > retries.wait_max_s:
                    raise error
                pause_s = error.retry_after_s
        yield Wait(pause_s)
    raise AssertionError("the last attempt has returned or raised")


def _send(call: Call[Any], token: str) -> Send:
    headers = {"accept": "application/json", **call.headers}
    if token:
        headers["authorization"] = f"Bearer {token}"
    if call.body is not None:
        headers["content-type"] = "application/json"
    return Send(
        call.method,
        call.path,
        {name: str(value) for name, value in call.query.items() if value is not None},
        headers,
        None if call.body is None else msgspec.json.encode(call.body),
        call.timeout_s,
    )


def _answer(call: Call[T], reply: Reply) -> Answer[T]:
    value: Any = None
    if reply.status == 304 or call.kind is None:
        pass
    elif call.kind is str:
        value = reply.body.decode()
    else:
        try:
            value = msgspec.json.decode(reply.body, type=call.kind)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise UnexpectedAnswer(f"{call.method} {call.path}: {error}", status=reply.status) from None
    return Answer(value=value, status=reply.status, headers=reply.headers, body=reply.body)


def _refusal(reply: Reply, now: float) -> ApiError:
    try:
        problem = msgspec.json.decode(reply.body, type=dict[str, Any])
    except (msgspec.MsgspecError, UnicodeDecodeError):
        problem = {"message": reply.body[:EXCERPT_CHARACTERS].decode(errors="replace") or f"HTTP {reply.status}"}
    kind = codes.BY_CODE.get(str(problem.get("code")), ApiError)
    return kind(reply.status, problem, retry_after_s=_retry_after(reply.headers.get("retry-after"), now))


def _is_worth_it(error: ApiError) -> bool:
    return error.status in RETRIED_STATUSES or (error.status >= 500 and error.retry == "later")


def _retry_after(text: str | None, now: float) -> float | None:
    """Seconds of a Retry-After, which counts them or names an instant."""
    if text is None:
        return None
    if text.strip().isdigit():
        return float(text)
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - now)
    except (TypeError, ValueError):
        return None


def _end_of(token: str, now: float) -> float:
    """Until when a token holds, as it says itself; 0 where it does not, so that it is used once."""
    try:
        claims = token.split(".")[1]
        said = msgspec.json.decode(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)), type=dict[str, Any])
        lasts = float(said["exp"]) - float(said["iat"])
    except (IndexError, KeyError, TypeError, ValueError, binascii.Error, msgspec.MsgspecError):
        return 0.0
    return now + lasts  # by our own clock, which may differ from the server's
