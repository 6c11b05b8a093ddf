"""One runner for the exchanges that are read through ccxt's unified methods: its samples in, the reviewed facts out."""

import logging
from collections.abc import Iterator

import pytest
from tests.venues.exchanges import unified_cases


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
