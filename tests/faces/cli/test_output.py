"""What is printed: tables that read well at any width, and three forms that programs parse alike."""

import csv
import io
import json
from decimal import Decimal
from pathlib import Path

import pytest

from omnifolio.faces.cli.main import EXIT_OPEN, EXIT_USAGE
from omnifolio.faces.cli.output import Row, table
from tests.faces.cli.program import Program

LISTS = (
    ("accounts", "list"),
    ("accounts", "show", "Main"),
    ("accounts", "coverage", "Main"),
    ("accounts", "reconcile", "Main"),
    ("balances",),
    ("balances", "--known-at", "9999-12-31"),
    ("transactions", "--limit", "7"),
    ("venues", "list"),
    ("venues", "show", "kraken"),
    ("teams", "list"),
    ("owner", "show"),
    ("vault", "status"),
    ("db", "status"),
    ("audit", "list"),
    ("audit", "head"),
    ("doctor",),
    ("doctor", "--egress"),
    ("rebuild", "demo"),
)


@pytest.mark.parametrize("command", LISTS, ids=" ".join)
def test_every_form_of_output_parses_and_says_the_same(linked: Program, command: tuple[str, ...]) -> None:
    documents = {form: linked(*command, "-o", form) for form in ("json", "ndjson", "csv", "table")}
    assert {done.code for done in documents.values()} == {0}, documents
    found = documents["json"].json
    rows = found if isinstance(found, list) else [found]
    assert [json.loads(line) for line in documents["ndjson"].out.splitlines()] == rows
    cells = list(csv.DictReader(io.StringIO(documents["csv"].out)))
    assert len(cells) == len(rows) > 0
    assert [list(row) for row in cells] == [list(row) for row in rows]
    assert documents["table"].out.strip()


def test_a_portfolio_is_one_document_or_a_row_for_each_asset(linked: Program) -> None:
    ask = ("portfolio", "--fiat", "usd", "--fiat", "EUR", "-o")
    whole = linked(*ask, "json").json
    rows = [json.loads(line) for line in linked(*ask, "ndjson").out.splitlines()]
    assert list(whole["totals"]) == ["USD", "EUR"]
    assert rows == [{"asset": a["asset"], "ticker": a["ticker"], "amount": a["amount"], **a["values"]} for a in whole["assets"]]
    assert len(list(csv.DictReader(io.StringIO(linked(*ask, "csv").out)))) == len(rows)
    shown = linked(*ask, "table").out
    assert all(f"Total {fiat}" in shown for fiat in whole["totals"])
    assert "ORB at kraken" in shown


def test_balances_as_they_were_known_are_those_of_now_at_the_last_change_and_none_at_the_first(linked: Program) -> None:
    fields = ("account", "wallet", "product", "asset_id", "amount")

    def known(*options: str) -> list[tuple[object, ...]]:
        return sorted(tuple(row[name] for name in fields) for row in linked("balances", *options, "-o", "json").json)

    last = linked("accounts", "show", "demo", "-o", "json").json["seq"]
    assert known("--known-at", str(last)) == known()
    assert known("--known-at", str(last), "--account", "demo") == known("--account", "demo")
    assert known("--known-at", "0") == known("--known-at", "2001-01-01") == []
    for wrong in (str(last + 1000), "yesterday", "-1"):
        assert linked("balances", f"--known-at={wrong}").code == EXIT_USAGE


def test_a_balance_that_nothing_explains_has_an_exit_code_of_its_own(simulated: Program, tmp_path: Path) -> None:
    assert simulated("accounts", "add", "demo", "username=demo", "password=demo").code == 0
    assert simulated("accounts", "reconcile", "demo").code == 0
    (tmp_path / "more.csv").write_text("date,type,asset,amount\n2025-01-02 03:04:05,deposit,BTC,0.5\n", encoding="utf-8")
    assert simulated("accounts", "import", "demo", str(tmp_path / "more.csv")).code == 0
    done = simulated("accounts", "reconcile", "demo", "-o", "json")
    assert done.code == EXIT_OPEN
    assert [(row["state"], row["difference"]) for row in done.json if row["asset"] == "BTC"] == [("open", "-0.5")]
    assert done.json[0]["asset"] == "BTC", "the worst comes first"


def test_coverage_says_what_was_read_of_each_kind(linked: Program) -> None:
    rows = {row["kind"]: row for row in linked("accounts", "coverage", "Main", "-o", "json").json}
    assert {"ledger", "trades", "deposits", "withdrawals", "orders"} == rows.keys()
    assert rows["ledger"]["records"] > 0
    assert (rows["ledger"]["out_of_reach"], rows["ledger"]["not_read"], rows["ledger"]["warning"]) == (None, None, [])
    assert "ledger" in linked("accounts", "coverage", "Main").out


def test_balances_add_up_to_the_account(linked: Program) -> None:
    rows = linked("balances", "--account", "demo", "-o", "json").json
    account = linked("accounts", "show", "demo", "-o", "json").json
    assert len(rows) == account["balances"]
    off = abs(sum(Decimal(row["value"]) for row in rows) - Decimal(account["value"]))
    assert off <= Decimal("0.005") * len(rows)


