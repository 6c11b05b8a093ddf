"""Links between a user's own wallets follow from the facts alone, in any order of arrival and page by page."""

import random
from collections.abc import Iterable, Sequence
from decimal import Decimal

import pytest
import sqlalchemy as sa
from msgspec import Struct, structs
from sqlalchemy.engine import Connection

from omnifolio.ledger import accounts, decisions, feed, links
from omnifolio.ledger.ends import Ends
from omnifolio.ledger.sequence import stamp, take
from omnifolio.meaning.transfers import End
from omnifolio.model.clock import HOUR_MS, EpochMs
from omnifolio.model.errors import InvalidField
from omnifolio.model.facts import Claim, Leg, Rewind, Wallet
from omnifolio.model.ids import TransactionId
from omnifolio.model.tokens import TokenId
from omnifolio.store.engine import Store
from omnifolio.store.schema import METADATA
from tests.ledger.builders import T0, Book, at, batch

BTC, ETH, CHAIN_ETH = TokenId("venue:demo/BTC"), TokenId("venue:demo/ETH"), TokenId("eip155:1/slip44:60")
MINE, THEIRS = "0x" + "a1" * 20, "0x" + "b2" * 20
HASH = "eip155:1:0x" + "0c" * 32
SEEDS, MANY = 25, 1000

Told = tuple[str, str, str, str, str, str, str, int]
"""Name and key of both legs, their accounts, state, evidence and confidence of a link."""


class Moved(Struct, frozen=True, kw_only=True):
    """A deposit or withdrawal as one source tells it."""

    name: str
    amount: str
    token: TokenId = BTC
    minutes: int = 0
    fee: str = "0"
    event: str | None = None
    party: str | None = None
    wallet: str = "spot"

    def claim(self, **more: object) -> Claim:
        """The claim that says so."""
        amount = Decimal(self.amount)
        legs = [Leg("move", self.wallet, self.token, amount, "principal", self.party)]
        if self.fee != "0":
            legs.append(Leg("fee", self.wallet, self.token, -Decimal(self.fee), "fee"))
        return Claim(
            book="moves",
            ref=self.name,
            refs=(f"moves:{self.name}",),
            at=EpochMs(T0 + self.minutes * 60_000),
            kind="deposit" if amount > 0 else "withdrawal",
            legs=tuple(legs),
            event=self.event,
            **more,  # type: ignore[arg-type]
        )


async def tell(book: Book, *moves: Moved, own: str | None = None) -> None:
    """Commits a page of moves; `own` is the address of the account's wallet."""
    wallets = () if own is None else (Wallet(key="spot", name="spot", address=own),)
    await book.commit(batch(*(move.claim() for move in moves), wallets=wallets))


async def linked(book: Book, *, state: str | None = None) -> set[Told]:
    """All links of the user, by the names of things."""
    transactions, table = METADATA.tables["transactions"], METADATA.tables["links"]
    one, two = transactions.alias(), transactions.alias()

    def op(conn: Connection) -> set[Told]:
        rows = conn.execute(
            sa.select(one.c.name, table.c.source_key, two.c.name, table.c.target_key, table.c.state, table.c.evidence,
                      table.c.confidence, one.c.state, two.c.state)
            .join(one, one.c.id == table.c.source_id)
            .join(two, two.c.id == table.c.target_id)
            .where(table.c.user_id == book.principal.user)
        ).all()  # fmt: skip
        assert all(row[7:] == ("live", "live") for row in rows)
        return {(row[0], row[1], row[2], row[3], row[4], row[5], "", row[6]) for row in rows if state in (None, row[4])}

    return await book.store.read(op)


async def short(book: Book) -> set[tuple[str, str, str, str]]:
    """The links as source, target, state and evidence."""
    return {(row[0], row[2], row[4], row[5]) for row in await linked(book)}


async def pair(store: Store) -> tuple[Book, Book]:
    """Two accounts of one user."""
    here = await Book.open(store)
    return here, await here.beside("there")


async def test_one_hash_on_both_sides_is_one_transfer_and_both_are_told_again(store: Store) -> None:
    here, there = await pair(store)
    await tell(
        here, Moved(name="W1", amount="-1.5", fee="0.01", token=ETH, event=HASH.upper().replace("EIP155:1:0X", "eip155:1:"))
    )
    seq = await here.seq()
    await tell(there, Moved(name="D1", amount="1.5", token=CHAIN_ETH, event=HASH, minutes=900_000), own=MINE)
    assert await short(here) == {("W1", "D1", "linked", "hash amount")}
    told = await store.read(feed.changes, here.principal, cursor=str(seq), limit=100)
    assert sorted({(change.kind, change.seq) for change in told.changes}) == [("account", seq + 1), ("transaction", seq + 1)]
    assert len(told.changes) == 4


