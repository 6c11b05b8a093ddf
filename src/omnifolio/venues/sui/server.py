"""How a server of Sui's GraphQL RPC is asked: by POST, one question a request. Every answer is kept as evidence."""

from collections.abc import Mapping

import msgspec

from omnifolio.model.errors import VenueBadResponse
from omnifolio.model.facts import Evidence
from omnifolio.transport.egress import Budget
from omnifolio.transport.policy import Rule
from omnifolio.venues.answers import kept, posted, shaped
from omnifolio.venues.contract import Access
from omnifolio.venues.sui.shapes import Answer, Data

PUBLIC_BUDGET = Budget(burst=10, per_s=2)
"""The public servers state no limit and ask for moderation."""


def rules_of(url: str, is_configured: bool) -> tuple[Rule, ...]:
    """All that a server may be asked."""
    return (Rule("POST", url, is_configured=is_configured),)


class Server:
    """A server during one read of `stream`."""

    def __init__(self, access: Access, *, url: str, stream: str) -> None:
        self._access = access
        self._url = url
        self._stream = stream

    async def ask(self, read: str, query: str, variables: Mapping[str, object], **about: str) -> Evidence:
        """The answer as evidence of the kind `read`; why a question was refused is in there too.

        Raises: VenueBusy, VenueUnavailable, VenueBadResponse, EgressRefused.
        """
        body = msgspec.json.encode({"query": query, "variables": variables})
        answer = await posted(self._access, self._url, body, {"read": read})
        return kept(answer, stream=self._stream, request=f"POST {read}", params={"read": read, **about})


def data_of(item: Evidence) -> Data:
    """The data of an answer. Raises: VenueBadResponse where the question was refused."""
    found = shaped(item.body, Answer[Data])
    if found.data is None or found.errors:
        raise VenueBadResponse("the server refused a question")
    return found.data


def is_refused(item: Evidence) -> bool:
    """Whether a question was not answered, or not in full. Raises: VenueBadResponse."""
    found = shaped(item.body, Answer[dict[str, msgspec.Raw]])
    return found.data is None or bool(found.errors)
