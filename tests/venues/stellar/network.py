"""A Stellar of our own: a ledger that keeps books by itself, and a server that tells it as Horizon does.

Which effects an operation has, and whose list a transaction stands in, is as in Horizon's documentation and its ingestion
(`effects_processor.go`, `participants_processor.go`), seen 2026-11.
"""

from collections import Counter
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from aiohttp import web

from omnifolio.venues.stellar.address import ACCOUNT, encode

JSON = dict[str, Any]
BEGIN_S = 1_740_000_000
LEDGER_S = 5
FIRST = 55_000_000
NATIVE = "native"
FEE = 100
ONE = 10**7


def address(name: str) -> str:
    """Somebody's account."""
    return encode(ACCOUNT, sha256(name.encode()).digest())


def text(stroops: int) -> str:
    """An amount as servers write it."""
    return f"{stroops // ONE}.{stroops % ONE:07d}"


def told(asset: str, prefix: str = "") -> JSON:
    """An asset in three fields."""
    if asset == NATIVE:
        return {f"{prefix}asset_type": NATIVE}
    code, _, issuer = asset.partition(":")
    kind = "credit_alphanum4" if len(code) <= 4 else "credit_alphanum12"
    return {f"{prefix}asset_type": kind, f"{prefix}asset_code": code, f"{prefix}asset_issuer": issuer}


class Done:
    """One operation: its type and fields, and what it does to accounts. Only accounts whose coins changed are participants."""

    def __init__(self, type_: str, source: str, **fields: Any) -> None:
        self.type, self.source, self.fields = type_, source, fields
        self.effects: list[tuple[str, str, JSON]] = []
        self.changes: list[tuple[str, str, int]] = []
        self.participants = {source}

    def effect(self, account: str, type_: str, **fields: Any) -> "Done":
        self.effects.append((account, type_, fields))
        return self

    def change(self, account: str, asset: str, stroops: int, *, is_seen: bool = True) -> "Done":
        self.changes.append((account, asset, stroops))
        if asset == NATIVE and is_seen:
            self.participants.add(account)
        return self


