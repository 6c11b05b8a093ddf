"""The stream `transfers/<network>`: every solidified transaction that an address sent, was named in, or was paid by.

The index has three lists of an address: transactions that name it, transfers of TRC-20 tokens, calls inside transactions. Each
is read to its end, oldest first, and each transaction in it is asked of the node, which alone tells its fee, its events and its
calls. The bookmark holds which list is under way, its page, and how far each list was read; a little of it is read again at every
read, because the index takes lines in late.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Final

import msgspec
from msgspec import Struct, structs

from omnifolio.model.clock import MINUTE_MS
from omnifolio.model.errors import NotFound, VenueBadResponse, VenueUnavailable
from omnifolio.model.facts import Batch, Cursor, Evidence
from omnifolio.venues.answers import shaped
from omnifolio.venues.contract import Access
from omnifolio.venues.depth import depth_of
from omnifolio.venues.tron.address import TEXT_LENGTH
from omnifolio.venues.tron.decoding import BLOCK, INFO, LIST, SENT, TRACE, decode_history, told_in
from omnifolio.venues.tron.movements import is_known, tokens_moved
from omnifolio.venues.tron.server import MISSING, Server, is_told
from omnifolio.venues.tron.shapes import Block, Info, Listed, Signed
from omnifolio.venues.tron.subject import Subject
from omnifolio.venues.tron.tokens import AT_ONCE, DECIMALS, SYMBOL, asked_of, asset_of, contracts_in, unknown

LISTS: Final = ("/transactions", "/transactions/trc20", "/internal-transactions")
ORDER: Final = {"only_confirmed": "true", "order_by": "block_timestamp,asc"}
PAGE = 50
"""Lines in one page; each costs up to two questions."""
OVERLAP_MS = 10 * MINUTE_MS
"""What is read again of each list."""
LATE_MS = 10 * MINUTE_MS
"""A transaction that the index lists and the node does not know is waited for so long, then it is a gap."""


class Mark(Struct, frozen=True, omit_defaults=True):
    """`tops`: when the newest line of each list was. `place`: the list under way, `page` its next page, `top` its newest line."""

    tops: tuple[int, ...] = (0,) * len(LISTS)
    place: int = 0
    page: str = ""
    top: int = 0


class History:
    """One read of the stream."""

    def __init__(self, access: Access, subject: Subject, *, url: str, since: Cursor) -> None:
        self._subject = subject
        self._stream = since.stream
        self._server = Server(access, url=url, stream=since.stream)
        self._mark = msgspec.json.decode(since.token or "{}", type=Mark)
        self._wanted = depth_of(access.fields).since
        self._told: set[str] = set()
        """Transactions of this read, so that one that stands in two lists is asked for once."""
        self._facts: dict[str, tuple[Evidence, ...]] = {}
        """What tokens say of themselves, by contract or number; each page that needs it has it."""

    async def pages(self) -> AsyncIterator[Batch]:
        """Pages, each with the bookmark behind it. Raises: VenueError and its kin."""
        while self._mark.place < len(LISTS):
            listing = await self._listing()
            listed = shaped(listing.body, Listed) if listing.status == 200 else Listed(())
            names = [row.name for row in listed.data if row.name not in self._told]
            evidence = [listing, *await self._transactions(listing, listed, names)]
            self._told.update(names)
            evidence += await self._described(evidence)
            self._move(listed)
            yield structs.replace(self._page(evidence), done=self._mark.place == len(LISTS))

    async def _listing(self) -> Evidence:
        mark, place = self._mark, LISTS[self._mark.place]
        early = max(self._wanted or 0, mark.tops[mark.place] - OVERLAP_MS)
        query = {**ORDER, "limit": str(PAGE), "min_timestamp": str(max(early, 0))}
        if place == LISTS[0]:
            query["search_internal"] = "false"
        about = {
            "wallet": self._subject.address,
            "list": place,
            "wanted": "" if self._wanted is None else str(self._wanted),
            "last": "yes" if mark.place == len(LISTS) - 1 else "",
        }
        page = {"fingerprint": mark.page} if mark.page else {}
        found = await self._server.find(LIST, self._subject.address, place, query | page, **about)
        if found.status == 400 and page:
            # The place in the list is no longer known: what was read of this walk is read again, and says the same.
            self._mark = structs.replace(mark, page="", top=0)
            found = await self._server.find(LIST, self._subject.address, place, query, **about)
        if found.status not in MISSING and not is_told(found):
            raise VenueBadResponse("the index does not tell a list of the address")
        return found

    async def _transactions(self, listing: Evidence, listed: Listed, names: Sequence[str]) -> list[Evidence]:
        """The node's word on each transaction of the page, and the traces of blocks where types are not known."""
        rows = {row.name: row for row in listed.data}
        kept: list[Evidence] = []
        wanted = [
            (kind, path, name)
            for name in dict.fromkeys(names)
            for kind, path, is_needed in (
                (SENT, "walletsolidity/gettransactionbyid", rows[name].raw_data is None),
                (INFO, "walletsolidity/gettransactioninfobyid", not rows[name].tells_all),
            )
            if is_needed
        ]
        for start in range(0, len(wanted), AT_ONCE):
            part = wanted[start : start + AT_ONCE]
            kept += await asyncio.gather(
                *(self._server.ask(kind, path, {"value": name}, about=name) for kind, path, name in part)
            )
        self._wait_for(listing, rows={name: row.block_timestamp for name, row in rows.items()}, kept=kept)
        for happened, _ in told_in([listing, *kept])[0]:
            if happened.info is not None and not is_known(happened.type) and not happened.is_failed:
                kept += await self._trace(happened.name, happened.height)
        return kept

    def _wait_for(self, listing: Evidence, *, rows: Mapping[str, int], kept: Sequence[Evidence]) -> None:
        """Raises: VenueUnavailable where the node does not know yet what the index lists."""
        for item in kept:
            is_empty = is_told(item) and not (shaped(item.body, Info).id or shaped(item.body, Signed).tx_hash)
            if is_empty and rows[item.params["about"]] > listing.received_at - LATE_MS:
                raise VenueUnavailable("the node does not know yet what the index lists")

    async def _trace(self, name: str, height: int) -> list[Evidence]:
        """The changes of balances in a block, for one transaction of it."""
        block = await self._server.ask(BLOCK, "wallet/getblock", {"id_or_num": str(height), "detail": False}, about=name)
        found = shaped(block.body, Block).block_hash if is_told(block) else ""
        asked = {"hash": found, "number": height}
        return [await self._server.ask(TRACE, "wallet/getblockbalance", asked, about=name)] if found else []

    async def one(self, name: str) -> list[Evidence]:
        """The answers that tell a single transaction. Raises: NotFound where the node has none of that name, VenueError."""
        asked = {"value": name}
        about = {"wallet": self._subject.address, "about": name}
        sent = await self._server.ask(SENT, "walletsolidity/gettransactionbyid", asked, **about)
        info = await self._server.ask(INFO, "walletsolidity/gettransactioninfobyid", asked, about=name)
        found, _ = told_in([sent, info])
        if not found:
            raise NotFound(f"the node does not have the transaction {name}, or not yet as a solidified one")
        happened = found[0][0]
        is_traced = not is_known(happened.type) and not happened.is_failed
        kept = [sent, info, *(await self._trace(name, happened.height) if is_traced else ())]
        return kept + await self._described(kept)

    async def _described(self, evidence: Sequence[Evidence]) -> list[Evidence]:
        """What the tokens of the page say of themselves, where neither the catalog nor the list does."""
        chain, owner = self._subject.chain, self._subject.address
        found, rows = told_in(evidence)
        moved = dict.fromkeys(token for happened, _ in found for token in tokens_moved(self._subject, happened))
        kept: list[Evidence] = []
        for token in unknown(moved, contracts_in(chain, (), rows)):
            if token not in self._facts and token.isdecimal():
                self._facts[token] = (await asset_of(self._server, token),)
            elif token not in self._facts and len(token) == TEXT_LENGTH:
                self._facts[token] = (
                    await asked_of(self._server, token, DECIMALS, owner=owner),
                    await asked_of(self._server, token, SYMBOL, owner=owner),
                )
            kept += self._facts.get(token, ())
        return kept

    def _move(self, listed: Listed) -> None:
        mark = self._mark
        top = max((mark.top, *(row.block_timestamp for row in listed.data)))
        if listed.meta.fingerprint and listed.data:
            if listed.meta.fingerprint == mark.page:
                raise VenueBadResponse("the index gives the same page again")
            self._mark = structs.replace(mark, page=listed.meta.fingerprint, top=top)
            return
        tops = tuple(max(top, old) if place == mark.place else old for place, old in enumerate(mark.tops))
        self._mark = Mark(tops, mark.place + 1)

    def _page(self, evidence: Sequence[Evidence]) -> Batch:
        batch = decode_history(self._subject.chain, self._stream, evidence)
        is_over = self._mark.place == len(LISTS)
        token = msgspec.json.encode(structs.replace(self._mark, place=0) if is_over else self._mark).decode()
        return structs.replace(batch, cursor=Cursor(self._stream, token))
