"""A copy that follows `/v1/sync` equals the server, whatever happens to both of them; and what the answers say is exact."""

import json
import random
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
import pytest
from msgspec import structs
from sqlalchemy.engine import Connection

from omnifolio.app import replicating
from omnifolio.app.replicating import replica_page
from omnifolio.faces.api.desk import Desk
from omnifolio.faces.api.server import desk_of
from omnifolio.faces.api.sync_shape import sync_out
from omnifolio.ledger import accounts, decisions, feed, read
from omnifolio.ledger.replica import Bookmark, Told, tell
from omnifolio.model.clock import EpochMs
from omnifolio.model.facts import Batch, Rewind
from omnifolio.views.accounts import all_accounts
from omnifolio.views.transactions import transaction_page
from tests.faces.api import seed
from tests.faces.api.world import HTTP, Client, World, token_of
from tests.ledger.builders import Book, at, batch, claim, leg, position, snapshot, stands
from tests.ledger.histories import random_page

LIVES = {"sqlite": 850, "postgresql": 150}
"""A life on PostgreSQL costs five times as much; the statements are the same."""
LIVES_TO_FIND_A_MISTAKE = 100
STEPS_MAX = 14
NOW = at(1000)
Rows = dict[str, dict[str, Any]]
KINDS = ("accounts", "wallets", "balances", "positions", "transactions")


class StillClock:
    """The time stands still, so that no value changes by itself."""

    def now(self) -> EpochMs:
        """Always the same instant."""
        return NOW

    def monotonic(self) -> float:
        """Nothing lasts."""
        return 0.0


class Replica:
    """What somebody else holds who does nothing but what the page on the API says."""

    def __init__(self) -> None:
        self.rows: Rows = {kind: {} for kind in KINDS}
        self.cursor = ""

    def copy(self) -> "Replica":
        """The same, kept apart; a row itself is never changed."""
        found = Replica()
        found.rows, found.cursor = {kind: dict(rows) for kind, rows in self.rows.items()}, self.cursor
        return found

    def take_in(self, answer: Mapping[str, Any]) -> None:
        """Applies one answer."""
        if answer["is_reset"]:
            self.rows = {kind: {} for kind in KINDS}
        for way in ("added", "modified"):
            for kind in KINDS:
                for row in answer[way][kind]:
                    self.rows[kind][_key(kind, row)] = row
        for gone in answer["removed"]["accounts"]:
            self.rows["accounts"].pop(gone["id"], None)
            for kind in KINDS[1:]:
                self.rows[kind] = {key: row for key, row in self.rows[kind].items() if row["account"] != gone["id"]}
        for gone in answer["removed"]["transactions"]:
            self.rows["transactions"].pop(gone["id"], None)
        self.cursor = answer["next_cursor"]

    def told(self) -> dict[str, Any]:
        """All of it, in the form of the server's other answers."""
        found = []
        for row in self.rows["accounts"].values():
            parts = {kind: [r for r in self.rows[kind].values() if r["account"] == row["id"]] for kind in KINDS[1:4]}
            wallets = [{name: value for name, value in r.items() if name != "account"} for r in parts["wallets"]]
            balances = [b for r in parts["balances"] for b in r["balances"]]
            hidden = [b for r in parts["balances"] for b in r["hidden"]]
            positions = [p for r in parts["positions"] for p in r["positions"]]
            found.append(row | {"wallets": wallets, "balances": balances, "hidden": hidden, "positions": positions})
        return _ordered(found, list(self.rows["transactions"].values()))


def _key(kind: str, row: Mapping[str, Any]) -> str:
    return f"{row['account']}/{row['id']}" if kind == "wallets" else str(row["id"])


def _ordered(found: list[dict[str, Any]], transactions: list[dict[str, Any]]) -> dict[str, Any]:
    def in_order(rows: list[Any]) -> list[Any]:
        return sorted(rows, key=json.dumps)

    shown = [
        {name: in_order(value) if name in (*KINDS, "hidden") else value for name, value in sorted(row.items())} for row in found
    ]
    return {"accounts": in_order(shown), "transactions": in_order(transactions)}


