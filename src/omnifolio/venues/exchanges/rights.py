"""From a key's rights under the venue's own names to a certificate: what is not known to be harmless counts as dangerous."""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from omnifolio.catalog.streams import ReadingRow
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


def judge(rights: Rights, reading: ReadingRow, *, method: str, checked_at: int) -> Certificate:
    """The certificate: withdraw, transfer, key management and unknown flags are `can_withdraw`, orders are `can_trade`."""
    permissions, required = reading.permissions, reading.required
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
        rights=rights.granted,
        excess=excess,
        switches=tuple(_switch(flag, reading.switches) for flag in excess),
        missing=tuple(flag for flag in required if flag not in rights.granted) if rights.is_known else (),
        ip_restricted=rights.ip_restricted,
        expires_at=rights.expires_at,
    )


def _switch(flag: str, switches: Mapping[str, str]) -> str:
    """What the switch of a right is called on the venue's page, with the name in its answers where that is another one."""
    shown = switches.get(flag, flag)
    return shown if shown == flag else f"{shown} ({flag})"
