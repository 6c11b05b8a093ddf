"""A chain of outputs in miniature, served as a Koios server serves Cardano: rows by GET and POST, ordered, filtered, paged.

What a transaction spends and makes is given; its fee is what is left, so legs and balances can be compared. Blocks can be
replaced.
"""

import json
from collections.abc import Callable
from hashlib import sha256
from typing import Any

from aiohttp import web

from omnifolio.venues import bech32

START_S = 1_600_000_000
EPOCH = 300
ROWS = 7
"""Rows in one answer; the server that is imitated gives a thousand."""
POOL = "pool155efqn9xpcf73pphkk88cmlkdwx4ulkg606tne970qswczg3asc"
Coin = dict[str, Any]


def digits(*parts: object, size: int = 32) -> str:
    """Bytes that follow from the parts, in hexadecimal."""
    return sha256("|".join(map(str, parts)).encode()).digest()[:size].hex()


def stake(name: str) -> str:
    """A stake address."""
    return bech32.encode_plain("stake", bytes([0xE1]) + bytes.fromhex(digits("stake", name, size=28)))


def address(name: str, n: int = 0, *, is_staked: bool = True) -> str:
    """The n-th address of somebody, with or without his stake key."""
    payment = bytes.fromhex(digits("pay", name, n, size=28))
    own = bytes.fromhex(digits("stake", name, size=28))
    return bech32.encode_plain("addr", bytes([0x01]) + payment + own if is_staked else bytes([0x61]) + payment)


def asset(name: str, *, policy: str = "policy") -> str:
    """Policy and name of an asset."""
    return digits(policy, size=28) + name.encode().hex()


SPACE = asset("SPACE")


def reward(who: str, epoch: int, lovelace: int, *, kind: str = "member") -> dict[str, object]:
    """A reward that can be withdrawn from an epoch on."""
    place = {"stake_address": who, "earned_epoch": epoch - 2, "spendable_epoch": epoch}
    return {**place, "amount": str(lovelace), "type": kind, "pool_id_bech32": POOL if kind == "member" else None}


class Chain:
    """Transactions in blocks, one each, and what is said of assets, stakes and rewards."""

    def __init__(self) -> None:
        self.height = 1_000
        self.told: list[dict[str, Any]] = []
        self.owners: dict[str, str] = {}
        self.assets: dict[str, dict[str, Any]] = {}
        self.earned: list[dict[str, Any]] = []
        self.updates: list[dict[str, Any]] = []
        self.salt = 0

    def who(self, name: str, n: int = 0, *, is_staked: bool = True) -> str:
        """An address of somebody, remembered with its stake address."""
        found = address(name, n, is_staked=is_staked)
        if is_staked:
            self.owners[found] = stake(name)
        return found

    def coin(self, target: str, lovelace: int, **assets: int) -> Coin:
        """An output that is to be made; assets by name."""
        held = [
            {
                "policy_id": asset(name)[:56],
                "asset_name": asset(name)[56:],
                "quantity": str(quantity),
                "decimals": 0,
                "fingerprint": "",
            }
            for name, quantity in assets.items()
        ]
        place = {"payment_addr": {"bech32": target, "cred": ""}, "stake_addr": self.owners.get(target)}
        return {**place, "value": str(lovelace), "asset_list": held}

    def act(self, spent: list[Coin], made: list[Coin], **more: Any) -> dict[str, Any]:
        """A transaction in a block of its own. `withdrawals` by stake address, `deposit`, `fee` where it is not the rest."""
        self.height += 1
        name = digits("transaction", self.height, self.salt)
        outputs = [{**coin, "tx_hash": name, "tx_index": n} for n, coin in enumerate(made)]
        withdrawals = [{"stake_addr": who, "amount": str(amount)} for who, amount in more.pop("withdrawals", {}).items()]
        deposit = more.pop("deposit", 0)
        rest = total(spent) + sum(int(one["amount"]) for one in withdrawals) - total(made) - deposit
        row = {
            "tx_hash": name,
            "block_hash": digits("block", self.height, self.salt),
            "block_height": self.height,
            "tx_timestamp": START_S + self.height * 20,
            "fee": str(more.pop("fee", rest)),
            "deposit": str(deposit),
            "treasury_donation": "0",
            "valid_contract": True,
            "collateral_inputs": [],
            "collateral_output": None,
            "inputs": spent,
            "outputs": outputs,
            "withdrawals": withdrawals,
            "certificates": [],
            **more,
        }
        self.told.append(row)
        return row

    def fund(self, target: str, lovelace: int, **assets: int) -> Coin:
        """Coins from somebody far away. The output."""
        far = self.who("far", is_staked=False)
        spent = {**self.coin(far, lovelace + 200_000, **assets), "tx_hash": digits("far", self.height), "tx_index": 0}
        return self.act([spent], [self.coin(target, lovelace, **assets)])["outputs"][0]  # type: ignore[no-any-return]  # a row is any JSON

    def update(self, row: dict[str, Any], who: str, action: str) -> None:
        """Notes that a transaction concerns a stake address."""
        facts = {"stake_address": who, "action_type": action, "tx_hash": row["tx_hash"]}
        self.updates.append({**facts, "block_time": row["tx_timestamp"], "absolute_slot": row["tx_timestamp"]})

    def mine(self, blocks: int) -> None:
        """So many empty blocks."""
        self.height += blocks

    def replace(self, blocks: int) -> None:
        """Other blocks in the place of the last ones: their transactions are gone."""
        self.height -= blocks
        self.salt += 1
        self.told = [row for row in self.told if row["block_height"] <= self.height]

    def unspent(self) -> list[Coin]:
        """What lies on the chain."""
        taken = {(coin["tx_hash"], coin["tx_index"]) for row in self.told for coin in _spent(row)}
        made = [coin for row in self.told for coin in _made(row)]
        return [coin for coin in made if (coin["tx_hash"], coin["tx_index"]) not in taken]


