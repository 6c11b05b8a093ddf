"""Cases for exchanges that are read through ccxt's unified methods, made of the sample answers in the installed ccxt's source.

Each sample goes through the whole decoder. A sample of a single row is put where ccxt looks for rows. Beside them stand the same
answers without rows, and the error answers that ccxt knows of the exchange. What was reviewed is one line a case.
"""

import hashlib
import itertools
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct
from tests.test_golden import plain
from tools.ccxt_samples import samples

from omnifolio.catalog import exchanges
from omnifolio.catalog.streams import StreamRow
from omnifolio.model.clock import EpochMs
from omnifolio.model.errors import VenueBadResponse
from omnifolio.model.facts import Batch, Evidence
from omnifolio.venues.exchanges import lazy_ccxt, offline
from omnifolio.venues.exchanges.quirks.unified_rows import MARKET_FIELDS, QUOTES
from omnifolio.venues.exchanges.reader import ExchangeReader
from omnifolio.venues.exchanges.unified import scope_of

FOLDER = Path(__file__).parents[2] / "golden" / "unified"
SEEN = "2026-11-27"
"""The day on which the samples of the pinned ccxt were reviewed."""
AT = EpochMs(1_790_000_000_000)
SCOPE = scope_of("BTC", "USDT", "BTCUSDT")
DIGEST_LENGTH = 12
UNIFIED = "unified"
ROW_PARSERS: Mapping[str, str] = {
    "fetch_balance": "parse_balance",
    "fetch_my_trades": "parse_trade",
    "fetch_deposits": "parse_transaction",
    "fetch_withdrawals": "parse_transaction",
    "fetch_deposits_withdrawals": "parse_transaction",
    "fetch_transactions": "parse_transaction",
}
ENVELOPES = (("data",), ("result",), ("data", "list"), ("data", "rows"), ("result", "list"), ("payload",), ("data", "data"))
ZERO = re.compile(r'("(?!(?:code|rc|status|state|error|err_code|error_code|retCode)")\w+":"?)-?0(?:\.0*)?("?(?=[,}\]]))')
"""A number that is zero, but for those that say whether the answer is good."""
OWN: Mapping[str, Mapping[str, Any]] = {
    "blofin": {
        "currency": "USDT",
        "equity": "1500.5",
        "balance": "1500.5",
        "available": "1400",
        "availableEquity": "1400",
        "frozen": "100.5",
    },
    "btcmarkets": {"assetName": "BTC", "balance": "1.5", "available": "1.25", "locked": "0.25"},
    "coinmate": {"currency": "BTC", "balance": "1.5", "reserved": "0.5", "available": "1.0"},
}
"""A row of our own numbers in the documented form of a balance, where ccxt's source has no sample."""
OWN_ANSWERS: Mapping[str, Any] = {
    "blofin": {"code": "0", "msg": "success", "data": {"ts": "1697021343571", "details": [OWN["blofin"]]}},
    "btcmarkets": [OWN["btcmarkets"]],
    "coinmate": {"error": False, "errorMessage": None, "data": {"BTC": OWN["coinmate"]}},
}
ERROR_FORMS = ("code", "error", "message", "error_code", "errorCode", "err_code", "retCode", "msg", "status", "returnCode", "rc")


class Case(Struct, frozen=True):
    """One case: its name, the kind of stream, and what the decoder gave as a line."""

    name: str
    kind: str
    told: str

    @property
    def line(self) -> str:
        """The case as it is kept."""
        return f"{self.name} {self.kind} {self.told}"


def venues() -> list[str]:
    """The exchanges that are read so."""
    return [name for name in exchanges.ids() if exchanges.load(name).quirks == UNIFIED]


def stated(venue: str) -> list[str]:
    """The reviewed lines of an exchange."""
    path = FOLDER / f"{venue}.txt"
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []


@cache
def cases_of(venue: str) -> tuple[Case, ...]:
    """Every case of an exchange."""
    return (*_filled(venue), *_empty(venue), *_errors(venue))


def _filled(venue: str) -> Iterator[Case]:
    known: set[str] = set()
    for row in _streams(venue):
        number = 0
        for text in _answers(venue, row.calls[0]):
            batch = _decoded(venue, row, text)
            if batch is None or not (batch.claims or any(snapshot.balances for snapshot in batch.snapshots)):
                continue
            told = _told(batch)
            if told not in known:
                known.add(told)
                number += 1
                yield Case(f"{row.kind}_{number}", row.kind, told)


def _empty(venue: str) -> Iterator[Case]:
    for row in _streams(venue):
        for text in _answers(venue, row.calls[0]):
            batch = _decoded(venue, row, text)
            emptied = _decoded(venue, row, json.dumps(_without_rows(json.loads(text))))
            if batch and (batch.claims or batch.snapshots) and emptied and not emptied.claims and not emptied.gaps:
                if not any(snapshot.balances for snapshot in emptied.snapshots):
                    yield Case("empty" if row.kind == "balances" else f"empty_{row.kind}", row.kind, _told(emptied))
                break


def _errors(venue: str) -> Iterator[Case]:
    """Answers that ccxt's own table of the exchange names an error: none of them is taken for an empty account."""
    row, number = _streams(venue)[0], 0
    for status, text in itertools.product((200, 400), _error_answers(venue)):
        evidence = msgspec.structs.replace(_evidence(row, text), status=status)
        try:
            ExchangeReader().decode(venue, row.name, [evidence])
        except VenueBadResponse as error:
            if isinstance(error.__cause__, lazy_ccxt.errors().BaseError):
                number += 1
                yield Case(
                    f"errors_{number}" if number > 1 else "errors",
                    row.kind,
                    f"error {error.code} {type(error.__cause__).__name__}",
                )
        if number == 2:
            return


