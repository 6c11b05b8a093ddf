"""How the transactions of an address are found in a node's index, whichever way its software is asked.

Since SDK 0.50 the question is one text (`query`), before it was a list of conditions (`events`). Old software takes long for a
condition on the height, or refuses it, so it is asked page by page from the beginning; where those blocks are gone, with one.
Source: the SDK's tx service (v0.42 to v0.55) and CometBFT's queries of transactions, seen 2026-11.
"""

import re
from collections.abc import AsyncIterator
from typing import Literal

from msgspec import Struct

from omnifolio.model.errors import VenueBadResponse, VenueUnavailable
from omnifolio.model.facts import Evidence
from omnifolio.venues.cosmos.rest import SEARCH, Node, lowest_of, refusal_of
from omnifolio.venues.cosmos.shapes import Found, shaped

FOUND = "found"
LISTS = ("message.sender", "transfer.recipient", "coin_spent.spender")
"""What names the address in an index: it sent the message, it was paid, its coins were spent (for a fee, by a contract)."""
ROWS = 50
"""Transactions in one page."""
UNINDEXED = "indexing is disabled"
_BEYOND = re.compile(r"page should be within \[\d+, (\d{1,9})\] range")
"""A page behind the last one is refused: when the last one was full, nothing follows it."""
Dialect = Literal["query", "events", "pages"]
DIALECTS: tuple[Dialect, ...] = ("query", "pages", "events")


class Place(Struct, frozen=True, array_like=True):
    """Where a list goes on: from `height` on, at the page `page` of what is there. `pages` counts from the list's beginning."""

    height: int = 0
    page: int = 1
    pages: int = 1


class Search:
    """The lists of an address, none below `floor`. How the node is asked is found at the first question."""

    def __init__(self, node: Node, address: str, *, floor: int) -> None:
        self._node = node
        self._address = address
        self._floor = floor
        self._dialects = DIALECTS

    async def pages(self, name: str, place: Place) -> AsyncIterator[tuple[Evidence, Place]]:
        """The pages of a list that have rows, each with the place behind it. Raises: VenueBadResponse and its kin."""
        is_over = False
        while not is_over:
            if place.height < self._floor:
                place = Place(self._floor, pages=place.pages)
            evidence = await self._found(name, place)
            last = _BEYOND.search(refusal_of(evidence))
            if last is not None:
                if self._dialects[0] != "pages" or int(last[1]) >= place.pages - 1:
                    return
                # The node has dropped rows, so that the pages are others now.
                place = Place(place.height)
                continue
            found = shaped(evidence.body, Found)
            heights = [int(told.height) for told in found.rows]
            if heights != sorted(heights):
                raise VenueBadResponse("the node does not tell transactions in the order that was asked for")
            page = place.pages if self._dialects[0] == "pages" else place.page
            is_over = len(heights) < ROWS
            if is_over and found.count > (page - 1) * ROWS + len(heights):
                raise VenueBadResponse(f"the node tells fewer than the {ROWS} transactions that were asked for, and has more")
            place = self._behind(place, heights, is_over=is_over)
            if heights:
                yield evidence, place

    def _behind(self, place: Place, heights: list[int], *, is_over: bool) -> Place:
        """The place after a page. A page that ends where it began, all in one block, is followed by its next one."""
        if not heights:
            return place
        pages = place.pages + (self._dialects[0] == "pages" and not is_over)
        if self._dialects[0] == "pages" or heights[-1] > place.height:
            return Place(max(heights[-1], place.height), 1, pages)
        return Place(place.height, place.page + (not is_over), pages)

    async def _found(self, name: str, place: Place) -> Evidence:
        """The page at a place. Raises: VenueBadResponse, VenueUnavailable where the node's index cannot be asked."""
        for dialect in self._dialects:
            evidence = await self._node.ask(FOUND, SEARCH, self._params(dialect, name, place), list=name)
            if evidence.status == 200 or _BEYOND.search(refusal_of(evidence)):
                self._dialects = ("pages", "events") if dialect == "pages" else (dialect,)
                return evidence
            if lowest_of(evidence) is not None and dialect != "pages":
                raise VenueUnavailable("the node dropped old blocks while they were read")
            if UNINDEXED in refusal_of(evidence):
                break
        raise VenueBadResponse(f"the node's index cannot be asked: {refusal_of(evidence)[:100]}")

    def _params(self, dialect: Dialect, name: str, place: Place) -> dict[str, str]:
        condition = f"{name}='{self._address}'"
        above = f"tx.height>={place.height}"
        page = place.pages if dialect == "pages" else place.page
        asked = {
            "query": {"query": f"{condition} AND {above}"},
            "events": {"events": f"{condition}\n{above}"},
            "pages": {"events": condition},
        }[dialect]
        return asked | {
            "order_by": "ORDER_BY_ASC",
            "page": str(page),
            "limit": str(ROWS),
            "pagination.offset": str((page - 1) * ROWS),
            "pagination.limit": str(ROWS),
        }
