"""The stream `transfers/<network>`: every transaction of a stake address or of one address, oldest first.

The bookmark is a height: all below it was read, and the next read asks from it on, so neither new blocks nor a crash between two
pages can make a row be missed. Blocks that may still be replaced are read again, and what became of those that were seen is asked
first. Transactions that only concern the stake key (somebody else paid for them) are in a list of their own.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Mapping, Sequence

import msgspec
from msgspec import Struct, structs

from omnifolio.catalog.cardano_chains import CardanoChain
from omnifolio.model.clock import SECOND_MS, EpochMs
from omnifolio.model.errors import VenueBadResponse, VenueUnavailable
from omnifolio.model.facts import Batch, Cursor, Evidence, Finality, Gap, Interval, Rewind
from omnifolio.model.tokens import TokenFacts
from omnifolio.venues.answers import shaped
from omnifolio.venues.cardano.assets import Asked, assets_in, unstated
from omnifolio.venues.cardano.balances import TIP, tip_of
from omnifolio.venues.cardano.koios import ROWS, Server, fitting
from omnifolio.venues.cardano.movements import assets_of, claim_of
from omnifolio.venues.cardano.shapes import Block, Listed, Transaction, Update
from omnifolio.venues.cardano.subject import Subject
from omnifolio.venues.contract import Access, received_at
from omnifolio.venues.depth import depth_of
from omnifolio.venues.unwanted import not_wanted

PER_CALL = 12
"""Transactions in one question: a hash has 64 digits, a body a thousand bytes."""
PAGE = 48
"""Transactions in one page."""
KNOWN_HEIGHTS_MAX = 60
"""Blocks that are looked at again: they are those of the last ten minutes."""
_COLUMNS = (
    "tx_hash,block_hash,block_height,tx_timestamp,fee,deposit,treasury_donation,valid_contract,collateral_inputs,"
    "collateral_output,inputs,outputs,withdrawals,certificates"
)
_LIST, _UPDATES, _TRANSACTIONS, _KNOWN = "list", "updates", "transactions", "known"


class Mark(Struct, frozen=True, omit_defaults=True):
    """`height`: all below it was read. `until`: up to which instant what concerns the stake key was read, in seconds."""

    height: int = 0
    until: int = 0


class History:
    """One read of the stream."""

    def __init__(self, access: Access, subject: Subject, *, url: str, since: Cursor) -> None:
        self._access, self._subject, self._stream = access, subject, since.stream
        self._server = Server(access, url=url, stream=since.stream)
        self._assets = Asked(self._server, with_mint=False)
        self._mark = msgspec.json.decode(since.token or "{}", type=Mark)
        self._wanted = depth_of(access.fields).since
        self._final = 0
        self._seen: set[str] = set()

    async def pages(self) -> AsyncIterator[Batch]:
        """Pages, each with the bookmark behind it. Raises: VenueError and its kin."""
        tip = await self._server.ask(TIP, "tip")
        newest = tip_of(tip)
        self._final = newest.height - self._subject.chain.confirmations + 1
        if newest.height < self._mark.height:
            raise VenueUnavailable("the server is behind what was read before")
        moved = await self._moved()
        is_over = False
        while not is_over:
            listing = await self._listing()
            listed = shaped(listing.body, tuple[Listed, ...])
            new = [row for row in listed if row.tx_hash not in self._seen]
            is_over = len(listed) < ROWS
            if not is_over and not new:
                raise VenueBadResponse("the server lists more transactions of one block than there can be")
            for rows in fitting(new, size=PAGE):
                page = await self._page([row.tx_hash for row in rows], moved)
                moved = []
                self._mark = structs.replace(self._mark, height=max(row.block_height for row in rows))
                yield structs.replace(page, cursor=self._cursor())
        rest = await self._updates() if self._subject.is_account else []
        for chunk in fitting(rest, size=PAGE):
            page = await self._page(chunk, moved)
            moved = []
            yield structs.replace(page, cursor=self._cursor())
        # What may still be replaced is read again, and no block below it is expected to change.
        self._mark = Mark(max(self._final, 0), max(newest.block_time - self._subject.chain.confirmations * 60, 0))
        ending = structs.replace(tip, params={**tip.params, **self._about(), "end": "yes"})
        batch = decode_history(self._subject.chain, self._stream, [ending, *moved])
        yield structs.replace(batch, cursor=self._cursor(), done=True)

    async def _listing(self) -> Evidence:
        """Transactions from the bookmark on, in an order that stays."""
        wanted = {} if self._wanted is None else {"block_time": f"gte.{self._wanted // SECOND_MS}"}
        query = {
            "select": "tx_hash,block_height",
            **wanted,
            "order": "block_height.asc,tx_hash.asc",
            "limit": str(ROWS),
        }
        after = max(self._mark.height, 0)
        if self._subject.is_account:
            return await self._server.ask(
                _LIST,
                "account_txs",
                query={"_stake_address": self._subject.address, "_after_block_height": str(after), **query},
            )
        body = {"_addresses": [self._subject.address], "_after_block_height": after}
        return await self._server.ask(_LIST, "address_txs", query=query, body=body)

    async def _updates(self) -> list[str]:
        """Names of transactions that concern the stake key and were not in the list."""
        found: dict[str, None] = {}
        count = 0
        begin = max(self._mark.until, 0 if self._wanted is None else self._wanted // SECOND_MS)
        while True:
            query = {
                "select": "tx_hash",
                "block_time": f"gte.{begin}",
                "order": "absolute_slot.asc,tx_hash.asc,action_type.asc",
                "limit": str(ROWS),
                "offset": str(count),
            }
            body = {"_stake_addresses": [self._subject.address]}
            rows = shaped(
                (await self._server.ask(_UPDATES, "account_update_history", query=query, body=body)).body, tuple[Update, ...]
            )
            found |= dict.fromkeys(row.tx_hash for row in rows if row.tx_hash not in self._seen)
            count += len(rows)
            if len(rows) < ROWS:
                return list(found)

    async def _moved(self) -> list[Evidence]:
        """What became of the blocks that earlier reads saw as provisional."""
        heights = sorted(self._access.known.provisional.items())[-KNOWN_HEIGHTS_MAX:]
        if not heights:
            return []
        listed = ",".join(str(height) for height, _ in heights)
        hashes = ",".join(f"{height}:{name}" for height, name in heights)
        query = {"select": "hash,block_height", "block_height": f"in.({listed})"}
        return [await self._server.ask(_KNOWN, "blocks", query=query, hashes=hashes)]

    async def _page(self, names: Sequence[str], moved: Sequence[Evidence]) -> Batch:
        about = self._about()
        evidence = await transactions_asked(self._server, names, **about)
        told = told_of(evidence)
        keys = {key for one in told for key in assets_of(self._subject, one)}
        evidence += [*await self._assets.about(keys), *moved]
        self._seen |= {*names}
        return decode_history(self._subject.chain, self._stream, evidence)

    def _about(self) -> dict[str, str]:
        wanted = "" if self._wanted is None else str(self._wanted)
        return {"wallet": self._subject.address, "final": str(self._final), "wanted": wanted}

    def _cursor(self) -> Cursor:
        return Cursor(self._stream, msgspec.json.encode(self._mark).decode())


async def transactions_asked(server: Server, names: Sequence[str], **about: str) -> list[Evidence]:
    """The answers that tell transactions by their hashes, asked for at the same time. Raises: VenueError and its kin."""

    def ask(chunk: Sequence[str]) -> Awaitable[Evidence]:
        body = {"_tx_hashes": list(chunk), "_inputs": True, "_assets": True, "_withdrawals": True, "_certs": True}
        return server.ask(_TRANSACTIONS, "tx_info", query={"select": _COLUMNS}, body=body, asked=",".join(chunk), **about)

    return await asyncio.gather(*(ask(chunk) for chunk in fitting(names, size=PER_CALL)))


def decode_history(chain: CardanoChain, stream: str, evidence: Sequence[Evidence]) -> Batch:
    """The facts of one page out of its raw answers alone; the cursor is empty. Raises: VenueError."""
    params, at = evidence[0].params, received_at(evidence)
    subject, wanted = Subject(chain, params["wallet"]), int(params["wanted"] or 0)
    told = [(index, one) for index, item in enumerate(evidence) for one in told_of([item])]
    keys = {key for _, one in told for key in assets_of(subject, one)}
    assets = assets_in(chain, evidence, keys)
    claims = []
    tokens: dict[str, TokenFacts] = {chain.native.id: chain.native}
    for index, one in told:
        finality: Finality = "final" if one.block_height <= int(params["final"]) else "provisional"
        found = claim_of(subject, one, assets, finality=finality, evidence=index) if one.at >= wanted else None
        if found is not None:
            claims.append(found[0])
            tokens |= {facts.id: facts for facts in found[1]}
    gaps = [*not_wanted(stream, params["wanted"]), *unstated(stream, assets.values())]
    missing = {name for item in evidence for name in item.params.get("asked", "").split(",") if name} - {
        one.tx_hash for _, one in told
    }
    if missing:
        gaps.append(
            Gap(stream=stream, code="transactions_unread", text=f"the server does not tell {len(missing)} listed transactions")
        )
    moved = _replaced(evidence)
    return Batch(
        cursor=Cursor(stream),
        observed_at=at,
        tokens=tuple(tokens.values()),
        wallets=subject.wallets(),
        claims=tuple({claim.ref: claim for claim in claims}.values()),
        covered=(Interval(EpochMs(wanted), at),) if "end" in params else (),
        gaps=tuple(gaps),
        rewind=Rewind(stream, min(moved) - 1) if moved else None,
        evidence=tuple(evidence),
    )


def told_of(evidence: Sequence[Evidence]) -> list[Transaction]:
    """The transactions that the answers tell. Raises: VenueBadResponse."""
    return [
        one for item in evidence if item.params["read"] == _TRANSACTIONS for one in shaped(item.body, tuple[Transaction, ...])
    ]


def _replaced(evidence: Sequence[Evidence]) -> list[int]:
    """Heights whose block is another one now, or none."""
    found: list[int] = []
    for item in evidence:
        if item.params["read"] == _KNOWN:
            now: Mapping[int, str] = {row.block_height: row.hash for row in shaped(item.body, tuple[Block, ...])}
            for entry in item.params["hashes"].split(","):
                height, _, name = entry.partition(":")
                found += [int(height)] if now.get(int(height)) != name else []
    return found
