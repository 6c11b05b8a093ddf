"""Linking by consent, end to end with simulated venues: read, renewed, taken back, and nobody else's answer is taken."""

import asyncio
import http.client
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import sqlalchemy as sa
from msgspec.structs import replace

from omnifolio.app import administer, authorising
from omnifolio.app import link as linking
from omnifolio.catalog.oauth import ACCESS, REFRESH
from omnifolio.connect import authorisations
from omnifolio.ledger import accounts
from omnifolio.model.clock import HOUR_MS, MINUTE_MS
from omnifolio.model.errors import AuthorisationFailed, EgressRefused, InvalidField, InvalidSettings, NotFound, StoreUnavailable
from omnifolio.model.ids import AccountId, UserId
from omnifolio.store.schema import revocations
from omnifolio.sync.consents import Consents
from omnifolio.vault import open as vault
from omnifolio.vault.places import place_of
from tests.connect.consenting import begin, decide, link, post
from tests.proof.conftest import house, venues
from tests.proof.simulation import Installation

__all__ = ["house", "venues"]


async def linked(house: Installation, user: str, venue: str = "coinbase", *, scope: str = "") -> AccountId:
    """An account linked by consent, and read."""
    done = await (link(house, user, venue, scope=scope) if scope else link(house, user, venue))
    assert done.account is not None, done.error
    await house.work()
    return done.account


async def kept(house: Installation, account: AccountId) -> vault.Kept:
    keys = house.runtime.context.key_store
    assert keys is not None
    return await house.runtime.context.store.read(vault.open_version, house.principal, account, keys)


def consents(house: Installation) -> Consents:
    assert house.runtime.consents is not None
    return house.runtime.consents


@pytest.mark.parametrize("venue", ["coinbase", "kraken"])
async def test_an_account_linked_by_consent_is_read_like_one_with_a_key(house: Installation, venue: str) -> None:
    account = await linked(house, "ada", venue)
    stored = await house.account(account)
    assert (stored.status, stored.error_text) == ("ok", None)
    assert stored.certificate is not None
    assert stored.certificate.state == "read_only"
    assert await house.facts(account) == house.venues.truth("ada", venue)


async def test_only_the_made_key_is_kept_where_tokens_make_one(house: Installation) -> None:
    account = await linked(house, "ada", "kraken")
    assert set((await kept(house, account)).secrets) == {"key", "secret"}


async def test_tokens_are_renewed_before_they_end_and_a_used_one_is_never_shown_again(house: Installation) -> None:
    account = await linked(house, "ada")
    first = await kept(house, account)
    for _ in range(3):
        house.venues.pass_time(HOUR_MS)
        await house.sync(account)
        assert (await house.account(account)).status == "ok"
    last = await kept(house, account)
    assert last.version == first.version + 3
    assert last.secrets[REFRESH] != first.secrets[REFRESH]


async def test_fifty_who_renew_at_once_ask_the_venue_once_and_lose_nothing(house: Installation) -> None:
    account = await linked(house, "ada")
    old = await kept(house, account)
    house.venues.pass_time(HOUR_MS)
    house.venues.forget_calls()
    work = (consents(house).fresh(house.principal, account, "coinbase", old) for _ in range(50))
    found = await asyncio.gather(*work)
    assert len({secrets[ACCESS].reveal() for secrets in found}) == 1
    assert [call["path"] for call in house.venues.calls()] == ["/oauth2/token"]
    await house.sync(account)
    assert (await house.account(account)).status == "ok"


