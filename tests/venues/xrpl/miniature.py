"""A ledger in miniature that is served over HTTP: entries that actions change, and metadata that follows from what changed.

It speaks as much of a server's JSON-RPC as is read, in both shapes of transactions, with pages and markers, and it can be made to
prune ledgers, to be busy, to forget its markers and to fall behind.
"""

import copy
import json
from collections.abc import Callable
from decimal import Decimal
from hashlib import sha256
from typing import Any

from aiohttp import web

from omnifolio.venues.xrpl.address import address_of

Entries = dict[str, dict[str, Any]]
BASE, STEP = 1_000_000, 200_000
"""The reserve in drops: for the account, and for each entry."""
NOBODY = "rrrrrrrrrrrrrrrrrrrrBZbvji"
START_S = 700_000_000


def account(name: str) -> str:
    """The address of a made-up account."""
    return address_of(sha256(name.encode()).digest()[:20])


def _id(*parts: str) -> str:
    return sha256("|".join(parts).encode()).hexdigest().upper()


def _raw(name: str) -> bytes:
    return sha256(name.encode()).digest()[:20]


class Ledger:
    """Entries by id, and transactions in order, one a ledger."""

    def __init__(self) -> None:
        self.entries: Entries = {}
        self.rows: list[dict[str, Any]] = []
        self.index = 32_570
        self.names: dict[str, str] = {}

    def address(self, name: str) -> str:
        """The address of an account by its made-up name."""
        self.names[account(name)] = name
        return account(name)

    def act(self, kind: str, sender: str, change: Callable[[Entries], None], *, fee: int = 12, result: str = "tesSUCCESS") -> str:
        """Applies a change and the fee as one transaction in a ledger of its own. Its hash."""
        before = copy.deepcopy(self.entries)
        self.index += 1
        root = self.entries[_id("root", sender)]
        root["Balance"] = str(int(root["Balance"]) - fee)
        change(self.entries)
        nodes = [node for key in sorted(before.keys() | self.entries.keys()) if (node := _node(key, before, self.entries))]
        sent = {"Account": account(sender), "TransactionType": kind, "Fee": str(fee), "date": START_S + self.index}
        name = _id("transaction", str(self.index), kind)
        meta = {"AffectedNodes": nodes, "TransactionResult": result, "TransactionIndex": 0}
        self.rows.append({"hash": name, "ledger_index": self.index, "sent": sent, "meta": meta})
        return name

    def fund(self, name: str, drops: int, *, by: str = "genesis") -> str:
        """Pays XRP, which makes the account where it is not there."""
        if by == "genesis":
            self.entries.setdefault(_id("root", by), _root(by, 10**17))

        def change(entries: Entries) -> None:
            source = entries[_id("root", by)]
            source["Balance"] = str(int(source["Balance"]) - drops)
            target = entries.setdefault(_id("root", name), _root(name, 0))
            target["Balance"] = str(int(target["Balance"]) + drops)

        return self.act("Payment", by, change)

    def line(self, code: str, holder: str, issuer: str, amount: str) -> Callable[[Entries], None]:
        """Moves so much more of the issuer's currency to the holder; the line is removed when it is empty."""
        low, high = sorted((holder, issuer), key=_raw)
        key = _id("line", code, low, high)

        def change(entries: Entries) -> None:
            entry = entries.get(key) or _trust(code, low, high)
            value = Decimal(entry["Balance"]["value"]) + Decimal(amount) * (1 if holder == low else -1)
            entries[key] = entry | {"Balance": {"currency": code, "issuer": NOBODY, "value": format(value.normalize(), "f")}}
            if not value:
                del entries[key]

        return change

    def touching(self, address: str) -> list[dict[str, Any]]:
        """The transactions that name the account, newest first."""
        page = address_bytes(address).hex().upper()
        return [row for row in reversed(self.rows) if address in json.dumps(row) or f'"LedgerIndex": "{page}' in json.dumps(row)]


def address_bytes(address: str) -> bytes:
    """The account behind an address that this ledger made."""
    known = {account(name): _raw(name) for name in ("ann", "bob", "cat", "dan", "bank", "pool", "genesis")}
    return known.get(address, b"\xff" * 20)


