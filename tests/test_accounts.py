"""One runner for whole recorded accounts: a conversation in, the facts that a sync of it stores out.

A case is `golden/<family>/<venue>/account/` with `cassette.json` (docs/cassettes.md) and `facts.ndjson`. The real reader asks,
signs and pages; the ledger stores; nothing leaves. `make golden` rewrites the facts; read the diff as you read code.
"""

from pathlib import Path

import msgspec
import pytest

from omnifolio.app.replay import replay
from omnifolio.transport import recording

FOLDER = Path(__file__).parent / "golden"
CASES = sorted(path.parent for path in FOLDER.glob("*/*/account/cassette.json"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: "/".join(case.parts[-3:-1]))
async def test_a_recorded_account_gives_the_reviewed_facts(case: Path, request: pytest.FixtureRequest) -> None:
    found = await replay(recording.load((case / "cassette.json").read_bytes()))
    text = b"".join(msgspec.json.encode(line) + b"\n" for line in found)
    target = case / "facts.ndjson"
    assert not [line for line in found if line.get("code") == "venue_unavailable"], "the cassette answers every question"
    if request.config.getoption("--update-golden"):
        target.write_bytes(text)
    assert text.decode() == target.read_text(encoding="utf-8")
