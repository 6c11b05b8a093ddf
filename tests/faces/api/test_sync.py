"""What the answers of `/v1/sync` say is exact: what is new, what changed, what is gone, and how they come."""

import random
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest
from msgspec import structs
from sqlalchemy.engine import Connection

from omnifolio.app.replicating import page_of
from omnifolio.faces.api.desk import Desk
from omnifolio.ledger import accounts, decisions, feed
from omnifolio.model.facts import Batch, Rewind, Wallet
from tests.faces.api import seed
from tests.faces.api.replica import KINDS, NOW, Replica, ask, ordered
from tests.faces.api.world import HTTP, Client, World, token_of
from tests.ledger.builders import Book, batch, claim, leg, position, snapshot, stands


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


def test_a_wallet_that_is_only_named_is_told(world: World, desk: Desk) -> None:
    (told,) = told_in(world, desk, batch(wallets=(Wallet(key="cold", name="Cold"),)), None)
    assert told["added"] == ["wallets"]


def test_one_answer_costs_the_same_statements_for_many_accounts(world: World, desk: Desk) -> None:
    """Counted where the database says what it is asked; the statements are the same on both."""

    async def play() -> list[int]:
        counts = []
        for number in (2, 8):
            book = await Book.open(desk.context.store, name=f"many {random.random()}")
            for name in range(number - 1):
                beside = await book.beside(str(name))
                page = batch(A, snapshots=[snapshot({"ETH": "1"})], positions=(stands(position("p", "1")),))
                await beside.commit(page)
            counts.append(await _statements(desk, book))
        return counts

    few, many = world.run(play())
    assert few == many
    assert 5 < few < 40


async def _statements(desk: Desk, book: Book) -> int:
    """How many statements the first answer takes."""
    context, asked = desk.context, list[str]()

    def op(conn: Connection) -> None:
        raw: Any = conn.connection.driver_connection
        if conn.dialect.name == "sqlite":
            raw.set_trace_callback(asked.append)
        else:
            raw.add_query_logger(lambda record: asked.append(record.query))
        page_of(conn, context, book.principal, None, limit=100, fiat="USD")
        if conn.dialect.name == "sqlite":
            raw.set_trace_callback(None)

    await context.store.read(op)
    return len(asked)


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
    assert replica.told() == ordered(accounts_shown, rows)
    world.rate("EUR", "1")
    world.rate("USD", "1.25")
    euros = get(address, token, fiat="eur").json()
    dollars, (account,) = accounts_shown[0]["fiat_value"], euros["added"]["accounts"]
    assert account["fiat_ticker"] == "EUR"
    assert abs(Decimal(account["fiat_value"]) * Decimal("1.25") - Decimal(dollars)) <= Decimal(
        "0.02"
    )  # each is rounded to the cent


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
