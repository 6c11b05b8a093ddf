"""Who asks, what they may do, and the states of an account."""

from typing import Literal

from msgspec import Struct

from omnifolio.model.errors import Forbidden
from omnifolio.model.ids import TeamId, UserId

Scope = Literal["read", "link", "admin"]
AccountStatus = Literal["ok", "error", "syncing", "retry"]
PermissionState = Literal["read_only", "can_trade", "can_withdraw", "unknown"]
KeyChangeCode = Literal[
    "withdraw_gained",
    "trade_gained",
    "read_gained",
    "right_lost",
    "rights_untold",
    "ip_restriction_lost",
    "ip_restriction_gained",
    "expiry_changed",
    "expires_soon",
    "key_replaced",
]


class Principal(Struct, frozen=True, kw_only=True):
    """Who asks, for which team and user. Every ledger and tenancy function takes one; an admin has no user and no data.

    `actor` is for the audit: `token:<id>`, `cli`, `sync`.
    """

    team: TeamId
    user: UserId | None
    actor: str
    scopes: frozenset[Scope] = frozenset()

    @property
    def data_user(self) -> UserId:
        """The user whose data may be touched. Raises: Forbidden for a principal without one."""

        if self.user is None:
            raise Forbidden("this token belongs to no user, so it can see no user's data")
        return self.user


class KeyChange(Struct, frozen=True, kw_only=True):
    """How a key differs from what it was at the look before. `code` is stable and documented, `text` is for people."""

    at: int
    code: KeyChangeCode
    text: str


class Certificate(Struct, frozen=True, kw_only=True):
    """What a key may do, read from the venue's own introspection.

    `method` names the endpoint that said so ("" when the venue has none); `rights` are all that the key has and `excess` those
    beyond reading, under the venue's own names; `switches` says what to turn off on the venue's page of keys, one for each of
    `excess`; `ip_restricted` and `expires_at` are None when not stated. `changes` tells what was different between two looks,
    the oldest first.
    """

    state: PermissionState
    method: str
    checked_at: int
    rights: tuple[str, ...] = ()
    excess: tuple[str, ...] = ()
    switches: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    ip_restricted: bool | None = None
    expires_at: int | None = None
    changes: tuple[KeyChange, ...] = ()
