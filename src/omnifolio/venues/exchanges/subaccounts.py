"""Sub-accounts that a master's key may read: each of their purses is a wallet of its own, `sub/<name>/<place>`.

What lies there is in none of the master's balances, so nothing counts twice. Their histories are not told to the master's key.
"""

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from omnifolio.model.amounts import total
from omnifolio.model.clock import DAY_MS, EpochMs
from omnifolio.model.facts import Balance, Batch, Cursor, Evidence, Gap, Product, Snapshot, Wallet
from omnifolio.model.tokens import TokenId
from omnifolio.venues.contract import received_at
from omnifolio.venues.exchanges.answers import Context, Page, Seen, SnapshotParser, read_list

SCOPE = "sub"
"""The scope of the streams that tell them."""

HeldThere = tuple[Product, TokenId, Decimal]
"""Product, token and amount that a row tells of the purse that was asked about."""


class Purse(Struct, frozen=True, kw_only=True):
    """Rows of one purse of a sub-account: all its balances of the products that it `tells`."""

    name: str
    place: str
    rows: Sequence[Any]
    read: Callable[[Context, Any], Iterable[HeldThere]]
    tells: tuple[Product, ...]


def wallet(key: str) -> Wallet:
    """The wallet of a purse, by its key."""
    _, _, rest = key.partition("/")
    name, _, place = rest.rpartition("/")
    return Wallet(key=key, name=f"Sub-account {name}: {place}")


class Memory(Struct, frozen=True, kw_only=True):
    """What a stream of sub-accounts remembers in its token: when it found nothing, and which purses (wallet and product) it told
    last."""

    rested_at: int | None = None
    purses: tuple[tuple[str, Product], ...] = ()


def memory_of(token: str) -> Memory:
    """What a token says; one that cannot be read says nothing."""
    try:
        return msgspec.json.decode(token, type=Memory) if token else Memory()
    except msgspec.DecodeError:
        return Memory()


def is_resting(token: str, now: EpochMs) -> bool:
    """Whether nothing was found less than a day ago."""
    at = memory_of(token).rested_at
    return at is not None and now - at < DAY_MS


def untold(since: Cursor, now: EpochMs) -> Batch:
    """What a refusal amounts to: what was known stays, and nothing is asked for a day."""
    return Batch(cursor=_cursor(since, Memory(rested_at=now, purses=memory_of(since.token).purses)), observed_at=now, done=True)


def followed(batch: Batch, since: Cursor, now: EpochMs) -> Batch:
    """The balances that were read, and emptiness for each purse of before that a whole answer no longer names: a sub-account that
    was closed holds nothing."""
    before = memory_of(since.token).purses
    told = tuple((snapshot.wallet, snapshot.product) for snapshot in batch.snapshots)
    if batch.gaps:
        return replace(batch, cursor=_cursor(since, Memory(purses=tuple(dict.fromkeys((*before, *told))))))
    gone = [purse for purse in before if purse not in told]
    emptied = (Snapshot(wallet=key, product=product, at=now, balances=(), evidence=0) for key, product in gone)
    keys = dict.fromkeys(key for key, _ in gone if key not in {known.key for known in batch.wallets})
    return replace(
        batch,
        cursor=_cursor(since, Memory(rested_at=None if told else now, purses=told)),
        wallets=(*batch.wallets, *(wallet(key) for key in keys)),
        snapshots=(*batch.snapshots, *emptied),
    )


def _cursor(since: Cursor, memory: Memory) -> Cursor:
    return Cursor(since.stream, msgspec.json.encode(memory).decode())


def balances(purses_of: Callable[[Evidence], Iterable[Purse]]) -> SnapshotParser:
    """The parser of all answers about sub-accounts; `purses_of` gives what one answer tells. Raises: VenueBadResponse."""

    def parse(context: Context, evidence: Sequence[Evidence]) -> Page:
        snapshots: list[Snapshot] = []
        gaps: list[Gap] = []
        for purse in (purse for item in evidence for purse in purses_of(item)):
            held: dict[Product, dict[TokenId, list[Decimal]]] = {product: {} for product in purse.tells}

            def take(row: Any, purse: Purse = purse, held: dict[Product, dict[TokenId, list[Decimal]]] = held) -> None:
                for product, token, amount in purse.read(context, row):
                    held[product].setdefault(token, []).append(amount)

            bad = read_list(context, purse.rows, take)
            gaps += bad
            if not bad:
                snapshots += _told(f"{SCOPE}/{purse.name}/{purse.place}", held, evidence)
        return Page(seen=Seen(rows=len(snapshots)), snapshots=snapshots, gaps=gaps)

    return parse


def _told(key: str, held: dict[Product, dict[TokenId, list[Decimal]]], evidence: Sequence[Evidence]) -> Iterable[Snapshot]:
    for product, tokens in held.items():
        sums = ((token, total(amounts)) for token, amounts in sorted(tokens.items()))
        found = tuple(Balance(token, amount) for token, amount in sums if amount)
        yield Snapshot(wallet=key, product=product, at=received_at(evidence), balances=found, evidence=0)
