"""docs/prices.md lists every source and every reason, and nothing that is not there."""

import re
from pathlib import Path

from omnifolio.catalog import assets as catalog
from omnifolio.model.prices import REASONS
from omnifolio.pricing.registry import BUDGETS, PUBLIC, build

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "prices.md").read_text(encoding="utf-8")


def rows(heading: str) -> list[str]:
    """The first cell of every row of the table whose first heading this is."""
    table = PAGE.partition(f"| {heading} |")[2].partition("\n\n")[0]
    return re.findall(r"^\| `([a-z_-]+)` \|", table, re.MULTILINE)


def test_every_source_is_listed_in_its_order() -> None:
    found = build(chosen=(), base_urls={}, sandbox_url="http://127.0.0.1:1", assets=catalog.load())
    assert rows("Id") == [*PUBLIC, found.rates.id, "ecb"]
    assert set(BUDGETS) == {*PUBLIC, "ecb"}


def test_every_reason_is_listed() -> None:
    assert rows("Reason") == list(REASONS)
