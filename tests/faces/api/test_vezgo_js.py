"""Vezgo's SDK for JavaScript, unmodified, in Node.js against a live server: what it reads, and which of its errors it throws.

`tests/beds/vezgo/driver.js` does once, for each kind of database, what a user of the SDK does; each test looks at one part of it.
"""

import json
import re
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

import jwt
import pytest

from omnifolio.model.clock import DAY_MS
from omnifolio.tenancy import teams
from omnifolio.tenancy.tokens import LIFETIME_S
from tests import npm, vezgo_js
from tests.faces.api import seed
from tests.faces.api.world import OPERATOR, Client, Link, World, broken, busy, lagging, token_of

DRIVER = vezgo_js.BED / "driver.js"
ADDRESSES = json.loads((vezgo_js.BED / "addresses.json").read_text())
"""What `getConnectData` gives, by version of the SDK; 2.0.6 is not on npm, its addresses were had from its source."""
CONNECT = "http://127.0.0.1:7802"
ORIGIN = "https://app.example"
LIFETIMES_S = (5, 30, 500, 700)
"""How long tokens live that the driver is given: it wants 10 s left for data, and 600 s for Connect."""
TIMEOUT_S = 120.0
WIRE_ID = re.compile(r"[0-9a-f]{24}")
STATUSES = {"ok", "error", "syncing", "retry"}
TYPES = {"deposit", "withdrawal", "trade", "staking", "unstaking", "reward", "bonus", "other"}
PLAIN = re.compile(r"-?\d+(\.\d+)?")


class Told:
    """What the driver told, the team and account that it worked with, and what was true before."""

    def __init__(self, results: dict[str, Any], client: Client, link: Link) -> None:
        self.results, self.client, self.link = results, client, link

    def __getitem__(self, item: str) -> Any:
        return self.results[item]


