"""A store of 1,000,000 transactions with 3 legs each, written page by page through `ledger.commit`, kept between runs.

One account holds them all: the hardest case for every filter. Most rows are trades of a few common tokens; one token, one wallet
and one type are rare and lie deep in the past.
"""

import asyncio
import hashlib
import os
import random
import shutil
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path

import msgspec
import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.engine import Connection
from tests import postgres

from omnifolio.ledger import accounts
from omnifolio.ledger.commit import commit
from omnifolio.model.accounts import Principal
from omnifolio.model.clock import DAY_MS, EpochMs
from omnifolio.model.facts import Batch, Claim, Cursor, Evidence, Interval, Kind, Leg
from omnifolio.model.ids import AccountId, TeamId, UserId
from omnifolio.model.tokens import TokenFacts, venue_token
from omnifolio.store.engine import Store, open_store
from omnifolio.store.schema import METADATA, ends, teams, transactions, users
from omnifolio.store.schema import accounts as accounts_table

ROOT = Path(__file__).resolve().parents[1]

TRANSACTIONS = 1_000_000
PAGE_ROWS = 1_000
PROGRESS_PAGES = 50
BEGINNING: EpochMs = EpochMs(1_577_836_800_000)
STEP_MS = 5 * 365 * DAY_MS // TRANSACTIONS
COMMON, RAREST = "T0", "RAREST"
CODES = [f"T{number}" for number in range(200)]
WEIGHTS = [1 / (number + 1) for number in range(200)]
RARE_WALLET, RARE_TYPE_EVERY = "vault", 25_000
KINDS: dict[Kind, int] = {
    "trade": 700, "staking_reward": 120, "deposit": 70, "withdrawal": 60, "staking": 30, "unstaking": 15, "airdrop": 5,
}  # fmt: skip
SEED = 20261122
EDITION = "1"
"""Raise it when other rows are written than before."""


class Stock(Struct, frozen=True, kw_only=True):
    """The store and who owns what is in it. `rows_per_s` transactions per second of loading, None when it was there already."""

    url: str
    principal: Principal
    account: AccountId
    fence: int
    rows_per_s: float | None = None


@asynccontextmanager
async def stock(dialect: str, *, transactions: int = TRANSACTIONS) -> AsyncIterator[Stock]:
    """The loaded store of one kind; loads it if this schema has none yet."""
    folder = cache_folder() / f"{dialect}-{transactions}-{_schema_hash()}"
    server = postgres.Server(folder) if dialect == "postgresql" else None
    note = folder / "stock.json"
    if not note.exists():
        shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    if server is not None:
        server.start()
    try:
        url = f"sqlite:///{folder / 'stock.db'}" if server is None else server.url("postgres")
        if note.exists():
            yield msgspec.structs.replace(msgspec.json.decode(note.read_bytes(), type=Stock), url=url, rows_per_s=None)
        else:
            made = await _make(url, transactions)
            note.write_bytes(msgspec.json.encode(made))
            yield made
    finally:
        if server is not None:
            server.stop()


def cache_folder() -> Path:
    """Where loaded stores are kept: in the checkout, but for root, whose PostgreSQL runs as somebody who may not reach it."""
    return Path("/var/tmp/omnifolio-bench") if os.geteuid() == 0 else ROOT / ".bench"


async def new_account(store: Store, name: str, principal: Principal | None = None) -> tuple[Principal, AccountId, int]:
    """A leased account; of a new user, or of the given one."""

    def make(conn: Connection) -> tuple[Principal, AccountId, int]:
        who = principal
        if who is None:
            team = conn.execute(
                sa.insert(teams).values(client_id=name, name=name, created_at=1).returning(teams.c.id)
            ).scalar_one()
            user = conn.execute(sa.insert(users).values(team_id=team, uuid=name, created_at=1).returning(users.c.id)).scalar_one()
            who = Principal(team=TeamId(team), user=UserId(user), actor="bench")
        account = accounts.add(conn, who, venue="demo", fingerprint=name.encode(), now=BEGINNING)
        fence = accounts.lease(conn, who, account, owner="bench", now=BEGINNING, length_ms=10**14)
        assert fence is not None
        return who, account, fence

    return await store.write(make)


