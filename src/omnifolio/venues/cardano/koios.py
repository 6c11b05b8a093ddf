"""How a Koios server is asked: REST by GET, and by POST where lists of names go in the body; rows in JSON.

The public tier takes bodies of a kilobyte, answers with 1,000 rows at most, a hundred questions in ten seconds, and nothing that
takes longer than thirty seconds. Order and filters are PostgREST's. Source: Koios' specification (limits), seen 2026-11.
"""

from collections.abc import Mapping, Sequence
from typing import TypeVar
from urllib.parse import urlencode

import msgspec

from omnifolio.model.facts import Evidence
from omnifolio.transport.egress import Budget, Question
from omnifolio.transport.policy import Rule
from omnifolio.venues.answers import kept
from omnifolio.venues.contract import Access

T = TypeVar("T")

GETS = ("tip", "blocks", "account_txs")
POSTS = (
    "account_info",
    "account_assets",
    "account_reward_history",
    "account_update_history",
    "address_info",
    "address_assets",
    "address_txs",
    "tx_info",
    "asset_info",
)
"""All that a server is ever asked."""
ROWS = 1_000
"""Rows in one answer."""
BODY_BYTES_MAX = 1_000
PUBLIC_BUDGET = Budget(burst=40, per_s=8)


def rules_of(url: str, is_configured: bool) -> tuple[Rule, ...]:
    """What may be asked of a server."""
    base = url.rstrip("/")
    gets = [Rule("GET", f"{base}/{path}", is_configured=is_configured) for path in GETS]
    return (*gets, *(Rule("POST", f"{base}/{path}", is_configured=is_configured) for path in POSTS))


class Server:
    """A server during one read of `stream`."""

    def __init__(self, access: Access, *, url: str, stream: str) -> None:
        self._access = access
        self._base = url.rstrip("/")
        self._stream = stream

    async def ask(
        self,
        read: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, object] | None = None,
        **about: str,
    ) -> Evidence:
        """The answer as evidence of the kind `read`. Raises: VenueBusy, VenueUnavailable, VenueBadResponse."""
        sent = msgspec.json.encode(body) if body is not None else None
        assert sent is None or len(sent) <= BODY_BYTES_MAX, "the public tier takes no more"
        method = "GET" if sent is None else "POST"
        asked = f"?{urlencode(query, safe='(),.')}" if query else ""
        told = {**(query or {}), **({"body": sent.decode()} if sent else {})}
        answer = await self._access.egress.request(
            venue=self._access.venue,
            method=method,
            url=f"{self._base}/{path}{asked}",
            headers={"content-type": "application/json"} if sent else {},
            body=sent or b"",
            key_label=self._access.key_label,
            is_read=True,
            question=Question(method=method, path=f"/{path}", params=told),
        )
        return kept(
            answer, stream=self._stream, request=f"{method} /{path}", params={"read": read, **about}, accepted=range(200, 400)
        )


def fitting(names: Sequence[T], *, size: int) -> list[Sequence[T]]:
    """Chunks of at most `size`, in their order."""
    return [names[start : start + size] for start in range(0, len(names), size)]
