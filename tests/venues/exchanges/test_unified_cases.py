"""One runner for the exchanges that are read through ccxt's unified methods: its samples in, the reviewed facts out."""

import logging
from collections.abc import Iterator

import pytest
from tests.venues.exchanges import unified_cases
from tools import ccxt_gate

from omnifolio.catalog import exchanges


@pytest.fixture(autouse=True)
def _silent() -> Iterator[None]:
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.parametrize("venue", unified_cases.venues())
def test_the_samples_give_the_reviewed_facts(venue: str, request: pytest.FixtureRequest) -> None:
    lines = [case.line for case in unified_cases.cases_of(venue)]
    path = unified_cases.FOLDER / f"{venue}.txt"
    if request.config.getoption("--update-golden"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    assert unified_cases.stated(venue) == lines


def test_every_row_signs_offline_to_a_host_and_path_of_its_own() -> None:
    """The balance request that the exchange's own `sign` builds goes where the row says."""
    lines = {line.split(" ")[0]: line.split(" ") for line in ccxt_gate.stated(ccxt_gate.FOLDER)["signing"]}
    for venue in unified_cases.venues():
        row = exchanges.load(venue)
        _, method, host, path, *_ = lines[row.ccxt_id]
        assert host in row.hosts, venue
        assert path == row.reading.streams[0].paths[0], venue
        assert any(item[0] == method and row.url_of(item) == f"https://{host}{path}" for item in row.allowed), venue
