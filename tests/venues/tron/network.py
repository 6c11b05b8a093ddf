"""A TRON of our own: a chain that keeps books by itself, and a server that tells it as java-tron's HTTP API and TronGrid do.

Sources of the shapes, seen 2026-11: java-tron's HTTP API documentation (its recorded answers of the Nile network), `Tron.proto`,
TronGrid's v1 API documentation.
"""

from collections import Counter
from hashlib import sha256
from typing import Any

from aiohttp import web

from omnifolio.venues import base58

JSON = dict[str, Any]
BEGIN_MS = 1_740_000_000_000
BLOCK_MS = 3_000
TRANSFER = "ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"


def address(name: str) -> str:
    """Somebody's address."""
    return base58.encode_check(b"\x41" + sha256(name.encode()).digest()[:20])


def hexed(text: str) -> str:
    """An address as nodes write it."""
    return base58.decode_check(text).hex()


def word(value: int | str) -> str:
    """A number or an address as 64 digits."""
    return f"{value:064x}" if isinstance(value, int) else hexed(value)[2:].rjust(64, "0")


def string(text: str) -> str:
    """A text as contracts answer it."""
    data = text.encode()
    return word(32) + word(len(data)) + data.hex().ljust(-(-len(data) // 32) * 64, "0")


class Token:
    """A TRC-20 contract."""

    def __init__(self, name: str, ticker: str, decimals: int | None) -> None:
        self.address, self.ticker, self.decimals = name, ticker, decimals
        self.held: Counter[str] = Counter()


class Tron:
    """The chain. Every act is a block of its own; its name is given back."""

    def __init__(self) -> None:
        self.now = BEGIN_MS
        self.height = 60_000_000
        self.coins: Counter[str] = Counter()
        self.staked: Counter[str] = Counter()
        self.lent: Counter[str] = Counter()
        self.rewards: Counter[str] = Counter()
        self.unfreezing: dict[str, list[tuple[int, int]]] = {}
        self.assets: dict[str, Counter[str]] = {}
        self.tokens: dict[str, Token] = {}
        self.rows: list[JSON] = []
        self.asked: list[str] = []
        self.faults: dict[str, list[web.Response]] = {}
        """Answers in the place of the true ones, by the end of the path, each given once."""
        self.told: dict[str, JSON] = {}
        """What the index says of tokens in the place of what they are."""
        self.missing: set[str] = set()
        """Ends of paths that this server does not offer."""
        self.hidden: set[str] = set()
        """Transactions that the node does not know yet."""
        self.keeps_traces = True
        self.newest_first = False

    def act(
        self,
        type_: str,
        value: JSON,
        *,
        fee: int = 0,
        ret: str = "SUCCESS",
        info: JSON | None = None,
        changes: JSON | None = None,
    ) -> str:
        """A transaction of any type; `changes` of coins by address, without the fee."""
        self.now += BLOCK_MS
        self.height += 1
        name = sha256(f"{self.height}".encode()).hexdigest()
        owner = value["owner_address"]
        spelt = {key: hexed(text) if key.endswith("address") else text for key, text in value.items()}
        for who, sun in (changes or {}).items():
            self.coins[who] += sun
        self.coins[owner] -= fee
        contract = {"type": type_, "parameter": {"value": spelt, "type_url": f"type.googleapis.com/protocol.{type_}"}}
        self.rows.append(
            {
                "name": name,
                "at": self.now,
                "height": self.height,
                "fee": fee,
                "ret": ret,
                "raw": {"contract": [contract], "ref_block_bytes": "283b", "timestamp": self.now - 1_000},
                "named": {text for key, text in value.items() if key.endswith("address")},
                "info": info or {},
                "changes": {**(changes or {})},
                "owner": owner,
            }
        )
        return name

    def pay(self, source: str, target: str, sun: int, *, fee: int = 0) -> str:
        value = {"owner_address": source, "to_address": target, "amount": sun}
        return self.act("TransferContract", value, fee=fee, changes={source: -sun, target: sun} if source != target else {})

    def fund(self, target: str, sun: int) -> str:
        self.coins[address("bank")] += sun
        return self.pay(address("bank"), target, sun)

    def pay_asset(self, source: str, target: str, number: str, units: int, *, spelt: str = "") -> str:
        held = self.assets.setdefault(number, Counter())
        held[source] -= units
        held[target] += units
        value = {"owner_address": source, "to_address": target, "asset_name": spelt or number, "amount": units}
        return self.act("TransferAssetContract", value, fee=267_000)

    def token(self, contract: str, ticker: str, decimals: int | None) -> Token:
        self.tokens[contract] = Token(contract, ticker, decimals)
        return self.tokens[contract]

    def call(
        self,
        caller: str,
        contract: str,
        *moves: tuple[Token, str, str, int],
        value: int = 0,
        inside: tuple[tuple[str, str, int], ...] = (),
        rejected: tuple[tuple[str, str, int], ...] = (),
        fee: int = 345_000,
        ret: str = "SUCCESS",
        logs: tuple[JSON, ...] = (),
    ) -> str:
        """A contract is called: tokens move by events, coins along with the call and by calls inside."""
        fine = ret == "SUCCESS"
        changes: Counter[str] = Counter()
        if fine:
            changes.update({caller: -value})
            changes.update({contract: value})
            for token, source, target, units in moves:
                token.held[source] -= units
                token.held[target] += units
            for source, target, sun in inside:
                changes.update({source: -sun})
                changes.update({target: sun})
        events = [
            {"address": hexed(token.address)[2:], "topics": [TRANSFER, word(source), word(target)], "data": word(units)}
            for token, source, target, units in moves
        ]
        calls = [(item, False) for item in inside] + [(item, True) for item in rejected]
        info: JSON = {
            "contract_address": hexed(contract),
            "receipt": {"result": ret, "energy_fee": fee},
            "log": [*events, *logs] if fine else [],
            "internal_transactions": [
                {
                    "caller_address": hexed(source),
                    "transferTo_address": hexed(target),
                    "callValueInfo": [{"callValue": sun}, {}],
                    "note": "63616c6c",
                    **({"rejected": True} if is_rejected else {}),
                }
                for (source, target, sun), is_rejected in calls
            ],
        }
        if not fine:
            info |= {"result": "FAILED", "resMessage": "52455645525420"}
        told = {"owner_address": caller, "contract_address": contract, "data": "a9059cbb"} | (
            {"call_value": value} if value else {}
        )
        return self.act("TriggerSmartContract", told, fee=fee, ret=ret, info=info, changes=changes)

    def stake(self, who: str, sun: int) -> str:
        self.staked[who] += sun
        return self.act("FreezeBalanceV2Contract", {"owner_address": who, "frozen_balance": sun}, changes={who: -sun})

    def lend(self, who: str, target: str, sun: int) -> str:
        self.staked[who] -= sun
        self.lent[who] += sun
        value = {"owner_address": who, "receiver_address": target, "balance": sun, "resource": "ENERGY"}
        return self.act("DelegateResourceContract", value, fee=300_000)

    def unstake(self, who: str, sun: int, *, days: int = 14) -> str:
        self.staked[who] -= sun
        self.unfreezing.setdefault(who, []).append((self.now + days * 86_400_000, sun))
        return self.act("UnfreezeBalanceV2Contract", {"owner_address": who, "unfreeze_balance": sun})

    def take_out(self, who: str) -> str:
        sun = sum(units for _, units in self.unfreezing.pop(who))
        info = {"withdraw_expire_amount": sun}
        return self.act("WithdrawExpireUnfreezeContract", {"owner_address": who}, info=info, changes={who: sun})

    def stake_again(self, who: str) -> str:
        sun = sum(units for _, units in self.unfreezing.pop(who))
        self.staked[who] += sun
        info = {"cancel_unfreezeV2_amount": [{"key": "BANDWIDTH", "value": 0}, {"key": "ENERGY", "value": sun}]}
        return self.act("CancelAllUnfreezeV2Contract", {"owner_address": who}, info=info)

    def claim(self, who: str) -> str:
        sun = self.rewards.pop(who)
        return self.act("WithdrawBalanceContract", {"owner_address": who}, info={"withdraw_amount": sun}, changes={who: sun})

    # What a server tells of it.

    async def serve(self, request: web.Request) -> web.StreamResponse:
        path = request.path.strip("/")
        self.asked.append(path)
        for end, waiting in self.faults.items():
            if path.endswith(end) and waiting:
                return waiting.pop(0)
        if any(path.endswith(end) for end in self.missing):
            return web.Response(status=404, text="404 page not found")
        if request.method == "GET":
            who, _, place = path.removeprefix("v1/accounts/").partition("/")
            return web.json_response(self._index(who, place, request))
        body = await request.json()
        answers = {
            "getaccount": self._account,
            "getReward": self._reward,
            "getassetissuebyid": self._asset,
            "triggerconstantcontract": self._constant,
            "gettransactionbyid": self._transaction,
            "gettransactioninfobyid": self._info,
            "getblock": self._block,
            "getblockbalance": self._trace,
        }
        return web.json_response(answers[path.rpartition("/")[2]](body))

    def _index(self, who: str, place: str, request: web.Request) -> JSON:
        assert request.query["only_confirmed"] == "true"
        if not place:
            held = [{token.address: str(token.held[who])} for token in self.tokens.values() if token.held[who]]
            return {"data": [{"address": hexed(who), "trc20": held}] if held else [], "success": True, "meta": {"page_size": 1}}
        early, limit = int(request.query.get("min_timestamp", 0)), int(request.query["limit"])
        rows = [row for row in self._lines(who, place) if row["block_timestamp"] >= early]
        if self.newest_first:
            rows.reverse()
        start = int(request.query.get("fingerprint", "f0")[1:])
        meta: JSON = {"at": self.now, "page_size": limit}
        if start + limit < len(rows):
            meta["fingerprint"] = f"f{start + limit}"
        return {"data": rows[start : start + limit], "success": True, "meta": meta}

    def _lines(self, who: str, place: str) -> list[JSON]:
        found: list[JSON] = []
        for row in self.rows:
            stamp = {"block_timestamp": row["at"]}
            if place == "transactions" and who in row["named"]:
                ret = {"contractRet": row["ret"], "fee": row["fee"]}
                found.append(
                    {
                        **stamp,
                        "txID": row["name"],
                        "ret": [ret],
                        "raw_data": row["raw"],
                        "blockNumber": row["height"],
                        "net_fee": 0,
                    }
                )
            for log in row["info"].get("log", []) if place == "transactions/trc20" else []:
                source, target = (base58.encode_check(b"\x41" + bytes.fromhex(topic[-40:])) for topic in log["topics"][1:3])
                if who in (source, target):
                    token = self.tokens[base58.encode_check(b"\x41" + bytes.fromhex(log["address"]))]
                    told = {"address": token.address, "symbol": token.ticker, "name": token.ticker, "decimals": token.decimals}
                    named = {"token_info": self.told.get(token.address, {} if token.decimals is None else told)}
                    units = str(int(log["data"] or "0", 16))
                    line = {"transaction_id": row["name"], "from": source, "to": target, "type": "Transfer", "value": units}
                    found.append(line | stamp | named)
            for number, call in enumerate(
                row["info"].get("internal_transactions", []) if place == "internal-transactions" else []
            ):
                if hexed(who) in (call["caller_address"], call["transferTo_address"]):
                    line = {"internal_tx_id": f"{row['name'][:60]}{number:04}", "tx_id": row["name"], "data": {"note": "call"}}
                    found.append(
                        line | stamp | {"from_address": call["caller_address"], "to_address": call["transferTo_address"]}
                    )
        return found

    def _account(self, body: JSON) -> JSON:
        who = base58.encode_check(bytes.fromhex(body["address"]))
        own = [row for row in self.rows if row["owner"] == who]
        assets = [{"key": number, "value": held[who]} for number, held in self.assets.items() if held[who]]
        told: JSON = {
            "address": body["address"],
            "latest_opration_time": own[-1]["at"] if own else 0,
            "frozenV2": [
                {},
                {"type": "ENERGY"} | ({"amount": self.staked[who]} if self.staked[who] else {}),
                {"type": "TRON_POWER"},
            ],
            "account_resource": {
                "energy_window_size": 28_800_000,
                "acquired_delegated_frozenV2_balance_for_energy": 77_000_000,
                "delegated_frozenV2_balance_for_energy": self.lent[who],
            },
            "unfrozenV2": [
                {"unfreeze_amount": sun, "unfreeze_expire_time": until, "type": "ENERGY"}
                for until, sun in self.unfreezing.get(who, [])
            ],
            "assetV2": assets,
        }
        return told | ({"balance": self.coins[who]} if self.coins[who] else {})

    def _reward(self, body: JSON) -> JSON:
        return {"reward": self.rewards[base58.encode_check(bytes.fromhex(body["address"]))]}

    def _asset(self, body: JSON) -> JSON:
        return {"id": body["value"], "name": b"Token ten".hex(), "abbr": b"TEN".hex(), "precision": 6, "num": 1}

    def _constant(self, body: JSON) -> JSON:
        token = self.tokens[base58.encode_check(bytes.fromhex(body["contract_address"]))]
        if body["function_selector"] == "balanceOf(address)":
            said = word(token.held[base58.encode_check(b"\x41" + bytes.fromhex(body["parameter"][-40:]))])
        elif token.decimals is None:
            return {"result": {"result": True, "message": "5245564552542e2e2e"}, "constant_result": [""], "energy_used": 500}
        else:
            said = word(token.decimals) if body["function_selector"] == "decimals()" else string(token.ticker)
        return {"result": {"result": True}, "energy_used": 935, "constant_result": [said]}

    def _transaction(self, body: JSON) -> JSON:
        row = self._known(body)
        return {"txID": row["name"], "ret": [{"contractRet": row["ret"]}], "raw_data": row["raw"]} if row else {}

    def _info(self, body: JSON) -> JSON:
        row = self._known(body)
        if row is None:
            return {}
        told = {"id": row["name"], "fee": row["fee"], "blockNumber": row["height"], "blockTimeStamp": row["at"]}
        return {"receipt": {"net_usage": 345}, "contractResult": [""], **told, **row["info"]}

    def _known(self, body: JSON) -> JSON | None:
        return next((row for row in self.rows if row["name"] == body["value"] and row["name"] not in self.hidden), None)

    def _block(self, body: JSON) -> JSON:
        return {"blockID": f"{int(body['id_or_num']):016x}".ljust(64, "0"), "block_header": {}}

    def _trace(self, body: JSON) -> JSON:
        row = next(row for row in self.rows if row["height"] == body["number"])
        if not self.keeps_traces or body["hash"] != f"{row['height']:016x}".ljust(64, "0"):
            return {"Error": "class org.tron.core.exception.ItemNotFoundException : This block does not exist"}
        changes = [(row["owner"], -row["fee"]), *row["changes"].items()]
        operations = [{"operation_identifier": n, "address": hexed(who), "amount": sun} for n, (who, sun) in enumerate(changes)]
        return {
            "transaction_balance_trace": [{"transaction_identifier": row["name"], "operation": operations, "status": "SUCCESS"}]
        }
