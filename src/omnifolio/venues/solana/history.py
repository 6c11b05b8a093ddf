"""The stream `transfers/<network>`: every final transaction of a wallet and of its token accounts, newest first.

A payment into a token account does not name the wallet, so each of them has a list of its own: those that the node tells now, and
those that transactions tell, which may be closed by now. The bookmark holds how far each list was read.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence

import msgspec
from msgspec import Struct, structs

from omnifolio.catalog.solana_chains import SolanaChain
from omnifolio.model.clock import EpochMs
from omnifolio.model.facts import Batch, Cursor, Evidence, Gap, Interval
from omnifolio.model.tokens import TokenFacts
from omnifolio.venues.contract import Access, received_at
from omnifolio.venues.depth import depth_of
from omnifolio.venues.solana.balances import held_of, mints_asked, mints_of, token_accounts
from omnifolio.venues.solana.held import wallets_of
from omnifolio.venues.solana.movements import Subject, claim_of
from omnifolio.venues.solana.rpc import FINAL, Node, reply_of
from omnifolio.venues.solana.shapes import Signature, TokenBalance, Told
from omnifolio.venues.unwanted import not_wanted

PAGE = 50
"""Transactions in one page, each of which costs a question."""
AT_ONCE = 8
"""Questions under way at the same time."""
ACCOUNTS_MAX = 2_000
"""Token accounts whose lists are read; each costs a question at every read."""
_LIST, TRANSACTION, _END = "list", "transaction", "end"
OPTIONS = {**FINAL, "encoding": "json", "maxSupportedTransactionVersion": 0}
"""How a transaction is asked for."""


class Place(Struct, frozen=True, array_like=True):
    """A list that is being read: its newest signature, and the oldest that was read."""

    top: str
    before: str


class Mark(Struct, frozen=True, omit_defaults=True):
    """`until`: what was read of each list that was read to its end. `open`: lists under way. `found`: accounts to be read yet."""

    until: dict[str, str] = {}
    open: dict[str, Place] = {}
    found: tuple[str, ...] = ()


class History:
    """One read of the stream."""

    def __init__(self, access: Access, subject: Subject, *, url: str, since: Cursor) -> None:
        self._subject = subject
        self._stream = since.stream
        self._node = Node(access, url=url, stream=since.stream)
        self._mark = msgspec.json.decode(since.token or "{}", type=Mark)
        self._wanted = depth_of(access.fields).since

    async def pages(self) -> AsyncIterator[Batch]:
        """Pages, each with the bookmark behind it. Raises: VenueError and its kin."""
        wallet = self._subject.address
        current = list(held_of(await token_accounts(self._node, wallet)))
        waiting = [wallet, *sorted({*current, *self._mark.open, *self._mark.found} - {wallet})]
        read: set[str] = set()
        while waiting and len(read) <= ACCOUNTS_MAX:
            address = waiting.pop(0)
            read.add(address)
            is_resumed = address in self._mark.open
            async for page in self._list(address):
                yield page
            if is_resumed:  # what came since that walk began is above its top
                async for page in self._list(address):
                    yield page
            waiting += [name for name in self._mark.found if name not in read and name not in waiting]
        ending = await self._node.ask(_END, "getSlot", [FINAL], left=str(len(waiting)), **self._about(wallet))
        yield structs.replace(self._page([ending]), done=True)

    async def _list(self, address: str) -> AsyncIterator[Batch]:
        """Pages of one list, down to what was read of it before."""
        place = self._mark.open.get(address, Place("", ""))
        is_over = False
        while not is_over:
            listing = await self._listing(address, before=place.before)
            rows = reply_of(listing).read(list[Signature])
            wanted = [row for row in rows if not self._is_early(row)]
            is_over = len(rows) < PAGE or len(wanted) < len(rows)
            if rows:
                place = Place(place.top or rows[0].signature, rows[-1].signature)
            evidence = [listing, *await self._transactions([row.signature for row in wanted])]
            told = [found for item in evidence if (found := told_of(item)) is not None]
            evidence += await mints_asked(self._node, [row.mint for row in self._own(told) if not row.ui_token_amount.decimals])
            self._move(address, place, self._accounts(told), is_over=is_over)
            if wanted:
                yield self._page(evidence)

    async def _listing(self, address: str, *, before: str) -> Evidence:
        until = self._mark.until.get(address, "")
        bounds = ({"before": before} if before else {}) | ({"until": until} if until else {})
        params = [address, {**FINAL, "limit": PAGE, **bounds}]
        return await self._node.ask(_LIST, "getSignaturesForAddress", params, **self._about(address))

    async def _transactions(self, names: Sequence[str]) -> list[Evidence]:
        kept: list[Evidence] = []
        for start in range(0, len(names), AT_ONCE):
            asked = [self._node.ask(TRANSACTION, "getTransaction", [name, OPTIONS]) for name in names[start : start + AT_ONCE]]
            kept += await asyncio.gather(*asked)
        return kept

    def _own(self, told: Sequence[Told]) -> list[TokenBalance]:
        """What transactions tell of the wallet's token accounts."""
        metas = [found.meta for found in told if found.meta is not None]
        rows = [row for meta in metas for row in (*(meta.pre_token_balances or ()), *(meta.post_token_balances or ()))]
        return [row for row in rows if row.owner in ("", self._subject.address)]

    def _accounts(self, told: Sequence[Told]) -> set[str]:
        return {found.accounts[row.account_index] for found in told for row in self._own([found]) if row.owner}

    def _move(self, address: str, place: Place, accounts: set[str], *, is_over: bool) -> None:
        mark = self._mark
        under_way = {name: where for name, where in mark.open.items() if name != address}
        until = dict(mark.until)
        if not is_over:
            under_way[address] = place
        elif place.top:
            until[address] = place.top
        new = (accounts | set(mark.found)) - until.keys() - ({address} if is_over else set())
        self._mark = Mark(until, under_way, tuple(sorted(new)))

    def _is_early(self, row: Signature) -> bool:
        return self._wanted is not None and row.block_time is not None and row.block_time * 1000 < self._wanted

    def _about(self, address: str) -> dict[str, str]:
        wanted = "" if self._wanted is None else str(self._wanted)
        return {"wallet": self._subject.address, "list": address, "wanted": wanted}

    def _page(self, evidence: Sequence[Evidence]) -> Batch:
        batch = decode_history(self._subject.chain, self._stream, evidence)
        return structs.replace(batch, cursor=Cursor(self._stream, msgspec.json.encode(self._mark).decode()))


