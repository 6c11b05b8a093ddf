"""A copy of a user's books that follows `/v1/sync`, and what it is compared with: the server's other answers."""

import json
from collections.abc import Mapping
from typing import Any

import msgspec
from sqlalchemy.engine import Connection

from omnifolio.app.replicating import replica_page
from omnifolio.faces.api.desk import Desk
from omnifolio.faces.api.sync_shape import sync_out
from omnifolio.ledger import read
from omnifolio.model.clock import EpochMs
from omnifolio.views.accounts import all_accounts
from omnifolio.views.transactions import transaction_page
from tests.ledger.builders import Book, at

NOW = at(1000)
Rows = dict[str, dict[str, Any]]
KINDS = ("accounts", "wallets", "balances", "positions", "transactions")


class StillClock:
    """The time stands still, so that no value changes by itself."""

    def now(self) -> EpochMs:
        """Always the same instant."""
        return NOW

    def monotonic(self) -> float:
        """Nothing lasts."""
        return 0.0


class Replica:
    """What somebody else holds who does nothing but what the page on the API says."""

    def __init__(self) -> None:
        self.rows: Rows = {kind: {} for kind in KINDS}
        self.cursor = ""

    def copy(self) -> "Replica":
        """The same, kept apart; a row itself is never changed."""
        found = Replica()
        found.rows, found.cursor = {kind: dict(rows) for kind, rows in self.rows.items()}, self.cursor
        return found

    def take_in(self, answer: Mapping[str, Any]) -> None:
        """Applies one answer."""
        if answer["is_reset"]:
            self.rows = {kind: {} for kind in KINDS}
        for way in ("added", "modified"):
            for kind in KINDS:
                for row in answer[way][kind]:
                    self.rows[kind][_key(kind, row)] = row
        for gone in answer["removed"]["accounts"]:
            self.rows["accounts"].pop(gone["id"], None)
            for kind in KINDS[1:]:
                self.rows[kind] = {key: row for key, row in self.rows[kind].items() if row["account"] != gone["id"]}
        for gone in answer["removed"]["transactions"]:
            self.rows["transactions"].pop(gone["id"], None)
        self.cursor = answer["next_cursor"]

    def told(self) -> dict[str, Any]:
        """All of it, in the form of the server's other answers."""
        found = []
        for row in self.rows["accounts"].values():
            parts = {kind: [r for r in self.rows[kind].values() if r["account"] == row["id"]] for kind in KINDS[1:4]}
            wallets = [{name: value for name, value in r.items() if name != "account"} for r in parts["wallets"]]
            balances = [b for r in parts["balances"] for b in r["balances"]]
            hidden = [b for r in parts["balances"] for b in r["hidden"]]
            positions = [p for r in parts["positions"] for p in r["positions"]]
            found.append(row | {"wallets": wallets, "balances": balances, "hidden": hidden, "positions": positions})
        return ordered(found, list(self.rows["transactions"].values()))


def _key(kind: str, row: Mapping[str, Any]) -> str:
    return f"{row['account']}/{row['id']}" if kind == "wallets" else str(row["id"])


def ordered(found: list[dict[str, Any]], transactions: list[dict[str, Any]]) -> dict[str, Any]:
    """Accounts and transactions in an order of their own, so that two answers can be compared."""

    def in_order(rows: list[Any]) -> list[Any]:
        return sorted(rows, key=json.dumps)

    shown = [
        {name: in_order(value) if name in (*KINDS, "hidden") else value for name, value in sorted(row.items())} for row in found
    ]
    return {"accounts": in_order(shown), "transactions": in_order(transactions)}


def _plain(value: object) -> Any:
    return json.loads(msgspec.json.encode(value))


async def ask(desk: Desk, book: Book, cursor: str, *, limit: int) -> dict[str, Any]:
    """One answer, as it goes over the wire."""
    page = await replica_page(desk.context, book.principal, cursor=cursor, limit=limit, fiat="USD")
    answer: dict[str, Any] = _plain(sync_out(desk, page, request_id="r"))
    return answer


async def served(desk: Desk, book: Book) -> dict[str, Any]:
    """What the server's other routes answer: all accounts, and every page of each one's transactions."""
    context = desk.context

    def op(conn: Connection) -> dict[str, Any]:
        views = all_accounts(conn, book.principal, context.market, now=NOW, currency="USD")
        rows = []
        for view in views:
            wanted = read.Filter(start=EpochMs(0), end=EpochMs(10**15), limit=1000, is_ascending=True)
            page = transaction_page(conn, book.principal, view.account.id, wanted, currency="USD", assets=context.assets, now=NOW)
            rows += desk.events.transactions(page)
        return ordered(_plain([desk.accounts.account(view, now=NOW) for view in views]), _plain(rows))

    return await context.store.read(op)
