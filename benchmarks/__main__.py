"""`make bench`: takes every figure, or those named, prints a table and writes bench.json.

`python -m benchmarks [NAME]…`; the exit status is 1 when a figure misses its bar.
"""

import asyncio
import importlib
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
from tests import postgres

from benchmarks.figures import Figure
from omnifolio.model import amounts

OUTPUT = Path(__file__).resolve().parents[1] / "bench.json"
GROUPS: Mapping[str, str] = {
    "ccxt_page_commit": "ccxt_page",
    "lean_page_commit": "lean_page",
    "transactions_page": "transactions_page",
    "api_write_during_backfill": "writes",
    "accounts": "api",
    "serve_ready_cpu": "serving",
    "many_accounts_balances": "many_accounts",
    "live_purchase_visible": "live",
    "erc20_commit": "evm:commits",
    "transfer_logs": "evm:logs",
    "balances_500": "evm:balances",
    "gap_scan_round_trips": "gap_scan",
}
"""What can be named on the command line, and the module (and its function, `measure` if unsaid) that takes it."""


def main() -> int:
    """Takes the figures and reports; the exit status."""
    unknown = set(sys.argv[1:]) - GROUPS.keys()
    if unknown:
        print(f"unknown: {', '.join(sorted(unknown))}; there are {', '.join(GROUPS)}", file=sys.stderr)
        return 2
    amounts.install()
    postgres.begin_run()
    try:
        figures = [item for name in sys.argv[1:] or GROUPS for item in _take(name)]
    finally:
        postgres.end_run()
    OUTPUT.write_bytes(msgspec.json.format(msgspec.json.encode(figures), indent=1) + b"\n")
    print(table(figures))
    return 0 if all(item.holds for item in figures) else 1


def _take(name: str) -> list[Figure]:
    print(f"taking {name} …", file=sys.stderr)
    place, _, function = GROUPS[name].partition(":")
    module: Any = importlib.import_module(f"benchmarks.{place}")
    if name == "accounts":
        return msgspec.convert([*module.on_sqlite(), *module.on_postgresql()], list[Figure])
    taken = getattr(module, function or "measure")()
    figures: list[Figure] = asyncio.run(taken) if asyncio.iscoroutine(taken) else taken
    return figures


def table(figures: list[Figure]) -> str:
    """The figures for people."""
    width = max(len(item.name) for item in figures)
    lines = [f"{'figure':{width}} {'value':>10} {'bar':>8} unit"]
    for item in figures:
        bar = "" if item.bar is None else f"{item.bar:g}"
        lines.append(f"{item.name:{width}} {item.value:>10.2f} {bar:>8} {item.unit:5} {'' if item.holds else '  misses its bar'}")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