def decode_history(chain: SolanaChain, stream: str, evidence: Sequence[Evidence]) -> Batch:
    """The facts of one page out of its raw answers alone; the cursor is empty. Raises: VenueError."""
    params: Mapping[str, str] = evidence[0].params
    wallet, at = params["wallet"], received_at(evidence)
    subject = Subject(chain, wallet, frozenset({params["list"]} - {wallet}))
    mints = mints_of(evidence)
    claims = []
    tokens: dict[str, TokenFacts] = {chain.native.id: chain.native}
    unread = 0
    for index, item in enumerate(evidence):
        if item.params["read"] != TRANSACTION:
            continue
        told = told_of(item)
        if told is None:
            unread += 1
        elif (found := claim_of(subject, told, mints, evidence=index)) is not None:
            claims.append(found[0])
            tokens |= {facts.id: facts for facts in found[1]}
    is_end = params["read"] == _END
    gaps = list(not_wanted(stream, params["wanted"]))
    if unread:
        gaps.append(Gap(stream=stream, code="transactions_unread", text=f"the node does not tell {unread} listed transactions"))
    if int(params.get("left", "0")):
        text = f"of {params['left']} token accounts beyond {ACCOUNTS_MAX} only the balance is read"
        gaps.append(Gap(stream=stream, code="accounts_unread", text=text))
    return Batch(
        cursor=Cursor(stream),
        observed_at=at,
        tokens=tuple(tokens.values()),
        wallets=wallets_of(subject),
        claims=tuple({claim.ref: claim for claim in claims}.values()),
        covered=(Interval(EpochMs(int(params["wanted"] or 0)), at),) if is_end else (),
        gaps=tuple(gaps),
        evidence=tuple(evidence),
    )


def told_of(item: Evidence) -> Told | None:
    """The transaction, as far as the node keeps what it changed and when."""
    if item.params["read"] != TRANSACTION:
        return None
    found = reply_of(item).read(Told | None)  # type: ignore[arg-type]  # a union is no type to the checker, but one to msgspec
    return found if found is not None and found.meta is not None and found.block_time is not None else None
