"""What a key may do decides whether it is kept: more than reading is refused and wiped, by name, at once and later."""

import json
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from omnifolio.app import link as linking
from omnifolio.model.clock import DAY_MS
from omnifolio.model.errors import SecretUnreadable
from omnifolio.store.engine import SqliteStore
from omnifolio.store.schema import audit, intake, secrets
from omnifolio_sandbox import credentials
from tests.proof.simulation import Installation, Venues, installed

USER = "small-100"
PROBE = {
    "kraken": "/0/private/GetApiKeyInfo",
    "binance": "/sapi/v1/account/apiRestrictions",
    "coinbase": "/api/v3/brokerage/key_permissions",
    "bybit": "/v5/user/query-api",
    "okx": "/api/v5/account/config",
}
DRIFT = {"kraken": ["withdraw_gained", "right_lost"], "coinbase": ["withdraw_gained"]}
SWITCH = {
    ("kraken", "withdraw"): "withdraw-funds",
    ("kraken", "unknown-flag"): "teleport-funds",
    ("binance", "withdraw"): "enableWithdrawals",
    ("binance", "unknown-flag"): "enableTeleport",
    ("coinbase", "withdraw"): "can_transfer",
    ("bybit", "withdraw"): "Wallet.Withdraw",
    ("bybit", "unknown-flag"): "Teleport.Teleport",
    ("okx", "withdraw"): "Withdraw (withdraw)",
    ("okx", "unknown-flag"): "teleport",
    ("coinbase", "unknown-flag"): "can_teleport",
}


async def stored(house: Installation) -> list[bytes]:
    """Every credential that the database holds, sealed or kept."""

    def op(conn: Connection) -> list[bytes]:
        found = [row.box for row in conn.execute(sa.select(intake.c.box))]
        return found + [row.record for row in conn.execute(sa.select(secrets.c.record))]

    return await house.runtime.context.store.read(op)


def files_of(house: Installation) -> bytes:
    """Every byte of the database's files; "" on PostgreSQL, whose dead rows wait for its vacuum."""
    store = house.runtime.context.store
    if not isinstance(store, SqliteStore):
        return b""
    return b"".join(path.read_bytes() for path in sorted(store.path.parent.glob(f"{store.path.name}*")))


async def noted(house: Installation) -> list[str]:
    """What the audit says of credentials, oldest first."""

    def op(conn: Connection) -> list[str]:
        actions = conn.execute(sa.select(audit.c.action).order_by(audit.c.id)).scalars()
        return [action for action in actions if action.startswith("credential.")]

    return await house.runtime.context.store.read(op)


@pytest.mark.parametrize(("venue", "permission"), list(SWITCH), ids="-".join)
async def test_a_key_that_can_do_too_much_is_wiped_and_the_switch_is_named(
    house: Installation, venues: Venues, venue: str, permission: str
) -> None:
    number = await house.link(venue, USER, permission=permission)
    (sealed,) = await stored(house)
    await house.work()
    shown = await house.shown(number)
    assert shown.error is not None
    assert (shown.status, shown.error.name, shown.error.code) == ("error", "LoginFailedError", "excess_permission")
    assert SWITCH[venue, permission] in shown.error.message
    assert "only read" in shown.error.action
    assert (shown.next_sync_at, shown.authorized, await house.facts(number)) == (None, False, {})
    assert await stored(house) == []
    assert [call["path"] for call in venues.calls()] == [PROBE[venue]]

    await house.restart()
    assert sealed not in files_of(house)
    venues.forget_calls()
    await house.sync(number)
    shown = await house.shown(number)
    assert shown.error is not None
    assert (shown.status, shown.error.code, shown.next_sync_at) == ("error", SecretUnreadable.code, None)
    assert venues.calls() == []


@pytest.mark.parametrize(
    ("venue", "setting"),
    [*((venue, "warn") for venue in ("kraken", "coinbase")), *((venue, "refuse") for venue in PROBE)],
)
async def test_a_key_that_can_trade_is_warned_of_or_refused_by_setting(
    database_url: str, tmp_path_factory: pytest.TempPathFactory, venues: Venues, venue: str, setting: str
) -> None:
    async with installed(database_url, tmp_path_factory.mktemp("keys"), venues, trade_permission=setting) as house:
        number = await house.link(venue, USER, permission="trade")
        await house.work()
        shown = await house.shown(number)
        assert shown.permission is not None
        assert shown.permission.state == "can_trade"
        assert shown.permission.excess
        if setting == "warn":
            assert (shown.status, len(await stored(house))) == ("ok", 1)
            assert await house.facts(number) == venues.truth(USER, venue)
        else:
            assert (shown.status, await stored(house)) == ("error", [])
            assert await house.facts(number) == {}


@pytest.mark.parametrize("venue", PROBE)
async def test_a_key_that_is_bound_to_an_address_says_so_and_reads(house: Installation, venues: Venues, venue: str) -> None:
    """Coinbase tells nothing of addresses: not known is not unbound."""
    number = await house.link(venue, USER, permission="bound")
    await house.work()
    shown = await house.shown(number)
    assert shown.permission is not None
    assert (shown.status, shown.permission.ip_restricted) == ("ok", None if venue == "coinbase" else True)
    assert await house.facts(number) == venues.truth(USER, venue)