def _plain(value: object) -> Any:
    return json.loads(msgspec.json.encode(value))


async def ask(desk: Desk, book: Book, cursor: str, *, limit: int) -> dict[str, Any]:
    """One answer, as it goes over the wire."""
    page = await replica_page(desk.context, book.principal, cursor=cursor, limit=limit, fiat="USD")
    answer: dict[str, Any] = _plain(sync_out(desk, page, request_id="r"))
    return answer


async def served(desk: Desk, book: Book) -> dict[str, Any]:
    """What the server's other routes answer: all accounts, and every page of each one's transactions."""
    context = desk.context

    def op(conn: Connection) -> dict[str, Any]:
        views = all_accounts(conn, book.principal, context.market, now=NOW, currency="USD")
        rows = []
        for view in views:
            wanted = read.Filter(start=EpochMs(0), end=EpochMs(10**15), limit=1000, is_ascending=True)
            page = transaction_page(conn, book.principal, view.account.id, wanted, currency="USD", assets=context.assets, now=NOW)
            rows += desk.events.transactions(page)
        return _ordered(_plain([desk.accounts.account(view, now=NOW) for view in views]), _plain(rows))

    return await context.store.read(op)


class Life:
    """One user with a few accounts that change at random, and a replica that reads, stops, and goes on from anywhere."""

    def __init__(self, desk: Desk, book: Book, rng: random.Random) -> None:
        self.desk, self.book, self.rng = desk, book, rng
        self.books = [book]
        self.replica = Replica()
        self.kept: list[Replica] = [Replica()]

    async def step(self, number: int) -> None:
        """Something happens."""
        rng, store, who = self.rng, self.desk.context.store, self.book.principal
        what = rng.random()
        if what < 0.55 and self.books:
            await rng.choice(self.books).commit(_page(rng))
        elif what < 0.62:
            self.books.append(await self.book.beside(f"{self.book.account}/{number}"))
        elif what < 0.68 and self.books:
            leaving = self.books.pop(rng.randrange(len(self.books)))
            await store.write(accounts.delete, who, leaving.account, NOW)
        elif what < 0.76:
            newest = await self.book.seq()
            await store.write(feed.prune, who, up_to=rng.choice([newest, rng.randint(0, newest)]))
        elif what < 0.81:
            await self._decide()
        else:
            await self._read(rng.randint(1, 3))

    async def _decide(self) -> None:
        rng, store, who = self.rng, self.desk.context.store, self.book.principal
        rows = [row for book in self.books for row in await book.transactions()]
        if not rows:
            return
        if rng.random() < 0.5:
            kind, target, value = "label", str(rng.choice(rows).id), f"word {rng.random()}"
        else:
            kind, target, value = "spam", f"venue:demo/{rng.choice(['BTC', 'ETH'])}", rng.choice(["yes", "no"])
        await store.write(decisions.decide, who, kind=kind, target=target, value=value, now=NOW)

    async def _read(self, answers: int) -> None:
        """Reads on; may have been killed before, and then goes on with what it has kept, or only with the cursor of that."""
        rng = self.rng
        if rng.random() < 0.3:
            found = rng.choice(self.kept)
            if rng.random() < 0.5:
                self.replica = found.copy()
            else:
                self.replica.cursor = found.cursor
        for _ in range(answers):
            answer = await ask(self.desk, self.book, self.replica.cursor, limit=rng.choice([1, 2, 3, 7, 100]))
            self.replica.take_in(answer)
            self.kept.append(self.replica.copy())
            if not answer["has_more"]:
                assert self.replica.told() == await served(self.desk, self.book)
                return

    async def finish(self) -> None:
        """Reads to the end: now both are equal, and nothing more is told."""
        while True:
            answer = await ask(self.desk, self.book, self.replica.cursor, limit=self.rng.choice([1, 2, 5, 100]))
            self.replica.take_in(answer)
            if not answer["has_more"]:
                break
        assert self.replica.told() == await served(self.desk, self.book)
        again = await ask(self.desk, self.book, self.replica.cursor, limit=100)
        assert not any(again[way][kind] for way in ("added", "modified") for kind in KINDS)
        assert not any(again["removed"].values())


