"""How a TRON server is asked: a node's HTTP API, always about what is solidified, and TronGrid's index of addresses.

Every answer is kept as evidence, with the question's subject as its parameters: a page is decoded from those alone. Errors come
with HTTP 200 and a field `Error`. Sources, seen 2026-11: java-tron's HTTP API documentation (errors, rate limits); TronGrid's
pages on rate limits (without a key about 10 questions a second, less at times; who asks faster is shut out for 30 s).
"""

from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

import msgspec
from msgspec import Struct

from omnifolio.model.errors import BadCredentials, VenueBusy
from omnifolio.model.facts import Evidence
from omnifolio.transport.egress import Budget, Question
from omnifolio.transport.policy import Rule
from omnifolio.venues.answers import kept
from omnifolio.venues.contract import Access

PUBLIC_BUDGET = Budget(burst=5, per_s=3)
BUSY_PAUSE_S = 30.0
KEY_FIELD, KEY_HEADER = "server_key", "TRON-PRO-API-KEY"
READS = (
    "walletsolidity/getaccount",
    "walletsolidity/getReward",
    "walletsolidity/getassetissuebyid",
    "walletsolidity/triggerconstantcontract",
    "walletsolidity/gettransactionbyid",
    "walletsolidity/gettransactioninfobyid",
    "wallet/getblock",
    "wallet/getblockbalance",
)
"""All that a node is ever asked: none of them can build, sign or send a transaction."""
LISTS = ("", "/transactions", "/transactions/trc20", "/internal-transactions")
"""All that the index is asked of an address."""
MISSING = (404, 405, 410)
"""A server that does not offer this at all."""
_BUSY = ("lack of computing resources", "frequency limit", "suspended for", "rate limit", "too many requests")
_LITE = "lite fullnode"


class _Said(Struct, frozen=True):
    Error: str = ""
    error: str = ""


def rules_of(url: str, is_configured: bool) -> Sequence[Rule]:
    """What may be asked of a server."""
    base = url.rstrip("/")
    reads = [Rule("POST", f"{base}/{path}", is_configured=is_configured) for path in READS]
    return (*reads, *(Rule("GET", f"{base}/v1/accounts/{{address}}{path}", is_configured=is_configured) for path in LISTS))


class Server:
    """A server during one read of `stream`."""

    def __init__(self, access: Access, *, url: str, stream: str) -> None:
        self._access = access
        self._base = url.rstrip("/")
        self._stream = stream

    async def ask(self, read: str, path: str, body: Mapping[str, object], **about: str) -> Evidence:
        """A node's answer as evidence of the kind `read`.

        Raises: BadCredentials, VenueBusy, VenueUnavailable, VenueBadResponse.
        """
        content = msgspec.json.encode(body)
        return await self._asked("POST", path, {"body": content.decode()}, body=content, about={"read": read, **about})

    async def find(self, read: str, address: str, place: str, query: Mapping[str, str], **about: str) -> Evidence:
        """The index's answer about an address; one that it does not offer is an answer of status 404.

        Raises: BadCredentials, VenueBusy, VenueUnavailable, VenueBadResponse.
        """
        return await self._asked("GET", f"v1/accounts/{address}{place}", query, body=None, about={"read": read, **about})

    def _key(self) -> dict[str, str]:
        """The header with the user's key, which only the public servers' owner has given out."""
        key = self._access.secrets.get(KEY_FIELD) if self._access.base_url is None else None
        return {} if key is None else {KEY_HEADER: key.reveal()}

    async def _asked(
        self, method: str, path: str, asked: Mapping[str, str], *, body: bytes | None, about: Mapping[str, str]
    ) -> Evidence:
        query = f"?{urlencode(asked)}" if method == "GET" and asked else ""
        answer = await self._access.egress.request(
            venue=self._access.venue,
            method=method,
            url=f"{self._base}/{path}{query}",
            headers=({"content-type": "application/json"} if body is not None else {}) | self._key(),
            body=body,
            key_label=self._access.key_label,
            is_read=True,
            question=Question(method=method, path=f"/{path}", params=dict(asked)),
        )
        said = _said(answer.body)
        if answer.status in (403, 429) or any(mark in said for mark in _BUSY):
            self._access.egress.slow_down(self._access.venue, key_label=self._access.key_label, seconds=BUSY_PAUSE_S)
            raise VenueBusy("the server asked us to slow down", retry_after_s=BUSY_PAUSE_S)
        if answer.status == 401:
            raise BadCredentials("the server does not accept this key")
        accepted = (200, 400, *MISSING)
        return kept(answer, stream=self._stream, request=f"{method} {about['read']}", params=about, accepted=accepted)


def is_told(evidence: Evidence) -> bool:
    """Whether the server offers what was asked and answered it: neither an error nor a page that is not there."""
    return evidence.status == 200 and not _said(evidence.body)


def _said(body: bytes) -> str:
    """The error in an answer in small letters; "" where it is none."""
    if _LITE.encode() in body[:200]:
        return _LITE
    try:
        told = msgspec.json.decode(body, type=_Said)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ""
    return (told.Error or told.error).lower()