async def forget(store: Store, account: AccountId) -> None:
    """Takes a run's own account away, so that the store is what it was."""

    def op(conn: Connection) -> None:
        own = sa.select(transactions.c.id).where(transactions.c.account_id == account)
        conn.execute(sa.delete(ends).where(ends.c.transaction_id.in_(own)))
        conn.execute(sa.delete(accounts_table).where(accounts_table.c.id == account))

    await store.write(op)


def page(number: int, *, rows: int = PAGE_ROWS, stream: str = "trades") -> Batch:
    """The page of that number: always the same rows, with the answer that they were read from."""
    rng = random.Random(SEED + number)
    first = number * rows
    kinds = rng.choices(list(KINDS), list(KINDS.values()), k=rows)
    claims = tuple(_claim(rng, first + place, kind) for place, kind in enumerate(kinds))
    body = msgspec.json.encode(claims)
    tokens = {leg.token for claim in claims for leg in claim.legs}
    end = EpochMs(BEGINNING + (first + rows) * STEP_MS)
    return Batch(
        cursor=Cursor(stream, str(number)),
        observed_at=end,
        tokens=tuple(TokenFacts(id=token, ticker=token.rpartition("/")[2]) for token in sorted(tokens)),
        claims=claims,
        covered=(Interval(EpochMs(BEGINNING + first * STEP_MS), end),),
        evidence=(Evidence(stream=stream, request="GET /trades", params={"page": str(number)}, received_at=end, body=body),),
    )


def _claim(rng: random.Random, number: int, kind: Kind) -> Claim:
    base, quote = rng.choices(CODES, WEIGHTS, k=2)
    wallet = rng.choices(["spot", "funding", "earn"], [85, 12, 3])[0]
    if number % (TRANSACTIONS // 4) == 1:
        base = RAREST
    if number % (TRANSACTIONS // 20) == 2:
        wallet = RARE_WALLET
    if number % RARE_TYPE_EVERY == 3:
        kind = "fee"
    amount = Decimal(rng.randrange(1, 10**12)).scaleb(-8)
    sign = -1 if kind in ("withdrawal", "staking", "fee") else 1
    legs = (
        Leg("base", wallet, venue_token("demo", base), sign * amount),
        Leg("quote", wallet, venue_token("demo", quote), -sign * amount),
        Leg("fee", wallet, venue_token("demo", rng.choice(CODES[:5])), Decimal(-1).scaleb(-8), "fee"),
    )
    return Claim(
        book="trades", ref=f"R{number:09d}", refs=(f"demo:R{number:09d}",), name=f"R{number:09d}",
        at=EpochMs(BEGINNING + number * STEP_MS), kind=kind, legs=legs, label=kind, evidence=0,
    )  # fmt: skip


async def _make(url: str, transactions: int) -> Stock:
    await postgres.prepare_database(url)
    store = open_store(url)
    who, account, fence = await new_account(store, "stock")
    spent = 0.0
    for number in range(transactions // PAGE_ROWS):
        batch = page(number)
        started = time.perf_counter()
        await store.write_sync(commit, who, account, batch, fence=fence, now=batch.observed_at)
        spent += time.perf_counter() - started
        if number % PROGRESS_PAGES == 0:
            sys.stderr.write(f"\rloading {store.dialect}: {number * PAGE_ROWS:,} transactions, {spent:.0f} s of commits ")
    sys.stderr.write("\n")
    if store.dialect == "postgresql":
        await _vacuum(url)
    await store.close()
    return Stock(url=url, principal=who, account=account, fence=fence, rows_per_s=round(transactions / spent, 1))


async def _vacuum(url: str) -> None:
    """What PostgreSQL does by itself some minutes after such a load."""
    import asyncpg

    connection = await asyncpg.connect(url)
    await connection.execute("VACUUM ANALYZE")
    await connection.close()


def _schema_hash() -> str:
    """Changes with every table, column and index, and with the edition of the rows."""
    tables: Sequence[str] = [str(sa.schema.CreateTable(table)) for table in METADATA.sorted_tables]
    indexes = [str(sa.schema.CreateIndex(index)) for table in METADATA.sorted_tables for index in sorted(table.indexes, key=str)]
    return hashlib.sha256("".join([EDITION, *tables, *indexes]).encode()).hexdigest()[:12]


if __name__ == "__main__":

    async def main() -> None:
        """Loads the store of the named kind."""
        async with stock(sys.argv[1]) as made:
            sys.stdout.write(f"{made.url}: {made.rows_per_s} transactions per second\n")

    asyncio.run(main())
