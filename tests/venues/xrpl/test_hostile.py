"""Answers that no server should give: each is refused in words, and none is taken for an amount."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from tests.venues.xrpl.miniature import Ledger, Service, account
from tests.venues.xrpl.wallet import LEDGER

from omnifolio.model.clock import EpochMs
from omnifolio.model.errors import VenueBadResponse
from omnifolio.model.facts import Evidence
from omnifolio.venues.xrpl.reader import READER

Spoil = Callable[[dict[str, Any]], None]


def page(spoil: Spoil) -> Evidence:
    """A page of Ann's history whose last transaction is spoilt."""
    ledger = Ledger()
    for name in ("ann", "bank"):
        ledger.address(name)
        ledger.fund(name, 1_000_000_000)
    ledger.act("Payment", "bank", ledger.line("USD", "ann", "bank", "5"))
    spoil(ledger.rows[-1])
    asked = {"account": account("ann"), "ledger_index_min": -1, "ledger_index_max": -1, "limit": 5}
    body = json.dumps({"result": Service(ledger).told(asked)}).encode()
    params = {"read": "list", "wallet": account("ann"), "wanted": "", "begin": "0", "since": "0"}
    return Evidence(stream="transfers/xrpl", request="POST account_tx", params=params, received_at=EpochMs(1), body=body)


def line(row: dict[str, Any]) -> dict[str, Any]:
    """The trust line that the transaction made."""
    made: dict[str, Any] = next(node["CreatedNode"] for node in row["meta"]["AffectedNodes"] if "CreatedNode" in node)
    fields: dict[str, Any] = made["NewFields"]
    return fields


SPOILT: dict[str, Spoil] = {
    "no hash": lambda row: row.update(hash="AB"),
    "no time": lambda row: row["sent"].pop("date"),
    "no result": lambda row: row["meta"].pop("TransactionResult"),
    "entries that are no list": lambda row: row["meta"].update(AffectedNodes={"of": account("ann")}),
    "an entry without a change": lambda row: row["meta"]["AffectedNodes"].append({}),
    "a fee that is no number": lambda row: row["sent"].update(Fee="-12"),
    "a fee without end": lambda row: row["sent"].update(Fee="9" * 5_000),
    "a balance of words": lambda row: line(row)["Balance"].update(value="much"),
    "a balance as a number": lambda row: line(row)["Balance"].update(value=5),
    "a currency of one letter": lambda row: line(row)["Balance"].update(currency="U"),
    "a page of nobody": lambda row: row["meta"]["AffectedNodes"].append(
        {"CreatedNode": {"LedgerEntryType": "NFTokenPage", "LedgerIndex": "zz", "NewFields": {}}}
    ),
}


@pytest.mark.parametrize("spoil", SPOILT.values(), ids=SPOILT)
def test_a_spoilt_transaction_is_refused(spoil: Spoil) -> None:
    with pytest.raises(VenueBadResponse):
        READER.decode(LEDGER.id, "transfers/xrpl", [page(spoil)])


def test_an_amount_that_cannot_be_held_is_a_gap() -> None:
    batch = READER.decode(LEDGER.id, "transfers/xrpl", [page(lambda row: line(row)["Balance"].update(value="1e-81"))])
    assert [gap.code for gap in batch.gaps] == ["tokens_unread"]
    assert len(batch.claims) == 1