def coins(name: str, drops: int) -> Callable[[Entries], None]:
    """The account gets so many drops."""

    def change(entries: Entries) -> None:
        entry = entries[_id("root", name)]
        entry["Balance"] = str(int(entry["Balance"]) + drops)

    return change


def put(key: str, entry: dict[str, Any] | None) -> Callable[[Entries], None]:
    """Writes an entry, or removes it."""

    def change(entries: Entries) -> None:
        entries.pop(_id(key), None)
        if entry is not None:
            entries[_id(key)] = entry

    return change


def page(owner: str, half: str, names: list[str]) -> Callable[[Entries], None]:
    """A page of collectibles as it is from now on; without any it is removed."""
    key = _raw(owner).hex().upper() + half * 24

    def change(entries: Entries) -> None:
        entries.pop(key, None)
        if names:
            tokens = [{"NFToken": {"NFTokenID": name}} for name in names]
            entries[key] = {"LedgerEntryType": "NFTokenPage", "NFTokens": tokens}

    return change


def both(*changes: Callable[[Entries], None]) -> Callable[[Entries], None]:
    """Several changes as one."""

    def change(entries: Entries) -> None:
        for one in changes:
            one(entries)

    return change


def _root(name: str, drops: int) -> dict[str, Any]:
    return {"LedgerEntryType": "AccountRoot", "Account": account(name), "Balance": str(drops), "OwnerCount": 0}


def _trust(code: str, low: str, high: str) -> dict[str, Any]:
    limits = {
        side: {"currency": code, "issuer": account(name), "value": "0"} for side, name in (("LowLimit", low), ("HighLimit", high))
    }
    return {"LedgerEntryType": "RippleState", "Balance": {"currency": code, "issuer": NOBODY, "value": "0"}, **limits}


def _node(key: str, before: Entries, after: Entries) -> dict[str, Any] | None:
    """The metadata of one entry, as a server writes it."""
    was, now = before.get(key), after.get(key)
    if was == now:
        return None
    common = {"LedgerIndex": key, "LedgerEntryType": (was or now or {})["LedgerEntryType"]}
    plain = {name: value for name, value in (now or was or {}).items() if name != "LedgerEntryType"}
    if was is None:
        return {"CreatedNode": {**common, "NewFields": plain}}
    if now is None:
        final = dict(plain)
        changed = {}
        if was["LedgerEntryType"] == "RippleState":
            # A line is empty when it is removed.
            final["Balance"] = was["Balance"] | {"value": "0"}
            changed = {"Balance": was["Balance"]}
        return {"DeletedNode": {**common, "FinalFields": final, "PreviousFields": changed}}
    former = {name: value for name, value in was.items() if now.get(name) != value}
    return {"ModifiedNode": {**common, "FinalFields": plain, "PreviousFields": former}}


