"""What is told of a key between two looks: what it gained and lost, its binding, and its end, each once."""

from msgspec.structs import replace

from omnifolio.model.accounts import Certificate
from omnifolio.model.clock import DAY_MS
from omnifolio.sync.drift import CHANGES_MAX, EXPIRES_SOON_MS, compared, is_same

NOW = 1_800_000_000_000
READING = Certificate(state="read_only", method="GET /key", checked_at=NOW, rights=("view",), ip_restricted=True)


def later(days: int = 1, **fields: object) -> Certificate:
    """The same key some days later, with other fields."""
    return replace(READING, checked_at=NOW + days * DAY_MS, **fields)


def told(before: Certificate | None, now: Certificate) -> list[str]:
    return [change.code for change in compared(before, now, is_new_key=False).changes]


def test_the_first_look_and_an_equal_one_tell_nothing() -> None:
    assert told(None, READING) == []
    assert told(READING, later()) == []
    assert is_same(READING, compared(READING, later(), is_new_key=False))


def test_what_a_key_gains_is_told_by_its_worst() -> None:
    trade = later(state="can_trade", rights=("view", "trade"), excess=("trade",))
    withdraw = later(state="can_withdraw", rights=("view", "trade", "withdraw"), excess=("trade", "withdraw"))
    assert told(READING, trade) == ["trade_gained"]
    assert told(READING, withdraw) == ["withdraw_gained"]
    assert told(READING, later(rights=("view", "history"))) == ["read_gained"]
    assert "withdraw" in compared(READING, withdraw, is_new_key=False).changes[0].text
    assert not is_same(READING, compared(READING, trade, is_new_key=False))


def test_what_a_key_loses_is_told() -> None:
    assert told(READING, later(rights=())) == ["right_lost"]
    assert told(READING, later(ip_restricted=False)) == ["ip_restriction_lost"]
    assert told(later(ip_restricted=False), later(2)) == ["ip_restriction_gained"]
    assert told(READING, later(state="unknown", rights=())) == ["rights_untold"]


def test_a_binding_that_is_no_longer_told_was_not_lost() -> None:
    assert told(READING, later(ip_restricted=None)) == []


def test_an_end_that_comes_near_is_told_once() -> None:
    ends = NOW + EXPIRES_SOON_MS + DAY_MS
    far, near, nearer = later(0, expires_at=ends), later(1, expires_at=ends), later(2, expires_at=ends)
    assert told(None, far) == []
    first = compared(far, near, is_new_key=False)
    assert [change.code for change in first.changes] == ["expires_soon"]
    assert compared(first, nearer, is_new_key=False).changes == first.changes
    assert told(None, near) == ["expires_soon"]


def test_days_that_are_counted_down_are_one_end() -> None:
    """A venue that tells whole days left names another instant every day."""
    ends = NOW + 80 * DAY_MS
    assert told(later(0, expires_at=ends), later(1, expires_at=ends + DAY_MS)) == []
    assert told(later(0, expires_at=ends), later(1, expires_at=ends + 90 * DAY_MS)) == ["expiry_changed"]
    assert told(later(0, expires_at=ends), later(1)) == ["expiry_changed"]


def test_a_new_key_is_not_compared_with_the_one_before() -> None:
    worse = later(ip_restricted=False, rights=("view", "history"))
    found = compared(READING, worse, is_new_key=True)
    assert [change.code for change in found.changes] == ["key_replaced"]
    assert [change.code for change in compared(found, later(2), is_new_key=False).changes] == [
        "key_replaced",
        "right_lost",
        "ip_restriction_gained",
    ]


def test_the_latest_changes_are_kept() -> None:
    found = READING
    for day in range(1, CHANGES_MAX + 10):
        found = compared(found, later(day, ip_restricted=bool(day % 2)), is_new_key=False)
    assert len(found.changes) == CHANGES_MAX
    assert found.changes[-1].at == NOW + (CHANGES_MAX + 9) * DAY_MS
