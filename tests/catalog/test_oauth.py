"""Rows of consent: every address is the venue's own over https, what is asked for only reads, every fact has its source."""

import re
from urllib.parse import urlsplit

import pytest
from tests.stage import StageTime

from omnifolio.app.way_out import oauth_clients_of
from omnifolio.catalog import exchanges, oauth
from omnifolio.catalog.oauth import OAuthRow
from omnifolio.model.errors import InvalidSettings
from omnifolio.model.settings import OAuthClient, Settings
from omnifolio.sync.tokens import open_tokens, way_of
from omnifolio.transport.egress import Egress

ROWS = [oauth.load(venue) for venue in oauth.ids()]
WRITES = {"create", "send", "withdraw", "trade", "modify", "update", "delete", "transfer", "add", "close", "multiple"}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_a_row_names_an_exchange_and_addresses_of_its_own(row: OAuthRow) -> None:
    assert row.id in exchanges.ids()
    urls = [row.authorize_url, row.token_url, *([row.revoke_url] if row.revoke_url else [])] + (
        [row.mint.url] if row.mint else []
    )
    for url in urls:
        target = urlsplit(url)
        assert (target.scheme, target.query, target.fragment) == ("https", "", "")
        assert (target.hostname or "").endswith(f".{row.id}.com")
    assert row.sources
    assert all(source.startswith("https://") for source in row.sources)
    assert row.admits


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_what_is_asked_for_only_reads(row: OAuthRow) -> None:
    words = {word for scope in row.scopes for word in re.split(r"[:\-]", scope)}
    assert not words & WRITES
    assert set(row.required) <= set(row.scopes)
    if row.mint is not None:
        assert {name for name, value in row.mint.body["permissions"].items() if value} == {
            "funds_query",
            "ledger_query",
            "trades_query_open",
            "trades_query_closed",
        }
    assert (row.completion == "mint_key") == (row.mint is not None)
    assert (row.completion == "bearer") == (row.granted is not None)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
async def test_only_posts_to_these_addresses_may_leave(row: OAuthRow) -> None:
    time = StageTime()
    egress = Egress(clock=time, sleep=time.sleep)
    open_tokens(egress, {row.id: OAuthClient("id")}, {})
    wanted = {url for url in (row.token_url, row.revoke_url, row.mint.url if row.mint else "") if url}
    assert {rule.url for rule in egress.rules()[way_of(row.id)]} == wanted
    assert {(rule.method, rule.is_configured) for rule in egress.rules()[way_of(row.id)]} == {("POST", False)}
    await egress.close()


def test_a_client_of_a_venue_without_a_row_is_refused_by_name() -> None:
    with pytest.raises(InvalidSettings, match="binance cannot be linked by consent"):
        oauth_clients_of(Settings(oauth={"binance": OAuthClient("id")}))


def test_without_a_client_nothing_is_opened() -> None:
    assert oauth_clients_of(Settings()) == {}
