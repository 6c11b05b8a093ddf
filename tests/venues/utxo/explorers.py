"""Explorers over the real node: Esplora's and Blockbook's API, answered from what the node itself says of its blocks."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

from aiohttp import web
from tests.litecoin import COIN, Litecoin

PAGE = 25
JSON = dict[str, Any]


class Ledger:
    """All transactions of the node, newest first, with the outputs that they spend."""

    def __init__(self, node: Litecoin) -> None:
        self.hashes: list[str] = [node.rpc("getblockhash", height) for height in range(node.rpc("getblockcount") + 1)]
        self.rows: list[JSON] = []
        outputs: dict[tuple[str, int], JSON] = {}
        blocks = [node.rpc("getblock", name, 2) for name in self.hashes[1:]]
        waiting = [node.rpc("getrawtransaction", name, True) for name in node.rpc("getrawmempool")]
        for block in blocks:
            for row in block["tx"]:
                self.rows.append(row | {"block": {"height": block["height"], "hash": block["hash"], "time": block["time"]}})
        self.rows += [row | {"block": None} for row in waiting]
        for row in self.rows:
            for output in row["vout"]:
                outputs[row["txid"], output["n"]] = output
        for row in self.rows:
            row["spent"] = [outputs[source["txid"], source["vout"]] for source in row["vin"] if "txid" in source]
        self.rows.reverse()

    def of(self, address: str) -> list[JSON]:
        """The transactions of an address, newest first."""
        return [row for row in self.rows if address in map(address_of, (*row["spent"], *row["vout"]))]

    def sums(self, address: str) -> JSON:
        """What an address gained and lost, in blocks and waiting."""
        found: JSON = {}
        for kind, rows in (
            ("chain", [row for row in self.of(address) if row["block"]]),
            ("mempool", [row for row in self.of(address) if not row["block"]]),
        ):
            gained = sum(units(output) for row in rows for output in row["vout"] if address_of(output) == address)
            lost = sum(units(output) for row in rows for output in row["spent"] if address_of(output) == address)
            found[f"{kind}_stats"] = {"funded_txo_sum": gained, "spent_txo_sum": lost, "tx_count": len(rows)}
        return found


def address_of(output: JSON) -> str:
    found: list[str] = output["scriptPubKey"].get("addresses", [""])
    return found[0]


def units(output: JSON) -> int:
    return int(Decimal(output["value"]) * COIN)


def esplora_row(row: JSON) -> JSON:
    """A transaction in Esplora's shape."""
    block = row["block"]
    status = {"confirmed": False}
    if block:
        status = {"confirmed": True, "block_height": block["height"], "block_hash": block["hash"], "block_time": block["time"]}
    coins = [{"scriptpubkey": output["scriptPubKey"]["hex"], "value": units(output)} for output in row["spent"]]
    is_coinbase = "coinbase" in row["vin"][0]
    return {
        "txid": row["txid"],
        "vin": [{"prevout": coin, "is_coinbase": False} for coin in coins] or [{"prevout": None, "is_coinbase": is_coinbase}],
        "vout": [{"scriptpubkey": output["scriptPubKey"]["hex"], "value": units(output)} for output in row["vout"]],
        "status": status,
    }


def blockbook_row(row: JSON) -> JSON:
    """A transaction in Blockbook's shape."""
    block = row["block"] or {"height": -1, "hash": "", "time": 1_700_000_000}
    vin: list[JSON] = [
        {"txid": source["txid"], "n": n, "addresses": [address_of(coin)], "isAddress": True, "value": str(units(coin))}
        for n, (source, coin) in enumerate(zip(row["vin"], row["spent"], strict=False))
    ]
    return {
        "txid": row["txid"],
        "vin": vin or [{"n": 0, "isAddress": False, "coinbase": row["vin"][0]["coinbase"]}],
        "vout": [
            {"value": str(units(output)), "n": output["n"], "hex": output["scriptPubKey"]["hex"], "isAddress": True}
            for output in row["vout"]
        ],
        "blockHash": block["hash"],
        "blockHeight": block["height"],
        "blockTime": block["time"],
    }


