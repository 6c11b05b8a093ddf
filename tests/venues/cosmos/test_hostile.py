"""Whatever a server answers in the place of any value, a page is read or refused: nothing else happens."""

import json
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from omnifolio.model.clock import EpochMs
from omnifolio.model.errors import VenueError
from omnifolio.model.facts import Evidence
from omnifolio.venues.cosmos.reader import READER

GOLDEN = Path(__file__).parents[2] / "golden" / "cosmos"
CASES = sorted(GOLDEN.glob("*/*/recorded.json"))
HOSTILE: tuple[Any, ...] = (
    *(None, True, -1, 0, 1.5, 10**30, "", "x", "-5", "9" * 90, "\x00", "../..", "ibc/../../x", "🐙", "1e9", "uatom,,5uatom"),
    *([], {}, [[]], [None], {"x": []}),
)


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every value in a document."""
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, item in items:
        yield from places(item, (*path, name))


def replaced(value: Any, path: tuple[Any, ...], other: Any) -> Any:
    """The document with another value at one place."""
    if not path:
        return other
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = replaced(value[path[0]], path[1:], other)
    return copy


@pytest.mark.parametrize("case", CASES, ids=lambda case: "/".join(case.parts[-3:-1]))
def test_any_value_in_any_place_is_read_or_refused(case: Path) -> None:
    pages = json.loads(case.read_text(encoding="utf-8"))["pages"]
    tried = refused = 0
    for page in pages:
        answers = page["answers"]
        for number, answer in enumerate(answers):
            for path, other in product(places(answer["response"]), HOSTILE):
                wrong = {**answer, "response": replaced(answer["response"], path, other)}
                tried += 1
                refused += not is_read(page["stream"], [*answers[:number], wrong, *answers[number + 1 :]])
    assert 0 < refused < tried


def is_read(stream: str, answers: list[dict[str, Any]]) -> bool:
    """Whether the page is read; false when it is refused as a venue's answer."""
    evidence = [
        Evidence(
            stream=stream,
            request=answer["request"],
            params=answer["params"],
            status=answer.get("status", 200),
            received_at=EpochMs(1_646_430_400_000),
            body=json.dumps(answer["response"]).encode(),
        )
        for answer in answers
    ]
    try:
        page = READER.decode(stream.partition("/")[2], stream, evidence)
    except VenueError:
        return False
    assert {leg.token for claim in page.claims for leg in claim.legs} <= {facts.id for facts in page.tokens}
    assert {held.token for snapshot in page.snapshots for held in snapshot.balances} <= {facts.id for facts in page.tokens}
    texts = [text for facts in page.tokens for text in (facts.ticker, facts.name)]
    texts += [text for claim in page.claims for leg in claim.legs for text in (leg.key, leg.counterparty or "-")]
    assert all(facts.ticker for facts in page.tokens)
    assert not any("\x00" in text for text in (*texts, *(claim.label for claim in page.claims)))
    return True
