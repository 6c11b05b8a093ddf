"""CoinTracker's CSV.

Source: support.cointracker.io, "Convert your transaction history to CoinTracker CSV" and "Transaction category definitions", seen
2026-11-27: every column, in these words; times without a zone are UTC there. There is no column for a description or hash.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from omnifolio.exports.movement import Movement, amount_of, ticker_of
from omnifolio.exports.table import Cell

HEADER = (
    "Date", "Received Quantity", "Received Currency", "Sent Quantity", "Sent Currency", "Fee Amount", "Fee Currency", "Tag",
)  # fmt: skip

TAGS: Mapping[str, str] = {
    "staking_reward": "staking",
    "distribution": "airdrop",
    "mining": "mined",
    "fork": "fork",
}


def rows(movement: Movement) -> Iterator[tuple[Cell, ...]]:
    """The row of a movement. A fee alone is a sent amount, as a row needs one side."""
    sent, received, fee = movement.sides
    yield (
        datetime.fromtimestamp(movement.at // 1000, UTC).strftime("%m/%d/%Y %H:%M:%S"),
        amount_of(received),
        ticker_of(received),
        amount_of(sent),
        ticker_of(sent),
        amount_of(fee),
        ticker_of(fee),
        TAGS.get(movement.subtype or ""),
    )
