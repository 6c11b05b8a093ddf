"""From a key's rights under the venue's own names to a certificate: what is not known to be harmless counts as dangerous."""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from omnifolio.catalog.streams import Right
from omnifolio.model.accounts import Certificate, PermissionState


class Rights(Struct, frozen=True, kw_only=True):
    """The rights that a key has, and what else its introspection says. `is_known` is false where it said nothing usable."""

    granted: tuple[str, ...]
    ip_restricted: bool | None = None
    expires_at: int | None = None
    is_known: bool = True


def flags_of(fields: Mapping[str, Any], *, ignored: tuple[str, ...] = ()) -> tuple[str, ...]:
    """The names of all fields that are set, of whatever type: a field that appears one day is not overlooked."""
    return tuple(name for name, value in fields.items() if value and name not in ignored)


def judge(
    rights: Rights, *, permissions: Mapping[str, Right], required: tuple[str, ...], method: str, checked_at: int
) -> Certificate:
    """The certificate: withdraw, transfer, key management and unknown flags are `can_withdraw`, orders are `can_trade`."""
    kinds = {flag: permissions.get(flag, "withdraw") for flag in rights.granted}
    excess = tuple(flag for flag in rights.granted if kinds[flag] != "read")
    state: PermissionState = "read_only"
    if not rights.is_known:
        state = "unknown"
    elif "withdraw" in kinds.values():
        state = "can_withdraw"
    elif "trade" in kinds.values():
        state = "can_trade"
    return Certificate(
        state=state,
        method=method,
        checked_at=checked_at,
        excess=excess,
        missing=tuple(flag for flag in required if flag not in rights.granted),
        ip_restricted=rights.ip_restricted,
        expires_at=rights.expires_at,
    )
