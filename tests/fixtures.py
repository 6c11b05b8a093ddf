"""Where recorded cases from outside the repository are found; tests that need them are skipped where they are not."""

from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[2] / "shared" / "fixtures"


def cases(group: str) -> list[Path]:
    """The case files of one group (`cex`, `evm`, `other`, `tax`), sorted; empty where the folder is absent."""
    return sorted((FOLDER / group).glob("*.json"))


def require(group: str) -> list[Path]:
    """As `cases`, but skips the calling test where there are none."""
    found = cases(group)
    if not found:
        pytest.skip(f"no recorded cases of group {group} beside this repository")
    return found
