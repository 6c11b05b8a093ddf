"""How much of an address's history is wanted: all of it, none, or from a day on. The user says so when linking it."""

from collections.abc import Mapping
from datetime import UTC, date, datetime

from msgspec import Struct

from omnifolio.model.clock import SECOND_MS, EpochMs
from omnifolio.model.errors import InvalidField

FIELD = "history"
"""The link field: `all` (also when it is absent), `balances`, or a day as YYYY-MM-DD."""
PATTERN = r"all|balances|\d{4}-\d\d-\d\d"


class Depth(Struct, frozen=True):
    """What is to be read beside balances. `since` None: from the beginning."""

    has_history: bool = True
    since: EpochMs | None = None


def depth_of(fields: Mapping[str, str]) -> Depth:
    """The depth that the link fields ask for. Raises: InvalidField."""
    wanted = fields.get(FIELD, "all")
    if wanted == "balances":
        return Depth(has_history=False)
    if wanted == "all":
        return Depth()
    try:
        day = date.fromisoformat(wanted)
    except ValueError:
        raise InvalidField(f"{FIELD}: expected all, balances or a day as 2024-01-31, got {wanted[:20]!r}") from None
    return Depth(since=EpochMs(int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * SECOND_MS))
