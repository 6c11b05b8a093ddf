"""Two streams of one account: `transfers/<network>`, what operations moved by their effects, and `fees/<network>`, what it cost.

Effects come first to last, and each needs its operation, which names the transaction, the kind and the parties: the account's
own list of operations tells them; where an open offer of the account was taken, the operation is another's and is asked for by
number. A page ends behind an operation, so its effects are always together. The bookmark is the last effect, or transaction.
"""

from collections.abc import AsyncIterator, Sequence

from msgspec import structs

from omnifolio.model.clock import EpochMs
from omnifolio.model.errors import VenueBadResponse
from omnifolio.model.facts import Batch, Cursor, Evidence
from omnifolio.venues.answers import shaped
from omnifolio.venues.contract import Access
from omnifolio.venues.depth import depth_of
from omnifolio.venues.stellar.balances import root_of
from omnifolio.venues.stellar.decoding import (
    EFFECTS,
    LEDGER,
    OPERATION,
    OPERATIONS,
    ROOT,
    TRANSACTIONS,
    decode_fees,
    decode_transfers,
    lines,
)
from omnifolio.venues.stellar.horizon import PAGE, Horizon
from omnifolio.venues.stellar.movements import MOVING
from omnifolio.venues.stellar.shapes import LEDGER_BITS, Effect, Ledger, Operation, Root, Transaction, instant
from omnifolio.venues.stellar.subject import Subject

FAILED_TOO = {"include_failed": "true"}
PAGES_OF_AN_OPERATION_MAX = 50
"""Pages of effects that one operation may have; it takes a thousand offers at most."""


class History:
    """One read of either stream."""

    def __init__(self, access: Access, subject: Subject, *, url: str, since: Cursor) -> None:
        self._subject = subject
        self._since = since
        self._horizon = Horizon(access, url=url, stream=since.stream)
        self._wanted = depth_of(access.fields).since

    async def transfers(self) -> AsyncIterator[Batch]:
        """Pages of what operations moved. Raises: VenueError and its kin."""
        opening, cursor = await self._opening("-0")
        is_over = False
        while not is_over:
            pages, rows, is_over = await self._effects(cursor)
            cursor = rows[-1].paging_token if rows else cursor
            operations = await self._operations(sorted({row.number for row in rows if row.type in MOVING}))
            first = _ended(pages[0], cursor, is_over=is_over)
            batch = decode_transfers(self._subject.chain, self._since.stream, [first, *pages[1:], *operations, *opening])
            opening = []
            yield structs.replace(batch, cursor=Cursor(self._since.stream, cursor), done=is_over)

    async def fees(self) -> AsyncIterator[Batch]:
        """Pages of what transactions cost. Raises: VenueError and its kin."""
        _, cursor = await self._opening("")
        is_over = False
        while not is_over:
            path = f"/accounts/{self._subject.address}/transactions"
            page = await self._horizon.page(TRANSACTIONS, path, cursor=cursor, query=FAILED_TOO, about=self._about)
            rows = lines(page, Transaction)
            is_over = len(rows) < PAGE
            cursor = rows[-1].paging_token if rows else cursor
            batch = decode_fees(self._subject.chain, self._since.stream, [_ended(page, cursor, is_over=is_over)])
            yield structs.replace(batch, cursor=Cursor(self._since.stream, cursor), done=is_over)

    @property
    def _about(self) -> dict[str, str]:
        return {"wallet": self._subject.address, "wanted": "" if self._wanted is None else str(self._wanted)}

    async def _opening(self, ending: str) -> tuple[list[Evidence], str]:
        """What the server keeps, asked at the beginning alone, and where reading begins; `ending` follows the ledger's number.

        Raises: VenueBadResponse and its kin.
        """
        if self._since.token:
            return [], self._since.token
        asked = await self._horizon.ask(ROOT, "/")
        root = root_of(self._subject.chain, asked)
        elder = await self._horizon.ask(LEDGER, f"/ledgers/{root.history_elder_ledger}")
        if self._wanted is None:
            return [asked, elder], ""
        return [asked, elder], f"{await self._ledger_at(root, self._wanted) << LEDGER_BITS}{ending}"

    async def _ledger_at(self, root: Root, at: EpochMs) -> int:
        """The first ledger that was closed at that instant or later, found by halving."""
        low, high = root.history_elder_ledger, root.history_latest_ledger
        while low < high:
            middle = (low + high) // 2
            closed = instant(shaped((await self._horizon.ask(LEDGER, f"/ledgers/{middle}")).body, Ledger).closed_at)
            low, high = (middle + 1, high) if closed < at else (low, middle)
        return low

    async def _effects(self, cursor: str) -> tuple[list[Evidence], list[Effect], bool]:
        """Pages with the effects of whole operations after a place, those effects, and whether they are all there are."""
        pages: list[Evidence] = []
        rows: list[Effect] = []
        path = f"/accounts/{self._subject.address}/effects"
        for _ in range(PAGES_OF_AN_OPERATION_MAX):
            pages.append(await self._horizon.page(EFFECTS, path, cursor=cursor, about=self._about))
            found = lines(pages[-1], Effect)
            rows += found
            if len(found) < PAGE:
                return pages, rows, True
            cursor, last = rows[-1].paging_token, rows[-1].number
            whole = [row for row in rows if row.number != last]
            if whole:
                return pages, whole, False
        raise VenueBadResponse("one operation has more effects than there can be")

    async def _operations(self, numbers: Sequence[int]) -> list[Evidence]:
        """The operations of these numbers: from the account's own list, and one by one those that are another's."""
        kept: list[Evidence] = []
        others: list[int] = []
        left = list(numbers)
        while left:
            path = f"/accounts/{self._subject.address}/operations"
            kept.append(await self._horizon.page(OPERATIONS, path, cursor=str(left[0] - 1)))
            found = {row.number for row in lines(kept[-1], Operation)}
            reach = max(found) if len(found) == PAGE else left[-1]
            others += [number for number in left if number <= reach and number not in found]
            left = [number for number in left if number > reach]
        return kept + [
            await self._horizon.ask(OPERATION, f"/operations/{number}", about={"about": str(number)}) for number in others
        ]


def _ended(page: Evidence, cursor: str, *, is_over: bool) -> Evidence:
    """The first answer of a page with what is decoded of it: up to which line, and whether that was the last one."""
    return structs.replace(page, params={**page.params, "upto": cursor, "last": "yes" if is_over else ""})