class Explorer:
    """Both APIs over one node, read anew at each `look`; `asked` are the paths."""

    def __init__(self, node: Litecoin) -> None:
        self._node = node
        self.asked: list[str] = []
        self.look()

    def look(self) -> None:
        """Takes in what the node has now."""
        self.ledger = Ledger(self._node)

    async def esplora(self, request: web.Request) -> web.Response:
        ledger, parts = self.ledger, request.path.strip("/").split("/")[1:]
        self.asked.append(request.path)
        if parts == ["blocks", "tip", "height"]:
            return web.Response(text=str(len(ledger.hashes) - 1))
        if parts[0] == "block-height":
            height = int(parts[1])
            return web.Response(text=ledger.hashes[height]) if height < len(ledger.hashes) else web.Response(status=404)
        if parts[0] == "tx":
            one = next((row for row in ledger.rows if row["txid"] == parts[1]), None)
            return web.json_response(esplora_row(one)) if one else web.Response(status=404)
        rows = ledger.of(parts[1])
        if len(parts) == 2:
            return web.json_response(ledger.sums(parts[1]))
        if parts[3] == "mempool":
            return web.json_response([esplora_row(row) for row in rows if not row["block"]])
        settled = [row for row in rows if row["block"]]
        start = next((n + 1 for n, row in enumerate(settled) if row["txid"] == parts[4]), 0) if len(parts) > 4 else 0
        return web.json_response([esplora_row(row) for row in settled[start : start + PAGE]])

    async def blockbook(self, request: web.Request) -> web.Response:
        ledger, parts = self.ledger, [part for part in request.path.split("/")[4:] if part]
        self.asked.append(request.path)
        if not parts:
            return web.json_response({"blockbook": {"coin": "Litecoin", "bestHeight": len(ledger.hashes) - 1}, "backend": {}})
        if parts[0] == "block-index":
            height = int(parts[1])
            known = height < len(ledger.hashes)
            return web.json_response(
                {"blockHash": ledger.hashes[height]} if known else {"error": "no block"}, status=200 if known else 400
            )
        if parts[0] == "tx":
            one = next((row for row in ledger.rows if row["txid"] == parts[1]), None)
            return web.json_response(blockbook_row(one) if one else {"error": "not found"}, status=200 if one else 400)
        asked = request.query
        sums = ledger.sums(parts[1])
        settled, waiting = sums["chain_stats"], sums["mempool_stats"]
        answer: JSON = {
            "address": parts[1],
            "balance": str(settled["funded_txo_sum"] - settled["spent_txo_sum"]),
            "unconfirmedBalance": str(waiting["funded_txo_sum"] - waiting["spent_txo_sum"]),
            "unconfirmedTxs": waiting["tx_count"],
            "txs": settled["tx_count"],
        }
        if asked.get("details") == "txs":
            top, start, size = int(asked.get("to", "0")), int(asked.get("from", "0")), int(asked["pageSize"])
            rows = [
                row
                for row in ledger.of(parts[1])
                if (row["block"] is None and not top)
                or (row["block"] is not None and start <= row["block"]["height"] <= (top or len(ledger.hashes)))
            ]
            answer["totalPages"] = max(1, -(-len(rows) // size))
            page = min(int(asked["page"]), answer["totalPages"])
            answer["transactions"] = [blockbook_row(row) for row in rows[(page - 1) * size : page * size]]
        return web.json_response(answer)


@asynccontextmanager
async def explorer(node: Litecoin) -> AsyncIterator[tuple[Explorer, str]]:
    """Both APIs on loopback, and their base: Esplora's is below `/esplora`, Blockbook's below `/blockbook`."""
    found = Explorer(node)
    app = web.Application()
    app.router.add_get("/esplora/{rest:.*}", found.esplora)
    app.router.add_get("/blockbook/{rest:.*}", found.blockbook)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield found, f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()
