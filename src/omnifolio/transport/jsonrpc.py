"""JSON-RPC 2.0 over the egress: single calls, and batches whose answers may come in any order or as one error.

Source: https://www.jsonrpc.org/specification, seen 2026-11. Results stay raw bytes: whoever asked knows their type.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from omnifolio.model.clock import EpochMs
from omnifolio.model.errors import VenueBadResponse, VenueBusy, VenueError, VenueUnavailable
from omnifolio.transport.egress import TIMEOUT_S, Egress
from omnifolio.transport.http import Answer, Question

BATCH_CALLS_MAX = 100
FAULT_TEXT_LENGTH_MAX = 200
LIMIT_EXCEEDED = -32005
"""The code with which nodes ask to slow down (EIP-1474)."""
BUSY_CODES = frozenset({LIMIT_EXCEEDED, 429, -32029})


class Call(Struct, frozen=True):
    """One method with its parameters, by position or by name."""

    method: str
    params: Sequence[Any] | Mapping[str, Any] = ()


class Fault(Struct, frozen=True, kw_only=True):
    """The node's error for one call. `message` is the node's text, shortened: for decisions, not for people."""

    code: int
    message: str = ""
    data: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


class _Reply(Struct):
    id: int | str | None = None
    result: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    error: Fault | None = None


class Replies(Struct, frozen=True, kw_only=True):
    """The outcome of each call in the order of the calls, and when the answer came."""

    outcomes: tuple[bytes | Fault, ...]
    received_at: EpochMs


class JsonRpc:
    """One node at one URL. `venue` names it in the egress policy, `key_label` its pool."""

    def __init__(self, egress: Egress, *, venue: str, url: str, key_label: str = "", timeout_s: float = TIMEOUT_S) -> None:
        self._egress = egress
        self._venue = venue
        self._url = url
        self._key_label = key_label
        self._timeout_s = timeout_s

    async def call(self, method: str, params: Sequence[Any] | Mapping[str, Any] = ()) -> bytes:
        """The result of one call as raw JSON. Raises: VenueBusy, VenueBadResponse with `extra["rpc_code"]`, VenueUnavailable."""
        body = msgspec.json.encode({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
        answer = await self._send(body, Question(method="POST", path="/", params={"method": method, "params": _text(params)}))
        outcome = _outcome(self._one(answer))
        if isinstance(outcome, Fault):
            raise self._error(outcome, method)
        return outcome

    async def batch(self, calls: Sequence[Call]) -> Replies:
        """The outcomes of up to 100 calls in one request; a call that fails gives its Fault and spoils no other.

        Raises: as `call`, when the whole batch is refused: by status, or by one error object in the place of a list.
        """
        assert 0 < len(calls) <= BATCH_CALLS_MAX, f"a batch has 1 to {BATCH_CALLS_MAX} calls"
        body = [
            {"jsonrpc": "2.0", "id": number, "method": call.method, "params": call.params} for number, call in enumerate(calls)
        ]
        question = Question(
            method="POST",
            path="/",
            params={str(number): f"{call.method} {_text(call.params)}" for number, call in enumerate(calls)},
        )
        answer = await self._send(msgspec.json.encode(body), question, cost=len(calls))
        if answer.body.lstrip()[:1] != b"[":
            outcome = _outcome(self._one(answer))
            if isinstance(outcome, Fault):
                raise self._error(outcome, "batch")
            raise VenueBadResponse(f"{self._venue} answered a batch with a single result")
        replies = self._decoded(answer.body, list[_Reply])
        by_id = {reply.id: reply for reply in replies if reply.error is not None or reply.result is not msgspec.UNSET}
        if len(by_id) != len(calls) or set(by_id) != set(range(len(calls))):
            raise VenueBadResponse(f"{self._venue} answered {len(replies)} of {len(calls)} calls of a batch")
        return Replies(outcomes=tuple(_outcome(by_id[number]) for number in range(len(calls))), received_at=answer.received_at)

    async def _send(self, body: bytes, question: Question, *, cost: int = 1) -> Answer:
        answer = await self._egress.request(
            venue=self._venue,
            method="POST",
            url=self._url,
            headers={"Content-Type": "application/json"},
            body=body,
            key_label=self._key_label,
            cost=cost,
            timeout_s=self._timeout_s,
            is_read=True,
            question=question,
        )
        if answer.status == 429:
            raise VenueBusy(f"{self._venue} asked us to slow down")
        if answer.status >= 500:
            raise VenueUnavailable(f"{self._venue} answered {answer.status}")
        # Nodes put the error object of a refused call into 400 and 404 as well; without one there is nothing to read.
        if answer.status >= 300 and answer.body.lstrip()[:1] not in (b"{", b"["):
            raise VenueBadResponse(f"{self._venue} answered {answer.status}", status=answer.status)
        return answer

    def _one(self, answer: Answer) -> _Reply:
        reply: _Reply = self._decoded(answer.body, _Reply)
        if reply.result is msgspec.UNSET and reply.error is None:
            raise VenueBadResponse(f"{self._venue} answered with neither result nor error")
        return reply

    def _decoded(self, body: bytes, kind: Any) -> Any:
        try:
            return msgspec.json.decode(body, type=kind)
        except (msgspec.ValidationError, msgspec.DecodeError, RecursionError):
            raise VenueBadResponse(f"{self._venue} answered with something that is not JSON-RPC") from None

    def _error(self, fault: Fault, what: str) -> VenueError:
        if fault.code in BUSY_CODES:
            return VenueBusy(f"{self._venue} asked us to slow down")
        return VenueBadResponse(
            f"{self._venue}: {what} failed ({fault.code})",
            rpc_code=fault.code,
            rpc_message=fault.message[:FAULT_TEXT_LENGTH_MAX],
        )


def _outcome(reply: _Reply) -> bytes | Fault:
    if reply.error is not None:
        return reply.error
    return b"null" if reply.result is msgspec.UNSET else bytes(reply.result)


def _text(params: object) -> str:
    return msgspec.json.encode(params).decode()
