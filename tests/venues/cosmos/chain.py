"""A Cosmos chain in memory, and its REST server: a bank, stakes and rewards, blocks, and an index of what transactions did.

It speaks as old and as new software does: words of events in base64, plain, or numbered by message, and three ways of searching.
State is told as it was at the height that is asked for; blocks below `lowest` are gone.
"""

import base64
import copy
import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Literal

from aiohttp import web

from omnifolio.catalog.cosmos_chains import CosmosChain, cosmos_chain
from omnifolio.model.clock import SystemClock
from omnifolio.venues import bech32
from omnifolio.venues.cosmos.address import BONDED, FEES, REWARDS, UNBONDING, module_address
from omnifolio.venues.cosmos.search import Dialect

Spelling = Literal["base64", "plain", "numbered"]
Coins = Mapping[str, int]
JSON = dict[str, Any]
BLOCK_MS = 1_000
AGE_MS = 280_000
"""So long ago a chain began, by default."""


@dataclass
class State:
    """What is held where, in units."""

    bank: dict[str, Counter[str]] = field(default_factory=dict)
    locked: dict[str, Counter[str]] = field(default_factory=dict)
    staked: Counter[str] = field(default_factory=Counter)
    leaving: dict[str, list[int]] = field(default_factory=dict)
    earned: dict[str, Counter[str]] = field(default_factory=dict)


@dataclass
class Tx:
    """A transaction: its events by type, words and message, and what it asked for."""

    height: int
    name: str
    code: int
    events: list[tuple[str, dict[str, str], int | None]]
    messages: list[JSON]


