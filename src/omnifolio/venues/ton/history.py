"""The stream `transfers/<network>`: the account's own transactions, those of its jettons' accounts, and NFTs that changed hands.

Each of these lists is read from its oldest row on, by logical time, so that nothing moves between two pages; what is new stands
behind the bookmark. A jetton's account is asked only when the indexer says that it moved. Each transaction names the one before
it: one that is missing between two is seen, and said.
"""

from collections.abc import AsyncIterator, Sequence

import msgspec
from msgspec import Struct, structs

from omnifolio.catalog.ton_chains import TonChain
from omnifolio.model.clock import SECOND_MS, EpochMs
from omnifolio.model.facts import Batch, Claim, Cursor, Evidence, Gap, Interval
from omnifolio.model.tokens import TokenFacts
from omnifolio.venues.answers import shaped
from omnifolio.venues.contract import Access, received_at
from omnifolio.venues.depth import depth_of
from omnifolio.venues.ton.cells import Unreadable
from omnifolio.venues.ton.held import Purse, Subject, jettons_asked, purses_of, wallet_of
from omnifolio.venues.ton.indexer import Indexer
from omnifolio.venues.ton.movements import item_claim, jetton_claim, own_claim
from omnifolio.venues.ton.shapes import Head, ItemMoves, Transactions
from omnifolio.venues.ton.single import TRACE, told
from omnifolio.venues.ton.tokens import Jetton, item_facts, jetton_facts
from omnifolio.venues.unwanted import not_wanted

PAGE = 200
"""Rows of one page."""
LISTS_MAX = 2_000
"""Jettons' accounts that are read in one go; each costs at least one question."""
OVERLAP = 100_000_000
"""Logical time by which the list of NFTs is read again: rows of different accounts may come to the indexer out of order."""
_OWN, _JETTON, _ITEMS, _END = "own", "jetton", "items", "end"


class Mark(Struct, frozen=True, omit_defaults=True):
    """Up to which logical time each list was read: the account's under "", NFTs under `items`, else by a jetton's account."""

    read: dict[str, int] = {}