@pytest.fixture(scope="module")
def told(world: World, address: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    """The driver's results."""
    client = world.team("acme", origins=[ORIGIN], redirect_uris=["https://app.example/back"])
    person = client.user("u1")
    link, running = seed.portfolio(world, person), person.account("demo", name="Runs", mark="2")
    closed, other = world.team("closed"), world.team("other")
    world.write(teams.deactivate, OPERATOR, closed.team.id)
    with ExitStack() as servers:
        stage = {
            "sdk": str(vezgo_js.installed() / "lib" / "vezgo.js"),
            "address": address,
            "connect": CONNECT,
            "origin": ORIGIN,
            "account": link.id,
            "running": running.id,
            "clientId": client.team.client_id,
            "secret": client.secret,
            **{
                name: {"clientId": team.team.client_id, "secret": team.secret}
                for name, team in (("closed", closed), ("other", other))
            },
            "lagging": {seconds: servers.enter_context(lagging(world, LIFETIME_S - seconds)) for seconds in LIFETIMES_S},
            "expired": token_of(servers.enter_context(lagging(world, LIFETIME_S + 60)), client, "u1"),
            "busy": servers.enter_context(busy(world)),
            "broken": servers.enter_context(broken(world, tmp_path_factory.mktemp("broken"))),
        }
        arriving = iter(range(100, 200))
        yield Told(driven(stage, lambda _word: arrive(link, next(arriving))), client, link)


def arrive(link: Link, number: int) -> None:
    """A trade of just now, while the driver turns pages."""
    seed.page(link, "trades/all", [seed.trade(number, link.world.clock.now())])


def driven(stage: dict[str, Any], answer: Any) -> dict[str, Any]:
    """Runs the driver to its end, and does what it asks for. Raises: AssertionError with what it printed."""
    command = [npm.node(), str(DRIVER)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as driver:
        assert driver.stdin is not None
        assert driver.stdout is not None
        assert driver.stderr is not None
        alarm = threading.Timer(TIMEOUT_S, driver.kill)
        alarm.start()
        driver.stdin.write(json.dumps(stage) + "\n")
        driver.stdin.flush()
        for line in driver.stdout:
            said = json.loads(line)
            if "done" in said:
                alarm.cancel()
                results: dict[str, Any] = said["done"]
                return results
            answer(said["ask"])
            driver.stdin.write("{}\n")
            driver.stdin.flush()
        alarm.cancel()
        raise AssertionError(f"the driver ended early: {driver.stderr.read()[-4000:]}")


def refused(found: dict[str, Any], status: int) -> str:
    """The message of a refusal as the SDK's user sees it."""
    assert found["status"] == status, found
    assert found["error"] == "Error"
    message = found["body"]["message"]
    assert isinstance(message, str)
    assert message
    return message


def test_a_token_is_had_with_any_case_of_the_header_and_lives_twenty_minutes(told: Told) -> None:
    token = told["token"]
    assert token["text"].count(".") == 2
    claims = jwt.decode(token["text"], options={"verify_signature": False})
    assert isinstance(claims["exp"], int)
    assert LIFETIME_S - 60 < claims["exp"] - token["asked_at"] <= LIFETIME_S
    assert [answer["status"] for answer in token["header_cases"]] == [200] * 4
    assert "error" not in token["with_slash"]


def test_wrong_secrets_missing_names_and_closed_teams_are_told_apart(told: Told) -> None:
    token = told["token"]
    assert "belong together" in refused(token["wrong_secret"], 401)
    assert (token["no_name"]["status"], "loginName" in json.loads(token["no_name"]["body"])["message"]) == (400, True)
    assert "loginName" in refused(token["latin"], 400)
    assert "deactivated" in refused(token["deactivated"], 403)


def test_the_same_name_is_the_same_user_and_nobody_sees_another_s(told: Told) -> None:
    users = told["users"]
    assert told.link.id in users["same"]
    assert (users["another_user"], users["another_team"]) == ([], [])
    for found in (*users["foreign"], users["foreign_removal"]):
        refused(found, 404)


def test_tokens_are_kept_as_long_as_enough_of_their_life_is_left(told: Told) -> None:
    assert told["lifetimes"] == {
        "5": {"data_kept": False, "connect_kept": False},
        "30": {"data_kept": True, "connect_kept": False},
        "500": {"data_kept": True, "connect_kept": False},
        "700": {"data_kept": True, "connect_kept": True},
    }


def test_providers_and_team_need_no_token(told: Told) -> None:
    found = told["open"]
    assert {"kraken", "binance", "coinbase", "demo"} <= {provider["name"] for provider in found["list"]}
    assert all(provider["alternate_names"] != [] for provider in found["list"])
    assert found["alternates"]
    assert all(provider == found["provider"] for provider in found["alternates"])
    assert found["team"]["redirect_uris"] == ["https://app.example/back"]
    assert "no provider" in refused(found["unknown"], 404)
    refused(found["unknown_team"], 404)


def test_providers_are_filtered_and_unknown_parameters_ignored(told: Told) -> None:
    found = told["open"]
    assert set(found["exchanges"]) == {"exchanges"}
    assert found["blockchains"] == []
    assert found["unknown_parameter"] == len(found["list"])


@pytest.mark.parametrize("kind", ["missing", "garbage", "basic", "expired"])
def test_a_request_without_a_good_token_is_refused(told: Told, kind: str) -> None:
    answer = told["bearers"][kind]
    assert answer["status"] == 401
    assert isinstance(json.loads(answer["body"])["message"], str)


def test_no_answer_is_a_redirect_with_or_without_a_slash_and_with_a_type_for_no_body(told: Told) -> None:
    assert [path for path, status in told["slashes"] if status != 200] == []
    assert len(told["slashes"]) == 16


def test_an_account_is_added_found_again_and_removed(told: Told) -> None:
    direct = told["direct"]
    assert (direct["status"], direct["made"]["status"], direct["made"]["name"]) == (202, "syncing", "Mine")
    assert direct["type"].startswith("application/json")
    assert direct["again"]["status"] == 409
    assert direct["again"]["body"]["existing_institution_id"] == direct["made"]["id"] == direct["one"]["id"]
    assert direct["again"]["body"]["existing_connection_id"] == direct["made"]["id"]
    assert direct["removed"] == {"value": "undefined"}
    refused(direct["removed_again"], 404)


def test_a_sync_is_answered_with_the_account(told: Told) -> None:
    found = told["accounts"]
    assert (found["synced"]["id"], found["synced"]["status"]) == (told.link.id, "syncing")
    assert found["of_wallet"]["id"] == found["one"]["id"] == told.link.id
    assert {balance["wallet"] for balance in found["of_wallet"]["balances"]} == {"demo:spot"}


def test_no_answer_is_empty_but_that_of_a_removal(told: Told) -> None:
    allowed = {200, 202, 204, 400, 401, 403, 404, 409, 429, 503}
    assert {status for _method, status, _empty in told["statuses"]} <= allowed
    assert {(method, status) for method, status, empty in told["statuses"] if empty and status < 300} == {("delete", 204)}


@pytest.mark.parametrize("sort", ["asc", "desc"])
def test_the_paging_loop_repeats_and_skips_nothing_while_rows_arrive(told: Told, sort: str) -> None:
    rows = told["transactions"]["pages"][sort]
    ids, times = [row[0] for row in rows], [row[1] for row in rows]
    assert times == sorted(times, reverse=sort == "desc")
    assert len(ids) == len(set(ids)) == 16, "forwards the new row is seen as well; backwards the first of them is"
    seeded = [row["id"] for row in told["transactions"]["all"] if row["initiated_at"] < min(latest(told))]
    assert set(seeded) <= set(ids)


def latest(told: Told) -> list[int]:
    """When the rows that arrived were made."""
    return sorted(row["initiated_at"] for row in told["transactions"]["all"])[-2:]


def test_transactions_are_filtered(told: Told) -> None:
    found = told["transactions"]
    assert len(found["all"]) == 17
    assert found["counted"] == 3
    assert set(found["trades"]) == {"trade"}
    assert found["trades_and_deposits"] == 17
    assert [part["ticker"] for row in found["eth"] for part in row["parts"]] == ["ETH"] * 3
    assert (found["spot"], found["nowhere"]) == (17, [])
    assert found["of_day"] == found["expected_of_day"] != []
    assert found["one"] == found["all"][0]
    (row,) = found["excluded"]
    assert {"misc", "fees"} & set(row) == set()
    assert row["parts"]
    assert all("other_parties" not in part for part in row["parts"])


def test_what_javascript_sends_for_nothing_is_nothing_and_what_is_wrong_is_named(told: Told) -> None:
    found = told["transactions"]
    assert found["absent"] == 17
    for name, refusal in found["bad"].items():
        assert refused(refusal, 400).startswith(name)


def test_history_and_orders_are_read(told: Told) -> None:
    found = told["history"]
    assert len({(row["wallet"], row["date"]) for row in found["rows"]}) == len(found["rows"]) > 15
    assert all(row["date"] % DAY_MS == 0 for row in found["rows"])
    assert found["has_orders"] is False
    assert [order["order_id"] for order in found["orders"]] == ["o2", "o1"]
    assert found["order"] == found["orders"][0]


def test_amounts_instants_and_words_have_their_form(told: Told) -> None:
    account, rows = told["accounts"]["one"], told["transactions"]["all"]
    assert account["status"] in STATUSES
    assert set(account["status_details"].values()) <= STATUSES
    parts = [part for row in rows for part in row["parts"]]
    fees = [fee for row in rows for fee in row["fees"]]
    moved = [*account["balances"], *parts, *fees]
    texts = [item["amount"] for item in moved] + [item["fiat_value"] for item in moved if item["fiat_value"] is not None]
    assert all(PLAIN.fullmatch(text) and Decimal(text).is_finite() for text in texts)
    instants = [account["created_at"], account["updated_at"], *(row["initiated_at"] for row in rows)]
    assert all(isinstance(at, int) and at > 10**12 for at in instants)
    assert {row["transaction_type"] for row in rows} <= TYPES
    assert {part["direction"] for part in parts} <= {"sent", "received"}
    assert {row["resource_type"] for row in rows} == {"transaction"}
    assert {fee["resource_type"] for fee in fees} == {"transaction_fee"}
    assert {balance["resource_type"] for balance in account["balances"]} == {"balance"}
    assert (account["resource_type"], account["provider"]["resource_type"]) == ("account", "provider")
    assert {order["resource_type"] for order in told["history"]["orders"]} == {"order"}


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 429, 503])
def test_every_refusal_carries_a_message(told: Told, status: int) -> None:
    found = told["errors"][str(status)]
    refused(found, status)
    assert found["body"]["error"] == found["body"]["message"]
    assert (status == 429) == ("retry-after" in found["headers"])


