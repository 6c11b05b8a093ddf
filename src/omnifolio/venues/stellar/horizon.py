"""How a Horizon server is asked: plain GETs, one list a page, always about closed ledgers, which are final.

Every answer is kept as evidence, with the question's subject as its parameters: a page is decoded from those alone.
Source: Stellar's documentation of Horizon (structure, errors, rate limiting: 3,600 questions an hour), seen 2026-11.
"""

from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

from omnifolio.model.errors import VenueBadResponse
from omnifolio.model.facts import Evidence
from omnifolio.transport.egress import Budget, Question
from omnifolio.transport.policy import Rule
from omnifolio.venues.answers import kept
from omnifolio.venues.contract import Access

PUBLIC_BUDGET = Budget(burst=60, per_s=0.9)
PAGE = 200
"""Lines of a page, the most that a server gives."""
PATHS = (
    "/",
    "/accounts/{id}",
    "/accounts/{id}/effects",
    "/accounts/{id}/operations",
    "/accounts/{id}/transactions",
    "/claimable_balances",
    "/liquidity_pools/{id}",
    "/ledgers/{sequence}",
    "/operations/{id}",
    "/transactions/{hash}",
    "/transactions/{hash}/effects",
    "/transactions/{hash}/operations",
)
"""All that is ever asked; a transaction is sent by POST, which is asked of no path."""
EMPTY: Mapping[str, str] = {}
MISSING = 404
GONE = 410
"""What was asked for is older than the history that the server keeps."""


def rules_of(url: str, is_configured: bool) -> Sequence[Rule]:
    """What may be asked of a server."""
    return [Rule("GET", url.rstrip("/") + path, is_configured=is_configured) for path in PATHS]


class Horizon:
    """A server during one read of `stream`."""

    def __init__(self, access: Access, *, url: str, stream: str) -> None:
        self._access = access
        self._base = url.rstrip("/")
        self._stream = stream

    async def ask(self, read: str, path: str, *, query: Mapping[str, str] = EMPTY, about: Mapping[str, str] = EMPTY) -> Evidence:
        """The answer as evidence of the kind `read`; what is not there, or no more, is an answer of status 404 or 410.

        Raises: VenueBusy, VenueUnavailable, VenueBadResponse.
        """
        asked = dict(query)
        answer = await self._access.egress.request(
            venue=self._access.venue,
            method="GET",
            url=f"{self._base}{path}" + (f"?{urlencode(asked)}" if asked else ""),
            headers={"accept": "application/json"},
            key_label=self._access.key_label,
            question=Question(method="GET", path=path, params=asked),
        )
        told = {"read": read, **about}
        return kept(answer, stream=self._stream, request=f"GET {read}", params=told, accepted=(200, MISSING, GONE))

    async def page(
        self, read: str, path: str, *, cursor: str, query: Mapping[str, str] = EMPTY, about: Mapping[str, str] = EMPTY
    ) -> Evidence:
        """A page of a list after a place in it, oldest first; no list at all is an answer of status 404.

        Raises: as `ask`, VenueBadResponse where the place is older than the history that the server keeps.
        """
        asked = {"order": "asc", "limit": str(PAGE), **query} | ({"cursor": cursor} if cursor else {})
        found = await self.ask(read, path, query=asked, about=about)
        if found.status == GONE:
            raise VenueBadResponse("the server keeps no history so old")
        return found
