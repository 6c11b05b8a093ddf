"""A node of Substrate that keeps a storage of its own by block: what is written at a block is told of it and those after it.

What the node does wrong is told to it first.
"""

import json
from typing import Any

from aiohttp import web

from omnifolio.venues.substrate import storage

ALICE = bytes.fromhex("d43593c715fdd31c61141abd04a99fd6822c8558854ccde39a5684e7a56da27d")
"""The best known account of all, of every development chain."""
GENESIS = "0x48239ef607d7928874027a43a67689209727dfb3d3dc5e5b03a39bdc2eda771a"


def wide(*numbers: int) -> bytes:
    """Numbers of 128 bits one after another."""
    return b"".join(number.to_bytes(16, "little") for number in numbers)


def compact(number: int) -> bytes:
    """A compact number in its longest form."""
    data = number.to_bytes(max(4, (number.bit_length() + 7) // 8), "little")
    return bytes([(len(data) - 4) << 2 | 3]) + data


def located(number: int) -> bytes:
    """Where an asset of the chain's own pallet is."""
    return bytes([0, 2, 4, 50, 5]) + compact(number)


class World:
    """One account, and the blocks in which it changed."""

    def __init__(self) -> None:
        self.account = ALICE
        self.genesis = GENESIS
        self.blocks: list[dict[str, bytes]] = [{}]
        self.assets: list[dict[int, int]] = [{}]
        self.pooled: int | None = 0
        self.owed = 0
        self.others = b""
        """Assets of elsewhere, as the runtime tells them; `is_old` where it tells none at all."""
        self.is_old = False
        self.asked: list[str] = []
        self.faults: list[int | bytes] = []

    def write(
        self, free: int, reserved: int = 0, frozen: int = 0, *, staked: int = 0, assets: dict[int, int] | None = None
    ) -> None:
        """A new block in which the account has this."""
        now = dict(self.blocks[-1])
        now[storage.account_key(self.account)] = bytes(12) + bytes([1, 0, 0, 0]) + wide(free, reserved, frozen, 1 << 127)
        if staked:
            manager = bytes([7]) * 32
            now[storage.bonded_key(self.account)] = manager
            now[storage.ledger_key(manager)] = self.account + compact(staked) + compact(staked) + b"\0"
        self.assets.append(self.assets[-1] | (assets or {}))
        for number, units in (assets or {}).items():
            now[storage.asset_key(number, self.account)] = wide(units) + b"\0\0"
        self.blocks.append(now)

    def name(self, number: int, ticker: str, decimals: int) -> None:
        """What an asset says of itself, from the next block on."""
        text = ticker.encode()
        said = wide(1) + bytes([4 * len(text)]) + text + bytes([4 * len(text)]) + text + bytes([decimals, 0])
        self.blocks.append(self.blocks[-1] | {storage.metadata_key(number): said})
        self.assets.append(self.assets[-1])

    def _fungibles(self, height: int) -> bytes:
        """The coin, assets of the chain's own pallet, and others, in version 4 of their format."""
        told = [b"\x01\x00\x00" + compact(10**15)]
        told += [located(number) + b"\0" + compact(units) for number, units in self.assets[height].items()]
        told += [self.others] if self.others else []
        return bytes([0, 4, 4 * len(told)]) + b"".join(told)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """The node's answer to a question."""
        asked = json.loads(await request.read())
        self.asked.append(asked["method"])
        if self.faults:
            fault = self.faults.pop(0)
            return web.json_response({}, status=fault) if isinstance(fault, int) else web.Response(body=fault)
        result = self._told(asked["method"], asked["params"])
        if isinstance(result, Exception):
            return web.json_response({"jsonrpc": "2.0", "id": 1, "error": {"code": -32000, "message": str(result)}})
        return web.json_response({"jsonrpc": "2.0", "id": 1, "result": result})

    def _told(self, method: str, params: list[Any]) -> Any:
        if method == "chain_getBlockHash":
            return self.genesis
        if method == "chain_getFinalizedHead":
            return f"0x{len(self.blocks) - 1:064x}"
        height = int(params[-1], 16)
        if method == "chain_getHeader":
            return {"number": hex(height), "parentHash": "0x", "digest": {"logs": []}}
        if method == "state_getStorage":
            data = self.blocks[height].get(params[0])
            return None if data is None else f"0x{data.hex()}"
        assert method == "state_call", "nothing else is ever asked"
        assert params[1] == f"0x{self.account.hex()}", "the runtime is asked about the account"
        if "Fungibles" in params[0]:
            return LookupError("no such call") if self.is_old else f"0x{self._fungibles(height).hex()}"
        if self.pooled is None:
            return LookupError("no such call")
        return f"0x{wide(self.pooled if params[0].endswith('member_total_balance') else self.owed).hex()}"
