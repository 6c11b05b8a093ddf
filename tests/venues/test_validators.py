"""Validators: answers in the form of the beacon APIs' documentation and of explorers, served on loopback."""

import json
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from tests.ledger.builders import Book
from tests.stage import Hurry

from omnifolio.model.errors import InvalidField, PrivateKeyRefused, VenueBadResponse
from omnifolio.model.facts import Batch, Cursor
from omnifolio.store.engine import Store
from omnifolio.transport.egress import Egress
from omnifolio.transport.policy import Rule
from omnifolio.venues import validators
from omnifolio.venues.contract import Access
from omnifolio.venues.validators import BALANCES, HISTORY, PATH, ValidatorReader, entered

READER = ValidatorReader()
PAYS_TO, KEY = "0x" + "ab" * 20, "0x" + "cd" * 48
ETHER = 10**9
BEACON = {
    "7": {"balance": str(32 * ETHER + 5), "credentials": "0x01" + "00" * 11 + PAYS_TO[2:], "status": "active_ongoing"},
    "9": {"balance": "0", "credentials": "0x02" + "00" * 11 + PAYS_TO[2:], "status": "withdrawal_done"},
    "11": {"balance": str(40 * ETHER), "credentials": "0x00" + "11" * 31, "status": "active_ongoing"},
}
WITHDRAWN = [(100, "7", 17_000_000), (200, "9", 32 * ETHER), (300, "12", 5)]


@contextmanager
def served(broken: bytes = b"") -> Iterator[tuple[str, list[dict[str, str]]]]:
    """A beacon node and an explorer in one server: its base URL, and the questions so far."""
    asked: list[dict[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            params = dict(parse_qsl(urlsplit(self.path).query))
            asked.append(params)
            body = broken or json.dumps(_beacon(params) if "id" in params else _explorer(params)).encode()
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _beacon(params: dict[str, str]) -> dict[str, Any]:
    rows = [
        {
            "index": index,
            "balance": row["balance"],
            "status": row["status"],
            "validator": {"pubkey": KEY, "withdrawal_credentials": row["credentials"], "slashed": False},
        }
        for index, row in BEACON.items()
        if index in params["id"].split(",") or (KEY in params["id"] and index == "11")
    ]
    return {"execution_optimistic": False, "finalized": False, "data": rows}


def _explorer(params: dict[str, str]) -> dict[str, Any]:
    if params["action"] == "getblocknobytime":
        return {"status": "1", "message": "OK", "result": "1000"}
    rows = [
        {
            "withdrawalIndex": str(height),
            "validatorIndex": index,
            "address": PAYS_TO,
            "amount": str(amount),
            "blockNumber": str(height),
            "timestamp": str(1_700_000_000 + height),
        }
        for height, index, amount in WITHDRAWN
        if params["address"] == PAYS_TO and int(params["startblock"]) <= height <= int(params["endblock"])
    ]
    return {"status": "1", "message": "OK", "result": rows[: int(params["offset"])]}


@asynccontextmanager
async def access_to(url: str, text: str) -> AsyncIterator[Access]:
    clock = Hurry()
    egress = Egress(clock=clock, sleep=clock.sleep)
    egress.allow(validators.VENUE, [Rule("GET", f"{url}{path}", is_configured=True) for path in (PATH, "/api")])
    fields = {"validators": text}
    try:
        yield Access(
            venue=validators.VENUE,
            egress=egress,
            clock=clock,
            key_label="",
            fields=fields,
            base_url=url,
            explorer_url=f"{url}/api",
        )
    finally:
        await egress.close()


async def read(access: Access, stream: str, token: str = "") -> list[Batch]:
    pages = [page async for page in READER.read(access, Cursor(stream, token))]
    for page in pages:
        if page.evidence:
            again = READER.decode(access.venue, stream, page.evidence)
            assert (again.claims, again.snapshots) == (page.claims, page.snapshots)
    return pages


def held(pages: list[Batch]) -> dict[str, list[str]]:
    return {s.wallet: [f"{b.amount:f}" for b in s.balances] for page in pages for s in page.snapshots}


async def test_what_validators_hold_is_staked_ether_of_their_own() -> None:
    with served() as (url, _):
        async with access_to(url, f"7, 9,{KEY}") as access:
            (page,) = await read(access, BALANCES)
    assert held([page]) == {"validator:7": ["32.000000005"], "validator:9": [], "validator:11": ["40.000000000"]}
    assert {snapshot.product for snapshot in page.snapshots} == {"staked"}


async def test_an_address_stands_for_the_validators_that_have_paid_to_it() -> None:
    with served() as (url, _):
        async with access_to(url, PAYS_TO) as access:
            assert held(await read(access, BALANCES)).keys() == {"validator:7", "validator:9"}
            assert [stream.name for stream in READER.streams(access)] == [BALANCES, HISTORY]
        async with access_to(url, "0x" + "99" * 20) as access:
            (page,) = await read(access, BALANCES)
    assert [gap.code for gap in page.gaps] == ["no_validators"]


async def test_withdrawals_leave_the_validators_and_go_on_from_a_block(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(validators, "ROWS", 2)
    with served() as (url, asked):
        async with access_to(url, "7,9") as access:
            pages = await read(access, HISTORY)
            book = await Book.open(store)
            for page in pages:
                await book.commit(page)
            assert {row.name: row.type for row in await book.transactions()} == {
                "withdrawal:100": "reward",
                "withdrawal:200": "unstaking",
            }
            assert (pages[-1].cursor.token, pages[-1].done) == ("300", True)
            (gap,) = pages[-1].gaps
            assert gap.code == "rewards_not_listed"
            asked.clear()
            await read(access, HISTORY, "300")
            assert {params["startblock"] for params in asked if "startblock" in params} == {"300"}
        async with access_to(url, PAYS_TO) as access:
            claims = [claim for page in await read(access, HISTORY) for claim in page.claims]
    assert {claim.ref for claim in claims} == {"withdrawal:100", "withdrawal:200", "withdrawal:300"}
    legs = {leg.wallet: leg for claim in claims for leg in claim.legs}
    assert legs["validator:7"].amount == Decimal("-0.017")
    assert legs["validator:7"].counterparty == PAYS_TO
    assert {claim.event for claim in claims} >= {"eip155:1:withdrawal:100"}, "the address's own account tells the same event"


@pytest.mark.parametrize(("text", "error"), [("", InvalidField), ("seven", InvalidField), ("ab" * 32, PrivateKeyRefused)])
def test_what_names_no_validator_is_refused(text: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        entered(text)


async def test_an_answer_of_another_shape_is_told() -> None:
    with served(b'{"data": [{"index": 7}]}') as (url, _):
        async with access_to(url, "7") as access:
            with pytest.raises(VenueBadResponse):
                await read(access, BALANCES)
