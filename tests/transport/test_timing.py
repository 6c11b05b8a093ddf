"""Nonces only grow, and clock offsets are learnt within reason."""

from omnifolio.model.clock import EpochMs
from omnifolio.transport.timing import OFFSET_MAX_MS, Timing


def test_a_nonce_is_greater_than_the_last_one_even_if_the_clock_goes_back() -> None:
    timing = Timing()
    given = [timing.nonce_us("kraken", "k", now_ms=now) for now in (1000, 1000, 1001, 500, 2000)]
    assert given == [1_000_000, 1_000_001, 1_001_000, 1_001_001, 2_000_000]
    assert timing.nonce_us("kraken", "other", now_ms=1) == 1000


def test_offsets_are_learnt_by_venue() -> None:
    timing = Timing()
    timing.learn("kraken", theirs=EpochMs(5_000), ours=EpochMs(2_000))
    assert (timing.offset_ms("kraken"), timing.offset_ms("binance")) == (3_000, 0)


def test_an_absurd_time_is_not_believed() -> None:
    timing = Timing()
    timing.learn("kraken", theirs=EpochMs(OFFSET_MAX_MS + 1), ours=EpochMs(0))
    assert timing.offset_ms("kraken") == 0


def test_a_key_has_one_turn() -> None:
    timing = Timing()
    assert timing.turn("kraken", "k") is timing.turn("kraken", "k")
    assert timing.turn("kraken", "k") is not timing.turn("kraken", "j")
