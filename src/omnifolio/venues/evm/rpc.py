"""How a node is asked: JSON-RPC 2.0 questions in batches, typed answers, and what its errors mean.

Nodes differ in how they say the same thing, so an error is sorted into one of five kinds of trouble by its code and words. A node
that refuses batches of our size is asked again in halves, down to single questions. Every HTTP answer is kept as evidence, with
the questions' subjects as its parameters: the page is decoded from those alone.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Generic, Literal, TypeVar

import msgspec
from msgspec import Raw, Struct

from omnifolio.model.errors import EgressRefused, VenueBadResponse, VenueBusy, VenueError, VenueUnavailable
from omnifolio.model.facts import Evidence
from omnifolio.transport.egress import Answer, Budget, Question
from omnifolio.venues.contract import Access

BATCH_CALLS_MAX = 100
"""Questions in one HTTP request; a node may have us go lower."""

BUSY_PAUSE_S = 5.0
"""How long a node is left alone that says it is busy without saying for how long."""
PUBLIC_BUDGET = Budget(burst=BATCH_CALLS_MAX, per_s=25)
"""Questions to a public node, those inside a batch counted one by one, as its operator does."""

METHODS = frozenset(
    {
        "eth_chainId",
        "eth_getBlockByNumber",
        "eth_getLogs",
        "eth_getTransactionByHash",
        "eth_getTransactionReceipt",
        "eth_getBalance",
        "eth_getTransactionCount",
        "eth_getCode",
        "eth_call",
        "trace_filter",
        "debug_traceTransaction",
    }
)
"""All that a node is ever asked. Every method goes to the same URL, so the list of URLs cannot tell reads from writes."""

Trouble = Literal["busy", "unsupported", "reverted", "range", "other"]
"""Slow down · the node has no such method · the contract itself failed · asked for too much at once · anything else."""

_BUSY_CODES = frozenset({429, -32029, -32090, -32097})
_UNSUPPORTED_CODES = frozenset({-32601, -32004})
_BUSY = re.compile(r"rate.?limit|too many requests|request limit|throttl|compute units|per second|daily|try again later|capacity")
_RANGE = re.compile(
    r"range|too (large|wide|many|big)|more than \d+|response size|result(s| set)|exceed|limited to|limit exceeded|time(d )?.?out"
)
_DENSE = re.compile(r"result|response size|\blogs\b|too many|time(d )?.?out")
_UNSUPPORTED = re.compile(
    r"method.{0,80}(not|n't|dis)|(not|un)\s?(supported|available|implemented|whitelisted|allowed)|does not exist|unknown"
)
_REVERTED = re.compile(
    r"revert|out ?of ?gas|gas required|evm error|vm execution|invalid.{0,4}(opcode|operation|jump)|bad instruction"
    r"|stack.?(over|under)flow"
)

T = TypeVar("T")


_DECODERS: dict[Any, msgspec.json.Decoder[Any]] = {}


def _decoder(kind: Any) -> msgspec.json.Decoder[Any]:
    """The decoder of a type: to build one costs more than to use it."""
    found = _DECODERS.get(kind)
    if found is None:
        found = _DECODERS[kind] = msgspec.json.Decoder(kind)
    return found


class Call(Struct, frozen=True):
    """One question. `about` names its subject in the evidence, and the answer when it is decoded."""

    about: str
    method: str
    params: tuple[Any, ...]


class Fault(Struct, frozen=True):
    """The error object of JSON-RPC."""

    code: int = 0
    message: str = ""

    @property
    def trouble(self) -> Trouble:
        """What kind of trouble the node is in."""
        words = self.message.lower()
        if self.code in _BUSY_CODES or _BUSY.search(words):
            return "busy"
        if self.code == 3 or _REVERTED.search(words):
            return "reverted"
        if _RANGE.search(words):
            return "range"
        if self.code in _UNSUPPORTED_CODES or _UNSUPPORTED.search(words):
            return "unsupported"
        return "other"

    @property
    def is_cap(self) -> bool:
        """The refusal is for the stretch of blocks as such, and not for how much is in these."""
        return self.trouble == "range" and not _DENSE.search(self.message.lower())


class Reply(Struct, frozen=True):
    """The answer to one question: a result, `null` included, or a fault."""

    id: int | str | None = None
    result: Raw = Raw(b"null")
    error: Fault | None = None

    def read(self, kind: type[T]) -> T:
        """The result as `kind`. Raises: VenueBusy, VenueBadResponse."""
        if self.error is not None:
            raise failure(self.error)
        try:
            told: T = _decoder(kind).decode(self.result)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise VenueBadResponse(f"the node's answer has another shape than the protocol says ({error})") from None
        return told

    @property
    def is_null(self) -> bool:
        """The node knows nothing of the subject."""
        return self.error is None and bytes(self.result) == b"null"


TOO_DEEP = Fault(message="the answer exceeds the nesting that can be read")
"""Stands for an answer that a stranger nested more deeply than the decoder goes: that one is lost, and nothing else."""

_ONE = msgspec.json.Decoder(Reply)
_MANY = msgspec.json.Decoder(list[Reply])


def failure(fault: Fault) -> VenueError:
    """The error to raise for a fault that nothing can be made of. The node's own words stay out: they may hold its key."""
    if fault.trouble == "busy":
        return VenueBusy("the node asked us to slow down")
    return VenueBadResponse(f"the node answered with error {fault.code} ({fault.trouble})")