class History:
    """One read of the stream."""

    def __init__(self, access: Access, subject: Subject, *, url: str, since: Cursor) -> None:
        self._subject = subject
        self._stream = since.stream
        self._indexer = Indexer(access, url=url, stream=since.stream)
        self._read = dict(msgspec.json.decode(since.token or "{}", type=Mark).read)
        self._wanted = depth_of(access.fields).since

    async def pages(self) -> AsyncIterator[Batch]:
        """Pages, each with the bookmark behind it. Raises: VenueError and its kin."""
        head = await self._indexer.ask(_END, "/masterchainInfo", {}, **self._about())
        purses = purses_of(await jettons_asked(self._indexer, self._subject))
        async for page in self._list("", _OWN, self._subject.raw):
            yield page
        moved = [purse for purse in purses.values() if self._has_moved(purse)]
        for purse in moved[:LISTS_MAX]:
            if purse.known is not None:
                address = purse.row.address.lower()
                async for page in self._list(address, _JETTON, address, _of(purse, purse.known)):
                    yield page
        async for page in self._list(_ITEMS, _ITEMS, self._subject.raw):
            yield page
        left = {"left": str(max(0, len(moved) - LISTS_MAX)), "unknown": str(sum(one.known is None for one in purses.values()))}
        ending = structs.replace(head, params={**head.params, **left})
        yield structs.replace(self._page([ending]), done=True)

    async def _list(self, name: str, read: str, address: str, more: dict[str, str] | None = None) -> AsyncIterator[Batch]:
        """Pages of one list, from behind what was read of it before."""
        path, owner = ("/nft/transfers", "owner_address") if read == _ITEMS else ("/transactions", "account")
        after = self._read.get(name)
        start = 0 if after is None else max(0, after - OVERLAP) if read == _ITEMS else after + 1
        is_over = False
        while not is_over:
            asked = {owner: address, "sort": "asc", "limit": str(PAGE), "start_lt": str(start)} | self._from_day()
            place = {"after": "" if after is None else str(after)}
            item = await self._indexer.ask(read, path, asked, **self._about(), **place, **(more or {}))
            times = _times(item)
            is_over = len(times) < PAGE
            if times:
                newest = max(times)
                # Rows of several accounts may share their logical time, so the page of NFTs begins where the last one ended.
                start = newest if read == _ITEMS and newest > start else newest + 1
                after = self._read[name] = max(newest, after or 0)
                yield self._page([item])

    def _from_day(self) -> dict[str, str]:
        return {} if self._wanted is None else {"start_utime": str(self._wanted // SECOND_MS)}

    def _has_moved(self, purse: Purse) -> bool:
        return int(purse.row.last_transaction_lt) > self._read.get(purse.row.address.lower(), 0)

    def _about(self) -> dict[str, str]:
        return {"wallet": self._subject.raw, "wanted": "" if self._wanted is None else str(self._wanted)}

    def _page(self, evidence: Sequence[Evidence]) -> Batch:
        batch = decode_history(self._subject.chain, self._stream, evidence)
        return structs.replace(batch, cursor=Cursor(self._stream, msgspec.json.encode(Mark(self._read)).decode()))


def decode_history(chain: TonChain, stream: str, evidence: Sequence[Evidence]) -> Batch:
    """The facts of one page out of its raw answers alone; the cursor is empty. Raises: VenueError."""
    item = evidence[0]
    params, at = item.params, received_at(evidence)
    subject = Subject(chain, params["wallet"])
    page = _trace(subject, stream, evidence) if params["read"] == TRACE else _DECODERS[params["read"]](subject, stream, item)
    covered: tuple[Interval, ...] = ()
    if params["read"] == _END:
        covered = (
            Interval(EpochMs(int(params["wanted"] or 0)), EpochMs(int(shaped(item.body, Head).last.gen_utime) * SECOND_MS)),
        )
    return Batch(
        cursor=Cursor(stream),
        observed_at=at,
        tokens=tuple({facts.id: facts for facts in (chain.native, *page.tokens)}.values()),
        wallets=(wallet_of(subject),),
        claims=page.claims,
        covered=covered,
        gaps=(*not_wanted(stream, params["wanted"]), *page.gaps),
        evidence=tuple(evidence),
    )


class _Page(Struct, frozen=True):
    claims: tuple[Claim, ...] = ()
    tokens: tuple[TokenFacts, ...] = ()
    gaps: tuple[Gap, ...] = ()


def _own(subject: Subject, stream: str, item: Evidence) -> _Page:
    rows = shaped(item.body, Transactions).transactions
    claims = [claim for row in rows if (claim := own_claim(subject, row, evidence=0)) is not None]
    return _Page(tuple(claims), (), _holes(stream, item))


def _jetton(subject: Subject, stream: str, item: Evidence) -> _Page:
    params = item.params
    known = Jetton(int(params["decimals"]), params["ticker"], params["name"])
    facts = jetton_facts(subject.chain, params["jetton"], known)
    claims, unread = [], 0
    for row in shaped(item.body, Transactions).transactions:
        try:
            claim = jetton_claim(subject, row, facts, evidence=0)
        except Unreadable:
            unread += 1
            continue
        if claim is not None:
            claims.append(claim)
    return _Page(tuple(claims), (facts,), (*_unreadable(stream, unread), *_holes(stream, item)))


def _unreadable(stream: str, count: int) -> tuple[Gap, ...]:
    text = f"{count} messages to accounts of jettons, whose content nobody can read"
    return (Gap(stream=stream, code="messages_unread", text=text),) if count else ()


def _trace(subject: Subject, stream: str, evidence: Sequence[Evidence]) -> _Page:
    claims, tokens, unread = told(subject, evidence)
    return _Page(tuple(claims), tuple(tokens), _unreadable(stream, unread))


def _items(subject: Subject, stream: str, item: Evidence) -> _Page:
    answer = shaped(item.body, ItemMoves)
    pairs = [(row, item_facts(subject.chain, row.nft_address.lower(), answer.metadata or {})) for row in answer.nft_transfers]
    claims = [claim for row, facts in pairs if (claim := item_claim(subject, row, facts, evidence=0)) is not None]
    return _Page(tuple({claim.ref: claim for claim in claims}.values()), tuple(facts for _, facts in pairs))


def _end(subject: Subject, stream: str, item: Evidence) -> _Page:
    gaps = []
    if int(item.params["unknown"]):
        text = "movements of jettons of which the indexer has not read what they say of themselves"
        gaps.append(Gap(stream=stream, code="decimals_unknown", text=text))
    if int(item.params["left"]):
        text = f"of {item.params['left']} jettons beyond {LISTS_MAX:,} that moved only the balance is read"
        gaps.append(Gap(stream=stream, code="accounts_unread", text=text))
    return _Page(gaps=tuple(gaps))


_DECODERS = {_OWN: _own, _JETTON: _jetton, _ITEMS: _items, _END: _end}


def _holes(stream: str, item: Evidence) -> tuple[Gap, ...]:
    """The gap for transactions that the indexer leaves out: each one names the one before it, the first one none."""
    before = item.params["after"] or ("" if item.params["wanted"] else "0")
    missing = 0
    for row in shaped(item.body, Transactions).transactions:
        missing += bool(before) and int(row.prev_trans_lt) not in (0, int(before))
        before = row.lt
    text = f"{missing} times a transaction names one before it that the indexer does not tell"
    return (Gap(stream=stream, code="transactions_unread", text=text),) if missing else ()


def _times(item: Evidence) -> list[int]:
    """The logical times of a page's rows."""
    if item.params["read"] == _ITEMS:
        return [int(row.transaction_lt) for row in shaped(item.body, ItemMoves).nft_transfers]
    return [int(row.lt) for row in shaped(item.body, Transactions).transactions]


def _of(purse: Purse, known: Jetton) -> dict[str, str]:
    """What a page of a jetton's account must know of the jetton."""
    return {"jetton": purse.row.jetton.lower(), "decimals": str(known.decimals), "ticker": known.ticker, "name": known.name}