def _page(rng: random.Random) -> Batch:
    """A random page; sometimes with balances of other wallets and products, or none any more."""
    if rng.random() < 0.4:
        return _blocks(rng)
    page = random_page(rng)
    if rng.random() < 0.4:
        amounts = {code: str(rng.randint(1, 3)) for code in rng.sample(["BTC", "ETH", "USD"], rng.randint(0, 2))}
        look = snapshot(amounts, wallet=rng.choice(["spot", "cold"]), product=rng.choice(["earn", "staked"]))
        page = structs.replace(page, snapshots=(*page.snapshots, look))
    return page


def _blocks(rng: random.Random) -> Batch:
    """A few transactions of a chain whose blocks are replaced again and again."""
    told = [
        claim(f"c{n}", leg(f"in {rng.randint(1, 2)} ETH"), book="chain", height=rng.randint(1, 9), finality="provisional")
        for n in rng.sample(range(6), rng.randint(0, 3))
    ]
    return batch(*told, stream="chain", rewind=Rewind("chain", rng.randint(0, 5)) if rng.random() < 0.6 else None)


async def live(desk: Desk, number: int) -> None:
    """One life from its seed."""
    rng = random.Random(number)
    life = Life(desk, await Book.open(desk.context.store, name=f"life {number} {random.random()}"), rng)
    for step in range(rng.randint(4, STEPS_MAX)):
        await life.step(step)
    await life.finish()


@pytest.fixture(scope="module")
def desk(world: World) -> Desk:
    """The routes' desk, under a clock that stands still."""
    seed.balances(world.team("tokens").user("first").account(), dict.fromkeys([seed.USD, seed.BTC, seed.ETH], "1"), at=NOW)
    world.price({seed.BTC: "50000", seed.ETH: "2000"}, at=NOW)
    return desk_of(structs.replace(world.context, clock=StillClock()), poll_wait_s=0)


def _lives(world: World, desk: Desk, numbers: range) -> None:
    async def all_of_them() -> None:
        for number in numbers:
            try:
                await live(desk, number)
            except AssertionError as error:
                error.add_note(f"life {number}")
                raise

    world.write(_without_waiting_for_the_disk)
    world.run(all_of_them())


def _without_waiting_for_the_disk(conn: Connection) -> None:
    """What is told counts here, not its durability."""
    if conn.dialect.name == "postgresql":
        name = conn.exec_driver_sql("SELECT current_database()").scalar_one()
        conn.exec_driver_sql(f'ALTER DATABASE "{name}" SET synchronous_commit = off')


def test_a_replica_equals_the_server_whatever_happens_to_both(world: World, desk: Desk) -> None:
    """Commits, merges, withdrawals, reorganisations, decisions, accounts that go, dropped tombstones, answers of any size, and a
    reader that is killed and goes on at any cursor that it ever had."""
    _lives(world, desk, range(LIVES[world.store.dialect]))


@pytest.mark.soak
def test_a_replica_equals_the_server_in_many_more_lives(world: World, desk: Desk) -> None:
    _lives(world, desk, range(1_000, 1_000 + 20 * LIVES[world.store.dialect]))


