"""Koinly's universal template.

Source: support.koinly.io, "How to create a custom CSV file with your data", seen 2026-11-27: all times in UTC; labels as in
"What are labels". The reference to our transaction stands in the description.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from omnifolio.exports.movement import Movement, amount_of, ticker_of
from omnifolio.exports.table import Cell

HEADER = (
    "Date", "Sent Amount", "Sent Currency", "Received Amount", "Received Currency", "Fee Amount", "Fee Currency",
    "Net Worth Amount", "Net Worth Currency", "Label", "Description", "TxHash",
)  # fmt: skip

LABELS: Mapping[str, str] = {
    "staking_reward": "reward",
    "interest_income": "loan interest",
    "income_reward": "reward",
    "distribution": "airdrop",
    "cashback": "reward",
    "rebate": "reward",
    "referral_bonus": "reward",
    "mining": "mining",
    "fork": "fork",
    "fees": "cost",
}


def rows(movement: Movement) -> Iterator[tuple[Cell, ...]]:
    """The row of a movement. A fee alone is a sent amount with the label `cost`, as a row needs one side."""
    sent, received, fee = movement.sides
    yield (
        datetime.fromtimestamp(movement.at // 1000, UTC).strftime("%Y-%m-%d %H:%M UTC"),
        amount_of(sent),
        ticker_of(sent),
        amount_of(received),
        ticker_of(received),
        amount_of(fee),
        ticker_of(fee),
        movement.value,
        movement.currency if movement.value is not None else None,
        LABELS.get(movement.subtype or ""),
        " ".join(filter(None, (movement.account, movement.label, movement.reference))),
        movement.hash or None,
    )
