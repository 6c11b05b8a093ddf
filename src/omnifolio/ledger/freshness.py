"""Whether anything that a user can see has changed: the smallest read there is, made before a kept answer is given again.

One row by a unique key. It also says whether the user and the team are still there and which of the user's tokens still count,
so that no request is answered on the strength of a cache alone.
"""

from msgspec import Struct

from omnifolio.model.ids import TeamId, UserId
from omnifolio.store.engine import Store

_FRESH = (
    "SELECT u.id, u.team_id, t.client_id, t.is_active, u.token_epoch, u.seq, "
    "(SELECT CAST(COALESCE(SUM(version), 0) AS BIGINT) FROM price_state), "
    "(SELECT COALESCE(MAX(number), 0) FROM aliases) "
    "FROM users u JOIN teams t ON t.id = u.team_id WHERE u.uuid = {0}"
)
_STATEMENTS = {"sqlite": _FRESH.format("?"), "postgresql": _FRESH.format("$1")}


class Freshness(Struct, frozen=True):
    """A user at one instant. `seq` rises with every change of theirs, `prices` with every change of prices or rates, `aliases`
    with every account of anybody that keeps the id it had elsewhere."""

    user: UserId
    team: TeamId
    client_id: str
    is_active: int
    token_epoch: int
    seq: int
    prices: int
    aliases: int


async def freshness(store: Store, uuid: str) -> Freshness | None:
    """The state of the user with this UUID; None when there is none. Raises: StoreUnavailable."""
    row = await store.glance(_STATEMENTS[store.dialect], uuid)
    return None if row is None else Freshness(*row)
