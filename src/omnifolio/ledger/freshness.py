"""Whether anything that a user can see has changed: the smallest read there is, made before a kept answer is given again.

One row by primary key. It also says whether the user and the team are still there and which of the user's tokens still count,
so that no request is answered on the strength of a cache alone.
"""

from msgspec import Struct

from omnifolio.model.ids import TeamId, UserId
from omnifolio.store.engine import Store

_FRESH = (
    "SELECT u.seq, u.token_epoch, u.team_id, t.is_active, (SELECT COALESCE(SUM(version), 0) FROM price_state) "
    "FROM users u JOIN teams t ON t.id = u.team_id WHERE u.id = {0}"
)
_STATEMENTS = {"sqlite": _FRESH.format("?"), "postgresql": _FRESH.format("$1")}


class Freshness(Struct, frozen=True):
    """The state of a user at one instant. `prices` rises with every change of prices or rates."""

    seq: int
    token_epoch: int
    team: TeamId
    is_active: int
    prices: int


async def freshness(store: Store, user: UserId) -> Freshness | None:
    """The state of a user; None when there is no such user. Raises: StoreUnavailable."""
    row = await store.glance(_STATEMENTS[store.dialect], user)
    return None if row is None else Freshness(*row)