class Service:
    """The ledger's server."""

    def __init__(self, ledger: Ledger, *, version: int = 1) -> None:
        self.ledger, self.version = ledger, version
        self.oldest = 32_570
        self.busy = 0
        self.behind = 0
        self.markers_refused = 0
        self.is_validated = True
        self.asked: list[str] = []

    async def answer(self, request: web.Request) -> web.Response:
        asked = await request.json()
        method, params = asked["method"], asked["params"][0]
        self.asked.append(method)
        if self.busy:
            self.busy -= 1
            return web.json_response({"result": {"status": "error", "error": "slowDown"}})
        handlers: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
            "server_info": self._server_info,
            "account_info": self._account_info,
            "account_lines": self._account_lines,
            "account_objects": self._account_objects,
            "account_nfts": self._account_nfts,
            "account_tx": self.told,
            "ledger": self._ledger,
            "tx": self._tx,
        }
        return web.json_response({"result": handlers[method](params)})

    @property
    def _top(self) -> int:
        return self.ledger.index + 2 - self.behind

    def _server_info(self, params: dict[str, Any]) -> dict[str, Any]:
        rules = {"seq": self._top, "reserve_base_xrp": BASE / 10**6, "reserve_inc_xrp": STEP / 10**6}
        return {"info": {"complete_ledgers": f"{self.oldest}-{self._top}", "validated_ledger": rules}, "status": "success"}

    def _account_info(self, params: dict[str, Any]) -> dict[str, Any]:
        entry = self.ledger.entries.get(_id("root", self.ledger.names[params["account"]]))
        if entry is None:
            return {"status": "error", "error": "actNotFound"}
        count = len(self._owned(params["account"]))
        return {"account_data": entry | {"OwnerCount": count}, "ledger_index": params["ledger_index"], "validated": True}

    def _owned(self, address: str) -> list[dict[str, Any]]:
        found = self.ledger.entries.items()
        return [entry | {"index": key} for key, entry in found if entry.get("Account") == address and "OwnerCount" not in entry]

    def _account_lines(self, params: dict[str, Any]) -> dict[str, Any]:
        lines = []
        for entry in self.ledger.entries.values():
            if entry["LedgerEntryType"] == "RippleState":
                low, high = entry["LowLimit"]["issuer"], entry["HighLimit"]["issuer"]
                value = Decimal(entry["Balance"]["value"])
                for own, other, sign in ((low, high, 1), (high, low, -1)):
                    if own == params["account"]:
                        row = {"account": other, "currency": entry["Balance"]["currency"], "balance": format(value * sign, "f")}
                        lines.append(row)
        return self._paged("lines", lines, params)

    def _account_objects(self, params: dict[str, Any]) -> dict[str, Any]:
        wanted = {"escrow": "Escrow", "payment_channel": "PayChannel", "mptoken": "MPToken"}[params["type"]]
        address = params["account"]
        found = [
            entry
            for entry in self.ledger.entries.values()
            if entry["LedgerEntryType"] == wanted and address in (entry.get("Account"), entry.get("Destination"))
        ]
        return self._paged("account_objects", found, params)

    def _account_nfts(self, params: dict[str, Any]) -> dict[str, Any]:
        prefix = address_bytes(params["account"]).hex().upper()
        pages = [entry for key, entry in self.ledger.entries.items() if key.startswith(prefix)]
        return self._paged("account_nfts", [held["NFToken"] for entry in pages for held in entry.get("NFTokens", ())], params)

    def _paged(self, name: str, rows: list[Any], params: dict[str, Any]) -> dict[str, Any]:
        start, limit = params.get("marker", 0), 2
        answer: dict[str, Any] = {name: rows[start : start + limit], "validated": True}
        return answer | ({"marker": start + limit} if start + limit < len(rows) else {})

    def told(self, params: dict[str, Any]) -> dict[str, Any]:
        """The answer of account_tx."""
        first = max(params["ledger_index_min"], self.oldest)
        last = self._top if params["ledger_index_max"] == -1 else min(params["ledger_index_max"], self._top)
        if self.markers_refused and "marker" in params:
            self.markers_refused -= 1
            return {"status": "error", "error": "invalidParams"}
        found = [row for row in self.ledger.touching(params["account"]) if first <= row["ledger_index"] <= last]
        after = params.get("marker", {"ledger": 10**12})["ledger"]
        rest = [row for row in found if row["ledger_index"] < after]
        shown = rest[: min(params["limit"], 5)]
        answer = {
            "ledger_index_min": first,
            "ledger_index_max": last,
            "transactions": [self._row(row) for row in shown],
            "validated": True,
        }
        return answer | ({"marker": {"ledger": shown[-1]["ledger_index"], "seq": 0}} if len(shown) < len(rest) else {})

    def _row(self, row: dict[str, Any]) -> dict[str, Any]:
        if self.version == 1:
            sent = row["sent"] | {"hash": row["hash"], "ledger_index": row["ledger_index"]}
            return {"tx": sent, "meta": row["meta"], "validated": self.is_validated}
        place = {"hash": row["hash"], "ledger_index": row["ledger_index"], "ledger_hash": _id(str(row["ledger_index"]))}
        return {"tx_json": row["sent"], "meta": row["meta"], "validated": self.is_validated, **place}

    def _tx(self, params: dict[str, Any]) -> dict[str, Any]:
        found = next((row for row in self.ledger.rows if row["hash"] == params["transaction"]), None)
        if found is None:
            return {"status": "error", "error": "txnNotFound"}
        row = self._row(found)
        around: dict[str, Any] = row.pop("tx", {})
        return around | row

    def _ledger(self, params: dict[str, Any]) -> dict[str, Any]:
        return {"ledger": {"close_time": START_S + params["ledger_index"]}, "validated": True}
