"""How a key changed between two looks at it: rights that came or went, a lost address restriction, an end that comes near."""

from collections.abc import Iterator

from msgspec.structs import replace

from omnifolio.model.accounts import Certificate, KeyChange, KeyChangeCode
from omnifolio.model.clock import DAY_MS, EpochMs, iso

EXPIRES_SOON_MS = 14 * DAY_MS
"""From so long before its end on, a key is said to end soon."""
EXPIRY_SLACK_MS = 2 * DAY_MS
"""Venues that tell the days left tell another instant at each look: an end that moves by less is the same one."""
CHANGES_MAX = 50
"""So many of an account's latest changes are kept with it; the audit names every one."""


def compared(before: Certificate | None, now: Certificate, *, is_new_key: bool) -> Certificate:
    """The present certificate with what was told of earlier looks, and what this one tells anew.

    A key that was just entered is compared with nothing but the calendar.
    """
    if before is None:
        found = list(_soon(None, now))
        return replace(now, changes=tuple(found))
    if is_new_key:
        found = [_change(now, "key_replaced", "a new key was entered"), *_soon(None, now)]
    else:
        found = list(_differences(before, now))
    return replace(now, changes=(*before.changes, *found)[-CHANGES_MAX:])


def is_same(before: Certificate | None, now: Certificate) -> bool:
    """Whether a look told nothing new but its own time, and an end that only the counting of days has moved."""
    if before is None or _moved(before.expires_at, now.expires_at):
        return False
    return replace(before, checked_at=0, expires_at=None) == replace(now, checked_at=0, expires_at=None)


def _differences(before: Certificate, now: Certificate) -> Iterator[KeyChange]:
    if now.state == "unknown" != before.state:
        yield _change(now, "rights_untold", "the venue no longer tells what the key may do")
    elif before.state != "unknown":
        gained = [flag for flag in now.rights if flag not in before.rights]
        lost = [flag for flag in before.rights if flag not in now.rights]
        if gained:
            yield _change(now, _gained(before, now, gained), f"the key may now: {', '.join(gained)}")
        if lost:
            yield _change(now, "right_lost", f"the key may no longer: {', '.join(lost)}")
    if before.ip_restricted and now.ip_restricted is False:
        yield _change(now, "ip_restriction_lost", "the key is no longer bound to IP addresses")
    if before.ip_restricted is False and now.ip_restricted:
        yield _change(now, "ip_restriction_gained", "the key is now bound to IP addresses")
    if _moved(before.expires_at, now.expires_at):
        text = "the key no longer ends" if now.expires_at is None else f"the key now ends {_day(now.expires_at)}"
        yield _change(now, "expiry_changed", text)
    yield from _soon(before, now)


def _gained(before: Certificate, now: Certificate, gained: list[str]) -> KeyChangeCode:
    """The worst of what came: what reads only is told too, and worries nobody."""
    if not any(flag in now.excess for flag in gained):
        return "read_gained"
    return "withdraw_gained" if now.state == "can_withdraw" else "trade_gained"


def _soon(before: Certificate | None, now: Certificate) -> Iterator[KeyChange]:
    """Once, at the first look inside the last days of a key."""
    if now.expires_at is None or now.expires_at - now.checked_at > EXPIRES_SOON_MS:
        return
    if before is not None and not _moved(before.expires_at, now.expires_at):
        was_told = now.expires_at - before.checked_at <= EXPIRES_SOON_MS
        if was_told:
            return
    yield _change(now, "expires_soon", f"the key ends {_day(now.expires_at)}; make a new one before")


def _moved(before: int | None, now: int | None) -> bool:
    if before is None or now is None:
        return before is not now
    return abs(now - before) >= EXPIRY_SLACK_MS


def _change(now: Certificate, code: KeyChangeCode, text: str) -> KeyChange:
    return KeyChange(at=now.checked_at, code=code, text=text)


def _day(at: int) -> str:
    return iso(EpochMs(at))[:10]
