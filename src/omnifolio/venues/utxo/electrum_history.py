"""The stream `transfers/<chain>` at an Electrum server: every transaction of a wallet's scripts, oldest first.

The server lists the histories of all scripts; what lies behind the bookmark is fetched page by page, with the transactions whose
outputs it spends, because only those say whose coins they were. Every transaction's bytes are checked against its name. The
provisional end of the chain is read again each time, what waits for a block is a set that replaces the one before.
"""

from collections.abc import AsyncIterator, Mapping, Sequence

from msgspec import Struct, structs

from omnifolio.catalog.utxo_chains import UtxoChain
from omnifolio.model.clock import EpochMs
from omnifolio.model.errors import VenueBadResponse, VenueUnavailable
from omnifolio.model.facts import Batch, Claim, Cursor, Evidence, Finality, Interval, Rewind
from omnifolio.venues.contract import Access, received_at
from omnifolio.venues.depth import depth_of
from omnifolio.venues.unwanted import not_wanted
from omnifolio.venues.utxo.electrum import CALLS_MAX, Ask, Reply, Server, gathered, header, params_of, transaction
from omnifolio.venues.utxo.electrum_scan import Found, first_height, scanned
from omnifolio.venues.utxo.marks import Anchor, HistoryMark, read_mark, write_mark
from omnifolio.venues.utxo.movements import Coin, Transaction, claim_of
from omnifolio.venues.utxo.raw import Header, RawOutput, RawTransaction, read_header, read_transaction
from omnifolio.venues.utxo.scripts import address_of
from omnifolio.venues.utxo.subject import Subject, subject_of
from omnifolio.venues.utxo.zcash import read_zcash

TRANSACTIONS_PER_PAGE = 200
KNOWN_HEIGHTS_MAX = 2_000
"""Provisional heights that are compared in one read."""
PENDING_MAX = 1_000
"""Waiting transactions of one wallet that are read."""
_HEAD, _PAGE, _TRANSACTIONS, _SPENT = "head", "page", "transactions", "spent"
_PIN = "pin"
_LAST = "~"
"""Stands behind every transaction's name in the order of a block."""
_TIP = -1
"""Stands for the newest block's height among a page's headers."""


class Plan(Struct, frozen=True):
    """What there is to read: (height, name) of each transaction in blocks in their order, names of those that wait."""

    settled: list[tuple[int, str]]
    pending: list[str]
    names: frozenset[bytes]
    """The names of all transactions of the wallet: what they do not have among them was never the wallet's own."""


