"""The installed ccxt does what was reviewed, and the comparison finds each kind of change."""

import logging
from collections.abc import Callable, Generator
from typing import Any

import pytest
from tools import ccxt_cases, ccxt_gate, ccxt_signing
from tools.ccxt_samples import to_json

from omnifolio.catalog import reads
from omnifolio.model.errors import VenueBadResponse
from omnifolio.venues.exchanges import lazy_ccxt, offline

FEW = ("bequant", "bitso", "kraken")
KNOWN_NUMBER_CHANGES = 3
"""Cases in which ccxt's floats and its text differ: samples whose numbers are none."""


@pytest.fixture(autouse=True)
def _silent() -> Any:
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def test_the_installed_ccxt_does_what_was_reviewed() -> None:
    facts = ccxt_gate.found(lazy_ccxt.exchange_ids())
    wrong = ccxt_gate.differences(ccxt_gate.stated(ccxt_gate.FOLDER), facts)
    ccxt_gate.report(wrong, print)
    assert wrong == {}
    assert len(facts["cases"]) > 1_000
    assert len(facts["numbers"]) <= KNOWN_NUMBER_CHANGES
    assert not [line for line in facts["numbers"] if " exact " in line]


def of_few(facts: ccxt_gate.Facts) -> dict[str, list[str]]:
    return {kind: [line for line in lines if line.split(" ")[0] in FEW] for kind, lines in facts.items()}


def _parses_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    real = lazy_ccxt.load("bitso").parse_trade
    monkeypatch.setattr(
        lazy_ccxt.load("bitso"), "parse_trade", lambda self, *args: {**real(self, *args), "price": "1"}, raising=True
    )


def _signs_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    real = lazy_ccxt.load("kraken").sign

    def sign(self: Any, *args: Any, **kwargs: Any) -> Any:
        signed = real(self, *args, **kwargs)
        return {**signed, "headers": {**(signed["headers"] or {}), "X-New": "1"}}

    monkeypatch.setattr(lazy_ccxt.load("kraken"), "sign", sign)


def _described(change: Callable[[dict[str, Any]], None]) -> Callable[[pytest.MonkeyPatch], None]:
    def plant(monkeypatch: pytest.MonkeyPatch) -> None:
        real = lazy_ccxt.load("bitso").describe

        def describe(self: Any) -> dict[str, Any]:
            told: dict[str, Any] = real(self)
            change(told)
            return told

        monkeypatch.setattr(lazy_ccxt.load("bitso"), "describe", describe)

    return plant


PLANTED: dict[str, tuple[str, str, Callable[[pytest.MonkeyPatch], None]]] = {
    "a trade parses otherwise": ("cases", "~ bitso parse_trade 1", _parses_otherwise),
    "a request is signed otherwise": ("signing", "~ kraken", _signs_otherwise),
    "a host moves": (
        "describe",
        "~ bitso hosts",
        _described(lambda told: told["urls"].update(api={"rest": "https://api.example"})),
    ),
    "a code means another token": (
        "describe",
        "~ bitso codes",
        _described(lambda told: told.update(commonCurrencies={"XBT": "Other"})),
    ),
    "a credential is new": (
        "describe",
        "~ bitso credentials",
        _described(lambda told: told.update(requiredCredentials={"apiKey": True, "secret": True, "uid": True})),
    ),
    "an endpoint is new": (
        "endpoints",
        "+ bitso POST private everything",
        _described(lambda told: told["api"]["private"]["post"].update(everything=1)),
    ),
    "a read that we allow is gone": (
        "endpoints",
        "- bitso GET private balance: it is on our list of reads",
        _described(lambda told: told["api"]["private"]["get"].pop("balance")),
    ),
}


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_change_is_found(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    kind, line, plant = PLANTED[name]
    plant(monkeypatch)
    wrong = ccxt_gate.differences(of_few(ccxt_gate.stated(ccxt_gate.FOLDER)), ccxt_gate.found(FEW))
    said: list[str] = []
    ccxt_gate.report(wrong, said.append)
    assert [text for text in wrong[kind] if text.startswith(line)], wrong
    assert any(text.startswith(f"{kind}: ") for text in said)


def test_without_a_change_nothing_is_found() -> None:
    assert ccxt_gate.differences(of_few(ccxt_gate.stated(ccxt_gate.FOLDER)), ccxt_gate.found(FEW)) == {}


def test_an_exchange_that_comes_or_goes_is_named() -> None:
    stated = of_few(ccxt_gate.stated(ccxt_gate.FOLDER))
    fewer = {kind: [line for line in lines if not line.startswith("bitso ")] for kind, lines in stated.items()}
    assert "- bitso: the exchange is gone" in ccxt_gate.differences(stated, fewer)["endpoints"]
    assert any(line.startswith("+ bitso hosts") for line in ccxt_gate.differences(fewer, stated)["describe"])


def test_numbers_that_change_with_their_type_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    case = next(case for case in ccxt_cases.cases("bitso") if case.sample.method == "parse_trade")
    exchange = ccxt_cases.bench("bitso")
    monkeypatch.setattr(type(exchange), "parse_number", lambda self, value, default=None: 7.0 if self.number is float else value)
    assert list(ccxt_cases.number_changes(case, exchange)) != []


def test_the_command_ends_with_1_on_a_change_and_writes_on_request(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ccxt_gate, "FOLDER", tmp_path)
    monkeypatch.setattr(lazy_ccxt, "exchange_ids", lambda: ("bitso",))
    monkeypatch.setattr("sys.argv", ["ccxt_gate"])
    assert ccxt_gate.main() == 1
    monkeypatch.setattr("sys.argv", ["ccxt_gate", "--update"])
    assert ccxt_gate.main() == 0
    monkeypatch.setattr("sys.argv", ["ccxt_gate"])
    assert ccxt_gate.main() == 0


@pytest.mark.parametrize(
    ("literal", "text"),
    [
        ("{'a': 1.10, b: None, // remark\n \"c\": [true, undefined,],}", '{"a":1.10,"b":null,"c":[true,null]}'),
        ("[{1: 'it\\'s'}, ...]", '[{"1":"it\'s"}]'),
        ("{a: .5, b: 5., c: +1e-8}", '{"a":0.5,"b":5.0,"c":1e-8}'),
        ("[]", ""),
        ("{a: }", ""),
        ("{a: `x`}", ""),
    ],
)
def test_a_literal_becomes_json_digit_for_digit(literal: str, text: str) -> None:
    assert to_json(literal) == text


class Endless:
    """Something to wait for that never comes."""

    def __await__(self) -> Generator[None, None, None]:
        yield


async def waits() -> None:
    await Endless()


def test_what_waits_for_the_world_is_not_replayed() -> None:
    with pytest.raises(VenueBadResponse):
        offline.result(waits)


def test_signing_needs_no_network_and_names_what_it_cannot_build() -> None:
    lines = {name: ccxt_signing.signing_line(name) for name in ("bitso", "lbank")}
    assert lines["bitso"].startswith("bitso GET ")
    assert "k" * 4 not in lines["bitso"]
    assert lines["lbank"].startswith("lbank - ")
    assert reads.allowed("bitso")