@pytest.mark.parametrize("venue", ["kraken", "bybit"])
async def test_the_end_of_a_key_is_told_before_it_comes_and_is_no_loss(house: Installation, venues: Venues, venue: str) -> None:
    number = await house.link(venue, USER, permission="expiring")
    end_ms = (house.time.now() + 10 * DAY_MS) // 1000 * 1000
    await house.work()
    shown = await house.shown(number)
    assert shown.permission is not None
    assert (shown.status, shown.permission.expires_at) == ("ok", end_ms)
    assert "expires_soon" in [change.code for change in shown.permission.changes]
    facts = await house.facts(number)
    assert facts == venues.truth(USER, venue)
    venues.pass_time(11 * DAY_MS)
    await house.sync(number)
    shown = await house.shown(number)
    assert shown.error is not None
    assert (shown.status, shown.error.code, shown.next_sync_at) == ("error", "bad_credentials", None)
    assert await house.facts(number) == facts


def grown(venue: str) -> dict[str, Any]:
    """The introspection's answer for a key that was given the right to withdraw."""
    if venue == "kraken":
        info = {"permissions": ["query-funds", "query-ledger", "withdraw-funds"], "validUntil": "0"}
        return {"error": [], "result": info}
    return {"can_view": True, "can_trade": False, "can_transfer": True, "portfolio_uuid": "p", "portfolio_type": "DEFAULT"}


@pytest.mark.parametrize("venue", ["kraken", "coinbase"])
async def test_a_right_that_is_added_later_stops_the_key_at_the_next_sync(
    house: Installation, venues: Venues, venue: str
) -> None:
    number = await house.link(venue, USER)
    await house.work()
    facts = await house.facts(number)
    venues.fault({"venue": venue, "path": PROBE[venue], "status": 200, "body": grown(venue)})
    venues.forget_calls()
    await house.sync(number)
    shown = await house.shown(number)
    assert shown.error is not None
    assert (shown.status, shown.error.code, shown.next_sync_at) == ("error", "excess_permission", None)
    assert await stored(house) == []
    assert [call["path"] for call in venues.calls()] == [PROBE[venue]]
    assert await house.facts(number) == facts
    assert shown.permission is not None
    assert [change.code for change in shown.permission.changes] == DRIFT[venue]
    assert await noted(house) == ["credential.kept", "credential.wiped", "credential.changed"]

    venues.heal()
    await relinked(house, number, venue)
    await house.work()
    assert (await house.shown(number)).status == "ok"
    assert await house.facts(number) == venues.truth(USER, venue)


def unbound(addresses: list[str], until: int) -> dict[str, Any]:
    """Kraken's introspection of a key that can only read."""
    rights = ["query-funds", "query-open-trades", "query-closed-trades", "query-ledger"]
    return {"error": [], "result": {"permissions": rights, "validUntil": str(until), "ipAllowlist": addresses}}


async def test_what_changes_of_a_key_is_told_once_and_an_equal_look_moves_nothing(house: Installation, venues: Venues) -> None:
    number = await house.link("kraken", USER)
    path = {"venue": "kraken", "path": PROBE["kraken"], "status": 200}
    until = house.time.now() // 1000 + 10 * DAY_MS // 1000
    venues.fault({**path, "body": unbound(["192.0.2.7"], until)})
    await house.work()
    venues.heal()
    venues.fault({**path, "body": unbound([], until)})
    await house.sync(number)
    await house.sync(number)
    shown = await house.shown(number)
    assert shown.permission is not None
    assert [change.code for change in shown.permission.changes] == ["expires_soon", "ip_restriction_lost"]
    assert (shown.status, shown.permission.ip_restricted, shown.permission.expires_at) == ("ok", False, until * 1000)
    assert shown.permission.method == f"POST {PROBE['kraken']}"
    assert "query-ledger" in shown.permission.rights
    assert await noted(house) == ["credential.kept", "credential.changed", "credential.changed"]


async def relinked(house: Installation, number: Any, venue: str) -> None:
    """The user reconnects with a key that can only read."""
    fields = credentials.of_user(USER, "read")[venue]
    entered = {"apiKey": fields["apiKey"], "secret": fields["secret"]}
    await linking.relink(house.runtime.context, house.principal, number, entered)


async def test_a_key_without_history_says_what_it_lacks(house: Installation, venues: Venues) -> None:
    number = await house.link("kraken", USER, permission="no-history")
    await house.work()
    shown = await house.shown(number)
    assert shown.error is not None
    assert (shown.status, shown.error.code) == ("error", "missing_permission")
    assert "query-ledger" in shown.error.message
    await relinked(house, number, "kraken")
    await house.work()
    assert await house.facts(number) == venues.truth(USER, "kraken")


async def test_a_key_that_the_venue_has_deleted_is_not_asked_with_again(house: Installation, venues: Venues) -> None:
    number = await house.link("kraken", USER)
    await house.work()
    facts = await house.facts(number)
    venues.fault({"venue": "kraken", "status": 200, "body": json.dumps({"error": ["EAPI:Invalid key"]})})
    await house.sync(number)
    shown = await house.shown(number)
    assert shown.error is not None
    assert (shown.status, shown.error.name, shown.error.code) == ("error", "LoginFailedError", "bad_credentials")
    assert (shown.next_sync_at, await house.facts(number)) == (None, facts)
    venues.forget_calls()
    venues.pass_time(30 * DAY_MS)
    await house.work()
    assert venues.calls() == []