class History:
    """One read of the stream."""

    def __init__(self, access: Access, subject: Subject, *, url: str, since: Cursor) -> None:
        self._access = access
        self._subject = subject
        self._stream = since.stream
        self._server = Server(access, url=url, stream=since.stream)
        self._mark = read_mark(since.token, HistoryMark)
        self._wanted = depth_of(access.fields).since

    async def pages(self) -> AsyncIterator[Batch]:
        """The pages after the cursor, up to the newest block and what waits. Raises: VenueError and its kin."""
        chain = self._subject.chain
        opening = await self._head()
        _check_anchor(chain, opening)
        found = await scanned(self._server, self._subject, ends=self._mark.ends, with_balances=False)
        if _reaches_back(found, self._mark):
            self._mark = structs.replace(self._mark, height=0, name="", at=EpochMs(0))
        if self._wanted is not None and not self._mark.height:
            height = await first_height(self._server, chain, found.tip.height, since=self._wanted)
            self._mark = structs.replace(self._mark, height=height - 1, name=_LAST, at=self._wanted)
        self._mark = structs.replace(self._mark, ends=found.ends)
        final = found.tip.height - chain.confirmations + 1
        plan = _plan(found, (self._mark.height, self._mark.name))
        for start in range(0, len(plan.settled), TRANSACTIONS_PER_PAGE):
            listed = plan.settled[start : start + TRANSACTIONS_PER_PAGE]
            evidence = opening + await self._page(found, plan, {name: height for height, name in listed}, final=final)
            opening = []
            batch = decode_history(chain, self._stream, evidence)
            self._move_on(listed, gathered(evidence, _PAGE), final=final)
            yield structs.replace(batch, cursor=Cursor(self._stream, write_mark(self._mark)))
        pending = dict.fromkeys(plan.pending[:PENDING_MAX], 0)
        evidence = opening + await self._page(found, plan, pending, final=final, is_last=True)
        seen = _seen(params_of(evidence, _PAGE))
        batch = decode_history(chain, self._stream, evidence)
        mark = structs.replace(self._mark, seen=seen)
        yield structs.replace(batch, cursor=Cursor(self._stream, write_mark(mark)), done=True)

    async def _head(self) -> list[Evidence]:
        """What became of the blocks that earlier reads saw."""
        asks = []
        if self._mark.anchor is not None:
            anchor = self._mark.anchor
            asks.append(header(f"anchor:{anchor.height}={anchor.hash}", anchor.height))
        heights = sorted(self._access.known.provisional.items())[:KNOWN_HEIGHTS_MAX]
        asks += [header(f"known:{height}={block_hash}", height) for height, block_hash in heights]
        return (await self._server.ask(_HEAD, asks)).evidence

    async def _page(
        self, found: Found, plan: Plan, listed: Mapping[str, int], *, final: int, is_last: bool = False
    ) -> list[Evidence]:
        """The listed transactions with all that their meaning needs. Raises: VenueUnavailable when the chain moved meanwhile."""
        kept = (await self._server.ask(_TRANSACTIONS, [transaction(name) for name in listed])).evidence
        raws = _raws(self._subject.chain, kept, _TRANSACTIONS)
        spent = dict.fromkeys(name for raw in raws.values() for name in _needed(raw, plan.names) if name not in raws)
        kept += (await self._server.ask(_SPENT, [transaction(name) for name in spent])).evidence
        heights = sorted({height for height in listed.values() if height > 0})
        now = self._access.clock.now()
        seen = {name: self._mark.seen.get(name, now) for name, height in listed.items() if height <= 0}
        asks: list[Ask] = [header(str(height), height) for height in heights]
        pinned = await self._server.ask(
            _PAGE,
            [*asks, header(_PIN, found.tip.height)],
            wallet=self._subject.text,
            ends=",".join(map(str, found.ends)),
            listed=",".join(f"{name}:{height}" for name, height in listed.items()),
            since=str(self._mark.at),
            final=str(final),
            seen=",".join(f"{name}:{at}" for name, at in seen.items()),
            last="yes" if is_last else "",
            wanted="" if self._wanted is None else str(self._wanted),
        )
        if pinned.replies[_PIN].read(str) != found.tip.hex:
            raise VenueUnavailable("the chain moved while it was read")
        return kept + pinned.evidence

    def _move_on(self, listed: Sequence[tuple[int, str]], headers: Mapping[str, Reply], *, final: int) -> None:
        """Moves the bookmark to the last listed transaction that is final."""
        settled = [entry for entry in listed if entry[0] <= final]
        if settled:
            height, name = settled[-1]
            block = _headers(self._subject.chain, headers)[height]
            self._mark = structs.replace(self._mark, height=height, name=name, at=block.at, anchor=Anchor(height, block.hash))


def _reaches_back(found: Found, mark: HistoryMark) -> bool:
    """A script that was not looked at before has history that lies behind the bookmark."""
    if not mark.ends:
        return False
    return any(
        0 < listed.height <= mark.height
        for place, history in found.histories.items()
        if place.branch >= len(mark.ends) or place.index >= mark.ends[place.branch]
        for listed in history
    )


def _plan(found: Found, behind: tuple[int, str]) -> Plan:
    settled: set[tuple[int, str]] = set()
    pending: dict[str, None] = {}
    names: set[bytes] = set()
    for history in found.histories.values():
        for listed in history:
            names.add(bytes.fromhex(listed.tx_hash))
            if listed.height <= 0:
                pending[listed.tx_hash] = None
            elif (listed.height, listed.tx_hash) > behind:
                settled.add((listed.height, listed.tx_hash))
    found.histories.clear()
    return Plan(sorted(settled), list(pending), frozenset(names))


def _needed(raw: RawTransaction, names: frozenset[bytes]) -> list[str]:
    """The transactions whose outputs must be known: all that are spent, where one of them may be the wallet's own."""
    spent = list(dict.fromkeys(point.name for point in raw.inputs))
    return spent if any(bytes.fromhex(name) in names for name in spent) else []