def _error_answers(venue: str) -> Iterator[str]:
    ccxt_id = exchanges.load(venue).ccxt_id
    for name in _sources(ccxt_id):
        yield from (sample.text for sample in samples(name, frozenset({"handle_errors"})) if sample.text)
    yield from ('{"status":"error"}', '{"result":"error"}', '{"success":false}')
    table = lazy_ccxt.load(ccxt_id)({}).exceptions or {}
    for codes in (table.get("exact") or {}, table.get("broad") or {}, table):
        for code in [code for code, cls in codes.items() if not isinstance(cls, dict)][:1]:
            value: Any = int(code) if str(code).lstrip("-").isdigit() else code
            for form in ERROR_FORMS:
                yield json.dumps({form: value})
                yield json.dumps({form: code, "success": False, "status": "error"})
            yield json.dumps({"error": {"code": value, "message": code}})
            yield json.dumps({"errors": [{"code": value, "message": code}]})


def _streams(venue: str) -> list[StreamRow]:
    return [row for row in exchanges.load(venue).reading.streams if row.pager != "scopes"]


@cache
def _answers(venue: str, method: str) -> tuple[str, ...]:
    """The sample answers of a method, and those of single rows put where ccxt looks for rows."""
    own = OWN_ANSWERS.get(venue) if method == "fetch_balance" else None
    found = [json.dumps(own, separators=(",", ":"))] if own else []
    for name in _sources(exchanges.load(venue).ccxt_id):
        found += [sample.text for sample in samples(name, frozenset({method})) if sample.text]
        parser = ROW_PARSERS.get(method)
        for sample in samples(name, frozenset({parser} if parser else ())):
            if sample.text and not _is_of_another(method, sample.label.lower()):
                rows = sample.text if sample.text.startswith("[") else f"[{sample.text}]"
                found += [sample.text, rows, *(_inside(path, rows) for path in ENVELOPES)]
    if method == "fetch_balance":
        # A sample of an empty account says nothing about the amounts: the same one with numbers of our own does.
        found += [held for text in found if (held := _with_amounts(text)) != text]
    return tuple(found)


def _is_of_another(method: str, label: str) -> bool:
    """Whether what stands before a row's sample says that another list brings it: a public one, or the other direction."""
    others = {"fetch_my_trades": ("public", "fetchtrades"), "fetch_deposits": ("withdraw",), "fetch_withdrawals": ("deposit",)}
    return any(word in label for word in others.get(method, ()))


def _with_amounts(text: str) -> str:
    """The same answer with an amount in the place of each zero."""
    places = itertools.count(1)
    return ZERO.sub(lambda found: f"{found.group(1)}{next(places)}.25{found.group(2)}", text)


def _inside(path: tuple[str, ...], text: str) -> str:
    for name in reversed(path):
        text = f"{{{json.dumps(name)}:{text}}}"
    return text


def _sources(ccxt_id: str) -> list[str]:
    """The exchange and those that it inherits from."""
    bases = offline.load(ccxt_id).__mro__
    return [base.__name__ for base in bases if base.__module__ == f"{lazy_ccxt.ASYNC}.{base.__name__}"]


def _evidence(row: StreamRow, text: str) -> Evidence:
    scope = _scope(text)
    stream = f"{row.kind}/{scope}" if row.is_per_scope else row.name
    params = {row.scope_param: scope} if row.is_per_scope else {}
    return Evidence(stream=stream, request=f"GET {row.paths[0]}", params=params, received_at=AT, body=text.encode())


def _scope(text: str) -> str:
    """The scope of the market that a sample names; one of our own where it names none."""
    for name in MARKET_FIELDS:
        found = re.search(rf'"{name}":"([^"]+)"', text)
        plain_name = re.sub(r"[^A-Z0-9]", "", found.group(1).upper()) if found else ""
        is_contract = any(word in plain_name for word in ("SWAP", "PERP"))
        for quote in () if is_contract else (*QUOTES, "XBT"):
            if found and plain_name.endswith(quote) and plain_name != quote:
                return scope_of(plain_name.removesuffix(quote), "BTC" if quote == "XBT" else quote, found.group(1))
    return SCOPE


def _decoded(venue: str, row: StreamRow, text: str) -> Batch | None:
    for more in ((), ("[]",)):
        # Some methods ask a second list beside the sample's; it is empty here.
        with suppress(VenueBadResponse):
            evidence = _evidence(row, text)
            beside = [msgspec.structs.replace(evidence, body=item.encode()) for item in more]
            return ExchangeReader().decode(venue, evidence.stream, [evidence, *beside])
    return None


def _without_rows(value: Any) -> Any:
    """The same answer without the objects in its lists."""
    if isinstance(value, list):
        return [] if any(isinstance(item, dict | list) for item in value) else value
    return {name: _without_rows(item) for name, item in value.items()} if isinstance(value, dict) else value


def _told(batch: Batch) -> str:
    """How many claims, legs, balances and gaps, and a digest of everything that the decoder gave."""
    counts = (
        len(batch.claims),
        sum(len(claim.legs) for claim in batch.claims),
        sum(len(snapshot.balances) for snapshot in batch.snapshots),
        len(batch.gaps),
    )
    digest = hashlib.sha256(msgspec.json.encode(plain(batch), order="deterministic")).hexdigest()[:DIGEST_LENGTH]
    return f"claims={counts[0]} legs={counts[1]} balances={counts[2]} gaps={counts[3]} {digest}"
