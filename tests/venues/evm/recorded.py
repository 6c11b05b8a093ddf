"""Recorded transactions as the evidence of a page: what the node answered then, in the order in which the reader would ask."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from omnifolio.catalog.chains import EvmChain, evm_chains
from omnifolio.model.clock import EpochMs
from omnifolio.model.facts import Evidence

STREAM = "transfers/recorded"
BLOCK_HASH = "0x" + "00" * 32
TICKERS = {999: "HYPE", 143: "MON"}
"""Native coins of recorded chains that the catalog does not have."""


def load(path: Path) -> dict[str, Any]:
    """One recorded case."""
    case: dict[str, Any] = json.loads(path.read_bytes())
    return case


def chain_of(case: dict[str, Any]) -> EvmChain:
    """The catalog's chain, or the little that is needed of another one."""
    number = case["chain_id"]
    found = next((chain for chain in evm_chains().values() if chain.chain_id == number), None)
    return found or EvmChain(id="recorded", chain_id=number, name="", ticker=TICKERS[number], slip44=1, confirmations=64)


def evidence_of(case: dict[str, Any], address: str) -> list[Evidence]:
    """The page that holds the case's one transaction, as seen from `address`."""
    answers = {request["method"]: request["response"] for request in case["requests"]}
    receipt = {"blockHash": BLOCK_HASH} | answers["eth_getTransactionReceipt"]
    block = {"hash": BLOCK_HASH} | answers["eth_getBlockByNumber"]
    name, height = receipt["transactionHash"].lower(), str(int(block["number"], 16))
    place = {key: receipt[key] for key in ("blockNumber", "blockHash", "transactionHash")}
    logs = [place | log for log in receipt["logs"]] or [place | {"address": "", "topics": [], "data": "0x", "logIndex": "0x0"}]
    stated = case.get("token_decimals", {}).items()
    decimals = {asset.rpartition(":")[2].lower(): places for asset, places in stated if "/erc20:" in asset}
    window = {"wallet": address.lower(), "from": height, "to": height, "final": height}
    pages = [
        _page("window", {"out": [], "in": logs, "before": block, "last": block}, **window),
        _page("receipts", {name: receipt}),
        _page("transactions", {name: answers["eth_getTransactionByHash"]}),
        _page("blocks", {height: block}),
        _page("tokens", {f"{contract}:decimals": f"0x{places:064x}" for contract, places in decimals.items()}),
    ]
    if "txlistinternal" in answers:
        pages.append(_page("traces", {name: _frame(answers["txlistinternal"])}))
    return [page for page in pages if page.params["about"]]


def _page(read: str, results: dict[str, Any], **params: str) -> Evidence:
    body = [{"jsonrpc": "2.0", "id": n, "result": result} for n, result in enumerate(results.values(), 1)]
    about = ",".join(results)
    return Evidence(
        stream=STREAM,
        request="POST recorded",
        params={"read": read, "about": about, **params},
        received_at=EpochMs(0),
        body=json.dumps(body).encode(),
    )


def _frame(rows: Sequence[dict[str, str]]) -> dict[str, Any]:
    """An explorer's list of inner transfers as the calls of a trace."""
    calls = [
        {"type": "CALL", "from": row["from"], "to": row["to"], "value": hex(int(row["value"]))}
        | ({"error": "undone"} if row.get("isError") == "1" else {})
        for row in rows
    ]
    return {"type": "CALL", "calls": calls}


def accounts_of(case: dict[str, Any]) -> list[str]:
    """The user's own addresses: as stated, else those that the facts name, and the sender where its fee is a fact."""
    if "tracked_accounts" in case:
        return list(case["tracked_accounts"])
    answers = {request["method"]: request["response"] for request in case["requests"]}
    sender = [answers["eth_getTransactionReceipt"]["from"]] if case["gas_check"] == "exact" else []
    named = [fact["account"] for fact in case["expected"] if fact.get("account")]
    return list(dict.fromkeys(address.lower() for address in [*named, *sender]))