def question(calls: Sequence[Call]) -> bytes:
    """The request body: one object for one call, which every node takes, else a list. Raises: EgressRefused for other methods."""
    for call in calls:
        if call.method not in METHODS:
            raise EgressRefused(f"{call.method[:40]} is not among the methods that read a chain")
    objects = [{"jsonrpc": "2.0", "id": n, "method": call.method, "params": call.params} for n, call in enumerate(calls, 1)]
    return msgspec.json.encode(objects[0] if len(objects) == 1 else objects)


def replies(body: bytes, count: int) -> list[Reply]:
    """The answers to `count` questions, in their order. A single object for a list is one fault for all of them.

    Raises: VenueBadResponse when it is not JSON-RPC, or answers are missing, doubled or foreign.
    """
    try:
        if body.lstrip()[:1] != b"[":
            single = _ONE.decode(body)
            if single.error is not None:
                return [single] * count
            found = [single]
        else:
            found = _MANY.decode(body)
    except RecursionError:
        if count > 1:
            raise VenueBadResponse("an answer of the node is nested too deeply to be read with others") from None
        return [Reply(error=TOO_DEEP)]
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise VenueBadResponse("the node's answer is not JSON-RPC") from None
    if [reply.id for reply in found] == list(range(1, count + 1)):
        return found  # in the order of the questions, as nearly every node answers
    by_id = {str(reply.id): reply for reply in found}
    if len(found) != count or set(by_id) != {str(n) for n in range(1, count + 1)}:
        raise VenueBadResponse(f"the node answered {len(found)} of {count} questions, or others than were asked")
    return [by_id[str(n)] for n in range(1, count + 1)]


