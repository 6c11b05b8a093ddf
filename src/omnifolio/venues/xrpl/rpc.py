"""How a server of the XRP Ledger is asked: JSON-RPC with one object of parameters, always about validated ledgers.

Errors come inside `result`, with HTTP status 200. Version 1 of the API is asked for: it reads a range that reaches further back
than the server has as far as it can, and says how far that was. Source: xrpl.org (request and error formatting), seen 2026-11.
"""

from collections.abc import Mapping
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
    {"server_info", "account_info", "account_lines", "account_objects", "account_nfts", "account_tx", "tx", "ledger"}
)
"""All that a server is ever asked. Every method goes to the same URL, so the list of URLs cannot tell reads from writes."""
PUBLIC_BUDGET = Budget(burst=10, per_s=2)
"""Public servers are shared by all and name no number; sustained use is not what they are for."""
NOT_FOUND = "actNotFound"
_BUSY = frozenset({"slowDown", "tooBusy"})
_UNAVAILABLE = frozenset({"noNetwork", "noCurrent", "noClosed", "notSynced", "lgrNotFound", "lgrIdxsInvalid", "amendmentBlocked"})
"""The server is not in step with the network, or another one behind the same name has not got that ledger yet."""


class _Result(Struct, frozen=True):
    error: str = ""


class _Envelope(Struct, frozen=True):
    result: Raw


class Reply(Struct, frozen=True):
    """An answer: a result, or the word of its error."""

    result: Raw
    error: str = ""

    def read(self, kind: type[T]) -> T:
        """The result as `kind`. Raises: VenueBusy, VenueUnavailable, VenueBadResponse."""
        if self.error in _BUSY:
            raise VenueBusy("the server asked us to slow down")
        if self.error in _UNAVAILABLE:
            raise VenueUnavailable(f"the server is behind ({self.error})")
        if self.error:
            raise VenueBadResponse(f"the server answered with the error {self.error[:40]}")
        return shaped(self.result, kind)


def reply_of(evidence: Evidence) -> Reply:
    """The answer behind a piece of evidence. Raises: VenueBadResponse."""
    result = shaped(evidence.body, _Envelope).result
    return Reply(result, shaped(result, _Result).error)


class Server:
    """A server during one read of `stream`."""

    def __init__(self, access: Access, *, url: str, stream: str) -> None:
        self._access = access
        self._url = url
        self._stream = stream

    async def ask(self, read: str, method: str, params: Mapping[str, object], **about: str) -> Evidence:
        """The answer as evidence of the kind `read`; an error about the question itself is in there too.

        Raises: EgressRefused for a method that is not among those that read, VenueBusy, VenueUnavailable, VenueBadResponse.
        """
        if method not in METHODS:
            raise EgressRefused(f"{method[:40]} is not among the methods that read the ledger")
        body = msgspec.json.encode({"method": method, "params": [{"api_version": 1, **params}]})
        answer = await posted(self._access, self._url, body, {"methods": method})
        about = {"read": read, **about}
        evidence = kept(answer, stream=self._stream, request=f"POST {method}", params=about, accepted=ANY)
        reply = reply_of(evidence)
        if reply.error in _BUSY | _UNAVAILABLE:
            reply.read(Raw)
        return evidence
