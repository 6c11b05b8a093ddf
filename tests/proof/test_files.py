"""A file joins what is known: our own exports of random histories add nothing, and overlapping ones what was missing."""

import random
import string
from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import pytest

from omnifolio.app.exporting import Span, exported
from omnifolio.app.importing import Imported, import_file
from omnifolio.app.rebuilding import rebuild_all
from omnifolio.exports.registry import TARGETS, target_of
from omnifolio.ledger import accounts
from omnifolio.ledger.commit import commit
from omnifolio.ledger.tokens import by_number
from omnifolio.model.amounts import canonical, total
from omnifolio.model.clock import EpochMs
from omnifolio.model.facts import Batch, Claim, Cursor, Kind, Leg
from omnifolio.model.ids import AccountId
from omnifolio.model.tokens import TokenFacts, TokenId, venue_token
from tests.proof.simulation import NOW, Installation

CODES = ("BTC", "ETH", "USD", "EUR", "DOGE")
DAY_S = 86_400
HEX = str.maketrans(string.hexdigits[:16], string.hexdigits[1:16] + "0")
"""Makes another installation's references of ours."""
ANY_TIME = Span(start=EpochMs(0), end=EpochMs(10**15))


def history(rng: random.Random, size: int = 40) -> list[Claim]:
    """Events of every shape, many in one minute, some of them equal in everything."""
    found: list[Claim] = []
    while len(found) < size:
        at = NOW - rng.randint(1, 20) * DAY_S * 1000 + rng.randint(0, 119) * 1000 + rng.choice((0, 0, 123))
        shape = rng.choice(("deposit", "withdrawal", "trade", "mixed", "split", "reward", "fee", "inside", "rebate"))
        for _ in range(rng.choice((1, 1, 1, 2, 3)) if shape in ("deposit", "reward") else 1):
            found.append(event(str(len(found)), EpochMs(at), shape, random.Random(at)))
    return found


def event(ref: str, at: EpochMs, shape: str, rng: random.Random) -> Claim:
    """One event; the same instant and shape give the same amounts."""
    codes = rng.sample(CODES, 4)
    size = [Decimal(rng.randint(1, 10**9)).scaleb(-rng.randint(2, 12)) for _ in range(4)]
    fee = Leg("fee", "spot", token(codes[2]), -size[3], "fee")
    kinds: dict[str, Kind] = {"mixed": "trade", "split": "trade", "reward": "staking_reward", "inside": "transfer"}
    into, out = Leg("in", "spot", token(codes[0]), size[0]), Leg("out", "spot", token(codes[1]), -size[1])
    legs: dict[str, tuple[Leg, ...]] = {
        "deposit": (into,),
        "withdrawal": (out, fee) if rng.random() < 0.5 else (out,),
        "trade": (out, into, fee) if rng.random() < 0.7 else (out, into),
        "mixed": (out, into, fee, Leg("fee2", "spot", token(codes[3]), -size[2], "fee")),
        "split": (out, Leg("out2", "spot", token(codes[2]), -size[2]), into),
        "reward": (into,),
        "fee": (fee,),
        "inside": (Leg("a", "spot", token(codes[0]), -size[0]), Leg("b", "earn", token(codes[0]), size[0])),
        "rebate": (out, into, Leg("back", "spot", token(codes[2]), size[2], "fee")),
    }
    kind = kinds.get(shape, shape if shape != "rebate" else "trade")
    return Claim(book="trades", ref=ref, refs=(f"trades:{ref}",), at=at, kind=kind, legs=legs[shape])  # type: ignore[arg-type]


def token(code: str) -> TokenId:
    return venue_token("demo", code)


async def given(house: Installation, name: str, claims: Sequence[Claim]) -> AccountId:
    """An account whose interface told these events."""
    number = await house.enter("demo", {"username": name, "password": "x"})
    store, now = house.runtime.context.store, house.time.now()
    fence = await store.write(accounts.lease, house.principal, number, owner="test", now=now, length_ms=60_000)
    assert fence is not None
    facts = tuple(TokenFacts(id=token(code), ticker=code) for code in CODES)
    page = Batch(cursor=Cursor("trades", "c"), observed_at=now, tokens=facts, claims=tuple(claims))
    await store.write_sync(commit, house.principal, number, page, fence=fence, now=now)
    await store.write(accounts.release, number, fence=fence)
    return number


async def written(house: Installation, number: AccountId, name: str) -> str:
    """The account's export in a format."""
    pieces = exported(house.runtime.context, house.principal, target_of(name), chosen=number, span=ANY_TIME, fiat="USD")
    return "".join([piece async for piece in pieces])