def test_personal_data_of_a_provider_is_not_found(told: Told) -> None:
    assert told["kyc"]["status"] == 404
    assert isinstance(told["kyc"]["body"]["message"], str)


def test_addresses_of_connect_are_the_known_ones(told: Told) -> None:
    known = {CONNECT: "{CONNECT}", told.client.team.client_id: "{CLIENT}", told.link.id: "{ACCOUNT}"}
    found = json.dumps(told["addresses"])
    for value, word in known.items():
        found = found.replace(value, word)
    assert json.loads(found) == ADDRESSES["1.0.9"]


@pytest.mark.parametrize("case", ["provider", "provider_without_alternates"])
def test_the_newer_sdk_s_addresses_name_providers_that_are_found(told: Told, case: str) -> None:
    """It puts the last alternate name into the address, and the name where there is none (`null`, never an empty list)."""
    slug = urlsplit(ADDRESSES["2.0.6"][case]).path.rpartition("/")[2]
    (provider,) = [row for row in told["open"]["list"] if slug in (row["name"], *(row["alternate_names"] or ()))]
    assert (provider["alternate_names"] or [provider["name"]])[-1] == slug


def test_pages_of_the_team_may_ask_and_read_refusals_too(told: Told) -> None:
    found = told["browsers"]
    for name, method in (("get", "GET"), ("post", "POST"), ("delete", "DELETE")):
        answer = found[name]
        assert (answer["status"], answer["body"]) == (204, "")
        assert answer["headers"]["access-control-allow-origin"] == ORIGIN
        assert method in answer["headers"]["access-control-allow-methods"]
        assert {"authorization", "content-type"} <= set(answer["headers"]["access-control-allow-headers"].split(", "))
    assert "access-control-allow-origin" not in found["foreign"]["headers"]
    assert found["providers"]["headers"]["access-control-allow-origin"] == "*"
    assert [answer["status"] for answer in found["errors"]] == [401, 404, 400, 404, 404]
    allowed = [answer["headers"].get("access-control-allow-origin") for answer in found["errors"]]
    assert allowed == [ORIGIN] * 4 + ["*"]


def test_ids_need_no_escape_and_strange_ones_are_not_found(told: Told) -> None:
    account = told["accounts"]["one"]
    ids = [account["id"], *(row["id"] for row in told["transactions"]["all"])]
    ids += [order["id"] for order in told["history"]["orders"]]
    assert all(WIRE_ID.fullmatch(found) for found in ids)
    assert re.fullmatch(r"[A-Za-z0-9_-]+", told.client.team.client_id)
    assert {found["status"] for found in told["ids"]} <= {400, 404}


def test_fields_of_our_own_come_through(told: Told) -> None:
    assert {"coverage", "permission", "positions"} <= set(told["accounts"]["one"])
    assert {"transfers", "finality"} <= set(told["transactions"]["all"][0])


def test_one_kept_connection_carries_answers_without_a_body(told: Told) -> None:
    found = told["connections"]
    assert (found["poll"]["status"], found["poll"]["body"]) == (304, "")
    assert (found["after_poll"], found["removed"], found["after_removal"]) == (1, {"value": "undefined"}, 0)
    assert (found["asked_again"]["status"], found["asked_again"]["body"]) == (200, "[]")
    assert found["etag"]
    assert found["sockets"] == 1
