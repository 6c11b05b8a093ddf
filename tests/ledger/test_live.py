"""Who listens to an account: one process, as long as it says that it lives, and nobody for an account that is not well."""

import pytest
from sqlalchemy.engine import Connection

from omnifolio.ledger import accounts, live
from omnifolio.model.accounts import AccountStatus, Principal
from omnifolio.model.clock import SECOND_MS, EpochMs
from omnifolio.model.ids import AccountId
from omnifolio.store.engine import Store
from tests.ledger.builders import Book, at

NOW = at(0)
LIFE_MS = 15 * SECOND_MS
VENUES = ("kraken", "binance")
DONE: dict[str, AccountStatus] = {"wallets": "ok", "balances": "ok", "transactions": "ok"}


def account(conn: Connection, principal: Principal, linked: str, *, mark: bytes, **state: object) -> AccountId:
    """An account that was read once, unless `state` says otherwise."""
    made = accounts.add(conn, principal, venue=linked, fingerprint=mark, now=NOW)
    values = {"status": "ok", "synced_at": NOW, "next_sync_at": NOW + 1_000_000, **state}
    accounts.change(conn, principal, made, NOW, **values)
    return made


def claims(conn: Connection, owner: str, *, at: int = 0, most: int = 10) -> tuple[list[int], list[int]]:
    """What `owner` holds and what it has just taken, `at` milliseconds later."""
    now = EpochMs(NOW + at)
    found = live.claims(conn, owner, venues=VENUES, count_max=most, now=now, until=EpochMs(now + LIFE_MS))
    return sorted(due.account for due in found.held), sorted(due.account for due in found.taken)


async def test_an_account_has_one_listener_until_that_one_is_dead(store: Store) -> None:
    principal = (await Book.open(store)).principal

    def story(conn: Connection) -> None:
        one = account(conn, principal, "kraken", mark=b"1")
        assert live.is_wanted(conn, venues=VENUES, now=NOW)
        assert claims(conn, "a") == ([], [one])
        assert claims(conn, "b") == ([], [])
        assert claims(conn, "a", at=10_000) == ([one], [])
        assert not live.is_wanted(conn, venues=VENUES, now=EpochMs(NOW + 20_000))
        assert claims(conn, "b", at=24_000) == ([], []), "it has said that it lives"
        assert live.is_wanted(conn, venues=VENUES, now=EpochMs(NOW + 26_000))
        assert claims(conn, "b", at=26_000) == ([], [one])
        assert claims(conn, "a", at=27_000) == ([], []), "who comes back is too late"

    await store.write(story)


async def test_a_cap_leaves_the_rest_to_others(store: Store) -> None:
    principal = (await Book.open(store)).principal

    def story(conn: Connection) -> None:
        made = [account(conn, principal, venue, mark=bytes([n])) for n, venue in enumerate(VENUES * 2)]
        assert claims(conn, "a", most=3) == ([], made[:3])
        assert claims(conn, "b", most=3) == ([], made[3:])
        assert claims(conn, "a", most=3) == (made[:3], [])
        live.leave(conn, "a")
        assert claims(conn, "b", most=3) == (made[3:], made[:2])

    await store.write(story)


@pytest.mark.parametrize(
    "state",
    [{"status": "error"}, {"status": "syncing"}, {"synced_at": None}, {"live_after": NOW + 1}, {"venue": "bitstamp"}],
    ids=str,
)
async def test_nobody_listens_where_it_is_of_no_use(store: Store, state: dict[str, object]) -> None:
    principal = (await Book.open(store)).principal

    def story(conn: Connection) -> None:
        account(conn, principal, "kraken", mark=b"1", **state)
        assert not live.is_wanted(conn, venues=VENUES, now=NOW)
        assert claims(conn, "a") == ([], [])

    await store.write(story)


async def test_what_is_noted_counts_for_the_owner_alone(store: Store) -> None:
    principal = (await Book.open(store)).principal

    def story(conn: Connection) -> None:
        one = account(conn, principal, "kraken", mark=b"1")
        claims(conn, "a")
        assert not live.connected(conn, principal, one, "b", NOW)
        assert live.connected(conn, principal, one, "a", NOW)
        live.lost(conn, principal, one, "b", NOW, problem="not yours", after=None)
        assert accounts.get(conn, principal, one, NOW).live_since == NOW
        live.heard(conn, principal, one, NOW, at=NOW, is_under_round=False)
        live.lost(conn, principal, one, "a", NOW, problem="the venue closed the socket", after=None)
        found = accounts.get(conn, principal, one, NOW)
        assert (found.live_since, found.live_heard_at, found.live_problem) == (None, NOW, "the venue closed the socket")
        assert claims(conn, "a") == ([one], []), "it is opened again by the one who has it"
        live.lost(conn, principal, one, "a", NOW, problem="the key is refused", after=EpochMs(NOW + 1_000))
        assert claims(conn, "a") == ([], [])
        assert claims(conn, "b", at=1_001) == ([], [one])
        accounts.delete(conn, principal, one, NOW)
        assert claims(conn, "b", at=1_002) == ([], [])

    await store.write(story)


async def test_a_round_is_asked_for_where_it_will_not_be_forgotten(store: Store) -> None:
    principal = (await Book.open(store)).principal

    def story(conn: Connection) -> None:
        one = account(conn, principal, "kraken", mark=b"1")
        fence = accounts.lease(conn, principal, one, owner="worker", now=NOW, length_ms=LIFE_MS)
        assert fence is not None
        assert not live.hasten(conn, one, NOW), "its worker would set another date at the end"
        accounts.release(conn, one, fence=fence)
        assert live.hasten(conn, one, NOW)
        assert [due.account for due in accounts.due(conn, NOW, 5)] == [one]
        accounts.change(conn, principal, one, NOW, status="retry", next_sync_at=NOW + 60_000)
        assert live.hasten(conn, one, NOW)
        assert list(accounts.due(conn, NOW, 5)) == [], "a pause that the venue asked for stays one"

    await store.write(story)
