"""Manual accounts: what the owner states is shown and valued like any balance, can be changed and taken back."""

from pathlib import Path
from typing import Any

import pytest

from tests.faces.cli.program import Program
from tests.venues.files.sheets import number, row, text, workbook


def held(program: Program) -> dict[str, tuple[Any, Any]]:
    """Amount and value by asset."""
    return {row["asset"]: (row["amount"], row["value"]) for row in program("balances", "-o", "json").json}


@pytest.fixture
def house(omnifolio: Program) -> Program:
    """An installation with one manual account."""
    added = omnifolio("accounts", "add", "manual", "--name", "House", "-o", "json")
    assert (added.code, added.json["venue"], added.json["name"], added.json["status"]) == (0, "manual", "House", "ok")
    return omnifolio


def test_a_house_shares_and_cash_are_balances_with_a_price(house: Program) -> None:
    flat = ("holdings", "set", "House", "--asset", "Flat in München", "--class", "real-estate")
    assert house(*flat, "--price", "250000", "--currency", "USD").code == 0
    assert house("holdings", "set", "House", "--asset", "ACME", "--class", "stock", "--amount", "12.5").code == 0
    assert house("holdings", "set", "House", "--asset", "usd", "--class", "cash", "--amount", "0.1").code == 0
    assert held(house) == {"Flat in München": ("1", "250000.00"), "ACME": ("12.5", None), "USD": ("0.1", "0.10")}
    assert house("portfolio", "-o", "json").code == 0
    shown = house("accounts", "list", "-o", "json").json
    assert [(row["value"], row["complete"]) for row in shown] == [("250000.10", False)]
    assert [text.partition(":")[0] for text in shown[0]["missing"]] == ["ACME"]

    assert house(*flat, "--amount", "0.5").code == 0
    assert house("holdings", "remove", "House", "--asset", "ACME", "--class", "stock").code == 0
    assert held(house) == {"Flat in München": ("0.5", "125000.00"), "USD": ("0.1", "0.10")}
    assert house("accounts", "sync").code == 0
    assert house("rebuild").code == 0
    assert house("holdings", "remove", "House", "--asset", "Flat in München", "--class", "real-estate").code == 0
    assert house("holdings", "remove", "House", "--asset", "USD", "--class", "cash").code == 0
    assert held(house) == {}
    assert house("prices", "list", "-o", "json").json == []


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("--asset", "Euro", "--class", "cash"), "invalid_field"),
        (("--asset", "EUR", "--class", "cash", "--price", "1"), "invalid_field"),
        (("--asset", "Boat", "--amount", "-1"), "invalid_field"),
        (("--asset", "Boat", "--amount", "much"), "invalid_amount"),
        (("--asset", "Boat" * 11), "invalid_field"),
        (("--asset", "Boat", "--price", "-1"), "invalid_field"),
    ],
)
def test_what_cannot_be_owned_is_refused_and_nothing_is_kept(house: Program, words: tuple[str, ...], error: str) -> None:
    done = house("holdings", "set", "House", *words)
    assert done.code != 0
    assert error in done.err
    assert held(house) == {}


def test_two_manual_accounts_are_told_apart_by_their_names(house: Program) -> None:
    assert house("accounts", "add", "manual", "--name", "Safe").code == 0
    again = house("accounts", "add", "manual", "--name", "House")
    assert again.code != 0
    assert "already" in again.err
    assert house("holdings", "remove", "Safe", "--asset", "Gold").code != 0


def test_files_of_any_kind_go_into_a_manual_account(house: Program, tmp_path: Path) -> None:
    """A workbook, and an exchange's export where no interface was linked; what is previewed is not saved."""
    header = row(1, *(text(f"{letter}1", name) for letter, name in zip("ABCD", ("date", "type", "asset", "amount"), strict=True)))
    line = row(2, number("A2", "45292.5", 1), text("B2", "deposit"), text("C2", "BTC"), number("D2", "0.10000000000000001"))
    (tmp_path / "mine.xlsx").write_bytes(workbook(("One", [header, line])))
    (tmp_path / "gate.csv").write_text(
        "no,time,action_desc,action_data,type,change_amount\n1,2024-07-15 12:00:00,Deposits,,USDT,10\n"
    )
    workbook_file, export = str(tmp_path / "mine.xlsx"), str(tmp_path / "gate.csv")

    asked = house("accounts", "import", "House", workbook_file, "--preview", "-o", "json").json
    assert (asked["layout"], asked["saved"], asked["new"], asked["from"]) == ("omnifolio", False, 1, "2024-01-01T12:00:00.000Z")
    assert house("transactions", "-o", "json").json == []
    assert house("accounts", "import", "House", workbook_file, "-o", "json").json["new"] == 1

    refused = house("accounts", "import", "House", export)
    assert refused.code != 0
    assert "time zone" in refused.err
    assert house("accounts", "import", "House", export, "--time-zone", "Europe/Berlin").code == 0
    found = [(item["time"], item["in"]) for item in house("transactions", "-o", "json").json]
    assert found == [("2024-07-15 10:00:00", "10 USDT"), ("2024-01-01 12:00:00", "0.10000000000000001 BTC")]
    listed = house("venues", "files", "-o", "json").json
    assert {"id": "gate", "account": "gate", "time_zone": "ask", "seen_real": False}.items() <= next(
        item for item in listed if item["id"] == "gate"
    ).items()
