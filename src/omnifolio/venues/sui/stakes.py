"""Staked coins of an address, and what they have earned: by the rates at which their pool counted when they began and counts now.

Source: `staking_pool.move` of Sui's system package, seen 2026-11: a stake is worth `principal * tokens // coins` of its first
epoch in pool tokens, and these `coins // tokens` of now; what does not count yet has earned nothing.
"""

import base64
import binascii
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence

import msgspec
from msgspec import Struct

from omnifolio.model.errors import VenueBadResponse
from omnifolio.model.facts import Evidence
from omnifolio.venues.sui.queries import QUERIES, RATES, STAKES, VALIDATORS
from omnifolio.venues.sui.server import Server, data_of, is_refused
from omnifolio.venues.sui.shapes import Contents, Page, T, Validator

PAGES_MAX = 20
"""Pages of stakes or validators that are read."""
_STAKE_BYTES, _RATE_BYTES = 80, 16


class Stake(Struct, frozen=True):
    """One staked object. `since` is the epoch from which on it earns."""

    pool: str
    since: int
    units: int


class Rate(Struct, frozen=True):
    """What a pool's tokens are worth: so many coins for so many tokens."""

    coins: int
    tokens: int


class _Table(Struct, frozen=True):
    id: str


class _Pool(Struct, frozen=True):
    id: str
    sui_balance: str
    pool_token_balance: str
    exchange_rates: _Table


class _Staking(Struct, frozen=True):
    staking_pool: _Pool


async def stakes_asked(server: Server, address: str, *, at: int) -> AsyncIterator[Evidence]:
    """All pages of the address's staked objects at a checkpoint; where there are any, the pools and rates that tell rewards."""
    found: list[Evidence] = []
    after: str | None = None
    for _ in range(PAGES_MAX):
        found.append(await server.ask(STAKES, QUERIES[STAKES], {"address": address, "at": at, "after": after}))
        yield found[-1]
        after = _next(_objects(found[-1]))
        if after is None:
            break
    stakes = stakes_of(found)
    if not stakes:
        return
    validators: list[Evidence] = []
    for _ in range(PAGES_MAX):
        item = await server.ask(VALIDATORS, QUERIES[VALIDATORS], {"at": at, "after": after})
        yield item
        if is_refused(item):
            return
        validators.append(item)
        after = _next(_validators(item))
        if after is None:
            break
    pools = pools_of(validators)
    for pool in sorted({stake.pool for stake in stakes} & pools.keys()):
        epochs = sorted({stake.since for stake in stakes if stake.pool == pool})
        keys = [{"type": "u64", "bcs": base64.b64encode(epoch.to_bytes(8, "little")).decode()} for epoch in epochs]
        variables = {"at": at, "table": pools[pool][1], "keys": keys}
        yield await server.ask(RATES, QUERIES[RATES], variables, pool=pool, epochs=",".join(map(str, epochs)))


def is_cut(evidence: Sequence[Evidence]) -> bool:
    """Whether there are more staked objects than were read. Raises: VenueBadResponse."""
    pages = [item for item in evidence if item.params["read"] == STAKES]
    return bool(pages) and _next(_objects(pages[-1])) is not None


def stakes_of(evidence: Iterable[Evidence]) -> list[Stake]:
    """The staked objects that the answers among the evidence tell. Raises: VenueBadResponse."""
    pages = [_objects(item) for item in evidence if item.params["read"] == STAKES]
    return [_stake(row.contents.bcs if row.contents else None) for page in pages for row in page.nodes]


def pools_of(evidence: Iterable[Evidence]) -> dict[str, tuple[Rate, str]]:
    """What the pools of the active validators are worth now and where their earlier rates stand, by pool."""
    found = {}
    for item in evidence:
        if item.params["read"] == VALIDATORS and not is_refused(item):
            for row in _validators(item).nodes:
                try:
                    pool = msgspec.json.decode(row.contents.json if row.contents else b"null", type=_Staking).staking_pool
                    now = Rate(int(pool.sui_balance), int(pool.pool_token_balance))
                except (msgspec.DecodeError, ValueError):
                    continue
                found[pool.id] = (now, pool.exchange_rates.id)
    return found


def rates_of(evidence: Iterable[Evidence]) -> dict[tuple[str, int], Rate]:
    """What pools were worth in the epochs that were asked for, as far as it was told. Raises: VenueBadResponse."""
    found = {}
    for item in evidence:
        if item.params["read"] == RATES and not is_refused(item):
            scope = data_of(item).checkpoint
            rows = scope.query.address.multi_get_dynamic_fields if scope and scope.query and scope.query.address else None
            for epoch, row in zip(map(int, item.params["epochs"].split(",")), rows or (), strict=False):
                if row is not None and row.value is not None and row.value.bcs is not None:
                    data = _bytes(row.value.bcs, _RATE_BYTES)
                    found[item.params["pool"], epoch] = Rate(_number(data[:8]), _number(data[8:]))
    return found


def earned(stake: Stake, then: Rate, now: Rate) -> int:
    """What a stake has earned, in units."""
    tokens = stake.units * then.tokens // then.coins if then.coins and then.tokens else stake.units
    return max(0, (tokens * now.coins // now.tokens if now.coins and now.tokens else tokens) - stake.units)


def rewards(stakes: Sequence[Stake], evidence: Sequence[Evidence], *, epoch: int) -> tuple[int, int]:
    """What the stakes have earned together, in units, and of how many of them that is not known. Raises: VenueBadResponse."""
    pools: Mapping[str, tuple[Rate, str]] = pools_of(evidence)
    rates = rates_of(evidence)
    units = unknown = 0
    for stake in stakes:
        if stake.since >= epoch:
            continue
        then = rates.get((stake.pool, stake.since))
        if then is None or stake.pool not in pools:
            unknown += 1
        else:
            units += earned(stake, then, pools[stake.pool][0])
    return units, unknown


def _objects(item: Evidence) -> Page[Contents]:
    scope = data_of(item).checkpoint
    page = scope.query.address.objects if scope and scope.query and scope.query.address else None
    if page is None:
        raise VenueBadResponse("the server does not tell what an address owns at a checkpoint")
    return page


def _validators(item: Evidence) -> Page[Validator]:
    scope = data_of(item).checkpoint
    epoch = scope.query.epoch if scope and scope.query else None
    if epoch is None or epoch.validator_set is None:
        raise VenueBadResponse("the server does not tell the validators of an epoch")
    return epoch.validator_set.active_validators


def _next(page: Page[T]) -> str | None:
    return page.page_info.end_cursor if page.page_info.has_next_page else None


def _stake(text: str | None) -> Stake:
    data = _bytes(text or "", _STAKE_BYTES)
    return Stake(f"0x{data[32:64].hex()}", _number(data[64:72]), _number(data[72:]))


def _bytes(text: str, length: int) -> bytes:
    try:
        data = base64.b64decode(text, validate=True)
    except binascii.Error:
        data = b""
    if len(data) != length:
        raise VenueBadResponse("the server states a value of Move in other bytes than its type has")
    return data


def _number(data: bytes) -> int:
    return int.from_bytes(data, "little")