class Chain:
    """The chain; each act is a transaction in a block of its own."""

    def __init__(
        self,
        row: str = "cosmoshub",
        *,
        dialect: Dialect = "query",
        spelling: Spelling = "numbered",
        first: int = 1,
        began_ms: int | None = None,
        block_ms: int = BLOCK_MS,
    ) -> None:
        self.row: CosmosChain = cosmos_chain(row)
        self.dialect, self.spelling = dialect, spelling
        self.chain_id = self.row.chain_id
        self.began_ms = SystemClock().now() - AGE_MS if began_ms is None else began_ms
        self.block_ms = block_ms
        self.first = self.height = self.lowest = first
        self.page_rows_max, self.balance_rows_max = 100, 100
        self.has_staking: bool | Literal["old"] = True
        self.has_spendable = self.is_indexed = True
        self.origins: dict[str, tuple[str, str]] = {}
        self.trace_path = "denoms"
        self.state = State()
        self.states: dict[int, State] = {first: State()}
        self.txs: list[Tx] = []
        self.asked: list[str] = []
        self.faults: list[tuple[str, int]] = []
        self.gone_status = 500
        self.overcount = 0
        """Transactions that the server counts and does not have."""
        self.forgotten: set[str] = set()
        """Transactions that the software cannot read any more; a page with one of them is refused."""
        self.breaks_after: int | None = None
        """Searches that are answered before the server is gone."""

    def address(self, name: str) -> str:
        return bech32.encode_plain(self.row.prefix, sha256(name.encode()).digest()[:20])

    def module(self, name: str) -> str:
        return module_address(self.row, name)

    # What happens on the chain.

    def mine(self, blocks: int = 1) -> None:
        for _ in range(blocks):
            self.height += 1
            self.states[self.height] = copy.deepcopy(self.state)

    def found(self, who: str, coins: Coins) -> None:
        """Coins that are there from the beginning, by no transaction."""
        self.state.bank.setdefault(who, Counter()).update(coins)
        self.states[self.height] = copy.deepcopy(self.state)

    def act(self, signer: str, *messages: Sequence[Any], fee: int = 0, code: int = 0, granter: str = "") -> str:
        """A transaction of messages, each (kind, steps): a step moves (source, target, coins) or tells (type, words)."""
        events: list[tuple[str, dict[str, str], int | None]] = []
        payer = granter or signer
        if fee:
            self._move(events, payer, self.module(FEES), {self.row.coin: fee}, None)
        events.append(("tx", {"fee": f"{fee}{self.row.coin}" if fee else "", "fee_payer": payer}, None))
        for place, (kind, *steps) in enumerate(messages if not code else ()):
            events.append(("message", {"action": kind, "sender": signer}, place))
            for step in steps:
                if isinstance(step[1], dict):
                    events.append((step[0], step[1], place))
                else:
                    self._move(events, step[0], step[1], step[2], place)
        self.mine()
        name = sha256(f"{self.row.id}:{len(self.txs)}".encode()).hexdigest().upper()
        self.txs.append(Tx(self.height, name, code, events, [{"@type": kind} for kind, *_ in messages]))
        return name

    def _move(
        self, events: list[tuple[str, dict[str, str], int | None]], source: str, target: str, coins: Coins, place: int | None
    ) -> None:
        text = ",".join(f"{units}{denom}" for denom, units in coins.items())
        if source:
            self.state.bank.setdefault(source, Counter()).subtract(coins)
            events.append(("coin_spent", {"spender": source, "amount": text}, place))
        if target:
            self.state.bank.setdefault(target, Counter()).update(coins)
            events.append(("coin_received", {"receiver": target, "amount": text}, place))
        if source and target:
            events.append(("transfer", {"recipient": target, "sender": source, "amount": text}, place))
            events.append(("message", {"sender": source}, place))

    def pay(self, source: str, target: str, coins: Coins, *, fee: int = 0) -> str:
        return self.act(source, ("/cosmos.bank.v1beta1.MsgSend", (source, target, coins)), fee=fee)

    def earn(self, who: str, units: int, denom: str = "") -> None:
        self.state.earned.setdefault(who, Counter())[denom or self.row.coin] += units

    def delegate(self, who: str, units: int, *, fee: int = 0) -> str:
        """Pays out what was earned, as the staking module does."""
        self.state.staked[who] += units
        into = (who, self.module(BONDED), {self.row.coin: units})
        return self.act(who, ("/cosmos.staking.v1beta1.MsgDelegate", *self._payout(who), into), fee=fee)

    def undelegate(self, who: str, units: int, *, fee: int = 0, free_on: str = "2024-06-01") -> str:
        self.state.staked[who] -= units
        self.state.leaving.setdefault(who, []).append(units)
        inside = (self.module(BONDED), self.module(UNBONDING), {self.row.coin: units})
        words = {"amount": f"{units}{self.row.coin}", "completion_time": f"{free_on}T21:38:35Z", "delegator": who}
        return self.act(who, ("/cosmos.staking.v1beta1.MsgUndelegate", *self._payout(who), inside, ("unbond", words)), fee=fee)

    def complete(self, who: str) -> None:
        """The end of unstaking: it happens in a block, and no transaction tells of it."""
        units = sum(self.state.leaving.pop(who))
        self._move([], self.module(UNBONDING), who, {self.row.coin: units}, None)
        self.mine()

    def withdraw(self, who: str, *, fee: int = 0) -> str:
        kind = "/cosmos.distribution.v1beta1.MsgWithdrawDelegatorReward"
        return self.act(who, (kind, *self._payout(who)), fee=fee)

    def _payout(self, who: str) -> list[tuple[str, str, Coins]]:
        coins = self.state.earned.pop(who, Counter())
        return [(self.module(REWARDS), who, dict(coins))] if coins else []

    # What its server answers.

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append(request.path)
        for fault in self.faults:
            if fault[0] in request.path_qs:
                self.faults.remove(fault)
                return web.json_response({"code": 14, "message": "try later"}, status=fault[1])
        parts = request.path.strip("/").split("/")
        if parts[:2] == ["cosmos", "base"]:
            return self._block(parts[-1])
        if parts[1] == "tx":
            return self._search(request) if parts[-1] == "txs" else self._one(parts[-1])
        if parts[0] == "ibc":
            return self._trace(parts[-2], parts[-1])
        height = int(request.headers.get("x-cosmos-block-height", "0")) or self.height
        if height not in self.states:
            return self._refused(self.gone_status, f"failed to load state at height {height}; version does not exist")
        return self._told(parts, self.states[height], request.query)

    def _told(self, parts: list[str], state: State, query: Mapping[str, str]) -> web.Response:
        who = parts[5] if parts[3] == "delegators" or parts[4] == "delegators" else parts[-1]
        who = parts[4] if parts[3] in ("balances", "spendable_balances", "delegations", "delegators") else who
        held, locked = state.bank.get(who, Counter()), state.locked.get(who, Counter())
        coin = self.row.coin
        if parts[3] == "balances":
            return self._paged("balances", _coins(held), query)
        if parts[3] == "spendable_balances" and self.has_spendable:
            return self._paged("balances", _coins(held - locked), query)
        if parts[3] == "delegations" and self.has_staking == "old" and not state.staked[who]:
            return self._refused(404, f"unable to find delegations for address {who}: key not found")
        if not self.has_staking or parts[3] == "spendable_balances":
            return self._refused(501, "Not Implemented")
        if parts[3] == "delegations":
            staked: list[JSON] = [{"balance": {"denom": coin, "amount": str(state.staked[who])}}] if state.staked[who] else []
            return self._paged("delegation_responses", staked, query)
        if parts[-1] == "unbonding_delegations":
            leaving = [{"entries": [{"balance": str(units)} for units in state.leaving.get(who, ())]}]
            return self._paged("unbonding_responses", leaving, query)
        total = [{"denom": denom, "amount": f"{units}.250000000000000000"} for denom, units in state.earned.get(who, {}).items()]
        return web.json_response({"rewards": [], "total": total})

    def _paged(self, name: str, rows: list[JSON], query: Mapping[str, str]) -> web.Response:
        start = int(base64.b64decode(query.get("pagination.key", "")).decode() or "0")
        end = start + min(int(query["pagination.limit"]), self.balance_rows_max)
        following = base64.b64encode(str(end).encode()).decode() if end < len(rows) else None
        return web.json_response({name: rows[start:end], "pagination": {"next_key": following, "total": "0"}})

    def _block(self, name: str) -> web.Response:
        height = self.height if name == "latest" else int(name)
        if height < self.lowest:
            return self._refused(500, f"height {height} is not available, lowest height is {self.lowest}")
        header = {"chain_id": self.chain_id, "height": str(height), "time": self.time(height)}
        return web.json_response({"block_id": {}, "block": {"header": header, "data": {"txs": []}}})

    def at(self, height: int) -> int:
        """When a block was made, in epoch milliseconds."""
        return self.began_ms + self.block_ms * (height - self.first)

    def time(self, height: int) -> str:
        """The same as a node writes it, with nine digits of a second."""
        moment = datetime.fromtimestamp(self.at(height) // 1000, UTC)
        return f"{moment:%Y-%m-%dT%H:%M:%S}.{self.at(height) % 1000:03}456789Z"

    def _trace(self, path: str, name: str) -> web.Response:
        if path != self.trace_path:
            return self._refused(501, "Not Implemented")
        if f"ibc/{name}" not in self.origins:
            return self._refused(404, "denomination not found")
        base, way = self.origins[f"ibc/{name}"]
        if path == "denom_traces":
            return web.json_response({"denom_trace": {"path": way, "base_denom": base}})
        hops = way.split("/")
        trace = [{"port_id": port, "channel_id": channel} for port, channel in zip(hops[::2], hops[1::2], strict=True)]
        return web.json_response({"denom": {"base": base, "trace": trace}})

    def _search(self, request: web.Request) -> web.Response:
        if self.breaks_after is not None:
            self.breaks_after -= 1
            if self.breaks_after < 0:
                return self._refused(503, "gone")
        if not self.is_indexed:
            return self._refused(500, "transaction indexing is disabled")
        conditions = request.query["query"].split(" AND ") if "query" in request.query else request.query.getall("events", [])
        if (self.dialect == "query") != ("query" in request.query):
            return self._refused(400, "query cannot be empty" if self.dialect == "query" else "must declare at least one event")
        if self.dialect == "pages" and any(">" in condition for condition in conditions):
            return self._refused(400, "event tx.height>=1 should be of the format: {eventType}.{eventAttribute}={value}")
        named = re.fullmatch(r"([a-z_]+)\.([a-z_]+)='(.+)'", conditions[0])
        assert named is not None
        least = int(conditions[1].removeprefix("tx.height>=")) if len(conditions) > 1 else 0
        rows = [
            tx
            for tx in self.txs
            if tx.height >= least and any(kind == named[1] and words.get(named[2]) == named[3] for kind, words, _ in tx.events)
        ]
        limit, page = min(int(request.query["limit"]), self.page_rows_max), int(request.query["page"])
        pages = max(1, -(-len(rows) // limit))
        if page > pages:
            return self._refused(500, f"page should be within [1, {pages}] range, given {page}")
        shown = rows[(page - 1) * limit : page * limit]
        if any(tx.name in self.forgotten for tx in shown):
            return self._refused(500, "unable to resolve type URL /tendermint.liquidity.v1beta1.MsgSwap: tx parse error")
        gone = next((tx.height for tx in shown if tx.height < self.lowest), None)
        if gone is not None:
            return self._refused(500, f"height {gone} is not available, lowest height is {self.lowest}")
        count = {"total": str(len(rows) + self.overcount)}
        total = count if self.dialect == "query" else {"pagination": count}
        return web.json_response({"txs": [], "tx_responses": [self.spelt(tx) for tx in shown], **total})

    def _one(self, name: str) -> web.Response:
        found = next((tx for tx in self.txs if tx.name == name), None)
        if found is None:
            return self._refused(404, f"tx not found: {name}")
        return web.json_response({"tx": {}, "tx_response": self.spelt(found)})

    def spelt(self, tx: Tx) -> JSON:
        """A transaction as this software tells it."""
        events = []
        for kind, words, place in tx.events:
            named = words | ({"msg_index": str(place)} if self.spelling == "numbered" and place is not None else {})
            if self.spelling == "base64":
                named = {_base64(key): _base64(value) for key, value in words.items()}
            events.append({"type": kind, "attributes": [{"key": k, "value": v, "index": True} for k, v in named.items()]})
        return {
            "txhash": tx.name,
            "height": str(tx.height),
            "code": tx.code,
            "timestamp": self.time(tx.height)[:19] + "Z",
            "events": events,
            "tx": {"@type": "/cosmos.tx.v1beta1.Tx", "body": {"messages": tx.messages}},
        }

    def _refused(self, status: int, message: str) -> web.Response:
        return web.json_response({"code": 2, "message": message, "details": []}, status=status)


def packet(sender: str, receiver: str) -> dict[str, str]:
    """The words of an event that carries a transfer between chains."""
    return {"packet_data": json.dumps({"amount": "1", "denom": "x", "receiver": receiver, "sender": sender})}


def _coins(held: Counter[str]) -> list[JSON]:
    return [{"denom": denom, "amount": str(units)} for denom, units in sorted(held.items()) if units]


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