def test_transactions_are_filtered_and_the_newest_come_first(linked: Program) -> None:
    def ask(*options: str) -> list[dict[str, object]]:
        rows: list[dict[str, object]] = linked("transactions", *options, "--limit", "5000", "-o", "json").json
        return rows

    everything = ask()
    times = [row["at"] for row in everything]
    assert times == sorted(times, reverse=True)  # type: ignore[type-var]  # instants are integers
    assert [row["id"] for row in ask("--account", "Main")] == [r["id"] for r in everything if r["venue"] == "kraken"]
    assert [row["id"] for row in ask("--type", "trade")] == [r["id"] for r in everything if r["type"] == "trade"]
    wanted = [r["id"] for r in everything if "DOT" in str(r["out"]) + str(r["in"]) + str(r["fee"])]
    assert [row["id"] for row in ask("--ticker", "DOT")] == wanted
    days = [r["id"] for r in everything if "2025-01-01" <= str(r["time"])[:10] <= "2025-03-31"]
    assert days
    assert [row["id"] for row in ask("--from", "2025-01-01", "--to", "2025-03-31")] == days
    assert linked("transactions", "--limit", "3", "-o", "json").json == everything[:3]
    earn = ask("--wallet", "earn")
    assert 0 < len(earn) < len(everything)


def test_labels_and_notes_stay_through_a_rebuild_and_can_be_taken_back(linked: Program) -> None:
    number = linked("transactions", "--limit", "1", "-o", "json").json[0]["id"]
    assert linked("transactions", "label", number, "my salary").code == 0
    assert linked("transactions", "note", number, "=see the payslip").code == 0
    assert linked("rebuild").code == 0
    row = linked("transactions", "--limit", "1", "-o", "json").json[0]
    assert (row["label"], row["note"]) == ("my salary", "=see the payslip")
    assert "'=see the payslip" in linked("transactions", "--limit", "1", "-o", "csv").out
    for kind in ("label", "note"):
        assert linked("transactions", kind, number, "--remove").code == 0
    assert linked("transactions", "--limit", "1", "-o", "json").json[0]["label"] is None
    assert linked("transactions", "label", number, "--remove").code == 2


def test_an_export_is_written_once_and_whole(linked: Program, tmp_path: Path) -> None:
    kept = [row for row in linked("transactions", "--limit", "5000", "-o", "json").json if row["status"] == "confirmed"]
    done = linked("export", "omnifolio", str(tmp_path / "all.csv"))
    assert done.code == 0, done.err
    rows = list(csv.DictReader((tmp_path / "all.csv").open(newline="")))
    assert len(rows) == sum(len(row["legs"]) for row in kept)
    assert f"Wrote {len(rows)} rows" in done.out
    assert {row["group"] for row in rows} == {f"omnifolio:{row['id']}" for row in kept}
    assert linked("export", "omnifolio", str(tmp_path / "all.csv")).code == 2
    day = rows[0]["date"][:10]
    assert linked("export", "koinly", str(tmp_path / "day.csv"), "--account", "Main", "--from", day, "--to", day).code == 0
    assert (tmp_path / "day.csv").read_text().startswith("Date,Sent Amount,")
    assert linked("export", "turbotax", str(tmp_path / "x.csv")).code == 2


def test_a_price_of_ones_own_counts_until_it_is_taken_back(linked: Program) -> None:
    def value_of(asset: str) -> str | None:
        found: str | None = next(row["value"] for row in linked("balances", "-o", "json").json if row["asset_id"] == asset)
        return found

    unpriced = next(row for row in linked("balances", "-o", "json").json if row["value"] is None)
    asset = unpriced["asset_id"]
    assert linked("prices", "set", asset, "2", "--reason", "sold one to a friend").code == 0
    (row,) = linked("prices", "list", "-o", "json").json
    assert (row["asset_id"], row["price"], row["currency"], row["day"], row["reason"]) == (
        *(asset, "2", "USD", None),
        "sold one to a friend",
    )
    assert Decimal(str(value_of(asset))) == Decimal(unpriced["amount"]) * 2
    assert linked("prices", "unset", asset).code == 0
    assert value_of(asset) is None
    assert linked("prices", "unset", asset).code == 2
    for wrong in (
        ("set", "venue:demo/NOSUCH", "1"),
        ("set", asset, "-1"),
        ("set", asset, "NaN"),
        ("unset", asset, "--day", "now"),
    ):
        assert linked("prices", *wrong).code == 2, wrong


def test_a_wide_table_keeps_numbers_whole_and_a_narrow_one_becomes_blocks() -> None:
    rows: list[Row] = [{"asset": "ETH", "amount": "1234.5678"}, {"asset": "ORB", "amount": None}]
    wide = table(rows, ("asset", "amount"), width=40).splitlines()
    assert wide[2:] == ["ETH     1234.5678", "ORB             –"]
    narrow = table(rows, ("asset", "amount"), width=12)
    assert narrow == "asset   ETH\namount  1234.5678\n\nasset   ORB\namount  –"


def test_numbers_line_up_beside_words_for_what_is_missing() -> None:
    lines = table([{"USD": "1,234.50"}, {"USD": "no price"}, {"USD": "2.00"}], ("USD",), width=40).splitlines()
    assert lines[2:] == ["1,234.50", "no price", "    2.00"]


def test_a_column_that_says_nothing_is_left_out_and_markup_is_not_obeyed() -> None:
    lines = table([{"name": "[bold]X[/bold]", "note": None}], ("name", "note"), width=60).splitlines()
    assert lines[0].strip() == "name"
    assert lines[2] == "[bold]X[/bold]"
