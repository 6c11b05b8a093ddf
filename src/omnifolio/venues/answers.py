"""A server's HTTP answer as evidence and as a shape: what is wrong with one is told the same way, whichever chain is asked."""

from collections.abc import Collection, Mapping
from typing import TypeVar

import msgspec
from msgspec import Raw, Struct

from omnifolio.model.errors import VenueBadResponse, VenueBusy, VenueUnavailable
from omnifolio.model.facts import Evidence
from omnifolio.transport.egress import Answer, Question
from omnifolio.venues.contract import Access

T = TypeVar("T")

ANY = frozenset(range(100, 500))
"""Statuses below those of a server's own trouble: where a refusal stands in the body."""
OK = frozenset({200})


class Recorded(Struct, frozen=True):
    """A question, as its body was recorded, and its answer."""

    question: object
    answer: bytes


async def posted(access: Access, url: str, body: bytes, told: Mapping[str, str]) -> Answer:
    """The answer to a question in JSON; `told` is the question as a recording holds it. Raises: EgressRefused, VenueError."""
    return await access.egress.request(
        venue=access.venue,
        method="POST",
        url=url,
        headers={"content-type": "application/json"},
        body=body,
        key_label=access.key_label,
        is_read=True,
        question=Question(method="POST", path="/", params={**told, "body": body.decode()}),
    )


def kept(answer: Answer, *, stream: str, request: str, params: Mapping[str, str], accepted: Collection[int] = OK) -> Evidence:
    """The answer as evidence, where its status is an accepted one. Raises: VenueBusy, VenueUnavailable, VenueBadResponse."""
    if answer.status == 429:
        raise VenueBusy("the server asked us to slow down")
    if answer.status >= 500:
        raise VenueUnavailable(f"the server answered with HTTP status {answer.status}")
    if answer.status not in accepted:
        raise VenueBadResponse(f"the server answered with HTTP status {answer.status}")
    return Evidence(
        stream=stream, request=request, params=params, status=answer.status, received_at=answer.received_at, body=answer.body
    )


def shaped(body: bytes | Raw, kind: type[T]) -> T:
    """The JSON as `kind`. Raises: VenueBadResponse."""
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise VenueBadResponse(f"the server's answer has another shape than its documentation says ({error})") from None