async def test_a_batch_under_one_hash_is_told_apart_by_amount_and_address(store: Store) -> None:
    here, there = await pair(store)
    third = await here.beside("third")
    await tell(here, *(Moved(name=f"W{n}", amount=a, token=ETH, event=HASH) for n, a in enumerate(("-1", "-2", "-7"))))
    await tell(there, Moved(name="D1", amount="1", token=CHAIN_ETH, event=HASH), own=MINE)
    await tell(third, Moved(name="D2", amount="2", token=CHAIN_ETH, event=HASH), own=THEIRS)
    assert await short(here) == {("W0", "D1", "linked", "hash amount"), ("W1", "D2", "linked", "hash amount")}


async def test_a_departure_that_arrives_in_parts_leads_to_all_of_them(store: Store) -> None:
    here, there = await pair(store)
    third = await here.beside("third")
    await tell(here, Moved(name="W", amount="-3", token=CHAIN_ETH, event=HASH), own=MINE)
    await tell(there, Moved(name="D1", amount="1", token=ETH, event=HASH))
    await tell(third, Moved(name="D2", amount="1.9", token=ETH, event=HASH))
    assert await short(here) == {("W", "D1", "linked", "hash amount"), ("W", "D2", "linked", "hash amount")}


async def test_a_fee_explains_what_is_missing(store: Store) -> None:
    here, there = await pair(store)
    await tell(here, Moved(name="W", amount="-1.2345", fee="0.0005"))
    await tell(there, Moved(name="D", amount="1.234", minutes=30))
    assert await short(here) == {("W", "D", "linked", "fee time")}


async def test_an_own_address_beats_amount_and_time(store: Store) -> None:
    here, there = await pair(store)
    third = await here.beside("third")
    await tell(here, Moved(name="W", amount="-1.2345", token=ETH, party=MINE))
    await tell(there, Moved(name="D1", amount="1.2", token=CHAIN_ETH, minutes=300, event=HASH), own=MINE)
    await tell(third, Moved(name="D2", amount="1.2345", token=ETH, minutes=1))
    assert await short(here) == {("W", "D1", "linked", "address fee time")}


async def test_the_venue_s_own_id_on_both_sides_is_evidence(store: Store) -> None:
    here, there = await pair(store)
    await tell(here, Moved(name="internal-7", amount="-1"), Moved(name="W8", amount="-1", minutes=1))
    await tell(there, Moved(name="internal-7", amount="1", minutes=1))
    assert await short(here) == {("internal-7", "internal-7", "linked", "withdrawal_id amount time")}


async def test_what_is_alike_is_offered_and_a_word_decides(store: Store) -> None:
    here, there = await pair(store)
    await tell(here, Moved(name="W1", amount="-1.2345"), Moved(name="W2", amount="-1.2345", minutes=2))
    await tell(there, Moved(name="D", amount="1.2345", minutes=10))
    both = {("W1", "D", "offered", "amount time"), ("W2", "D", "offered", "amount time")}
    assert await short(here) == both
    ids = {row.name: row.id for book in (here, there) for row in await book.transactions()}

    async def say(one: str, two: str, value: str) -> None:
        def op(conn: Connection) -> None:
            target = decisions.of_pair(conn, here.principal, TransactionId(ids[one]), TransactionId(ids[two]))
            decisions.decide(conn, here.principal, kind="link", target=target, value=value, now=at(1))

        await store.write(op)

    await say("W2", "D", "yes")
    assert await short(here) == {("W2", "D", "linked", "user")}
    await say("W2", "D", "no")
    assert await short(here) == {("W1", "D", "linked", "amount time")}
    await say("W1", "D", "no")
    assert await short(here) == set()
    with pytest.raises(InvalidField):
        await say("W1", "W2", "yes")
    for one in ("W1", "W2"):

        def undo(conn: Connection, name: str = one) -> None:
            target = decisions.of_pair(conn, here.principal, TransactionId(ids[name]), TransactionId(ids["D"]))
            decisions.undo(conn, here.principal, kind="link", target=target, now=at(2))

        await store.write(undo)
    assert await short(here) == both


