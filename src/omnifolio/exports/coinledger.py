"""CoinLedger's universal manual import template.

Source: help.coinledger.io, "Universal Manual Import Template Guide", seen 2026-11-27: optional columns stay, empty; times in UTC.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from omnifolio.exports.movement import Movement, amount_of, ticker_of
from omnifolio.exports.table import Cell

HEADER = (
    "Date (UTC)", "Platform (Optional)", "Asset Sent", "Amount Sent", "Asset Received", "Amount Received",
    "Fee Currency (Optional)", "Fee Amount (Optional)", "Type", "Description (Optional)", "TxHash (Optional)",
)  # fmt: skip

TYPES: Mapping[str, str] = {
    "staking_reward": "Staking",
    "interest_income": "Interest",
    "income_reward": "Income",
    "distribution": "Airdrop",
    "cashback": "Income",
    "rebate": "Income",
    "referral_bonus": "Income",
    "mining": "Mining",
    "fork": "Hard Fork",
}


def rows(movement: Movement) -> Iterator[tuple[Cell, ...]]:
    """The row of a movement. A fee alone is a withdrawal, as a row needs one side."""
    sent, received, fee = movement.sides
    word = "Trade" if sent and received else "Deposit" if received else "Withdrawal"
    yield (
        datetime.fromtimestamp(movement.at // 1000, UTC).strftime("%m/%d/%Y %H:%M:%S"),
        movement.account,
        ticker_of(sent),
        amount_of(sent),
        ticker_of(received),
        amount_of(received),
        ticker_of(fee),
        amount_of(fee),
        TYPES.get(movement.subtype or "", word) if received and not sent else word,
        " ".join(filter(None, (movement.label, movement.reference))),
        movement.hash or None,
    )