def decode_history(chain: UtxoChain, stream: str, evidence: Sequence[Evidence]) -> Batch:
    """The facts of one page out of its raw answers alone; the cursor is empty. Raises: VenueBadResponse."""
    params = params_of(evidence, _PAGE)
    subject = subject_of(chain.id, params["wallet"])
    headers = _headers(chain, gathered(evidence, _PAGE))
    raws = _raws(chain, evidence, _TRANSACTIONS)
    outputs = raws | _raws(chain, evidence, _SPENT)
    own = subject.scripts(tuple(map(int, params["ends"].split(","))))
    seen, final = _seen(params), int(params["final"])
    index = next((n for n, item in enumerate(evidence) if item.params.get("read") == _TRANSACTIONS), None)
    claims: list[Claim] = []
    for entry in filter(None, params["listed"].split(",")):
        name, _, text = entry.partition(":")
        height = int(text)
        block = headers.get(height, Header("", seen.get(name, EpochMs(0))))
        moved = _moved(subject, own, name, outputs, height=height, block=block)
        finality: Finality = "pending" if height <= 0 else "final" if height <= final else "provisional"
        claim = claim_of(subject, moved, finality=finality, evidence=index)
        if claim is not None:
            claims.append(claim)
    is_last = bool(params["last"])
    end = headers[_TIP].at if is_last else max((claim.at for claim in claims), default=EpochMs(int(params["since"])))
    return Batch(
        cursor=Cursor(stream),
        observed_at=received_at(evidence),
        tokens=(chain.native,),
        wallets=(subject.facts(),),
        claims=tuple(claims),
        covered=(Interval(EpochMs(int(params["since"])), end),) if end > int(params["since"]) else (),
        gaps=not_wanted(stream, params["wanted"]),
        rewind=_rewind(chain, stream, evidence),
        pending_complete=is_last,
        evidence=tuple(evidence),
    )


def _headers(chain: UtxoChain, replies: Mapping[str, Reply]) -> dict[int, Header]:
    return {_TIP if about == _PIN else int(about): read_header(reply.read(str), chain) for about, reply in replies.items()}


def _raws(chain: UtxoChain, evidence: Sequence[Evidence], read: str) -> dict[str, RawTransaction]:
    reading = read_zcash if chain.transactions == "zcash" else read_transaction
    return {name: reading(reply.read(str), name) for name, reply in gathered(evidence, read).items()}


def _seen(params: Mapping[str, str]) -> dict[str, EpochMs]:
    pairs = (entry.partition(":") for entry in filter(None, params["seen"].split(",")))
    return {name: EpochMs(int(at)) for name, _, at in pairs}


def _moved(
    subject: Subject,
    own: frozenset[bytes],
    name: str,
    known: Mapping[str, RawTransaction],
    *,
    height: int,
    block: Header,
) -> Transaction:
    raw = known[name]

    def coin(output: RawOutput) -> Coin:
        return Coin(output.units, output.script in own, address_of(subject.chain, output.script))

    spent = [(known[point.name].outputs, point.n) for point in raw.inputs if point.name in known]
    if any(n >= len(outputs) for outputs, n in spent):
        raise VenueBadResponse("a transaction spends an output that there is not")
    return Transaction(
        name=name,
        inputs=tuple(coin(outputs[n]) for outputs, n in spent) if len(spent) == len(raw.inputs) else None,
        outputs=tuple(map(coin, raw.outputs)),
        is_coinbase=raw.is_coinbase,
        at=block.at,
        height=height,
        block_hash=block.hash,
        shielded=raw.shielded,
    )


def _compared(chain: UtxoChain, evidence: Sequence[Evidence], prefix: str) -> list[tuple[int, str, str]]:
    """(height, stored hash, hash now) of each block that was asked for again and that the server has."""
    found = []
    for about, reply in gathered(evidence, _HEAD).items():
        if about.startswith(prefix) and reply.error is None:
            height, _, stored = about.removeprefix(prefix).partition("=")
            found.append((int(height), stored, read_header(reply.read(str), chain).hash))
    return found


def _rewind(chain: UtxoChain, stream: str, evidence: Sequence[Evidence]) -> Rewind | None:
    """The rewind that a moved chain asks for: above the highest height below the first block that is another one now."""
    moved = [height for height, stored, now in _compared(chain, evidence, "known:") if now != stored]
    return Rewind(stream, min(moved) - 1) if moved else None


def _check_anchor(chain: UtxoChain, evidence: Sequence[Evidence]) -> None:
    if any(about.startswith("anchor:") and reply.error is not None for about, reply in gathered(evidence, _HEAD).items()):
        raise VenueUnavailable("the server is behind what was read before")
    for height, stored, now in _compared(chain, evidence, "anchor:"):
        if now != stored:
            raise VenueBadResponse(
                f"block {height}, read as final before, is another one now: the server follows another chain, "
                f"or this one was reorganised deeper than {chain.confirmations} blocks"
            )


assert TRANSACTIONS_PER_PAGE <= CALLS_MAX, "a page's transactions stand in one exchange"
