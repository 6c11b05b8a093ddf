"""A small TON behind an indexer's API v3: accounts, jettons and NFTs that really change hands, told with the API's own filters.

Shapes as the API's published models have them (toncenter/ton-indexer, 2026-07). What the server does wrong is told to it first.
"""

import base64
import hashlib
from collections.abc import Sequence
from typing import Any

from aiohttp import web
from tests.stage import START_MS

LT_STEP = 1_000_000
TRANSFER, INTERNAL, BURN, EXCESSES, BOUNCED, NOTICE = 0x0F8A7EA5, 0x178D4519, 0x595F07BC, 0xD53276DB, 0xFFFFFFFF, 0x7362D09C
GAS, FORWARD, CARRIED = 3_000_000, 400_000, 50_000_000


def account(name: str) -> str:
    """The raw address that a name stands for, as the API writes it."""
    return f"0:{hashlib.sha256(name.encode()).hexdigest().upper()}"


def digest(text: str) -> str:
    """A hash as the API writes it."""
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def cell(*parts: tuple[int, int]) -> str:
    """A bag of one cell with these numbers, each with its length in bits, in base64."""
    bits = "".join(f"{value:0{length}b}" for value, length in parts if length)
    odd = len(bits) % 8 != 0
    padded = bits + ("1" + "0" * (7 - len(bits) % 8) if odd else "")
    data = int(padded or "0", 2).to_bytes(len(padded) // 8, "big")
    body = bytes([0, 2 * len(data) - odd]) + data
    return base64.b64encode(bytes.fromhex("b5ee9c72010101") + bytes([1, 0, len(body), 0]) + body).decode()


def coins(units: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """An amount as cells have it."""
    length = (units.bit_length() + 7) // 8
    return (length, 4), (units, 8 * length)


def place(raw: str | None) -> tuple[tuple[int, int], ...]:
    """An address as cells have it."""
    return ((0, 2),) if raw is None else ((4, 3), (0, 8), (int(raw[2:], 16), 256))


class World:
    """One account that is looked at, `me`, and whoever deals with it."""

    def __init__(self) -> None:
        self.me = account("me")
        self.units: dict[str, int] = {}
        self.rows: dict[str, list[dict[str, Any]]] = {}
        self.jettons: dict[str, dict[str, Any]] = {}
        self.items: list[str] = []
        self.moves: list[dict[str, Any]] = []
        self.unindexed: set[str] = set()
        self.states = True
        self.lt, self.now, self.traces = LT_STEP, START_MS // 1000, 0
        self.asked: list[str] = []
        self.faults: list[int | bytes] = []
        """What the next answers are instead of what is true: a status, or a body."""
        self.hidden: set[str] = set()

    # What happens.

    def trace(self) -> str:
        """A new trace."""
        self.traces += 1
        self.now += 60
        return digest(f"trace {self.traces}")

    def get(self, units: int, source: str = "other", *, trace: str = "", **more: Any) -> str:
        """Coins come to me; the trace's name."""
        message = self.message(account(source), self.me, units, **more)
        return self.happen(self.me, trace or self.trace(), message, (), storage=0)

    def send(self, units: int, target: str = "other", *, trace: str = "", **more: Any) -> str:
        """I send coins; the trace's name."""
        out = self.message(self.me, account(target), units, **more)
        return self.happen(self.me, trace or self.trace(), self.message(None, self.me, None), (out,))

    def fail(self) -> str:
        """I send more than there is: the fee is gone, and nothing else."""
        return self.happen(self.me, self.trace(), self.message(None, self.me, None), (), aborted=True)

    def jetton(self, name: str, decimals: str = "6") -> None:
        """A jetton of which I have an account."""
        self.jettons[name] = {"wallet": account(f"{name} of me"), "master": account(name), "decimals": decimals, "units": 0}

    def get_jetton(self, name: str, units: int, source: str | None = "other") -> str:
        """Units of a jetton come to me: minted where there is no source. The trace's name."""
        told = self.jettons[name]
        body = cell((INTERNAL, 32), (7, 64), *coins(units), *place(source and account(source)), *place(None), (0, 1))
        told["units"] += units
        message = self.message(account("their jettons"), told["wallet"], CARRIED, body=body, opcode=INTERNAL)
        return self.happen(told["wallet"], self.trace(), message, (), storage=0)

    def send_jetton(self, name: str, units: int, target: str = "other", *, works: bool = True) -> str:
        """I send units of a jetton; the trace's name; what is left of the coins comes back in it."""
        told, trace = self.jettons[name], self.trace()
        body = cell((TRANSFER, 32), (7, 64), *coins(units), *place(account(target)), *place(self.me), (0, 1))
        first = self.send(CARRIED, f"{name} of me", trace=trace, body=body, opcode=TRANSFER)
        carrier = self.message(self.me, told["wallet"], CARRIED, body=body, opcode=TRANSFER)
        back = CARRIED - 5_000_000
        if works:
            told["units"] -= units
            self.happen(told["wallet"], trace, carrier, ())
            self.get(back, f"{name} of {target}", trace=trace, opcode=EXCESSES)
        else:
            self.happen(told["wallet"], trace, carrier, (), aborted=True)
            self.get(back, f"{name} of me", trace=trace, bounced=True, opcode=BOUNCED)
        return first

    def burn(self, name: str, units: int, *, comes_back: bool = False) -> str:
        """I give units back to the jetton's master, which may refuse them."""
        told, trace = self.jettons[name], self.trace()
        body = cell((BURN, 32), (7, 64), *coins(units), *place(self.me))
        first = self.send(CARRIED, f"{name} of me", trace=trace, body=body, opcode=BURN)
        self.happen(told["wallet"], trace, self.message(self.me, told["wallet"], CARRIED, body=body, opcode=BURN), ())
        told["units"] -= units
        if comes_back:
            body = cell((BOUNCED, 32), (0x7BDD97DE, 32), (7, 64), *coins(units))
            back = self.message(told["master"], told["wallet"], 1, body=body, opcode=BOUNCED, bounced=True)
            self.happen(told["wallet"], trace, back, ())
            told["units"] += units
        return first

    def item(self, name: str, *, comes: bool) -> str:
        """An NFT comes to me or goes."""
        raw, trace = account(name), self.trace()
        self.lt += LT_STEP
        others = account("other")
        self.moves.append(
            {
                "query_id": "7", "nft_address": raw, "nft_collection": account("collection"),
                "transaction_hash": digest(f"nft {self.lt}"),
                "transaction_lt": str(self.lt), "transaction_now": self.now, "transaction_aborted": False, "trace_id": trace,
                "old_owner": others if comes else self.me, "new_owner": self.me if comes else others,
            }
        )  # fmt: skip
        self.items = [*self.items, raw] if comes else [one for one in self.items if one != raw]
        return trace

    def message(self, source: str | None, target: str | None, units: int | None, **more: Any) -> dict[str, Any]:
        """A message; from or to the outside where an end is missing."""
        self.lt += LT_STEP
        opcode, body = more.get("opcode"), more.get("body", cell())
        return {
            "hash": digest(f"message {self.lt}"), "source": source, "destination": target,
            "value": None if units is None else str(units), "value_extra_currencies": {},
            "fwd_fee": None if source is None else str(FORWARD), "ihr_fee": None if source is None else "0",
            "created_lt": str(self.lt), "created_at": str(self.now), "opcode": None if opcode is None else f"0x{opcode:08x}",
            "bounce": True, "bounced": more.get("bounced", False), "import_fee": None,
            "message_content": {"hash": digest(body), "body": body, "decoded": None}, "init_state": None,
        }  # fmt: skip

    def happen(
        self, raw: str, trace: str, message: dict[str, Any], outs: Sequence[dict[str, Any]], *, aborted: bool = False,
        storage: int = GAS,
    ) -> str:  # fmt: skip
        """One transaction of an account: what the message brings, less what goes out and the fees."""
        self.lt += LT_STEP
        before = self.units.get(raw, 0)
        came = int(message["value"] or 0) if message["source"] else 0
        went = sum(int(out["value"]) + FORWARD for out in outs)
        after = before + came - went - storage if raw == self.me else before
        name = digest(f"{raw} {self.lt}")
        earlier = self.rows.setdefault(raw, [])
        state = {"hash": digest(name), "balance": None, "account_status": "active"}
        is_told = self.states and raw == self.me
        earlier.append(
            {
                "account": raw, "hash": name, "lt": str(self.lt), "now": self.now, "mc_block_seqno": self.lt // LT_STEP,
                "trace_id": trace, "prev_trans_hash": digest(""), "prev_trans_lt": earlier[-1]["lt"] if earlier else "0",
                "orig_status": "active" if earlier else "nonexist", "end_status": "active", "total_fees": str(storage),
                "total_fees_extra_currencies": {}, "emulated": False, "finality": "finalized",
                "description": {"type": "ord", "aborted": aborted, "compute_ph": {"skipped": False, "success": not aborted}},
                "block_ref": {"workchain": 0, "shard": "8000000000000000", "seqno": 1}, "in_msg": message, "out_msgs": list(outs),
                "account_state_before": state | {"balance": str(before) if is_told and earlier else None},
                "account_state_after": state | {"balance": str(after) if is_told else None},
            }
        )  # fmt: skip
        self.units[raw] = after
        return trace

    # What is told.

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """The API's answer to a request."""
        self.asked.append(f"{request.path}?{request.query_string}")
        if self.faults:
            fault = self.faults.pop(0)
            if isinstance(fault, int):
                return web.json_response({"error": "Ratelimit exceed", "code": fault}, status=fault)
            return web.Response(body=fault)
        return web.json_response(self._told(request.path, dict(request.query)))

    def _told(self, path: str, asked: dict[str, str]) -> dict[str, Any]:
        if path == "/masterchainInfo":
            return {"last": {"gen_utime": str(self.now), "seqno": self.lt}, "first": {"gen_utime": "1", "seqno": 1}}
        if path == "/accountStates":
            mine = self.rows.get(self.me, [])
            last = mine[-1]["lt"] if mine else None
            known = {"address": self.me, "balance": str(self.units[self.me]), "last_transaction_lt": last} if mine else None
            return {"accounts": [known] if known else [], "address_book": {}, "metadata": {}}
        if path == "/transactions":
            rows = [row for row in self.rows.get(asked["account"].upper(), []) if row["hash"] not in self.hidden]
            return {"transactions": _page(rows, asked, "lt", "now"), "address_book": {}}
        if path == "/traces":
            told = [row for rows in self.rows.values() for row in rows]
            trace = next((row["trace_id"] for row in told if asked["tx_hash"] in (row["hash"], row["trace_id"])), None)
            found = {row["hash"]: row for row in told if row["trace_id"] == trace}
            return {"traces": [{"trace_id": trace, "transactions": found}] if found else [], "address_book": {}}
        if path == "/nft/transfers":
            return {"nft_transfers": _page(self.moves, asked, "transaction_lt", "transaction_now"), "metadata": {}}
        start, count = int(asked["offset"]), int(asked["limit"])
        if path == "/nft/items":
            told = [{"address": raw, "init": True, "owner_address": self.me} for raw in self.items]
            meta = {raw: {"is_indexed": True, "token_info": [{"type": "nft_items", "name": "Pixel"}]} for raw in self.items}
            return {"nft_items": told[start : start + count], "metadata": meta}
        assert path == "/jetton/wallets", f"nothing else is ever asked, but {path} was"
        held = [(name, told) for name, told in self.jettons.items() if told["wallet"] in self.rows]
        rows = [
            {
                "address": told["wallet"], "owner": self.me, "jetton": told["master"], "balance": str(told["units"]),
                "last_transaction_lt": self.rows[told["wallet"]][-1]["lt"], "code_hash": digest("code"),
            }
            for _, told in held
        ]  # fmt: skip
        meta = {
            told["master"]: {
                "is_indexed": True,
                "token_info": [{"type": "jetton_masters", "symbol": name, "name": name, "extra": {"decimals": told["decimals"]}}],
            }
            for name, told in held
            if name not in self.unindexed
        }
        return {"jetton_wallets": rows[start : start + count], "metadata": meta, "address_book": {}}


def _page(rows: list[dict[str, Any]], asked: dict[str, str], lt: str, now: str) -> list[dict[str, Any]]:
    assert asked["sort"] == "asc", "only so nothing moves between two pages"
    found = [row for row in rows if int(row[lt]) >= int(asked["start_lt"]) and row[now] >= int(asked.get("start_utime", 0))]
    return sorted(found, key=lambda row: int(row[lt]))[: int(asked["limit"])]
