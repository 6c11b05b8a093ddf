"""Small builders, so that a test of the ledger reads like the history it tells."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from omnifolio.ledger import accounts, feed, positions, read
from omnifolio.ledger.commit import Committed, commit
from omnifolio.ledger.tokens import by_number
from omnifolio.model.accounts import Principal
from omnifolio.model.amounts import canonical
from omnifolio.model.clock import EpochMs
from omnifolio.model.facts import (
    Balance,
    Batch,
    Claim,
    Component,
    Cursor,
    Evidence,
    Kind,
    Leg,
    Position,
    PositionSnapshot,
    Product,
    Rewind,
    Snapshot,
)
from omnifolio.model.ids import AccountId, TeamId, UserId
from omnifolio.model.tokens import TokenId
from omnifolio.store.engine import Store
from omnifolio.store.schema import METADATA, teams, users

T0 = 1_700_000_000_000


def at(seconds: int) -> EpochMs:
    """The instant so many seconds after the tests' beginning."""
    return EpochMs(T0 + seconds * 1000)


def token(code: str) -> TokenId:
    """A token of the venue `demo`."""
    return TokenId(f"venue:demo/{code}")


def leg(text: str, *, key: str = "", wallet: str = "spot") -> Leg:
    """`leg("in 1.5 BTC")`, `leg("out 20 USD")`, `leg("fee 0.1 USD")`."""
    way, amount, code = text.split()
    value = Decimal(amount) if way == "in" else -Decimal(amount)
    return Leg(key or way, wallet, token(code), value, "fee" if way == "fee" else "principal")


def claim(
    ref: str, *legs: Leg, book: str = "trades", names: Sequence[str] = (), seconds: int = 0, kind: Kind = "trade", **more: object
) -> Claim:
    """A claim named `ref`, also known under `names`."""
    fields: dict[str, object] = {"book": book, "ref": ref, "refs": (f"{book}:{ref}", *names), "at": at(seconds)}
    return Claim(**fields, kind=kind, legs=legs, **more)  # type: ignore[arg-type]


def snapshot(amounts: Mapping[str, str], *, seconds: int = 0, wallet: str = "spot", product: Product = "spot") -> Snapshot:
    """Observed balances by code."""
    balances = tuple(Balance(token(code), Decimal(amount)) for code, amount in amounts.items())
    return Snapshot(wallet=wallet, product=product, at=at(seconds), balances=balances)


def position(key: str, size: str, profit: str = "0", *, code: str = "USD", **more: object) -> Position:
    """A perpetual on BTC, worth its unrealised profit."""
    return Position(
        key=key,
        kind="perpetual",
        name=key,
        size=Decimal(size),
        size_token=token("BTC"),
        components=(Component("unrealised", token(code), Decimal(profit)),),
        **more,  # type: ignore[arg-type]
    )


def stands(*positions: Position, seconds: int = 0, wallet: str = "futures", scope: str = "usdm") -> PositionSnapshot:
    """All positions that were open."""
    return PositionSnapshot(wallet=wallet, scope=scope, at=at(seconds), positions=positions)


def batch(
    *claims: Claim,
    stream: str = "trades",
    cursor: str = "c",
    seconds: int = 0,
    snapshots: Sequence[Snapshot] = (),
    rewind: Rewind | None = None,
    evidence: Sequence[Evidence] = (),
    **more: object,
) -> Batch:
    """A page of one stream."""
    return Batch(
        cursor=Cursor(stream, cursor),
        observed_at=at(seconds),
        claims=claims,
        snapshots=tuple(snapshots),
        rewind=rewind,
        evidence=tuple(evidence),
        **more,  # type: ignore[arg-type]
    )


