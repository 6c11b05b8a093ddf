"""Servers that answer what they should not: an error that names it, nothing stored, and never a crash."""

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from tests.stage import loopback
from tests.venues.utxo.long_chain import LongChain
from tests.venues.utxo.made_up import WALLET
from tests.venues.utxo.purse import CHAIN, READER, access_to

from omnifolio.model.errors import VenueBadResponse, VenueBusy, VenueError, VenueUnavailable
from omnifolio.model.facts import Batch, Cursor
from omnifolio.venues.utxo import scan

ADDRESS = "rltc1qjmxnz78nmc8nq77wuxh25n2es7rzm5c23g5xdr"
TIP, HISTORY, TRANSACTION, HEADER = (
    "blockchain.headers.subscribe",
    "blockchain.scripthash.get_history",
    "blockchain.transaction.get",
    "blockchain.block.header",
)
Lie = Callable[[Any], Any]


class Liar(LongChain):
    """A server that answers one procedure by a lie, from the `after`th time on; a lie that has `error` is JSON-RPC's."""

    def __init__(self, method: str, lie: Lie, *, after: int = 0) -> None:
        super().__init__(60, 20)
        self._method, self._lie, self._left = method, lie, after

    def answer(self, asked: dict[str, Any]) -> Any:
        truth = super().answer(asked)
        if asked["method"] != self._method:
            return truth
        self._left -= 1
        return truth if self._left >= 0 else self._lie(truth)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            asked = json.loads(line)
            result = self.answer(asked)
            key = "error" if isinstance(result, dict) and "message" in result else "result"
            writer.write(json.dumps({"id": asked["id"], key: result}).encode() + b"\n")
        writer.close()


@asynccontextmanager
async def served(chain: LongChain) -> AsyncIterator[str]:
    running = await asyncio.start_server(chain.serve, "127.0.0.1", 0, limit=1 << 24)
    try:
        yield f"tcp://127.0.0.1:{running.sockets[0].getsockname()[1]}"
    finally:
        running.close()


async def pages(url: str, kind: str, wallet: str = WALLET) -> list[Batch]:
    async with access_to(url, wallet) as access:
        return [page async for page in READER.read(access, Cursor(f"{kind}/{CHAIN.id}"))]


@pytest.mark.parametrize(
    ("method", "lie", "error"),
    [
        (TIP, lambda _: {"height": -1, "hex": ""}, VenueBadResponse),
        (TIP, lambda truth: truth | {"hex": "zz"}, VenueUnavailable),
        (HISTORY, lambda _: {"history": []}, VenueBadResponse),
        (HISTORY, lambda _: [{"tx_hash": "../../x", "height": 1}], VenueBadResponse),
        (HISTORY, lambda _: [{"tx_hash": "AB" * 32, "height": 1}], VenueBadResponse),
        (HISTORY, lambda _: {"code": 1, "message": "history too large"}, VenueBadResponse),
        (HISTORY, lambda _: {"code": -101, "message": "excessive resource usage"}, VenueBusy),
        (HISTORY, lambda _: {"code": 2, "message": "daemon error"}, VenueUnavailable),
        (TRANSACTION, lambda _: "00", VenueBadResponse),
        (TRANSACTION, lambda truth: truth[:-2] + "ff", VenueBadResponse),
        (TRANSACTION, lambda _: {"code": 2, "message": "No such mempool or blockchain transaction"}, VenueUnavailable),
        (HEADER, lambda _: "00", VenueUnavailable),
        (HEADER, lambda _: 7, VenueBadResponse),
    ],
)
async def test_a_lie_of_an_electrum_server_is_an_error(method: str, lie: Lie, error: type[VenueError]) -> None:
    async with served(Liar(method, lie)) as url:
        with pytest.raises(error):
            await pages(url, "transfers")


async def test_a_chain_that_moves_while_it_is_read_gives_no_page() -> None:
    blocks = itertools.count()

    def moving(truth: Any) -> Any:
        return truth | {"height": truth["height"] + next(blocks)}

    async with served(Liar(TIP, moving)) as url:
        with pytest.raises(VenueUnavailable, match="moved"):
            await pages(url, "balances")
    async with served(Liar(HEADER, lambda truth: truth[:-2] + "01", after=2)) as url:
        with pytest.raises(VenueUnavailable, match="moved"):
            await pages(url, "transfers")


async def test_a_wallet_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scan, "PLACES_MAX", 200)
    async with served(Liar(HISTORY, lambda _: [{"tx_hash": "ab" * 32, "height": 1}])) as url:
        with pytest.raises(VenueBadResponse, match="were used"):
            await pages(url, "balances", WALLET)


@pytest.mark.parametrize(
    ("path", "answer", "error"),
    [
        ("/blocks/tip/height", b"many", VenueBadResponse),
        ("/address/", b'{"chain_stats":{}}', VenueBadResponse),
        ("/address/", b"<html>", VenueBadResponse),
        ("/txs/chain", b'[{"txid":"../..","vin":[],"vout":[],"status":{"confirmed":true}}]', VenueBadResponse),
        ("/txs/chain", b'{"error":"too many"}', VenueBadResponse),
        (
            "/txs/chain",
            b'[{"txid":"' + b"ab" * 32 + b'","vin":[{"prevout":null}],"vout":[],"status":{"confirmed":true}}]',
            VenueBadResponse,
        ),
    ],
)
async def test_a_lie_of_an_explorer_is_an_error(path: str, answer: bytes, error: type[VenueError]) -> None:
    stats = b'{"chain_stats":{"tx_count":1},"mempool_stats":{}}'
    truths = {"/blocks/tip/height": b"100", "/txs/chain": b"[]", "/txs/mempool": b"[]", "/address/": stats}

    async def handler(request: web.Request) -> web.Response:
        told = next(name for name in truths if name in request.path)
        return web.Response(body=answer if told == path else truths[told])

    async with loopback(handler) as url:
        with pytest.raises(error):
            await pages(f"esplora+{url}", "transfers", ADDRESS)


async def test_an_explorer_that_asks_to_slow_down_is_left_alone() -> None:
    async def handler(request: web.Request) -> web.Response:
        return web.Response(status=429, headers={"Retry-After": "120"})

    async with loopback(handler) as url:
        with pytest.raises(VenueBusy):
            await pages(f"blockbook+{url}", "balances", ADDRESS)
