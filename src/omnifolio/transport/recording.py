"""Cassettes: one account's conversation with its venue as a JSON document, recorded without credentials and played back.

The format is described in docs/cassettes.md. The same loader reads recorded cases whose `url` is only a fragment.
"""

import re
from collections.abc import Mapping
from urllib.parse import parse_qsl

import msgspec
from msgspec import Struct
from yarl import URL

from omnifolio.model.clock import EpochMs
from omnifolio.model.errors import FileRefused, VenueUnavailable
from omnifolio.transport.http import Answer, Question, Request

FORMAT = "omnifolio-cassette/1"
CASSETTE_BYTES_MAX = 256 * 1024 * 1024
ANY = "*"
KEPT_HEADERS = ("content-type", "date", "retry-after")
INSTANT = re.compile(r"\d{10}(\d{3}){0,3}|\d{4}-\d\d-\d\d([T ].*)?")
"""A parameter that is an instant: epoch seconds or finer, or an ISO date."""
CREDENTIAL_NAMES = frozenset(
    (
        *("signature", "sign", "sig", "nonce", "timestamp", "recvwindow", "recv_window"),
        *("apikey", "api_key", "api-key", "accesskey", "accesskeyid", "key", "token", "access_token"),
        *("secret", "passphrase", "password", "otp", "auth"),
    )
)
"""Names of parameters that are never written down when a caller does not say what may be."""


