"""The demo: what it prints is the truth in every number, and it ends as it should."""

import json
import signal
import socket
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from omnifolio.faces.cli.demo import CURRENCIES, USER, VENUES
from omnifolio.model.amounts import rounded, total
from omnifolio_sandbox.truth import truth
from tests.faces.cli.program import Program

WORLD_MS = 1_767_225_600_000
"""2026-01-01: where the simulated world stands."""
END_S = 240
Key = tuple[str, str, str, str]


def test_every_number_of_the_demo_is_true(omnifolio: Program) -> None:
    process = omnifolio.start("demo", "--once", "-o", "json", "--sandbox-now", str(WORLD_MS))
    out, errors = process.communicate(timeout=END_S)
    assert (process.returncode, errors) == (0, "")
    done = json.loads(out)
    true = _values(row["priced_at"] for row in done["balances"])
    shown = {_key(row): row for row in done["balances"]}
    assert {key: row["amount"] for key, row in shown.items()} == {key: line["amount"] for key, (line, _) in true.items()}
    exact = {key: by_minute.get(shown[key]["priced_at"]) for key, (_, by_minute) in true.items()}
    for key, row in shown.items():
        value = exact[key]
        assert row["values"] == {fiat: None if value is None else _money([Decimal(value[fiat])]) for fiat in CURRENCIES}, key

    def of(keys: Iterable[Key], fiat: str) -> str:
        return _money(Decimal(value[fiat]) for value in map(exact.get, keys) if value is not None)

    for account in done["accounts"]:
        mine = [key for key in shown if key[0] == account["venue"]]
        assert account["values"] == {fiat: of(mine, fiat) for fiat in CURRENCIES}
        assert (account["status"], account["balances"]) == ("ok", len(mine))
    assert done["totals"] == {fiat: of(shown, fiat) for fiat in CURRENCIES}
    lines = truth(USER, WORLD_MS)
    for account in done["accounts"]:
        ours = [line for line in lines if line["kind"] == "transaction" and _venue(line["legs"][0]) == account["venue"]]
        assert account["transactions"] == len(ours)
    unpriced = {key[3] for key, value in exact.items() if value is None}
    assert {row["asset"] for row in done["missing"]} == unpriced
    assert not done["complete"]


def test_the_demo_serves_until_ctrl_c_and_names_what_comes_next(omnifolio: Program) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = omnifolio.start("demo", "--port", str(port), OMNIFOLIO_HOST="0.0.0.0", PYTHONUNBUFFERED="1")
    assert process.stdout is not None
    said = ""
    for line in process.stdout:
        said += line
        if "Serving until Ctrl-C" in line:
            break
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=END_S)
    assert (process.returncode, errors) == (0, "")
    for words in ("Total USD", "Total EUR", "Not in the total", "omnifolio accounts add kraken", f"http://127.0.0.1:{port}/v1"):
        assert words in said


def test_the_demo_that_cannot_have_its_port_says_so(omnifolio: Program) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = omnifolio("demo", "--once", "--port", str(taken.getsockname()[1]))
    assert done.code == 3
    assert "is taken" in done.err


def _values(minutes: Iterable[int | None]) -> Mapping[Key, tuple[dict[str, Any], Mapping[int | None, Any]]]:
    """Each balance with its true values at every minute in which something was priced, and at none (fiat in its own currency)."""
    asked = sorted({minute for minute in minutes if minute is not None})
    found: dict[Key, tuple[dict[str, Any], dict[int | None, Any]]] = {}
    for minute in asked:
        for line in truth(USER, minute, shown_until_ms=WORLD_MS):
            if line["kind"] == "balance" and _venue(line) in VENUES:
                row = found.setdefault(_key(line | {"venue": _venue(line)}), (line, {}))
                row[1][minute] = row[1][None] = line["value"]
    return found


def _key(row: Mapping[str, Any]) -> Key:
    return row["venue"], row["wallet"], row["product"], row["asset_id"]


def _venue(row: Mapping[str, Any]) -> str:
    return str(row["asset_id"].removeprefix("venue:").partition("/")[0])


def _money(parts: Iterable[Decimal]) -> str:
    return f"{rounded(total(parts), places=2):f}"