async def test_a_process_that_dies_while_it_renews_loses_at_most_the_consent_and_says_so(house: Installation) -> None:
    """At every statement of a renewal: before the venue was asked nothing is lost, after the commit nothing is either."""
    account = await linked(house, "ada")
    before = await house.facts(account)
    outcomes = []
    for after in range(40):
        house.venues.pass_time(HOUR_MS)
        old = await kept(house, account)

        async def renew(old: vault.Kept = old) -> None:
            await consents(house).fresh(house.principal, account, "coinbase", old)

        is_dead = await house.crash(after, renew)
        house.venues.pass_time(10 * MINUTE_MS)
        await house.sync(account)
        stored = await house.account(account)
        outcomes.append(stored.status)
        if stored.status != "ok":
            assert stored.error_code == "bad_credentials"
            assert "link the account again" in (stored.error_text or "")
            done = await link(house, "ada", account=account)
            assert done.account == account
            await house.work()
            assert (await house.account(account)).status == "ok"
        assert await house.facts(account) == before
        if not is_dead:
            break
    assert outcomes[0] == outcomes[-1] == "ok"
    assert len(outcomes) > 2


async def test_a_database_that_is_away_for_a_moment_costs_no_token(house: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    account = await linked(house, "ada")
    house.venues.pass_time(HOUR_MS)
    old = await kept(house, account)
    failures, real = [1, 1, 1], house.runtime.context.store.write_sync

    async def away(op: Any, *args: Any, **named: Any) -> Any:
        if failures and op not in (vault.lease, vault.release):
            failures.pop()
            raise StoreUnavailable
        return await real(op, *args, **named)

    monkeypatch.setattr(house.runtime.context.store, "write_sync", away)
    found = await consents(house).fresh(house.principal, account, "coinbase", old)
    assert not failures
    assert found[ACCESS] == (await kept(house, account)).secrets[ACCESS]


async def test_an_end_that_the_venue_decides_asks_the_person_to_link_again_and_keeps_the_id(house: Installation) -> None:
    account = await linked(house, "ada")
    before, ids = await house.facts(account), await house.ids(account)
    client = {"client_id": "omnifolio-sandbox", "client_secret": "worthless-outside-the-sandbox"}
    post(
        f"{house.venues.url}/coinbase/oauth2/revoke", {"token": (await kept(house, account)).secrets[REFRESH].reveal(), **client}
    )
    house.venues.pass_time(HOUR_MS)
    await house.sync(account)
    stored = await house.account(account)
    assert (stored.status, stored.error_code, stored.next_sync_at) == ("error", "bad_credentials", None)
    shown = await house.shown(account)
    assert shown.error is not None
    assert shown.error.name == "LoginFailedError"
    assert (await link(house, "ada", account=account)).account == account
    await house.work()
    assert (await house.account(account)).status == "ok"
    assert await house.facts(account) == before
    assert await house.ids(account) == ids


async def test_deleting_an_account_takes_its_consent_back_and_then_destroys_the_keys(house: Installation) -> None:
    account = await linked(house, "ada")
    access, keys = (await kept(house, account)).secrets[ACCESS].reveal(), house.runtime.context.key_store
    assert keys is not None
    user = (await house.runtime.context.store.read(place_of, house.principal, account)).user
    await linking.unlink(house.runtime.context, house.principal, account)
    assert keys.find("account", f"{user}/{account}") is not None
    house.venues.forget_calls()
    await house.work()
    assert [call["path"] for call in house.venues.calls()] == ["/oauth2/revoke"]
    assert keys.find("account", f"{user}/{account}") is None
    assert await house.runtime.context.store.read(lambda conn: conn.execute(sa.select(revocations)).all()) == []
    assert not _opens(house, access)


async def test_a_venue_that_is_away_is_asked_to_forget_three_times_and_the_keys_go_all_the_same(house: Installation) -> None:
    account = await linked(house, "ada")
    house.venues.fault({"venue": "coinbase", "path": "/oauth2/revoke", "status": 503})
    removed = await administer.remove_user(house.runtime.context, house.principal)
    keys = house.runtime.context.key_store
    assert keys is not None
    assert keys.find("user", removed.user) is not None
    for _ in range(3):
        await consents(house).take_back()
    assert keys.find("user", removed.user) is None
    assert keys.find("account", f"{removed.user}/{account}") is None


@pytest.mark.parametrize("scope", ["wallet:transactions:send", "wallet:accounts:update"])
async def test_a_scope_that_does_more_than_read_is_refused_and_wiped(house: Installation, scope: str) -> None:
    granted = f"wallet:accounts:read,wallet:transactions:read,offline_access,{scope}"
    account = await linked(house, "ada", scope=granted)
    stored = await house.account(account)
    assert stored.error_code == "excess_permission"
    assert scope in (stored.error_text or "")
    with pytest.raises(NotFound):
        await kept(house, account)


async def test_a_scope_that_was_not_granted_is_named(house: Installation) -> None:
    account = await linked(house, "ada", scope="wallet:accounts:read,offline_access")
    stored = await house.account(account)
    assert stored.error_code == "missing_permission"
    assert "wallet:transactions:read" in (stored.error_text or "")


async def test_a_state_works_once(house: Installation) -> None:
    told = decide(await begin(house), user="ada")
    assert (await authorising.finish(house.runtime.context, venue="coinbase", **told)).account is not None
    with pytest.raises(AuthorisationFailed, match="used already"):
        await authorising.finish(house.runtime.context, venue="coinbase", **told)


async def test_of_ten_answers_with_one_state_that_come_at_once_one_counts(house: Installation) -> None:
    told = decide(await begin(house), user="ada")
    many = (authorising.finish(house.runtime.context, venue="coinbase", **told) for _ in range(10))
    found = await asyncio.gather(*many, return_exceptions=True)
    assert sum(not isinstance(one, BaseException) for one in found) == 1


async def test_a_state_ends_after_ten_minutes(house: Installation) -> None:
    told = decide(await begin(house), user="ada")
    house.venues.pass_time(authorisations.LIFE_MS)
    with pytest.raises(AuthorisationFailed):
        await authorising.finish(house.runtime.context, venue="coinbase", **told)


async def test_a_state_that_another_user_began_is_refused(house: Installation) -> None:
    told = decide(await begin(house), user="ada")
    other = replace(house.principal, user=UserId(10_000))
    with pytest.raises(AuthorisationFailed, match="somebody else"):
        await authorising.finish(house.runtime.context, venue="coinbase", principal=other, **told)


@pytest.mark.parametrize("issuer", ["https://evil.example", "", None])
async def test_an_answer_of_another_issuer_is_refused(house: Installation, issuer: str | None) -> None:
    told = {**decide(await begin(house), user="ada"), "iss": issuer}
    done = await authorising.finish(house.runtime.context, venue="coinbase", **told)
    assert done.account is None
    assert isinstance(done.error, AuthorisationFailed)


async def test_an_answer_at_another_venues_address_is_refused_and_the_state_is_spent(house: Installation) -> None:
    told = decide(await begin(house), user="ada")
    with pytest.raises(AuthorisationFailed, match="another venue"):
        await authorising.finish(house.runtime.context, venue="kraken", **told)
    with pytest.raises(AuthorisationFailed):
        await authorising.finish(house.runtime.context, venue="coinbase", **told)


async def test_a_code_that_belongs_to_another_consent_is_worth_nothing(house: Installation) -> None:
    """A stolen code in a flow of one's own: the verifier is another, so the venue refuses it."""
    stolen = decide(await begin(house), user="ada")
    own = decide(await begin(house), user="eve")
    done = await authorising.finish(house.runtime.context, venue="coinbase", **{**own, "code": stolen["code"]})
    assert done.account is not None
    await house.work()
    stored = await house.account(done.account)
    assert stored.error_code == "bad_credentials"
    assert not await house.facts(done.account)


async def test_denied_consent_links_nothing_and_is_told_in_words(house: Installation) -> None:
    done = await link(house, "ada", decision="deny")
    assert done.account is None
    assert done.error is not None
    assert (done.error.code, done.return_to) == ("consent_denied", "/connect")
    context = house.runtime.context
    assert await context.store.read(accounts.listed, house.principal, context.clock.now()) == []


async def test_the_venue_gives_no_tokens_to_another_redirect_address(house: Installation) -> None:
    told = decide(await begin(house), user="ada", redirect_uri="http://127.0.0.1:9/connect/oauth/callback/coinbase")
    done = await authorising.finish(house.runtime.context, venue="coinbase", **told)
    assert done.account is not None
    await house.work()
    assert (await house.account(done.account)).error_code == "bad_credentials"


async def test_an_address_that_is_not_registered_gets_no_page(house: Installation) -> None:
    asked = dict(parse_qsl(urlsplit(await begin(house)).query))
    status, headers, _ = post(
        f"{house.venues.url}/coinbase/oauth2/auth",
        {**asked, "redirect_uri": "https://evil.example/callback", "user": "ada", "decision": "allow"},
    )
    assert (status, headers.get("location")) == (400, None)


async def test_what_a_consent_asks_for_only_reads(house: Installation) -> None:
    asked = dict(parse_qsl(urlsplit(await begin(house)).query))
    assert asked["code_challenge_method"] == "S256"
    assert all(scope.endswith((":read", "offline_access")) for scope in asked["scope"].split(","))


@pytest.mark.parametrize("target", ["https://evil.example", "//evil.example", "/\\evil.example", "/a?b=c", "/a#b"])
async def test_a_return_address_that_is_no_path_of_ours_is_refused(house: Installation, target: str) -> None:
    with pytest.raises(InvalidField):
        await authorising.begin(house.runtime.context, house.principal, venue="coinbase", return_to=target)


async def test_an_account_of_another_venue_cannot_be_reconnected_by_consent(house: Installation) -> None:
    account = await house.link("kraken", "ada")
    with pytest.raises(InvalidField):
        await begin(house, account=account)
    with pytest.raises(NotFound):
        await begin(house, account=AccountId(99_999))


async def test_a_venue_without_a_client_takes_no_consent_and_says_so(house: Installation) -> None:
    with pytest.raises(NotFound, match="read-only key"):
        await begin(house, "binance")
    assert house.runtime.context.offers.of("binance").auth_types == ("token",)
    assert house.runtime.context.offers.of("coinbase").auth_types == ("oauth", "token")


async def test_the_token_endpoint_is_the_only_post_that_may_leave_for_it(house: Installation) -> None:
    base = f"{house.venues.url}/coinbase"
    rules = house.runtime.egress.rules()["coinbase-oauth"]
    assert [(rule.method, rule.url) for rule in rules] == [
        ("POST", f"{base}/oauth2/token"),
        ("POST", f"{base}/oauth2/revoke"),
    ]
    for method, path in (
        ("GET", "/oauth2/token"),
        ("POST", "/v2/accounts"),
        ("POST", "/oauth2/token/x"),
        ("POST", "/oauth2/auth"),
    ):
        with pytest.raises(EgressRefused):
            await house.runtime.egress.request(venue="coinbase-oauth", method=method, url=base + path)
    with pytest.raises(EgressRefused):
        await house.runtime.egress.request(venue="coinbase", method="POST", url=f"{base}/oauth2/token")


async def test_a_client_that_the_venue_refuses_is_for_the_operator_to_mend(house: Installation) -> None:
    account = await linked(house, "ada")
    house.venues.pass_time(HOUR_MS)
    house.venues.fault({"venue": "coinbase", "path": "/oauth2/token", "status": 401, "body": {"error": "invalid_client"}})
    old = await kept(house, account)
    with pytest.raises(InvalidSettings, match="operator"):
        await consents(house).fresh(house.principal, account, "coinbase", old)
    house.venues.heal()
    assert (await consents(house).fresh(house.principal, account, "coinbase", old)) != old.secrets


def _opens(house: Installation, access: str) -> bool:
    connection = http.client.HTTPConnection(urlsplit(house.venues.url).netloc, timeout=10)
    try:
        connection.request("GET", "/coinbase/v2/accounts", headers={"Authorization": f"Bearer {access}"})
        return connection.getresponse().status == 200
    finally:
        connection.close()
