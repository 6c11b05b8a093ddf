"""How TON's indexer is asked: API v3, by GET, about what is final. Every answer is kept as evidence.

Source: TON's documentation of API v3 and its rate limits, seen 2026-11.
"""

from collections.abc import Mapping
from urllib.parse import urlencode

from omnifolio.model.facts import Evidence
from omnifolio.transport.egress import Budget, Question
from omnifolio.transport.policy import Rule
from omnifolio.venues.answers import kept
from omnifolio.venues.contract import Access

PATHS = ("/masterchainInfo", "/accountStates", "/jetton/wallets", "/nft/items", "/nft/transfers", "/transactions", "/traces")
"""All that is ever asked."""
PUBLIC_BUDGET = Budget(burst=1, per_s=0.9)
"""One question a second without a key; a little less, since the server's seconds are not ours."""


def rules_of(url: str, is_configured: bool) -> tuple[Rule, ...]:
    """All that a server may be asked."""
    return tuple(Rule("GET", url.rstrip("/") + path, is_configured=is_configured) for path in PATHS)


class Indexer:
    """An indexer during one read of `stream`."""

    def __init__(self, access: Access, *, url: str, stream: str) -> None:
        self._access = access
        self._url = url.rstrip("/")
        self._stream = stream

    async def ask(self, read: str, path: str, asked: Mapping[str, str], **about: str) -> Evidence:
        """The answer as evidence of the kind `read`. Raises: VenueBusy, VenueUnavailable, VenueBadResponse, EgressRefused."""
        answer = await self._access.egress.request(
            venue=self._access.venue,
            method="GET",
            url=f"{self._url}{path}" + (f"?{urlencode(asked)}" if asked else ""),
            key_label=self._access.key_label,
            question=Question(method="GET", path=path, params=asked),
        )
        return kept(answer, stream=self._stream, request=f"GET {path}", params={"read": read, **about})