W = Moved(name="W", amount="-1.2345")
D = Moved(name="D", amount="1.2345", minutes=5)
UNFIT = {
    "arrives before": (W, structs.replace(D, minutes=-60)),
    "too late": (W, structs.replace(D, minutes=16 * 60)),
    "more than left": (W, structs.replace(D, amount="1.2346")),
    "too little": (W, structs.replace(D, amount="1.2")),
    "another asset": (W, structs.replace(D, token=ETH)),
    "an equal ticker": (
        structs.replace(W, token=TokenId("venue:demo/XYZ")),
        structs.replace(D, token=TokenId("venue:other/XYZ")),
    ),
    "another hash": (structs.replace(W, event=HASH), structs.replace(D, event=HASH.replace("0c", "0d"))),
    "a bridged coin": (
        structs.replace(W, token=TokenId("eip155:42161/erc20:0xff970a61a04b1ca14834a43f5de4533ebddb5cc8")),
        structs.replace(D, token=TokenId("venue:demo/USDC")),
    ),
}


@pytest.mark.parametrize(("source", "target"), UNFIT.values(), ids=list(UNFIT))
async def test_what_does_not_fit_is_not_linked(store: Store, source: Moved, target: Moved) -> None:
    here, there = await pair(store)
    await tell(here, source)
    await tell(there, target)
    assert await linked(here) == set()


async def test_an_equal_hash_and_amount_tell_what_a_code_of_a_venue_means(store: Store) -> None:
    here, there = await pair(store)
    odd = TokenId("eip155:1/erc20:0x" + "5" * 40)
    await tell(here, Moved(name="W", amount="-77.5", token=TokenId("venue:demo/ODD"), event=HASH))
    await tell(there, Moved(name="D", amount="77.5", token=odd, event=HASH), own=MINE)
    assert await short(here) == {("W", "D", "linked", "hash amount")}


async def test_nothing_is_linked_across_users(store: Store) -> None:
    one, two = await Book.open(store), await Book.open(store, name="u2")
    await tell(one, Moved(name="W", amount="-1.5", event=HASH))
    await tell(two, Moved(name="D", amount="1.5", event=HASH))
    assert await linked(one) == await linked(two) == set()


async def test_a_link_goes_with_an_account_and_its_other_side_is_told(store: Store) -> None:
    here, there = await pair(store)
    await tell(here, Moved(name="W", amount="-1.5", event=HASH))
    await tell(there, Moved(name="D", amount="1.5", event=HASH))
    seq = await here.seq()
    await store.write(accounts.delete, here.principal, there.account, at(5))
    assert await linked(here) == set()
    told = await store.read(feed.changes, here.principal, cursor=str(seq), limit=9)
    (row,) = await here.transactions()
    assert {(change.kind, change.id) for change in told.changes} == {
        ("transaction", row.id), ("account", here.account), ("account", there.account),
    }  # fmt: skip


async def test_a_ledger_from_before_there_were_links_gets_them_with_its_next_commit(store: Store) -> None:
    here, there = await pair(store)
    await tell(here, Moved(name="W", amount="-1.5", event=HASH))
    await tell(there, Moved(name="D", amount="1.5", event=HASH))
    before = await linked(here)
    for name in ("links", "ends", "linking"):
        await store.write(_emptied, METADATA.tables[name])
    await tell(here, Moved(name="W9", amount="-9.5"))
    assert await linked(here) == before != set()


def _emptied(conn: Connection, table: sa.Table) -> None:
    conn.execute(sa.delete(table))


# Random histories ------------------------------------------------------------------------------------------------------

ADDRESSES = ("0x" + "a1" * 20, "0x" + "b2" * 20, None, None)


def history(rng: random.Random) -> list[tuple[int, Moved]]:
    """Facts of four accounts: transfers with much or little evidence, and what only looks like one."""
    found: list[tuple[int, Moved]] = []
    for n in range(rng.randint(3, 9)):
        source, target = rng.sample(range(4), 2)
        amount = rng.choice(["1", "1.2345", "1.2345", "2.5001", "7"])
        minutes = rng.randint(0, 30) * rng.choice([1, 60])
        event = f"eip155:1:0x{rng.randint(0, 5):064x}" if rng.random() < 0.5 else None
        fee = rng.choice(["0", "0", "0.01"])
        came = str(Decimal(amount) - Decimal(fee)) if rng.random() < 0.7 else amount
        token = rng.choice([ETH, ETH, BTC])
        party = ADDRESSES[target] if rng.random() < 0.4 else None
        if rng.random() < 0.85:
            known = event if rng.random() < 0.7 else None
            found.append(
                (
                    source,
                    Moved(name=f"w{n}", amount=f"-{amount}", fee=fee, token=token, minutes=minutes, event=known, party=party),
                )
            )
        if rng.random() < 0.85:
            late = minutes + rng.randint(-10, 600)
            found.append(
                (target, Moved(name=f"d{n}", amount=came, token=token, minutes=late, event=event if rng.random() < 0.7 else None))
            )
    return found  # fmt: skip


