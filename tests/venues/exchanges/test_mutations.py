"""Whatever a venue answers, decoding it gives facts, gaps or a typed error, and never invents an amount."""

import json
import random
from pathlib import Path
from typing import Any

import pytest
from tests.test_golden import CERTIFICATE

from omnifolio.model.clock import EpochMs
from omnifolio.model.errors import VenueBadResponse
from omnifolio.model.facts import Evidence
from omnifolio.venues.exchanges.reader import ExchangeReader
from omnifolio.venues.registry import reader_for

FOLDER = Path(__file__).resolve().parents[2] / "golden" / "exchange"
CASES = sorted(path for path in FOLDER.glob("*/*/recorded.json"))
MUTATIONS = 400
WRONG: tuple[Any, ...] = (
    None,
    "",
    [],
    {},
    "x",
    -1,
    10**40,
    1.5,
    True,
    "1e999999",
    "NaN",
    "Infinity",
    "\u0000",
    ["a"],
    {"a": None},
)


def mutated(value: Any, dice: random.Random) -> Any:
    """The same JSON with one place changed to something else, removed, or repeated."""
    if isinstance(value, dict) and value and dice.random() < 0.9:
        name = dice.choice(list(value))
        if dice.random() < 0.15:
            return {key: item for key, item in value.items() if key != name}
        return {**value, name: mutated(value[name], dice)}
    if isinstance(value, list) and value and dice.random() < 0.9:
        place = dice.randrange(len(value))
        return [*value[:place], mutated(value[place], dice), *value[place + dice.choice((0, 1)) :]]
    return dice.choice(WRONG)


@pytest.mark.parametrize("path", CASES, ids=lambda path: "/".join(path.parts[-3:-1]))
def test_only_typed_errors_leave_a_decoder(path: Path) -> None:
    dice = random.Random(str(path.parent.name))
    pages = json.loads(path.read_text(encoding="utf-8"))["pages"]
    venue, decoded = path.parts[-3], 0
    for _ in range(MUTATIONS):
        page = dice.choice(pages)
        evidence = [
            Evidence(
                stream=page["stream"],
                request=answer["request"],
                params=answer.get("params", {}),
                received_at=EpochMs(1),
                body=broken(answer, dice),
            )
            for answer in page["answers"]
        ]
        try:
            if page["stream"] == CERTIFICATE:
                ExchangeReader().certify(venue, evidence[0])
            else:
                reader_for(venue).decode(venue, page["stream"], evidence)
            decoded += 1
        except VenueBadResponse:
            continue
    assert decoded or "errors" in str(path)


def broken(answer: dict[str, Any], dice: random.Random) -> bytes:
    body = json.dumps(mutated(answer.get("response", answer.get("text")), dice)).encode()
    if dice.random() < 0.1:
        return body[: dice.randrange(len(body))]
    return body
