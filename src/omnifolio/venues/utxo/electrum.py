"""How an Electrum server is asked: its procedures, many in one round trip, typed answers, and what its errors mean.

Source: the Electrum protocol, versions 1.4 to 1.6. Every exchange is kept as evidence, with the questions' subjects as
parameters: a page is decoded from those alone. All procedures are reads; the list of allowed requests names each of them.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

import msgspec
from msgspec import Raw, Struct

from omnifolio.model.errors import VenueBadResponse, VenueBusy, VenueError, VenueUnavailable
from omnifolio.model.facts import Evidence
from omnifolio.transport.egress import Answer, Budget, Question
from omnifolio.transport.lines import Procedure
from omnifolio.venues.contract import Access
from omnifolio.venues.utxo.site import Name, Units

GREETING = Procedure("server.version", ("omnifolio", ("1.4", "1.6")))
TIP, HISTORY, BALANCE, TRANSACTION, HEADER = (
    "blockchain.headers.subscribe",
    "blockchain.scripthash.get_history",
    "blockchain.scripthash.get_balance",
    "blockchain.transaction.get",
    "blockchain.block.header",
)
PROCEDURES = (GREETING.method, TIP, HISTORY, BALANCE, TRANSACTION, HEADER)
"""All that a server is ever asked."""
CALLS_MAX = 400
"""Questions in one round trip; more are asked in several."""
PUBLIC_BUDGET = Budget(burst=CALLS_MAX, per_s=40)
"""Questions to a public server, each counted."""
BUSY_PAUSE_S = 30.0
_BUSY_CODES = frozenset({-101, -102})
_BUSY_WORDS = ("excessive", "busy", "rate limit", "too many requests")
_LONG_WORDS = ("history too large", "too large", "too long")

T = TypeVar("T")


class Ask(Struct, frozen=True):
    """One question; `about` names its subject in the evidence."""

    about: str
    procedure: Procedure


class Fault(Struct, frozen=True):
    """The error object of JSON-RPC."""

    code: int = 0
    message: str = ""


class Reply(Struct, frozen=True):
    """The answer to one question: a result or a fault."""

    result: Raw = Raw(b"null")
    error: Fault | None = None

    def read(self, kind: type[T]) -> T:
        """The result as `kind`. Raises: VenueBusy, VenueBadResponse, VenueUnavailable."""
        if self.error is not None:
            raise _failure(self.error)
        try:
            return msgspec.json.decode(self.result, type=kind)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise VenueBadResponse(f"the server's answer has another shape than the protocol says ({error})") from None


class Tip(Struct, frozen=True):
    """The newest block."""

    height: Units
    hex: str


class Listed(Struct, frozen=True):
    """A transaction of a script; a height of 0 or -1 says that it waits for a block."""

    tx_hash: Name
    height: int


class Held(Struct, frozen=True):
    """What a script holds in blocks, and how what waits for one will change that."""

    confirmed: int
    unconfirmed: int


class Asked(Struct, frozen=True):
    """The answers as evidence, and by subject."""

    evidence: list[Evidence]
    replies: dict[str, Reply]


class Server:
    """An Electrum server during one read: asks, and keeps every answer as evidence of `stream`."""

    def __init__(self, access: Access, *, url: str, stream: str) -> None:
        self._access = access
        self._url = url
        self._stream = stream

    async def ask(self, read: str, asks: Sequence[Ask], *, passing: str = "", **params: str) -> Asked:
        """Answers to `asks`, kept as evidence of the kind `read` with `params`; subjects that begin with `passing` are not kept.

        Raises: VenueBusy when any answer says so, VenueUnavailable, VenueBadResponse.
        """
        kept: list[Evidence] = []
        found: dict[str, Reply] = {}
        for start in range(0, len(asks), CALLS_MAX):
            chunk = asks[start : start + CALLS_MAX]
            answer = await self._exchange(chunk)
            raws = _listed(answer.body, len(chunk))
            replies = {ask.about: _reply(raw) for ask, raw in zip(chunk, raws, strict=True)}
            self._check_busy(replies.values())
            found |= replies
            wanted = [n for n, ask in enumerate(chunk) if not passing or not ask.about.startswith(passing)]
            if wanted:
                kept.append(
                    Evidence(
                        stream=self._stream,
                        request=f"CALL {_methods([chunk[n] for n in wanted])}",
                        params={"read": read, "about": ",".join(chunk[n].about for n in wanted), **params},
                        received_at=answer.received_at,
                        body=answer.body if len(wanted) == len(chunk) else msgspec.json.encode([raws[n] for n in wanted]),
                    )
                )
        return Asked(kept, found)

    async def _exchange(self, chunk: Sequence[Ask]) -> Answer:
        arguments = msgspec.json.encode([ask.procedure.params for ask in chunk]).decode()
        return await self._access.egress.converse(
            venue=self._access.venue,
            url=self._url,
            greeting=GREETING,
            procedures=[ask.procedure for ask in chunk],
            key_label=self._access.key_label,
            question=Question(method="POST", path="/", params={"procedures": _methods(chunk), "arguments": arguments}),
        )

    def _check_busy(self, replies: Iterable[Reply]) -> None:
        for reply in replies:
            if reply.error is not None and isinstance(failure := _failure(reply.error), VenueBusy):
                self._access.egress.slow_down(self._access.venue, key_label=self._access.key_label, seconds=BUSY_PAUSE_S)
                raise failure


def _methods(asks: Sequence[Ask]) -> str:
    return "+".join(dict.fromkeys(ask.procedure.method for ask in asks))


def gathered(evidence: Sequence[Evidence], read: str) -> dict[str, Reply]:
    """All answers of one kind by subject; a later answer replaces an earlier one. Raises: VenueBadResponse."""
    found: dict[str, Reply] = {}
    for item in evidence:
        if item.params.get("read") == read:
            subjects = item.params["about"].split(",")
            found.update(zip(subjects, map(_reply, _listed(item.body, len(subjects))), strict=True))
    return found


def params_of(evidence: Sequence[Evidence], read: str) -> Mapping[str, str]:
    """The parameters of the first evidence of that kind; empty where there is none."""
    return next((item.params for item in evidence if item.params.get("read") == read), {})


def _listed(body: bytes, count: int) -> list[Raw]:
    try:
        found = msgspec.json.decode(body, type=list[Raw])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise VenueBadResponse("the server's answer is not JSON-RPC") from None
    if len(found) != count:
        raise VenueBadResponse("the server answered another number of questions than were asked")
    return found


def _reply(raw: Raw) -> Reply:
    try:
        return msgspec.json.decode(raw, type=Reply)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise VenueBadResponse("the server's answer is not JSON-RPC") from None


def _failure(fault: Fault) -> VenueError:
    words = fault.message.lower()
    if fault.code in _BUSY_CODES or any(word in words for word in _BUSY_WORDS):
        return VenueBusy("the server asked us to slow down", retry_after_s=BUSY_PAUSE_S)
    if any(word in words for word in _LONG_WORDS):
        return VenueBadResponse("the server does not list so long a history; another server, or one of your own, may")
    return VenueUnavailable(f"the server failed (code {fault.code})")


def tip(about: str = "tip") -> Ask:
    """Asks for the newest block."""
    return Ask(about, Procedure(TIP))


def header(about: str, height: int) -> Ask:
    """Asks for a block's header."""
    return Ask(about, Procedure(HEADER, (height,)))


def about_script(kind: str, place: object, name: str) -> Ask:
    """Asks for the history or the balance of a script by its hash."""
    return Ask(f"{kind}:{place}", Procedure(HISTORY if kind == "history" else BALANCE, (name,)))


def transaction(name: str) -> Ask:
    """Asks for a transaction as bytes."""
    arguments: tuple[Any, ...] = (name,)
    return Ask(name, Procedure(TRANSACTION, arguments))
