"""How a node of Substrate is asked: JSON-RPC 2.0 by HTTP, one question a request. Every answer is kept as evidence.

Source: Polkadot's documentation of the node's JSON-RPC methods, seen 2026-11.
"""

from collections.abc import Sequence

import msgspec
from msgspec import Raw, Struct

from omnifolio.model.errors import EgressRefused, VenueBadResponse
from omnifolio.model.facts import Evidence
from omnifolio.transport.egress import Budget
from omnifolio.transport.policy import Rule
from omnifolio.venues.answers import kept, posted, shaped
from omnifolio.venues.contract import Access

METHODS = frozenset({"chain_getBlockHash", "chain_getFinalizedHead", "chain_getHeader", "state_getStorage", "state_call"})
"""All that a node is ever asked. Every method goes to the same URL, so the list of URLs cannot tell reads from writes."""
PUBLIC_BUDGET = Budget(burst=10, per_s=4)
"""Public nodes state no limit and ask for moderation."""


class Reply(Struct, frozen=True):
    """An answer: a result, `null` included, or a fault."""

    result: Raw = Raw(b"null")
    error: Raw = Raw(b"null")


class Header(Struct, frozen=True):
    """A block's header; its number is hexadecimal."""

    number: str


def rules_of(url: str, is_configured: bool) -> tuple[Rule, ...]:
    """All that a node may be asked."""
    return (Rule("POST", url, is_configured=is_configured),)


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
        return kept(answer, stream=self._stream, request=f"POST {method}", params={"read": read, **about})


def reply_of(body: bytes) -> Reply:
    """The answer in a body. Raises: VenueBadResponse."""
    return shaped(body, Reply)


def is_refused(body: bytes) -> bool:
    """Whether the node did not answer the question. Raises: VenueBadResponse."""
    return bytes(reply_of(body).error) != b"null"


def text_of(body: bytes) -> str | None:
    """A result that is a text, null included. Raises: VenueBadResponse."""
    if is_refused(body):
        raise VenueBadResponse("the node refused a question")
    return shaped(reply_of(body).result, str | None)  # type: ignore[arg-type]  # a union is no type to the checker


def bytes_of(body: bytes) -> bytes | None:
    """A result that is hexadecimal, null included. Raises: VenueBadResponse."""
    return plain_bytes(text_of(body))


def plain_bytes(text: str | None) -> bytes | None:
    """The bytes of hexadecimal text after `0x`. Raises: VenueBadResponse."""
    if text is None:
        return None
    try:
        return bytes.fromhex(text.removeprefix("0x"))
    except ValueError:
        raise VenueBadResponse("the node answered with something that is not hexadecimal") from None


def height_of(body: bytes) -> int:
    """The height in a block's header. Raises: VenueBadResponse."""
    number = shaped(reply_of(body).result, Header).number
    try:
        return int(number, 16)
    except ValueError:
        raise VenueBadResponse("the node answered with a height that is not hexadecimal") from None