def total(coins: list[Coin]) -> int:
    """Lovelace of coins."""
    return sum(int(coin["value"]) for coin in coins)


def _spent(row: dict[str, Any]) -> list[Coin]:
    found: list[Coin] = row["inputs"] if row["valid_contract"] else row["collateral_inputs"]
    return found


def _made(row: dict[str, Any]) -> list[Coin]:
    returned = None if row["valid_contract"] else row["collateral_output"]
    found: list[Coin] = row["outputs"] if returned is None else [returned]
    return found


class Service:
    """The chain's server."""

    def __init__(self, chain: Chain, *, rows: int = ROWS) -> None:
        self.chain, self.rows = chain, rows
        self.behind = 0
        self.busy = 0
        self.untold: set[str] = set()
        self.is_moving = False
        self.asked: list[str] = []

    async def answer(self, request: web.Request) -> web.Response:
        """One answer."""
        path = request.path.strip("/")
        self.asked.append(path)
        raw = await request.read()
        if len(raw) > 1024:
            return web.json_response({"message": "too large"}, status=413)
        if self.busy:
            self.busy -= 1
            return web.Response(status=429)
        body = json.loads(raw) if raw else {}
        handlers: dict[str, Callable[[dict[str, Any], dict[str, str]], list[Any]]] = {
            "tip": self._tip,
            "blocks": self._blocks,
            "account_info": self._account_info,
            "address_info": self._address_info,
            "account_assets": self._held,
            "address_assets": self._held,
            "account_txs": self._listed,
            "address_txs": self._listed,
            "account_update_history": self._account_update_history,
            "account_reward_history": self._account_reward_history,
            "tx_info": self._tx_info,
            "asset_info": self._asset_info,
        }
        return web.json_response(self._shown(handlers[path](body, dict(request.query)), dict(request.query)))

    def _shown(self, rows: list[Any], query: dict[str, str]) -> list[Any]:
        """Filters, order and page, as PostgREST has them."""
        if query.get("block_time"):
            rows = [row for row in rows if row["block_time"] >= int(query["block_time"].removeprefix("gte."))]
        if query.get("and"):
            low, high = (int(part.rpartition(".")[2]) for part in query["and"].strip("()").split(","))
            rows = [row for row in rows if low <= row["spendable_epoch"] <= high]
        for column in reversed([part.partition(".")[0] for part in query.get("order", "").split(",") if part]):
            rows = sorted(rows, key=lambda row: (row[column] is None, row[column]))
        start = int(query.get("offset", 0))
        return rows[start : start + min(int(query.get("limit", self.rows)), self.rows)]

    def _tip(self, body: dict[str, Any], query: dict[str, str]) -> list[Any]:
        height = self.chain.height - self.behind
        hashed = digits("block", height, self.chain.salt)
        return [{"hash": hashed, "epoch_no": EPOCH, "block_height": height, "block_time": START_S + height * 20}]

    def _blocks(self, body: dict[str, Any], query: dict[str, str]) -> list[Any]:
        wanted = {int(text) for text in query["block_height"].removeprefix("in.(").rstrip(")").split(",")}
        kept = {row["block_height"]: row["block_hash"] for row in self.chain.told}
        return [
            {"block_height": height, "hash": kept.get(height, digits("block", height, self.chain.salt))}
            for height in wanted
            if height <= self.chain.height
        ]

    def _owned(self, body: dict[str, Any]) -> list[Coin]:
        return [coin for coin in self.chain.unspent() if self._is_own(coin, body)]

    @staticmethod
    def _is_own(coin: Coin, body: dict[str, Any]) -> bool:
        if "_stake_addresses" in body:
            return coin["stake_addr"] in body["_stake_addresses"]
        return coin["payment_addr"]["bech32"] in body["_addresses"]

    def _account_info(self, body: dict[str, Any], query: dict[str, str]) -> list[Any]:
        (who,) = body["_stake_addresses"]
        withdrawn = sum(int(one["amount"]) for row in self.chain.told for one in row["withdrawals"] if one["stake_addr"] == who)
        own = [row for row in self.chain.earned if row["stake_address"] == who and row["spendable_epoch"] <= EPOCH]
        earned = sum(int(row["amount"]) for row in own)
        deposits = [
            int(row["deposit"])
            for row in self.chain.told
            if any(isinstance(one["info"], dict) and one["info"].get("stake_address") == who for one in row["certificates"])
        ]
        if self.is_moving:
            self.chain.fund(self.chain.who("ann"), 1)
        held = self._owned(body)
        if not held and not earned:
            return []
        coins = {"utxo": str(total(held)), "rewards_available": str(earned - withdrawn), "deposit": str(sum(deposits))}
        return [{"stake_address": who, **coins}]

    def _address_info(self, body: dict[str, Any], query: dict[str, str]) -> list[Any]:
        (who,) = body["_addresses"]
        is_known = any(coin["payment_addr"]["bech32"] == who for row in self.chain.told for coin in row["outputs"])
        return [{"address": who, "balance": str(total(self._owned(body)))}] if is_known else []

    def _held(self, body: dict[str, Any], query: dict[str, str]) -> list[Any]:
        sums: dict[tuple[str, str], int] = {}
        for coin in self._owned(body):
            for one in coin["asset_list"]:
                key = one["policy_id"], one["asset_name"]
                sums[key] = sums.get(key, 0) + int(one["quantity"])
        return [
            {"policy_id": key[0], "asset_name": key[1], "quantity": str(amount), "decimals": 0} for key, amount in sums.items()
        ]

    def _listed(self, body: dict[str, Any], query: dict[str, str]) -> list[Any]:
        after = int(query.get("_after_block_height") or body.get("_after_block_height", 0))
        named = {"_stake_addresses": [query["_stake_address"]]} if "_stake_address" in query else body
        return [
            {"tx_hash": row["tx_hash"], "block_height": row["block_height"], "block_time": row["tx_timestamp"], "epoch_no": EPOCH}
            for row in self.chain.told
            if row["block_height"] >= after and any(self._is_own(coin, named) for coin in (*_spent(row), *_made(row)))
        ]

    def _account_update_history(self, body: dict[str, Any], query: dict[str, str]) -> list[Any]:
        return [row for row in self.chain.updates if row["stake_address"] in body["_stake_addresses"]]

    def _account_reward_history(self, body: dict[str, Any], query: dict[str, str]) -> list[Any]:
        return [row for row in self.chain.earned if row["stake_address"] in body["_stake_addresses"]]

    def _tx_info(self, body: dict[str, Any], query: dict[str, str]) -> list[Any]:
        wanted = set(body["_tx_hashes"]) - self.untold
        return [row for row in self.chain.told if row["tx_hash"] in wanted]

    def _asset_info(self, body: dict[str, Any], query: dict[str, str]) -> list[Any]:
        found = []
        for policy, name in body["_asset_list"]:
            plain = {"policy_id": policy, "asset_name": name, "total_supply": "1000000", "token_registry_metadata": None}
            found.append({**plain, "cip68_metadata": None, **self.chain.assets.get(policy + name, {})})
        return found
