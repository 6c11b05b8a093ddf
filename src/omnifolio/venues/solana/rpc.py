"""How a Solana node is asked: JSON-RPC 2.0, one question a request, always about what is final.

Every HTTP answer is kept as evidence, with the question's subject as its parameters: the page is decoded from those alone.
Source: Solana's RPC documentation and its JSON-RPC error codes, seen 2026-11.
"""

from collections.abc import Sequence
from typing import TypeVar

import msgspec
from msgspec import Raw, Struct

from omnifolio.model.errors import EgressRefused, VenueBadResponse, VenueBusy, VenueUnavailable
from omnifolio.model.facts import Evidence
from omnifolio.transport.egress import Budget
from omnifolio.venues.answers import ANY, kept, posted, shaped
from omnifolio.venues.contract import Access

T = TypeVar("T")

METHODS = frozenset(
    {
        "getSlot",
        "getBalance",
        "getTokenAccountsByOwner",
        "getProgramAccounts",
        "getMultipleAccounts",
        "getSignaturesForAddress",
        "getTransaction",
    }
)
"""All that a node is ever asked. Every method goes to the same URL, so the list of URLs cannot tell reads from writes."""
FINAL = {"commitment": "finalized"}
PUBLIC_BUDGET = Budget(burst=20, per_s=4)
"""The public endpoint allows 40 questions of one kind in 10 s."""
_BUSY_CODES = frozenset({429, -32429})
_UNAVAILABLE_CODES = frozenset({-32004, -32005, -32014, -32016})
"""The block is not there yet, the node is behind, or its slot is."""


class Fault(Struct, frozen=True):
    """The error object of JSON-RPC."""

    code: int = 0


class Reply(Struct, frozen=True):
    """An answer: a result, `null` included, or a fault."""

    result: Raw = Raw(b"null")
    error: Fault | None = None

    def read(self, kind: type[T]) -> T:
        """The result as `kind`. Raises: VenueBusy, VenueUnavailable, VenueBadResponse."""
        if self.error is not None:
            if self.error.code in _BUSY_CODES:
                raise VenueBusy("the node asked us to slow down")
            if self.error.code in _UNAVAILABLE_CODES:
                raise VenueUnavailable(f"the node is behind (error {self.error.code})")
            raise VenueBadResponse(f"the node answered with error {self.error.code}")
        return shaped(self.result, kind)


def reply_of(evidence: Evidence) -> Reply:
    """The answer behind a piece of evidence; a refusal in other words than JSON-RPC's is a fault. Raises: VenueBadResponse."""
    try:
        return shaped(evidence.body, Reply)
    except VenueBadResponse:
        if evidence.status < 400:
            raise
        return Reply(error=Fault(evidence.status))


class Node:
    """A node during one read of `stream`."""

    def __init__(self, access: Access, *, url: str, stream: str) -> None:
        self._access = access
        self._url = url
        self._stream = stream

    async def ask(self, read: str, method: str, params: Sequence[object], **about: str) -> Evidence:
        """The answer as evidence of the kind `read`; a fault of the question is in there too.

        Raises: EgressRefused for a method that is not among those that read, VenueBusy, VenueUnavailable, VenueBadResponse.
        """
        if method not in METHODS:
            raise EgressRefused(f"{method[:40]} is not among the methods that read a chain")
        body = msgspec.json.encode({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
        answer = await posted(self._access, self._url, body, {"methods": method})
        about = {"read": read, **about}
        evidence = kept(answer, stream=self._stream, request=f"POST {method}", params=about, accepted=ANY)
        reply = reply_of(evidence)
        if reply.error is not None and reply.error.code in _BUSY_CODES | _UNAVAILABLE_CODES:
            reply.read(Raw)
        return evidence