class Take(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One question and its answer.

    `path` is exact; else `url` is a full URL, a fragment of path and query, or `*`. `params` None fits any. The body is
    `response` (JSON, kept to the byte) or `text`; neither is an empty body. One that `repeats` answers as often as it is asked,
    after those that fit as well and answer once.
    """

    method: str = "GET"
    path: str | None = None
    url: str = ANY
    params: Mapping[str, object] | None = None
    body: object = None
    hint: str | None = None
    status: int = 200
    headers: Mapping[str, str] = {}
    received_at: EpochMs | None = None
    response: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    text: str | None = None
    repeats: bool = False

    @property
    def content(self) -> bytes:
        """The answer's body, byte for byte."""
        if self.text is not None:
            return self.text.encode()
        return b"" if self.response is msgspec.UNSET else bytes(self.response)


class Cassette(Struct, frozen=True, kw_only=True):
    """The conversation in its order. `fields` are the public link fields of the account, `recorded_at` when it was held.

    `params` of a recorded case say what was asked for: its lists named `…_accounts` are the addresses.
    """

    venue: str
    requests: tuple[Take, ...]
    format: str = FORMAT
    recorded_at: EpochMs = EpochMs(0)
    fields: Mapping[str, str] = {}
    params: Mapping[str, object] = {}
    name: str = ""


def load(document: bytes) -> Cassette:
    """A cassette, or a recorded case with `requests[]`. Raises: FileRefused."""
    if len(document) > CASSETTE_BYTES_MAX:
        raise FileRefused(f"the cassette is larger than {CASSETTE_BYTES_MAX} bytes")
    try:
        cassette = msgspec.json.decode(document, type=Cassette)
    except (msgspec.ValidationError, msgspec.DecodeError, RecursionError) as error:
        raise FileRefused(f"not a cassette: {error}") from None
    if cassette.format != FORMAT:
        raise FileRefused(f"the cassette's format is {cassette.format[:40]!r}; this version reads {FORMAT!r}")
    return cassette


def dump(cassette: Cassette) -> bytes:
    """The cassette as a JSON document that `load` reads again, one take a line."""
    head = msgspec.json.encode(msgspec.structs.replace(cassette, requests=()))
    takes = b",\n".join(map(msgspec.json.encode, cassette.requests))
    return head.replace(b'"requests":[]', b'"requests":[\n' + takes + b"\n]", 1) + b"\n"


def plain_question(method: str, url: URL, body: bytes | None) -> Question:
    """What may be written down of a request whose sender said nothing: its path, and parameters that look like no credential."""
    pairs = list(parse_qsl(url.raw_query_string, keep_blank_values=True))
    if body:
        try:
            value = msgspec.json.decode(body)
        except msgspec.DecodeError:
            pairs += parse_qsl(body.decode("utf-8", errors="replace"), keep_blank_values=True)
        else:
            items = value.items() if isinstance(value, dict) else [("body", value)]
            pairs += [(str(name), _text(item)) for name, item in items if name not in ("id", "jsonrpc")]
    kept = {name: value for name, value in pairs if name.lower() not in CREDENTIAL_NAMES}
    return Question(method=method, path=url.raw_path, params=kept)


def _text(value: object) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


class Recorder:
    """Collects the conversation of one venue as it happens."""

    def __init__(self, venue: str) -> None:
        self._venue = venue
        self._takes: list[Take] = []

    def note(self, venue: str, question: Question, answer: Answer) -> None:
        """Adds one question and its answer; other venues (price sources) are not this account's conversation."""
        if venue != self._venue:
            return
        response: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
        text = None
        try:
            msgspec.json.decode(answer.body)
            response = msgspec.Raw(answer.body.strip())
        except (msgspec.DecodeError, RecursionError):
            text = answer.body.decode("utf-8", errors="replace")
        self._takes.append(
            Take(
                method=question.method,
                path=question.path,
                params=dict(question.params),
                status=answer.status,
                headers={name: value for name, value in answer.headers.items() if name in KEPT_HEADERS},
                received_at=answer.received_at,
                response=response,
                text=text,
            )
        )

    def cassette(self, *, recorded_at: EpochMs, fields: Mapping[str, str] | None = None) -> Cassette:
        """What was heard so far. `recorded_at` is the instant at which a replay's clock shall stand."""
        return Cassette(venue=self._venue, requests=tuple(self._takes), recorded_at=recorded_at, fields=fields or {})


class Player:
    """A wire that answers from a cassette: each take once, unless it repeats, in order, the most exact match first."""

    def __init__(self, cassette: Cassette) -> None:
        self._venue = cassette.venue
        self._left = list(cassette.requests)
        self._recorded_at = cassette.recorded_at

    async def send(self, request: Request) -> Answer:
        """The recorded answer. Raises: VenueUnavailable when the cassette has none (left)."""
        asked = request.question
        takes = self._left if request.venue == self._venue else []
        best = max(takes, key=lambda take: (closeness(take, asked), not take.repeats), default=None)
        if best is None or closeness(best, asked) == 0:
            raise VenueUnavailable(f"the cassette of {self._venue} has no answer left for {asked.method} {asked.path}")
        if not best.repeats:
            self._left.remove(best)
        return Answer(
            status=best.status,
            headers={name.lower(): value for name, value in best.headers.items()},
            body=best.content,
            received_at=best.received_at or self._recorded_at,
        )

    async def close(self) -> None:
        """Nothing is held open."""


def closeness(take: Take, asked: Question) -> int:
    """How well a take answers a question: 0 not at all; exact path before full URL before fragment before `*`.

    An exact path whose parameters differ in instants alone comes after one that differs in nothing: a replay's clock stands
    still, so windows that end "now" end a little later than they did.
    """
    if take.method.upper() != asked.method.upper():
        return 0
    if take.path is not None:
        if take.path != asked.path:
            return 0
        recorded = {name: str(value) for name, value in (asked.params if take.params is None else take.params).items()}
        return 5 if recorded == dict(asked.params) else 4 if _differs_in_instants(recorded, asked.params) else 0
    if take.url == ANY:
        return 1
    if "://" in take.url:
        return 3 if URL(take.url, encoded=True).raw_path == asked.path else 0
    words = [word for word in take.url.replace("+", "/").split("/") if word]
    values = [f"{name}={value}" for name, value in asked.params.items()]
    haystack = "/".join([asked.path, *asked.params, *values])
    return 2 if all(word in haystack for word in words) else 0


def _differs_in_instants(recorded: Mapping[str, str], asked: Mapping[str, str]) -> bool:
    if recorded.keys() != asked.keys():
        return False
    return all(
        value == asked[name]
        or bool(INSTANT.fullmatch(value) and INSTANT.fullmatch(asked[name]) and len(value) == len(asked[name]))
        for name, value in recorded.items()
    )