class Stellar:
    """The network. Every transaction is a ledger of its own; its hash is given back."""

    def __init__(self) -> None:
        self.ledger = FIRST
        self.elder = 2
        self.held: dict[str, Counter[str]] = {NATIVE: Counter()}
        self.entries: Counter[str] = Counter()
        self.promised: dict[tuple[str, str], int] = {}
        self.alive: set[str] = set()
        self.claimable: dict[str, JSON] = {}
        self.pools: dict[str, tuple[str, str]] = {}
        self.transactions: list[JSON] = []
        self.operations: list[JSON] = []
        self.effects: list[JSON] = []
        self.asked: list[str] = []
        self.faults: dict[str, tuple[int, str]] = {}
        """Status and body in the place of the true answers, by the end of the path."""
        self.passphrase = "Public Global Stellar Network ; September 2015"

    def at(self, ledger: int) -> str:
        """When a ledger was closed."""
        moment = datetime.fromtimestamp(BEGIN_S + (ledger - FIRST) * LEDGER_S, UTC)
        return moment.strftime("%Y-%m-%dT%H:%M:%SZ")

    def submit(self, source: str, *done: Done, fee_account: str = "", is_failed: bool = False, fee: int = FEE) -> str:
        """A transaction of these operations."""
        self.ledger += 1
        number = (self.ledger << 32) | (1 << 12)
        payer, name = fee_account or source, sha256(str(number).encode()).hexdigest()
        self.held[NATIVE][payer] -= fee * len(done)
        participants = {source, payer}
        at = self.at(self.ledger)
        for place, one in enumerate(done, 1):
            operation: JSON = {
                "id": str(number | place),
                "paging_token": str(number | place),
                "transaction_successful": not is_failed,
                "source_account": one.source,
                "type": one.type,
                "created_at": at,
                "transaction_hash": name,
                **one.fields,
            }
            self.operations.append({"row": operation, "of": self._names(one), "ok": not is_failed})
            if is_failed:
                continue
            participants |= one.participants
            for account, asset, stroops in one.changes:
                self.held.setdefault(asset, Counter())[account] += stroops
            for index, (account, type_, fields) in enumerate(one.effects, 1):
                effect: JSON = {"paging_token": f"{number | place}-{index}", "account": account, "type": type_, "created_at": at}
                self.effects.append({"row": {**effect, **fields}, "of": {account}})
        row: JSON = {
            "id": name,
            "hash": name,
            "paging_token": str(number),
            "successful": not is_failed,
            "ledger": self.ledger,
            "created_at": at,
            "source_account": source,
            "fee_account": payer,
            "fee_charged": str(fee * len(done)),
            "max_fee": "10000",
            "operation_count": len(done),
        }
        self.transactions.append({"row": row, "of": participants, "ok": not is_failed})
        return name

    def _names(self, done: Done) -> set[str]:
        """Accounts that an operation names; a server lists it for them."""
        return {done.source, *(value for value in done.fields.values() if isinstance(value, str) and len(value) == 56)}

    # What people do.

    def create(self, funder: str, account: str, stroops: int) -> str:
        self.alive.add(account)
        done = Done("create_account", funder, starting_balance=text(stroops), funder=funder, account=account)
        done.effect(account, "account_created", starting_balance=text(stroops))
        done.effect(funder, "account_debited", asset_type=NATIVE, amount=text(stroops))
        done.effect(account, "signer_created", public_key=account, weight=1, key="")
        return self.submit(funder, done.change(account, NATIVE, stroops).change(funder, NATIVE, -stroops))

    def payment(self, source: str, target: str, asset: str, stroops: int) -> Done:
        done = Done("payment", source, amount=text(stroops), **told(asset), **{"from": source, "to": target})
        done.effect(target, "account_credited", amount=text(stroops), **told(asset))
        done.effect(source, "account_debited", amount=text(stroops), **told(asset))
        return done.change(source, asset, -stroops).change(target, asset, stroops)

    def pay(self, source: str, target: str, asset: str, stroops: int, **how: Any) -> str:
        return self.submit(source, self.payment(source, target, asset, stroops), **how)

    def trust(self, account: str, asset: str) -> str:
        self.entries[account] += 1
        done = Done("change_trust", account, **told(asset), limit="922337203685.4775807", trustor=account)
        return self.submit(account, done.effect(account, "trustline_created", **told(asset), limit="922337203685.4775807"))

    def take(self, taker: str, maker: str, sold: str, sold_stroops: int, bought: str, bought_stroops: int) -> str:
        """The taker's new offer meets an open one of the maker, of whose coins only trust lines may change."""
        done = Done("manage_sell_offer", taker, amount=text(sold_stroops), offer_id="0")
        self._trade(done, taker, maker, (sold, sold_stroops), (bought, bought_stroops))
        return self.submit(taker, done)

    def _trade(self, done: Done, taker: str, maker: str, sold: tuple[str, int], bought: tuple[str, int]) -> None:
        for account, other, (gave, out), (got, into) in ((taker, maker, sold, bought), (maker, taker, bought, sold)):
            sides = {**told(gave, "sold_"), **told(got, "bought_")}
            done.effect(account, "trade", seller=other, offer_id="7", sold_amount=text(out), bought_amount=text(into), **sides)
            done.change(account, gave, -out).change(account, got, into)

    def path_pay(self, source: str, target: str, maker: str, sent: tuple[str, int], came: tuple[str, int]) -> str:
        """What is sent meets an offer on the way; the sender's trade is told beside the two amounts."""
        done = Done("path_payment_strict_send", source, **{"from": source, "to": target})
        done.effect(target, "account_credited", amount=text(came[1]), **told(came[0]))
        done.effect(source, "account_debited", amount=text(sent[1]), **told(sent[0]))
        before = list(done.changes)
        self._trade(done, source, maker, sent, came)
        done.changes = before
        done.change(source, sent[0], -sent[1]).change(target, came[0], came[1])
        done.change(maker, sent[0], sent[1]).change(maker, came[0], -came[1])
        return self.submit(source, done)

    def merge(self, source: str, target: str) -> str:
        stroops = self.held[NATIVE][source] - FEE
        self.alive.discard(source)
        done = Done("account_merge", source, account=source, into=target)
        for account, type_ in ((source, "account_debited"), (target, "account_credited")):
            done.effect(account, type_, amount=text(stroops), asset_type=NATIVE)
        done.effect(source, "account_removed")
        return self.submit(source, done.change(source, NATIVE, -stroops).change(target, NATIVE, stroops))

    def leave(self, source: str, target: str, asset: str, stroops: int, *, predicate: JSON | None = None) -> str:
        """A claimable balance for somebody."""
        name = f"00000000{sha256(str(self.ledger).encode()).hexdigest()}"
        claimants = [{"destination": target, "predicate": predicate or {"unconditional": True}}]
        self.claimable[name] = {
            "id": name,
            "asset": asset,
            "amount": text(stroops),
            "claimants": claimants,
            "paging_token": f"{self.ledger}-{name}",
        }
        done = Done("create_claimable_balance", source, amount=text(stroops), asset=asset)
        done.effect(source, "claimable_balance_created", balance_id=name, amount=text(stroops), asset=asset)
        done.effect(target, "claimable_balance_claimant_created", balance_id=name, amount=text(stroops), asset=asset)
        done.effect(source, "account_debited", amount=text(stroops), **told(asset))
        return self.submit(source, done.change(source, asset, -stroops))

    def claim(self, account: str) -> str:
        name, row = self.claimable.popitem()
        stroops = int(row["amount"].replace(".", ""))
        done = Done("claim_claimable_balance", account, balance_id=name, claimant=account)
        done.effect(account, "claimable_balance_claimed", balance_id=name, amount=row["amount"], asset=row["asset"])
        done.effect(account, "account_credited", amount=row["amount"], **told(row["asset"]))
        return self.submit(account, done.change(account, row["asset"], stroops))

    def pool(self, account: str, name: str, pair: tuple[str, str], amounts: tuple[int, int], shares: int) -> str:
        """Something is put into a pool, or taken out where the shares are negative."""
        self.pools[name] = pair
        way = ("liquidity_pool_deposited", "reserves_deposited", "shares_received")
        if shares < 0:
            way = ("liquidity_pool_withdrew", "reserves_received", "shares_redeemed")
        reserves = [{"asset": asset, "amount": text(abs(stroops))} for asset, stroops in zip(pair, amounts, strict=True)]
        done = Done(way[0].replace("deposited", "deposit").replace("withdrew", "withdraw"), account, liquidity_pool_id=name)
        described = {"id": name, "fee_bp": 30, "type": "constant_product", "reserves": reserves}
        done.effect(account, way[0], liquidity_pool=described, **{way[1]: reserves, way[2]: text(abs(shares))})
        for asset, stroops in zip(pair, amounts, strict=True):
            done.change(account, asset, -stroops)
        return self.submit(account, done.change(account, f"pool:{name}", shares))

    def call(self, source: str, asset: str, stroops: int, *, sender: str, receiver: str, is_new: bool = False) -> str:
        """A contract moves an asset of the network; where its receiver is new, that it was made is told as well."""
        moved = {"type": "transfer", "from": sender, "to": receiver, "amount": text(stroops), **told(asset)}
        done = Done("invoke_host_function", source, function="InvokeContract", asset_balance_changes=[moved])
        for account, type_ in ((sender, "account_debited"), (receiver, "account_credited")):
            if account.startswith("G"):
                done.effect(account, type_, amount=text(stroops), **told(asset))
            else:
                done.effect(source, type_.replace("account", "contract"), amount=text(stroops), contract=account, **told(asset))
        if is_new:
            self.alive.add(receiver)
            done.effect(receiver, "account_created", starting_balance=text(stroops))
        return self.submit(source, done.change(sender, asset, -stroops).change(receiver, asset, stroops))

    # What a server tells of it.

    async def serve(self, request: web.Request) -> web.StreamResponse:
        path = request.path
        self.asked.append(path)
        for end, (status, body) in self.faults.items():
            if path.endswith(end):
                return web.Response(status=status, text=body)
        parts = path.strip("/").split("/")
        found = self._answer(parts, request)
        return web.json_response(found, status=404 if found.get("status") == 404 else 200)

    def _answer(self, parts: list[str], request: web.Request) -> JSON:
        missing = {"type": "https://stellar.org/horizon-errors/not_found", "title": "Resource Missing", "status": 404}
        if parts == [""]:
            latest = {"history_latest_ledger": self.ledger, "core_latest_ledger": self.ledger, "history_elder_ledger": self.elder}
            return {"horizon_version": "26.0.0", "network_passphrase": self.passphrase, **latest}
        if parts[0] == "ledgers":
            number = int(parts[1])
            return {
                "sequence": number,
                "closed_at": self.at(number),
                "base_reserve_in_stroops": 5_000_000,
                "protocol_version": 26,
            }
        if parts[0] == "claimable_balances":
            who = request.query["claimant"]
            rows = [row for row in self.claimable.values() if who in [one["destination"] for one in row["claimants"]]]
            return {"_embedded": {"records": rows}}
        if parts[0] == "liquidity_pools":
            reserves = [{"asset": asset, "amount": "1.0000000"} for asset in self.pools[parts[1]]]
            return {"id": parts[1], "fee_bp": 30, "total_shares": "5.0000000", "reserves": reserves}
        if parts[0] == "operations":
            return next(
                (one["row"] for one in self.operations if one["row"]["id"] == parts[1]),
                missing,
            )
        if parts[0] == "transactions":
            return self._transaction(parts, request) or missing
        if len(parts) == 2:
            return self._account(parts[1]) if parts[1] in self.alive else missing
        lists = {"effects": self.effects, "operations": self.operations, "transactions": self.transactions}
        return (
            self._page(parts[1], lists[parts[2]], request) if any(parts[1] in row["of"] for row in lists[parts[2]]) else missing
        )

    def _transaction(self, parts: list[str], request: web.Request) -> JSON | None:
        name = parts[1]
        row: JSON | None = next((one["row"] for one in self.transactions if one["row"]["hash"] == name), None)
        if row is None or len(parts) == 2:
            return row
        begin = int(row["paging_token"])
        of = {"effects": self.effects, "operations": self.operations}[parts[2]]
        own = [{**one, "of": {name}, "ok": True} for one in of if self._place(one["row"]["paging_token"])[0] >> 12 == begin >> 12]
        return self._page(name, own, request)

    def _page(self, account: str, rows: list[JSON], request: web.Request) -> JSON:
        assert request.query["order"] == "asc"
        own = [
            row["row"] for row in rows if account in row["of"] and (row.get("ok", True) or request.query.get("include_failed"))
        ]
        cursor = self._place(request.query.get("cursor", "0"))
        own = [row for row in own if self._place(row["paging_token"]) > cursor]
        return {"_links": {}, "_embedded": {"records": own[: int(request.query["limit"])]}}

    def _place(self, token: str) -> tuple[int, int]:
        number, _, index = token.partition("-")
        return int(number), int(index or 0)

    def _account(self, account: str) -> JSON:
        balances: list[JSON] = []
        for asset, held in self.held.items():
            promised = text(self.promised.get((account, asset), 0))
            if asset.startswith("pool:") and held[account]:
                pool = {"liquidity_pool_id": asset.removeprefix("pool:"), "asset_type": "liquidity_pool_shares"}
                balances.append({"balance": text(held[account]), "limit": "1000.0000000", **pool})
            elif not asset.startswith("pool:") and not asset.endswith(account) and (asset == NATIVE or account in held):
                balances.append(
                    {
                        "balance": text(held[account]),
                        "selling_liabilities": promised,
                        "buying_liabilities": "0.0000000",
                        **told(asset),
                    }
                )
        entries = {"subentry_count": self.entries[account], "num_sponsoring": 0, "num_sponsored": 0}
        return {"id": account, "account_id": account, "sequence": "1", "balances": balances, **entries}