async def taken(house: Installation, number: AccountId, text: str, folder: Path, *, is_preview: bool = False) -> Imported:
    """What importing that text brings."""
    file = folder / "file.csv"
    file.write_bytes(text.encode())
    return await import_file(house.runtime, house.principal, number, file, is_preview=is_preview)


async def sums(house: Installation, number: AccountId) -> dict[str, str]:
    """What all legs of an account add up to, by ticker."""
    parts: dict[int, list[Decimal]] = defaultdict(list)
    for row in await house.transactions(number):
        for leg in row.legs:
            parts[leg.token].append(leg.amount)
    names = await house.runtime.context.store.read(by_number, list(parts))
    found: dict[str, list[Decimal]] = defaultdict(list)
    for number_, amounts in parts.items():
        found[names[number_].ticker].extend(amounts)
    return {ticker: canonical(left) for ticker, amounts in sorted(found.items()) if (left := total(amounts))}


@pytest.mark.parametrize("name", TARGETS)
async def test_our_own_export_adds_nothing_and_changes_nothing(house: Installation, name: str, tmp_path: Path) -> None:
    for seed in range(3):
        number = await given(house, f"{name}{seed}", history(random.Random(seed)))
        text = await written(house, number, name)
        for told in (text, foreign(text)):  # our references, and then another installation's
            before = await house.facts(number), await house.transactions(number), await sums(house, number)
            asked = await taken(house, number, told, tmp_path, is_preview=True)
            done = await taken(house, number, told, tmp_path)
            assert (asked.new, done.new, done.elsewhere, done.ambiguous, done.unreadable) == (0, 0, 0, 0, ())
            assert (await house.facts(number), await house.transactions(number), await sums(house, number)) == before


@pytest.mark.parametrize("name", TARGETS)
async def test_a_file_that_overlaps_in_part_adds_exactly_what_was_missing(house: Installation, name: str, tmp_path: Path) -> None:
    for seed in range(3):
        rng = random.Random(seed)
        whole = history(rng)
        part = [claim for claim in whole if rng.random() < 0.6]
        full, partial = await given(house, f"full{name}{seed}", whole), await given(house, f"part{name}{seed}", part)
        text = foreign(await written(house, full, name))
        asked = await taken(house, partial, text, tmp_path, is_preview=True)
        done = await taken(house, partial, text, tmp_path)
        assert (done.elsewhere, done.ambiguous, done.unreadable) == (0, 0, ())
        assert await sums(house, partial) == await sums(house, full)
        assert asked.new == done.new
        if name != "cointracker":  # whose rows do not say which of them are one event
            shown = [claim for claim in whole if name == "omnifolio" or len({leg.wallet for leg in claim.legs}) == 1]
            assert done.new == len(shown) - len([claim for claim in part if claim in shown])
        again = await taken(house, partial, text + "\r\n", tmp_path)
        assert (again.new, again.known) == (0, done.known + done.new)
        before = await house.transactions(partial)
        [(_, _, rebuilt)] = await rebuild_all(house.runtime.context, house.principal, partial)
        assert (rebuilt.changed, rebuilt.taken_back, await house.transactions(partial)) == (0, 0, before)


def foreign(text: str) -> str:
    """The same file as another installation would have written it."""
    pieces = text.split("omnifolio:")
    return "omnifolio:".join([pieces[0], *(piece[:24].translate(HEX) + piece[24:] for piece in pieces[1:])])


async def test_what_another_account_of_the_user_has_is_left_out(house: Installation, tmp_path: Path) -> None:
    whole = history(random.Random(7), 10)
    full, empty = await given(house, "full", whole), await given(house, "empty", ())
    done = await taken(house, empty, await written(house, full, "omnifolio"), tmp_path)
    assert (done.new, done.known, done.elsewhere) == (0, 0, len(await house.transactions(full)))
    assert await house.transactions(empty) == []


async def test_of_two_equal_deposits_one_line_takes_one(house: Installation, tmp_path: Path) -> None:
    at = EpochMs(NOW - DAY_S * 1000)
    twice = [event("1", at, "deposit", random.Random(1)), event("2", at, "deposit", random.Random(1))]
    number = await given(house, "twice", twice)
    head, first, *others = (foreign(await written(house, number, "cointracker"))).splitlines(keepends=True)
    assert others == [first]
    for lines, new in (([head, first], 0), ([head, first, first], 0), ([head, first, first, first], 1)):
        assert (await taken(house, number, "".join(lines), tmp_path)).new == new
