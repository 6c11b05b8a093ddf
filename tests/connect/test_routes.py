"""The browser's side of a consent: what the addresses hold, what the answers say, and that no secret stays anywhere."""

import logging
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy.engine import Connection

from omnifolio.app.administer import create_team
from omnifolio.app.authenticate import session, token_for
from omnifolio.app.way_out import SANDBOX_CLIENT
from omnifolio.catalog.oauth import ACCESS, REFRESH
from omnifolio.connect.authorisations import verifier_of
from omnifolio.faces.api.server import build_app
from omnifolio.model.ids import AccountId
from omnifolio.store.engine import SqliteStore
from omnifolio.store.schema import METADATA
from omnifolio.tenancy.principals import operator
from omnifolio.vault import open as vault
from tests.connect.consenting import decide
from tests.proof.canaries import found_in
from tests.proof.conftest import house, venues
from tests.proof.simulation import Installation

__all__ = ["house", "venues"]


class Browser:
    """A browser and a developer's client at once, against the whole application."""

    def __init__(self, house: Installation) -> None:
        transport = httpx.ASGITransport(build_app(house.runtime.context))  # type: ignore[arg-type]  # two names of one protocol
        self.http = httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8400")
        self.house = house

    async def sign_in(self, login: str = "somebody") -> dict[str, str]:
        """A user's header, of a team of their own."""
        context = self.house.runtime.context
        team, secret = await create_team(context, operator("test"), name="t", redirect_uris=[], origins=[])
        token = await token_for(context, client_id=team.client_id, secret=secret, login_name=login)
        return {"authorization": f"Bearer {token}"}

    async def begin(self, headers: dict[str, str], **more: Any) -> httpx.Response:
        """Asks for an address of consent."""
        return await self.http.post("/connect/oauth/begin", json={"provider": "coinbase", **more}, headers=headers)

    async def back(self, told: Any, venue: str = "coinbase") -> httpx.Response:
        """Comes back with the venue's answer."""
        return await self.http.get(f"/connect/oauth/callback/{venue}", params=told)


async def test_a_browser_links_an_account_and_is_sent_to_an_address_without_a_secret(house: Installation) -> None:
    browser = Browser(house)
    headers = await browser.sign_in()
    url = (await browser.begin(headers, name="Mine")).json()["url"]
    told = decide(url, user="ada")
    answer = await browser.back(told)
    assert (answer.status_code, answer.headers["location"]) == (303, "/connect/oauth/done?outcome=linked")
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] == "no-store"
    page = await browser.http.get(answer.headers["location"])
    assert "is linked" in page.text
    assert "script-src" not in page.headers["content-security-policy"]
    await house.work()
    (shown,) = (await browser.http.get("/v1/accounts", headers=headers)).json()
    assert (shown["status"], shown["name"], shown["wallets"] != []) == ("ok", "Mine", True)


async def test_the_way_back_leads_to_the_page_that_began_it(house: Installation) -> None:
    browser = Browser(house)
    url = (await browser.begin(await browser.sign_in(), return_to="/connect")).json()["url"]
    answer = await browser.back(decide(url, user="ada", decision="deny"))
    assert answer.headers["location"] == "/connect#outcome=consent_denied"


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"state": "x" * 43, "code": "c"},
        {"state": "", "code": "c"},
        {"state": "\u00e9" * 43, "code": "c"},
        [("state", "a" * 43), ("state", "b" * 43), ("code", "c")],
        {"error": "<script>alert(1)</script>", "state": "x"},
    ],
    ids=["nothing", "unknown", "empty", "not ascii", "twice", "markup"],
)
async def test_an_answer_that_nobody_asked_for_says_only_that_it_failed(house: Installation, told: Any) -> None:
    answer = await Browser(house).back(told)
    assert (answer.status_code, answer.headers["location"]) == (303, "/connect/oauth/done?outcome=authorisation_failed")


async def test_consent_is_begun_by_who_may_link_and_for_accounts_of_their_own(house: Installation) -> None:
    browser = Browser(house)
    assert (await browser.begin({})).status_code == 401
    headers = await browser.sign_in()
    stranger = house.runtime.context.ids.wire("account", await house.link("coinbase", "ada"))
    assert (await browser.begin(headers, account=stranger)).status_code == 404
    assert (await browser.begin(headers, provider="binance")).status_code == 404
    assert (await browser.begin(headers, return_to="https://evil.example")).status_code == 400
    assert (await browser.begin(headers, more=1)).status_code == 400


async def test_providers_tell_both_ways(house: Installation) -> None:
    found = {row["name"]: row for row in (await Browser(house).http.get("/v1/providers")).json()}
    assert (found["coinbase"]["auth_type"], found["coinbase"]["auth_types"]) == ("token", ["oauth", "token"])
    assert found["binance"]["auth_types"] == ["token"]


async def test_no_code_state_verifier_or_token_is_written_anywhere(
    house: Installation, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """In the database and its log, in the audit, in the answers, and in the logs at their most talkative."""
    caplog.set_level(logging.DEBUG)
    browser, context = Browser(house), house.runtime.context
    headers = await browser.sign_in()
    url = (await browser.begin(headers)).json()["url"]
    told = decide(url, user="ada")
    verifier = verifier_of(context.edge.oauth, told["state"])
    answers = [await browser.back(told), await browser.back(told)]
    assert told["state"].encode() not in await context.store.read(everything)
    await house.work()
    answers += [await browser.http.get(path, headers=headers) for path in ("/v1/accounts", "/v1/providers", "/v1/openapi.json")]
    account = AccountId(context.ids.integer("account", answers[2].json()[0]["id"]))
    who = (await session(context, headers["authorization"].removeprefix("Bearer "))).principal
    assert context.key_store is not None
    tokens = await context.store.read(vault.open_secret, who, account, context.key_store)
    secrets = [
        told["code"],
        told["state"],
        verifier,
        tokens[ACCESS].reveal(),
        tokens[REFRESH].reveal(),
        SANDBOX_CLIENT.client_secret,
    ]
    written = tmp_path / "written"
    written.mkdir()
    ours = [record for record in caplog.records if not record.name.startswith("http")]  # what a browser notes is its own
    (written / "log").write_text("\n".join(f"{record.name} {record.getMessage()} {record.args}" for record in ours))
    (written / "answers").write_bytes(b"".join(str(answer.headers).encode() + answer.content for answer in answers))
    (written / "rows").write_bytes(await context.store.read(everything))
    assert found_in([written], secrets) == []
    if isinstance(context.store, SqliteStore):
        assert found_in([context.store.path.parent], secrets) == []
    (written / "planted").write_text(tokens[ACCESS].reveal())
    assert found_in([written], secrets) != []


def everything(conn: Connection) -> bytes:
    """Every value of every row."""
    rows = [tuple(row) for table in METADATA.sorted_tables for row in conn.execute(table.select())]
    return b"\n".join(value if isinstance(value, bytes) else str(value).encode() for row in rows for value in row)