async def arrive(store: Store, facts: Sequence[tuple[int, Moved]], rng: random.Random, name: str) -> Book:
    """One user reads these facts in some order, with wrong versions, reorganisations and an account that goes again."""
    first = await Book.open(store, name=name)
    books = [first, *[await first.beside(f"{name}/{n}") for n in range(1, 4)]]
    for book, address in zip(books, ADDRESSES, strict=True):
        await tell(book, own=address)
    passing = await first.beside(f"{name}/passing") if rng.random() < 0.5 else None
    waiting = list(facts)
    rng.shuffle(waiting)
    if passing is not None:
        alike = [structs.replace(move, name=f"p{n}") for n, (_, move) in enumerate(waiting[:3])]
        await tell(passing, *alike)
    while waiting:
        number = rng.randrange(4)
        mine = [item for item in waiting if item[0] == number][: rng.randint(1, 3)]
        if not mine:
            continue
        page = [move.claim(height=5, finality="provisional") for _, move in mine]
        fate = rng.random()
        if fate < 0.2:
            wrong = [structs.replace(move, amount=str(Decimal(move.amount) * 2)).claim() for _, move in mine]
            await books[number].commit(batch(*wrong, stream="pages"))
        await books[number].commit(batch(*page, stream="pages"))
        if fate > 0.85:
            await books[number].commit(batch(stream="pages", rewind=Rewind("pages", 4)))
            # What a reorganisation took back comes again some time, with everything that was provisional before it.
            waiting += [item for item in facts if item[0] == number and item not in waiting]
            continue
        waiting = [item for item in waiting if item not in mine]
    if passing is not None:
        await store.write(accounts.delete, passing.principal, passing.account, at(9))
    return first


async def relinked(book: Book) -> int:
    """Concludes everything anew; gives how many transactions are told again."""

    def op(conn: Connection) -> int:
        seq = take(conn, book.principal, at(9))
        links.relink(conn, book.principal.data_user, seq)
        stamp(conn, book.principal, seq, None, at(9))
        return seq

    seq = await book.store.write(op)
    told = await book.store.read(feed.changes, book.principal, cursor=str(seq - 1), limit=1000)
    return len(told.changes)


async def same_links_whatever_the_order(store: Store, seeds: range) -> None:
    found = 0
    for seed in seeds:
        facts = history(random.Random(seed))
        books = [await arrive(store, facts, random.Random(f"{seed}/{way}"), f"s{seed}/{way}") for way in range(2)]
        told = [await linked(book) for book in books]
        assert told[0] == told[1], seed
        assert await relinked(books[0]) == 0, seed
        assert await linked(books[0]) == told[0], seed
        found += len(told[0])
    assert found > len(seeds)


async def test_links_are_the_same_whatever_the_order_in_which_both_sides_came(store: Store) -> None:
    await same_links_whatever_the_order(store, range(SEEDS))


@pytest.mark.soak
async def test_links_are_the_same_in_a_thousand_histories(store: Store) -> None:
    await same_links_whatever_the_order(store, range(MANY))


async def test_a_commit_reads_no_more_than_what_is_near(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten years of history do not make the next deposit dearer."""
    here, there = await pair(store)
    days = 24 * HOUR_MS // 60_000
    await tell(here, *(Moved(name=f"W{n}", amount="-1.2345", minutes=n * 10 * days) for n in range(300)))
    read: list[int] = []
    plain = Ends.within

    def within(
        self: Ends, spans: Sequence[tuple[int, int]], *, assets: Iterable[str], wallet: int, chain: str | None
    ) -> list[End]:
        found = plain(self, spans, assets=assets, wallet=wallet, chain=chain)
        read.append(len(found))
        return found

    monkeypatch.setattr(Ends, "within", within)
    await tell(there, Moved(name="D", amount="1.2345", minutes=1000 * days + 30))
    assert await short(here) == {("W100", "D", "linked", "amount time")}
    assert sum(read) <= 6