class Book:
    """One user with one account in a store; commits pages and tells what the ledger holds."""

    def __init__(self, store: Store, principal: Principal, account: AccountId, fence: int) -> None:
        self.store, self.principal, self.account, self.fence = store, principal, account, fence

    @classmethod
    async def open(cls, store: Store, *, name: str = "u1") -> "Book":
        """A new team, user and leased account."""

        def make(conn: Connection) -> tuple[Principal, AccountId, int]:
            team = conn.execute(
                sa.insert(teams).values(client_id=f"c-{name}", name=name, created_at=1).returning(teams.c.id)
            ).scalar_one()
            user = conn.execute(
                sa.insert(users).values(team_id=team, uuid=f"uuid-{name}", created_at=1).returning(users.c.id)
            ).scalar_one()
            who = Principal(team=TeamId(team), user=UserId(user), actor="test")
            account = accounts.add(conn, who, venue="demo", fingerprint=name.encode(), now=at(0))
            fence = accounts.lease(conn, who, account, owner="w", now=at(0), length_ms=10**12)
            assert fence is not None
            return who, account, fence

        return cls(store, *await store.write(make))

    async def beside(self, name: str) -> "Book":
        """Another leased account of the same user."""

        def make(conn: Connection) -> tuple[AccountId, int]:
            account = accounts.add(conn, self.principal, venue="demo", fingerprint=name.encode(), now=at(0))
            fence = accounts.lease(conn, self.principal, account, owner="w", now=at(0), length_ms=10**12)
            assert fence is not None
            return account, fence

        return Book(self.store, self.principal, *await self.store.write(make))

    async def commit(self, page: Batch, *, now: int = 0) -> Committed:
        """Commits a page at so many seconds after the beginning."""
        return await self.store.write_sync(commit, self.principal, self.account, page, fence=self.fence, now=at(now))

    async def transactions(self) -> list[read.StoredTransaction]:
        """All live transactions, oldest first."""
        wanted = read.Filter(start=EpochMs(0), end=EpochMs(10**15), limit=1000, is_ascending=True)
        return list(await self.store.read(read.page, self.principal, self.account, wanted))

    async def held(self) -> dict[str, str]:
        """Observed balances by `wallet/product/code`, doubted ones with a question mark."""

        def op(conn: Connection) -> dict[str, str]:
            keys = {wallet.id: wallet.key for wallet in read.wallets_of(conn, self.principal)}
            rows = read.balances(conn, self.principal)
            names = by_number(conn, [row.token for row in rows])
            return {
                f"{keys[r.wallet]}/{r.product}/{names[r.token].ticker}": canonical(r.amount) + ("?" if r.is_suspect else "")
                for r in rows
            }

        return await self.store.read(op)

    async def stood(self) -> dict[str, str]:
        """Open positions by `wallet/scope/key`: the size, and what it is worth in its first component."""

        def op(conn: Connection) -> dict[str, str]:
            keys = {wallet.id: wallet.key for wallet in read.wallets_of(conn, self.principal)}
            return {
                f"{keys[item.wallet]}/{item.scope}/{item.position.key}": " ".join(
                    [canonical(item.position.size), *(canonical(part.amount) for part in item.position.components)]
                )
                for item in positions.held(conn, self.principal)
            }

        return await self.store.read(op)

    async def calculated(self) -> dict[str, str]:
        """Sums of legs by `wallet/code`, zeros left out."""

        def op(conn: Connection) -> dict[str, str]:
            states = read.wallet_states(conn, self.principal)
            names = by_number(conn, [number for state in states for number in state.sums])
            return {f"{s.wallet.key}/{names[t].ticker}": text for s in states for t, text in sorted(s.sums.items())}

        return await self.store.read(op)

    async def told(self) -> list[tuple[object, ...]]:
        """Everything that live transactions say, without ids: equal for equal histories."""

        def op(conn: Connection) -> list[tuple[object, ...]]:
            keys = {wallet.id: wallet.key for wallet in read.wallets_of(conn, self.principal)}
            wanted = read.Filter(start=EpochMs(0), end=EpochMs(10**15), limit=1000, is_ascending=True)
            rows = read.page(conn, self.principal, self.account, wanted)
            names = by_number(conn, [part.token for row in rows for part in row.legs])
            return sorted(
                (
                    row.at, row.type, row.subtype or "", row.status, row.name,
                    tuple(
                        (p.key, keys[p.wallet], names[p.token].id, canonical(p.amount), p.role, p.counterparty or "")
                        for p in row.legs
                    ),
                )
                for row in rows
            )  # fmt: skip

        return await self.store.read(op)

    async def books_at(self, seq: int) -> bytes:
        """The books as known at a sequence, as bytes."""

        def op(conn: Connection) -> bytes:
            books = feed.known_at(conn, self.principal, seq)
            balances = [(*place, canonical(amount)) for place, amount in books.balances.items()]
            open_ = [(*place, found) for place, found in books.positions.items()]
            return msgspec.json.encode([list(books.transactions.items()), balances, open_])

        return await self.store.read(op)

    async def seq(self) -> int:
        """The user's last sequence."""

        def op(conn: Connection) -> int:
            return int(conn.execute(sa.select(users.c.seq).where(users.c.id == self.principal.user)).scalar_one())

        return await self.store.read(op)


async def rows_in(store: Store, table: str) -> int:
    """How many rows a table has."""

    def op(conn: Connection) -> int:
        return int(conn.execute(sa.select(sa.func.count()).select_from(METADATA.tables[table])).scalar_one())

    return await store.read(op)