class Node:
    """A node during one read: asks, halves batches that it refuses, and keeps every answer as evidence of `stream`."""

    def __init__(self, access: Access, *, url: str, stream: str) -> None:
        self._access = access
        self._url = url
        self._stream = stream
        self._calls_max = BATCH_CALLS_MAX

    async def ask(self, read: str, calls: Sequence[Call], **params: str) -> list[Evidence]:
        """Answers to `calls`, as evidence of the kind `read` with `params`; faults of single calls are in there too.

        Raises: VenueBusy when any answer says so, VenueUnavailable, VenueBadResponse.
        """
        kept: list[Evidence] = []
        start = 0
        while start < len(calls):
            chunk = calls[start : start + self._calls_max]
            answer = await self._post(chunk)
            if answer is None:
                self._calls_max = len(chunk) // 2
                continue
            kept.append(
                Evidence(
                    stream=self._stream,
                    request=f"POST {_methods(chunk)}",
                    params={"read": read, "about": ",".join(call.about for call in chunk), **params},
                    status=answer.status,
                    received_at=answer.received_at,
                    body=answer.body,
                )
            )
            start += len(chunk)
        return kept

    async def _post(self, calls: Sequence[Call]) -> Answer | None:
        """The HTTP answer, or None when the node refuses a batch of this size."""
        body = question(calls)
        answer = await self._access.egress.request(
            venue=self._access.venue,
            method="POST",
            url=self._url,
            headers={"content-type": "application/json"},
            body=body,
            key_label=self._access.key_label,
            cost=len(calls),
            is_read=True,
            question=Question(method="POST", path="/", params={"methods": _methods(calls), "body": body.decode()}),
        )
        if answer.status == 429:
            raise VenueBusy("the node asked us to slow down", retry_after_s=_seconds(answer.headers))
        try:
            found = replies(answer.body, len(calls))
        except VenueBadResponse:
            if answer.status >= 500:
                raise VenueUnavailable(f"the node answered with HTTP status {answer.status}") from None
            if len(calls) == 1:
                raise
            return None
        faults = [reply.error for reply in found if reply.error is not None]
        if any(fault.trouble == "busy" for fault in faults):
            pause_s = _seconds(answer.headers) or BUSY_PAUSE_S
            self._access.egress.slow_down(self._access.venue, key_label=self._access.key_label, seconds=pause_s)
            raise VenueBusy("the node asked us to slow down", retry_after_s=pause_s)
        is_refused = len(calls) > 1 and all(reply is found[0] for reply in found)
        return None if is_refused else answer


def _methods(calls: Sequence[Call]) -> str:
    return "+".join(dict.fromkeys(call.method for call in calls))


def _seconds(headers: Mapping[str, str]) -> float:
    text = headers.get("retry-after", "")
    return float(text) if text.isdigit() else 0.0


def gathered(evidence: Sequence[Evidence], read: str) -> dict[str, Reply]:
    """All answers of one kind by subject; a later answer replaces an earlier one. Raises: VenueBadResponse."""
    found: dict[str, Reply] = {}
    for item in evidence:
        if item.params.get("read") == read:
            subjects = item.params["about"].split(",")
            found.update(zip(subjects, replies(item.body, len(subjects)), strict=True))
    return found


class _Told(Struct, Generic[T], frozen=True):
    """A reply whose result is read in the same pass."""

    id: int | str | None = None
    result: T | None = None
    error: Fault | None = None


def results(evidence: Sequence[Evidence], read: str, kind: type[T]) -> dict[str, T | None]:
    """The results of one kind by subject, as `kind`; None where the node knows nothing. As `gathered` and `Reply.read`, at once.

    Raises: VenueBusy, VenueBadResponse.
    """
    found: dict[str, T | None] = {}
    for item in evidence:
        if item.params.get("read") == read:
            subjects = item.params["about"].split(",")
            told = _results(item.body, kind)
            if [reply.id for reply in told] == list(range(1, len(subjects) + 1)) and all(reply.error is None for reply in told):
                found.update(zip(subjects, [reply.result for reply in told], strict=True))
                continue
            # A fault, another order, another form: one by one, so that it is told which.
            for subject, reply in zip(subjects, replies(item.body, len(subjects)), strict=True):
                found[subject] = None if reply.is_null else reply.read(kind)
    return found


def _results(body: bytes, kind: type[T]) -> Sequence[_Told[T]]:
    try:
        told: Sequence[_Told[T]] = _decoder(list[_Told[kind]]).decode(body)  # type: ignore[valid-type]  # a type as a value
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ()
    return told
