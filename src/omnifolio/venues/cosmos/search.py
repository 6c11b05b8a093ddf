"""How the transactions of an address are found in a node's index, whichever way its software is asked.

Since SDK 0.50 the question is one text (`query`), before it was a list of conditions (`events`). Old software takes long for a
condition on the height, or refuses it, so it is asked page by page from the beginning; where those blocks are gone, with one.
Source: the SDK's tx service (v0.42 to v0.55) and CometBFT's queries of transactions, seen 2026-11.
"""

import re
from collections.abc import AsyncIterator, Sequence
from typing import Literal

from msgspec import Struct, structs

from omnifolio.model.errors import VenueBadResponse, VenueUnavailable
from omnifolio.model.facts import Evidence
from omnifolio.venues.answers import shaped
from omnifolio.venues.cosmos.rest import PAGES_MAX, SEARCH, Node, lowest_of, refusal_of
from omnifolio.venues.cosmos.shapes import Found

FOUND = "found"
LISTS = ("message.sender", "transfer.recipient", "coin_spent.spender")
"""What names the address in an index: it sent the message, it was paid, its coins were spent (for a fee, by a contract)."""
ROWS = 50
"""Transactions in one page."""
UNINDEXED = "indexing is disabled"
UNREADABLE = ("tx parse error", "unable to resolve type URL")
"""What a node says of a page with a transaction whose kind its software has forgotten."""
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

    async def pages(self, name: str, place: Place) -> AsyncIterator[tuple[list[Evidence], Place]]:
        """The pages of a list that have rows, each with the place behind it. Raises: VenueBadResponse and its kin."""
        is_over = False
        while not is_over:
            if place.height < self._floor:
                place = Place(self._floor, pages=place.pages)
            if place.page > PAGES_MAX:
                raise VenueBadResponse(f"the node tells more than {PAGES_MAX} pages of transactions of one block")
            kept = await self._rows(name, place)
            last = _BEYOND.search(refusal_of(kept[-1]))
            if last is not None and len(kept) == 1:
                if not self._is_counted or int(last[1]) >= place.pages - 1:
                    return
                # The node has dropped rows, so that the pages are others now.
                place = Place(place.height)
                continue
            found = [shaped(item.body, Found) for item in kept if item.status == 200]
            heights = [int(told.height) for page in found for told in page.rows]
            if heights != sorted(heights):
                raise VenueBadResponse("the node does not tell transactions in the order that was asked for")
            is_over = await self._is_last(name, place, kept, found)
            place = self._behind(place, heights, is_over=is_over)
            if heights or len(kept) > 1:
                yield [item for item in kept if not _BEYOND.search(refusal_of(item))], place

    @property
    def _is_counted(self) -> bool:
        """Whether pages are counted from the list's beginning."""
        return self._dialects[0] == "pages"

    async def _is_last(self, name: str, place: Place, kept: Sequence[Evidence], found: Sequence[Found]) -> bool:
        """Whether nothing follows a page. A node may say that there is more than it has, or give fewer rows than asked for."""
        if len(kept) > 1:
            return len(kept) < ROWS or _BEYOND.search(refusal_of(kept[-1])) is not None
        rows, page = len(found[0].rows), place.pages if self._is_counted else place.page
        if rows == ROWS:
            return False
        if not rows or found[0].count <= (page - 1) * ROWS + rows:
            return True
        behind = await self._found(name, structs.replace(place, page=place.page + 1, pages=place.pages + 1), ROWS)
        if _BEYOND.search(refusal_of(behind)) or (behind.status == 200 and not shaped(behind.body, Found).rows):
            return True
        if self._is_counted:
            raise VenueBadResponse(f"the node tells fewer than the {ROWS} transactions that were asked for, and has more")
        return False

    def _behind(self, place: Place, heights: Sequence[int], *, is_over: bool) -> Place:
        """The place after a page. A page that ends where it began, all in one block, is followed by its next one."""
        pages = place.pages + (self._is_counted and not is_over)
        last = max([place.height, *heights])
        if self._is_counted or last > place.height:
            return Place(last, 1, pages)
        return Place(place.height, place.page + (not is_over), pages)

    async def _rows(self, name: str, place: Place) -> list[Evidence]:
        """A page: one answer, or its transactions one by one where the node cannot read one of them any more."""
        page = await self._found(name, place, ROWS)
        if not _is_unreadable(page):
            return [page]
        first = ((place.pages if self._is_counted else place.page) - 1) * ROWS + 1
        kept: list[Evidence] = []
        for number in range(first, first + ROWS):
            single = await self._found(name, Place(place.height, number, number), 1)
            kept.append(single)
            if _BEYOND.search(refusal_of(single)) or (single.status == 200 and not shaped(single.body, Found).rows):
                break
        return kept

    async def _found(self, name: str, place: Place, rows: int) -> Evidence:
        """The page at a place. Raises: VenueBadResponse, VenueUnavailable where the node's index cannot be asked."""
        for dialect in self._dialects:
            evidence = await self._node.ask(FOUND, SEARCH, self._params(dialect, name, place, rows), list=name)
            if evidence.status == 200 or _BEYOND.search(refusal_of(evidence)) or _is_unreadable(evidence):
                self._dialects = ("pages", "events") if dialect == "pages" else (dialect,)
                return evidence
            if lowest_of(evidence) is not None and dialect != "pages":
                raise VenueUnavailable("the node dropped old blocks while they were read")
            if UNINDEXED in refusal_of(evidence):
                break
        raise VenueBadResponse(f"the node's index cannot be asked: {refusal_of(evidence)[:100]}")

    def _params(self, dialect: Dialect, name: str, place: Place, rows: int) -> dict[str, str]:
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
            "limit": str(rows),
            "pagination.offset": str((page - 1) * rows),
            "pagination.limit": str(rows),
        }


def _is_unreadable(evidence: Evidence) -> bool:
    return evidence.status != 200 and any(word in refusal_of(evidence) for word in UNREADABLE)
