"""What the installed ccxt does, compared with what was reviewed: a new version shows what it changed before it is taken.

`python -m tools.ccxt_gate` prints each difference and ends with 1 when there is any; `--update` writes what it found as the new
expectation, whose diff is then read. See docs/ccxt.md.
"""

import argparse
import hashlib
import json
import logging
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tools.ccxt_cases import bench, cases, number_changes
from tools.ccxt_signing import signing_line

from omnifolio.catalog import reads
from omnifolio.venues.exchanges import lazy_ccxt
from omnifolio.venues.exchanges.gate import endpoint_of

FOLDER = Path(__file__).parents[1] / "tests" / "golden" / "ccxt"
VERBS = ("get", "post", "put", "delete", "patch", "head")
MARK_LENGTH = 6
"""Hexadecimal digits that stand for one endpoint: enough to tell those of one exchange apart."""
SHOWN_MAX = 40
"""Lines of one kind that are printed; the rest is counted."""

Facts = Mapping[str, Sequence[str]]
"""Kind of fact → its lines; a line's key is all but its last word, or its first where the last does not stand alone."""


def found(ids: Iterable[str]) -> dict[str, list[str]]:
    """Everything that is compared, of these exchanges, as lines."""
    facts: dict[str, list[str]] = {"cases": [], "numbers": [], "describe": [], "endpoints": [], "signing": []}
    for ccxt_id in ids:
        exchange = bench(ccxt_id)
        for case in cases(ccxt_id):
            facts["cases"].append(case.line)
            facts["numbers"] += number_changes(case, exchange)
        facts["describe"] += description(lazy_ccxt.load(ccxt_id)({}))
        facts["endpoints"].append(f"{ccxt_id} {' '.join(sorted(mark(*item) for item in endpoints(exchange)))}")
        facts["signing"].append(signing_line(ccxt_id))
    return facts


def endpoints(exchange: Any) -> Iterator[tuple[str, str, str]]:
    """Every implicit endpoint as METHOD, API group and path template."""

    def walk(node: Mapping[str, Any], group: list[str]) -> Iterator[tuple[str, str, str]]:
        for key, value in node.items():
            if key.lower() in VERBS:
                yield from (endpoint_of(key, group or ["public"], path) for path in value)
            elif isinstance(value, dict):
                yield from walk(value, [*group, key])

    return walk(exchange.api or {}, [])


def mark(method: str, group: str, path: str) -> str:
    """An endpoint in a few digits."""
    return hashlib.sha256(f"{method} {group} {path}".encode()).hexdigest()[:MARK_LENGTH]


def description(exchange: Any) -> Iterator[str]:
    """What ccxt states of an exchange and we rely on: one line a subject."""
    name = exchange.id
    parents = [base.__name__ for base in type(exchange).__mro__[1:] if base.__module__.startswith(f"{lazy_ccxt.ASYNC}.")]
    parent = parents[0] if parents and parents[0] not in ("Exchange", name) else "-"
    yield f"{name} parent {parent}"
    yield f"{name} hosts {','.join(sorted(_hosts(exchange))) or '-'}"
    yield f"{name} credentials {','.join(sorted(key for key, needed in exchange.requiredCredentials.items() if needed)) or '-'}"
    codes = exchange.commonCurrencies
    yield f"{name} codes {','.join(f'{raw}={codes[raw]}'.replace(' ', '_') for raw in sorted(codes)) or '-'}"
    rate = json.dumps([exchange.rateLimit, exchange.precisionMode])
    yield f"{name} pacing {rate.replace(' ', '')}"


def _hosts(exchange: Any) -> Iterator[str]:
    left: list[Any] = [exchange.urls.get("api") or {}, exchange.urls.get("hostnames") or {}]
    while left:
        value = left.pop()
        if isinstance(value, str):
            url = exchange.implode_hostname(value)
            yield urlsplit(url if "//" in url else f"//{url}").netloc
        elif isinstance(value, dict):
            left.extend(value.values())


def differences(expected: Facts, facts: Facts) -> dict[str, list[str]]:
    """By kind what is new (`+`), gone (`-`) or changed (`~`)."""
    wrong: dict[str, list[str]] = {}
    for kind, lines in facts.items():
        told = _endpoint_changes if kind == "endpoints" else _line_changes
        changes = list(told(_keyed(kind, expected.get(kind, ())), _keyed(kind, lines)))
        if changes:
            wrong[kind] = changes
    return wrong


WORDS_OF_KEY = {"cases": 3, "numbers": 5, "describe": 2, "endpoints": 1, "signing": 1}


def _keyed(kind: str, lines: Iterable[str]) -> dict[str, str]:
    words = WORDS_OF_KEY[kind]
    return {" ".join(line.split(" ")[:words]): " ".join(line.split(" ")[words:]) for line in lines}


def _line_changes(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[str]:
    yield from (f"- {key} {before[key]}".rstrip() for key in before if key not in after)
    yield from (f"+ {key} {after[key]}".rstrip() for key in after if key not in before)
    yield from (f"~ {key}: {before[key]} -> {after[key]}" for key in before if key in after and before[key] != after[key])


def _endpoint_changes(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[str]:
    """Names what appeared, and what of our lists vanished; other endpoints that vanished are counted."""
    yield from (f"- {name}: the exchange is gone" for name in before if name not in after)
    for name, marks in after.items():
        old, new = set(before.get(name, "").split()), set(marks.split())
        if old == new:
            continue
        now = {mark(*item): " ".join(item) for item in endpoints(lazy_ccxt.load(name)({}))}
        yield from (f"+ {name} {now.get(item, item)}" for item in sorted(new - old))
        gone = old - new
        allowed = {mark(*item): " ".join(item) for item in reads.allowed(name)}
        yield from (f"- {name} {allowed[item]}: it is on our list of reads" for item in sorted(gone & allowed.keys()))
        if gone - allowed.keys():
            yield f"- {name}: {len(gone - allowed.keys())} endpoints that we never called"


def stated(folder: Path) -> dict[str, list[str]]:
    """The reviewed facts of a folder."""
    return {path.stem: path.read_text(encoding="utf-8").splitlines() for path in sorted(folder.glob("*.txt"))}


def write(folder: Path, facts: Facts) -> None:
    """Makes these the reviewed facts."""
    folder.mkdir(parents=True, exist_ok=True)
    for kind, lines in facts.items():
        (folder / f"{kind}.txt").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def report(wrong: Mapping[str, Sequence[str]], say: Callable[[str], None]) -> None:
    """Tells each kind's changes, how many there are and of which exchanges."""
    for kind, lines in wrong.items():
        names = sorted({line.split(" ")[1].rstrip(":") for line in lines})
        say(f"{kind}: {len(lines)} changes at {len(names)} exchanges: {' '.join(names)}")
        for line in lines[:SHOWN_MAX]:
            say(f"  {line}")
        if len(lines) > SHOWN_MAX:
            say(f"  … and {len(lines) - SHOWN_MAX} more")


def main() -> int:
    """The command line; gives the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--update", action="store_true", help="write what was found as the new expectation")
    options = parser.parse_args()
    logging.disable(logging.CRITICAL)
    facts = found(lazy_ccxt.exchange_ids())
    wrong = differences(stated(FOLDER), facts)
    report(wrong, print)
    if options.update:
        write(FOLDER, facts)
        return 0
    print(f"{len(facts['cases'])} cases, {len(facts['describe'])} statements, {len(facts['signing'])} signatures compared")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
