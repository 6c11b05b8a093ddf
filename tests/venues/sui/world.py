"""A small Sui behind GraphQL RPC: coins really change hands, checkpoint by checkpoint, and each is told as it was then.

Shapes as the published schema has them; the questions are known by their texts. What the server does wrong is told to it first.
"""

import base64
import json
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from aiohttp import web
from tests.stage import START_MS

from omnifolio.venues import base58
from omnifolio.venues.sui.queries import (
    BALANCES,
    CHANGES,
    COINS,
    HEAD,
    HISTORY,
    PAGE,
    QUERIES,
    RATES,
    SINGLE,
    STAKES,
    VALIDATORS,
)  # fmt: skip

SUI = "0x0000000000000000000000000000000000000000000000000000000000000002::sui::SUI"
USDC = "0xdba34672e30cb065b1f93e3ab55318768fd6fef66c15942c9f7cb846e2f900e7::usdc::USDC"
ME, OTHER, SPONSOR = (f"0x{digit * 64}" for digit in "abc")
POOL, TABLE = f"0x{'d' * 64}", f"0x{'e' * 64}"
COMPUTING, STORING, BACK = 750_000, 1_976_000, 978_120


class World:
    """One address that is looked at, `ME`, and whoever deals with it."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []
        self.stakes: list[tuple[int, int]] = []
        self.rates = {3: (1_000, 1_000), 5: (1_100, 1_000)}
        self.now_rate = (1_210, 1_000)
        self.has_rates = True
        self.metadata: dict[str, Any] = {USDC: {"decimals": 6, "symbol": "USDC", "name": "USDC"}}
        self.checkpoint, self.epoch = 100, 7
        self.first = 0
        self.page = PAGE
        self.identifier = "4btiuiMPvEENsttpZC7CZ53DruC3MAgfznDbASZ7DR6S"
        self.asked: list[str] = []
        self.faults: list[int | bytes] = []
        self.stale: set[str] = set()
        """Places that the server does not know any more."""

    # What happens.

    def act(
        self,
        *changes: tuple[str, int, str],
        sender: str = ME,
        sponsor: str | None = None,
        works: bool = True,
        more: int = 0,
        events: tuple[tuple[str, dict[str, str]], ...] = (),
    ) -> str:
        """A transaction with changes (coin, units, owner) beside its gas; `more` changes of strangers come first. Its digest."""
        self.checkpoint += 3
        payer = sponsor or sender
        gas = COMPUTING + STORING - BACK
        left: Counter[tuple[str, str]] = Counter()
        for coin, units, owner in changes if works else ():
            left[coin, owner] += units
        left[SUI, payer] -= gas
        told = [self._change(SUI, 1, f"0x{n:064x}") for n in range(1, more + 1)]
        told += [self._change(coin, units, owner) for (coin, owner), units in left.items() if units]
        digest = base58.encode(sha256(str(len(self.rows)).encode()).digest())
        self.rows.append(
            {
                "digest": digest, "sender": {"address": sender}, "gasInput": {"gasSponsor": {"address": payer}},
                "effects": {
                    "status": "SUCCESS" if works else "FAILURE", "timestamp": self.time(self.checkpoint),
                    "checkpoint": {"sequenceNumber": self.checkpoint}, "balanceChanges": told,
                    "events": {"nodes": [{"contents": {"type": {"repr": name}, "json": said}} for name, said in events]},
                    "gasEffects": {
                        "gasSummary": {"computationCost": COMPUTING, "storageCost": STORING, "storageRebate": BACK}
                    },
                },
            }
        )  # fmt: skip
        return digest

    def _change(self, coin: str, units: int, owner: str) -> dict[str, Any]:
        return {"amount": str(units), "coinType": {"repr": coin}, "owner": {"address": owner}}

    def time(self, checkpoint: int) -> str:
        """When a checkpoint was made."""
        return datetime.fromtimestamp(START_MS / 1000 + checkpoint, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def held(self, owner: str, at: int) -> dict[str, int]:
        """What an owner holds at a checkpoint."""
        units: Counter[str] = Counter()
        for row in self._up_to(at):
            for change in row["effects"]["balanceChanges"]:
                if change["owner"]["address"] == owner:
                    units[change["coinType"]["repr"]] += int(change["amount"])
        return dict(units)

    def _up_to(self, at: int) -> list[dict[str, Any]]:
        return [row for row in self.rows if row["effects"]["checkpoint"]["sequenceNumber"] <= at]

    # What is told.

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """The server's answer to a question."""
        asked = json.loads(await request.read())
        read = next((name for name, text in QUERIES.items() if text == asked["query"]), COINS)
        self.asked.append(read)
        if self.faults:
            fault = self.faults.pop(0)
            return web.json_response({}, status=fault) if isinstance(fault, int) else web.Response(body=fault)
        told: dict[str, Callable[[dict[str, Any]], dict[str, Any] | None]] = {
            HEAD: self._head, BALANCES: self._balances, STAKES: self._stakes, VALIDATORS: self._validators, RATES: self._rates,
            COINS: self._coins, HISTORY: self._history, CHANGES: self._changes, SINGLE: self._single,
        }  # fmt: skip
        data = told[read](asked["variables"])
        if data is None:
            return web.json_response({"data": None, "errors": [{"message": "no such thing here"}]})
        return web.json_response({"data": data})

    def _head(self, asked: dict[str, Any]) -> dict[str, Any]:
        first = {"sequenceNumber": self.first, "timestamp": self.time(self.first)}
        last = {"sequenceNumber": self.checkpoint, "timestamp": self.time(self.checkpoint)}
        kept = {"availableRange": {"first": first}}
        return {"chainIdentifier": self.identifier, "checkpoint": last, "serviceConfig": kept}

    def _scope(self, at: int | None, scope: dict[str, Any]) -> dict[str, Any]:
        number = self.checkpoint if at is None else at
        told = {"sequenceNumber": number, "timestamp": self.time(number), "epoch": {"epochId": self.epoch}, "query": scope}
        return {"chainIdentifier": self.identifier, "checkpoint": told}

    def _balances(self, asked: dict[str, Any]) -> dict[str, Any]:
        at = asked["at"] or self.checkpoint
        rows = [
            {"coinType": {"repr": name}, "totalBalance": str(units)} for name, units in self.held(asked["address"], at).items()
        ]
        return self._scope(at, {"address": {"balances": self._page(rows, asked["after"])}})

    def _stakes(self, asked: dict[str, Any]) -> dict[str, Any]:
        rows = []
        for number, (since, units) in enumerate(self.stakes):
            data = (
                number.to_bytes(32, "big") + bytes.fromhex(POOL[2:]) + since.to_bytes(8, "little") + units.to_bytes(8, "little")
            )
            rows.append({"contents": {"bcs": base64.b64encode(data).decode()}})
        return self._scope(asked["at"], {"address": {"objects": self._page(rows, asked["after"])}})

    def _validators(self, asked: dict[str, Any]) -> dict[str, Any] | None:
        if not self.has_rates:
            return None
        coins, tokens = self.now_rate
        pool = {
            "id": POOL, "sui_balance": str(coins), "pool_token_balance": str(tokens),
            "exchange_rates": {"id": TABLE, "size": "9"},
        }  # fmt: skip
        rows = [{"contents": {"json": {"metadata": {"name": "other"}}}}, {"contents": {"json": {"staking_pool": pool}}}]
        return self._scope(asked["at"], {"epoch": {"validatorSet": {"activeValidators": self._page(rows, asked["after"])}}})

    def _rates(self, asked: dict[str, Any]) -> dict[str, Any]:
        assert asked["table"] == TABLE, "the table of the pool's rates is asked"
        rows: list[Any] = []
        for key in asked["keys"]:
            rate = self.rates.get(int.from_bytes(base64.b64decode(key["bcs"]), "little"))
            data = b"".join(part.to_bytes(8, "little") for part in rate or ())
            rows.append({"value": {"__typename": "MoveValue", "bcs": base64.b64encode(data).decode()}} if rate else None)
        return self._scope(asked["at"], {"address": {"multiGetDynamicFields": rows}})

    def _coins(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {f"c{name[1:]}": self.metadata.get(coin) for name, coin in asked.items()}

    def _history(self, asked: dict[str, Any]) -> dict[str, Any] | None:
        if asked["before"] in self.stale:
            self.stale.clear()
            return None
        rows = [
            row
            for row in self._up_to(asked["to"] - 1)
            if row["effects"]["checkpoint"]["sequenceNumber"] > max(asked["from"] or 0, self.first - 1)
            and asked["address"] in json.dumps(row)
        ]
        end = len(rows) if asked["before"] is None else int(asked["before"])
        start = max(0, end - self.page)
        nodes = [row | {"effects": row["effects"] | {"balanceChanges": self._changed(row, None)}} for row in rows[start:end]]
        return {"transactions": {"nodes": nodes, "pageInfo": {"hasPreviousPage": start > 0, "startCursor": str(start)}}}

    def _single(self, asked: dict[str, Any]) -> dict[str, Any]:
        found = next((row for row in self.rows if row["digest"] == asked["digest"]), None)
        told = found and found | {"effects": found["effects"] | {"balanceChanges": self._changed(found, None)}}
        return {"chainIdentifier": self.identifier, "transaction": told}

    def _changes(self, asked: dict[str, Any]) -> dict[str, Any]:
        row = next(row for row in self.rows if row["digest"] == asked["digest"])
        return {"transaction": {"effects": {"balanceChanges": self._changed(row, asked["more"])}}}

    def _changed(self, row: dict[str, Any], after: str | None) -> dict[str, Any]:
        return self._page(row["effects"]["balanceChanges"], after, PAGE)

    def _page(self, rows: list[Any], after: str | None, length: int = 0) -> dict[str, Any]:
        start = int(after or 0)
        end = start + (length or self.page)
        return {"nodes": rows[start:end], "pageInfo": {"hasNextPage": end < len(rows), "endCursor": str(end)}}