MISTAKES: Mapping[str, Callable[[Told], Told]] = {
    "what was taken back is not told": lambda told: structs.replace(told, graves=()),
    "an account that goes is not told": lambda told: structs.replace(told, closed=()),
    "the rest of a commit is skipped": lambda told: structs.replace(told, mark=structs.replace(told.mark, id=2**62)),
    "a reset is not said": lambda told: structs.replace(told, is_reset=False),
    "balances are forgotten": lambda told: structs.replace(told, balances={}),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_planted_mistake_is_found(world: World, desk: Desk, monkeypatch: pytest.MonkeyPatch, mistake: str) -> None:
    def wrong(*args: Any, **kwargs: Any) -> Told:
        return MISTAKES[mistake](tell(*args, **kwargs))

    monkeypatch.setattr(replicating, "tell", wrong)
    with pytest.raises(AssertionError):
        _lives(world, desk, range(LIVES_TO_FIND_A_MISTAKE))


def test_a_horizon_that_is_ignored_is_found(world: World, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Bookmark, "needed", property(lambda _: 2**62))
    with pytest.raises(AssertionError):
        _lives(world, desk, range(LIVES_TO_FIND_A_MISTAKE))


# What the words mean ---------------------------------------------------------------------------------------------------


class Follower:
    """A reader that asks to the end and keeps the last answer, and what was told by way, kind and origin id."""

    def __init__(self, desk: Desk, book: Book) -> None:
        self.desk, self.book, self.cursor = desk, book, ""

    async def read(self, limit: int = 100) -> dict[str, Any]:
        """The next answer."""
        answer = await ask(self.desk, self.book, self.cursor, limit=limit)
        self.cursor = answer["next_cursor"]
        return answer


def names(answer: Mapping[str, Any]) -> dict[str, list[str]]:
    """By way, what was told: transactions by the name of their claim, the rest by kind and id."""
    found = {
        way: sorted(
            [row["misc"]["origin_id"] for row in answer[way]["transactions"]]
            + [kind for kind in KINDS[:4] for _ in answer[way][kind]]
        )
        for way in ("added", "modified")
    }
    return found | {"removed": [kind for kind, rows in answer["removed"].items() for _ in rows]}


def told_in(world: World, desk: Desk, *steps: Batch | None) -> list[dict[str, list[str]]]:
    """What each answer says to a reader that began before the first step; None is a reading."""

    async def play() -> list[dict[str, list[str]]]:
        book = await Book.open(desk.context.store, name=f"told {random.random()}")
        reader = Follower(desk, book)
        await reader.read()
        found = []
        for step in steps:
            if step is None:
                found.append(names(await reader.read()))
            else:
                await book.commit(step)
        return found

    result: list[dict[str, list[str]]] = world.run(play())
    return result


A = claim("a", leg("in 1 ETH"), height=5, finality="provisional")
A_TWICE = structs.replace(A, legs=(leg("in 2 ETH"),))
GONE = batch(stream="trades", rewind=Rewind("trades", 4))
NOTHING: list[str] = []


def test_what_is_seen_first_is_added_and_what_was_held_is_modified(world: World, desk: Desk) -> None:
    first, second = told_in(world, desk, batch(A), None, batch(A_TWICE), None)
    assert first == {"added": ["a", "wallets"], "modified": ["accounts"], "removed": NOTHING}
    assert second == {"added": NOTHING, "modified": ["a", "accounts", "wallets"], "removed": NOTHING}


def test_what_changes_twice_between_two_readings_is_told_once_as_it_is_now(world: World, desk: Desk) -> None:
    new, changed = told_in(world, desk, batch(A), batch(A_TWICE), None, batch(A), batch(A_TWICE), batch(A), None)
    assert new["added"] == ["a", "wallets"]
    assert changed["modified"] == ["a", "accounts", "wallets"]


def test_what_comes_and_goes_between_two_readings_was_never_added(world: World, desk: Desk) -> None:
    (told,) = told_in(world, desk, batch(A), GONE, None)
    assert told == {"added": ["wallets"], "modified": ["accounts"], "removed": ["transactions"]}


def test_what_was_taken_back_and_returns_is_added_again(world: World, desk: Desk) -> None:
    first, gone, back, blinked = told_in(world, desk, batch(A), None, GONE, None, batch(A), None, GONE, batch(A), None)
    assert "a" in first["added"]
    assert gone["removed"] == ["transactions"]
    assert "a" in back["added"]
    assert "a" in blinked["modified"], "it was held before and is held after"
    assert not blinked["removed"]


def test_two_that_turn_out_to_be_one_lead_there(world: World, desk: Desk) -> None:
    async def play() -> None:
        book = await Book.open(desk.context.store, name=f"merged {random.random()}")
        reader = Follower(desk, book)
        await book.commit(batch(claim("1", leg("in 1 ETH"), names=["x"]), claim("2", leg("in 1 ETH"), names=["y"])))
        before = {row["misc"]["origin_id"]: row["id"] for row in (await reader.read())["added"]["transactions"]}
        await book.commit(batch(claim("3", leg("in 1 ETH"), names=["x", "y"])))
        told = await reader.read()
        (gone,) = told["removed"]["transactions"]
        assert (gone["id"], gone["leads_to"]) == (before["2"], before["1"])
        assert not any(told[way]["transactions"] for way in ("added", "modified")), "the elder reads as it did"

    world.run(play())


def test_balances_and_positions_come_whole_and_in_the_place_of_those_before(world: World, desk: Desk) -> None:
    async def play() -> None:
        book = await Book.open(desk.context.store, name=f"looks {random.random()}")
        reader = Follower(desk, book)
        await reader.read()
        await book.commit(batch(snapshots=[snapshot({"BTC": "1", "USD": "5"})], positions=(stands(position("p", "1")),)))
        first = await reader.read()
        (held,) = first["added"]["balances"]
        assert {row["ticker"]: row["amount"] for row in held["balances"]} == {"BTC": "1", "USD": "5"}
        assert [row["name"] for row in first["added"]["positions"][0]["positions"]] == ["p"]
        await book.commit(batch(snapshots=[snapshot({"BTC": "1", "USD": "6"})], positions=(stands(),)))
        second = await reader.read()
        (again,) = second["modified"]["balances"]
        assert again["id"] == held["id"]
        assert {row["ticker"]: row["amount"] for row in again["balances"]} == {"BTC": "1", "USD": "6"}
        assert second["modified"]["positions"][0]["positions"] == []
        assert not any(second["added"].values())
        await book.commit(batch(snapshots=[snapshot({"BTC": "1", "USD": "6"}, seconds=60)]))
        assert not (await reader.read())["modified"]["balances"], "a look that shows the same changes nothing"

    world.run(play())


def test_an_account_that_goes_is_named_alone(world: World, desk: Desk) -> None:
    async def play() -> None:
        book = await Book.open(desk.context.store, name=f"leaving {random.random()}")
        other, reader = await book.beside("other"), Follower(desk, book)
        await book.commit(batch(A, snapshots=[snapshot({"ETH": "1"})]))
        await reader.read()
        await desk.context.store.write(accounts.delete, book.principal, book.account, NOW)
        told = await reader.read()
        assert names(told) == {"added": NOTHING, "modified": NOTHING, "removed": ["accounts"]}
        assert told["removed"]["accounts"] == [{"id": desk.context.ids.wire("account", book.account)}]
        fresh = await ask(desk, book, "", limit=100)
        assert names(fresh) == {"added": ["accounts"], "modified": NOTHING, "removed": NOTHING}
        assert fresh["added"]["accounts"][0]["id"] == desk.context.ids.wire("account", other.account)

    world.run(play())


def test_small_things_come_before_transactions_and_no_answer_has_more_than_asked_for(world: World, desk: Desk) -> None:
    async def play() -> None:
        book = await Book.open(desk.context.store, name=f"pages {random.random()}")
        await book.commit(batch(*[claim(str(n), leg("in 1 ETH")) for n in range(7)], snapshots=[snapshot({"ETH": "7"})]))
        reader = Follower(desk, book)
        answers = [await reader.read(limit=3)]
        while answers[-1]["has_more"]:
            answers.append(await reader.read(limit=3))
        assert [len(told["added"]["transactions"]) for told in answers] == [3, 3, 1]
        assert [len(told["added"]["balances"]) for told in answers] == [1, 0, 0]
        assert [told["is_reset"] for told in answers] == [True, False, False]
        assert not any(any(told["modified"].values()) for told in answers)

    world.run(play())


def test_dropped_tombstones_begin_anew_in_the_same_shape_and_only_where_one_may_be_missing(world: World, desk: Desk) -> None:
    async def play() -> None:
        store, book = desk.context.store, await Book.open(desk.context.store, name=f"pruned {random.random()}")
        await book.commit(batch(A))
        late, early = Follower(desk, book), Follower(desk, book)
        await early.read()
        await book.commit(GONE)
        await late.read()
        await store.write(feed.prune, book.principal, up_to=await book.seq())
        await book.commit(batch(claim("b", leg("in 1 ETH"))))
        assert names(await late.read())["added"] == ["b"]
        again = await early.read()
        assert again["is_reset"]
        assert names(again) == {"added": ["accounts", "b", "wallets"], "modified": NOTHING, "removed": NOTHING}
        assert not (await early.read())["is_reset"]

    world.run(play())


def test_a_word_on_a_token_tells_again_what_reads_otherwise(world: World, desk: Desk) -> None:
    async def play() -> None:
        book = await Book.open(desk.context.store, name=f"spam {random.random()}")
        reader = Follower(desk, book)
        await book.commit(batch(A, claim("b", leg("in 1 BTC")), snapshots=[snapshot({"ETH": "1"})]))
        await reader.read()
        word: dict[str, Any] = {"kind": "spam", "target": "venue:demo/ETH", "value": "yes", "now": NOW}
        await desk.context.store.write(decisions.decide, book.principal, **word)
        told = await reader.read()
        assert names(told)["modified"] == ["a", "accounts", "balances", "wallets"]
        assert [row["ticker"] for row in told["modified"]["balances"][0]["hidden"]] == ["ETH"]

    world.run(play())


# Over the wire ---------------------------------------------------------------------------------------------------------


def get(address: str, token: str, **query: Any) -> Any:
    """One request."""
    return HTTP.get(f"{address}/v1/sync", params=query, headers={"authorization": f"Bearer {token}"})


def test_it_shows_what_the_other_routes_show(world: World, address: str, client: Client) -> None:
    link = seed.portfolio(world, client.user("u1"))
    token = token_of(address, client, "u1")
    answer = get(address, token, fiat="USD")
    told = answer.json()
    assert told["request_id"] == answer.headers["x-request-id"]
    assert (told["status"], told["fiat_ticker"], told["has_more"]) == ("ok", "USD", False)
    replica = Replica()
    replica.take_in(told)
    headers = {"authorization": f"Bearer {token}"}
    accounts_shown = HTTP.get(f"{address}/v1/accounts", headers=headers).json()
    rows = HTTP.get(f"{address}/v1/accounts/{link.id}/transactions", params={"limit": 1000}, headers=headers).json()
    assert replica.told() == _ordered(accounts_shown, rows)
    world.rate("EUR", "1")
    world.rate("USD", "1.25")
    euros = get(address, token, fiat="eur").json()
    dollars, (account,) = accounts_shown[0]["fiat_value"], euros["added"]["accounts"]
    assert account["fiat_ticker"] == "EUR"
    assert abs(float(account["fiat_value"]) * 1.25 - float(dollars)) < 1


@pytest.mark.parametrize("cursor", ["x", "é", "0", "A" * 40, "=", "~"])
def test_a_cursor_that_is_none_of_ours_is_refused(address: str, client: Client, cursor: str) -> None:
    refused = get(address, token_of(address, client, "u1"), cursor=cursor)
    assert (refused.status_code, refused.json()["code"]) == (400, "invalid_field")
    assert "next_cursor" in refused.json()["message"]


def test_a_cursor_of_another_user_or_one_that_was_changed_is_refused(world: World, address: str, client: Client) -> None:
    seed.portfolio(world, client.user("u1"))
    token, other = (token_of(address, client, login) for login in ("u1", "u2"))
    cursor = get(address, token).json()["next_cursor"]
    assert get(address, token, cursor=cursor).json()["added"]["accounts"] == []
    assert get(address, other, cursor=cursor).status_code == 400
    changed = cursor[:-1] + ("A" if cursor[-1] != "A" else "B")
    assert get(address, token, cursor=changed).status_code == 400
    assert get(address, token, limit=0).status_code == get(address, token, limit=1001).status_code == 400
