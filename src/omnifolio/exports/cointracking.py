"""CoinTracking's CSV import.

Source: cointracking.freshdesk.com, "Transaction Types", seen 2026-11-27, and the header of its custom import. Every cell is
quoted; times have no zone and are to be imported as UTC.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from omnifolio.exports.movement import Movement, amount_of, ticker_of, value_of
from omnifolio.exports.table import Cell

HEADER = (
    "Type", "Buy Amount", "Buy Currency", "Sell Amount", "Sell Currency", "Fee", "Fee Currency", "Exchange", "Trade-Group",
    "Comment", "Date", "Liquidity pool (optional)", "Tx-ID (optional)", "Buy Value in Account Currency (optional)",
    "Sell Value in Account Currency (optional)",
)  # fmt: skip

TYPES: Mapping[str, str] = {
    "staking_reward": "Staking",
    "interest_income": "Interest Income",
    "income_reward": "Reward / Bonus",
    "distribution": "Airdrop",
    "cashback": "Reward / Bonus",
    "rebate": "Reward / Bonus",
    "referral_bonus": "Reward / Bonus",
    "mining": "Mining",
    "fork": "Airdrop",
}


def rows(movement: Movement) -> Iterator[tuple[Cell, ...]]:
    """The row of a movement. A fee alone is of the type `Other Fee`."""
    sent, received, fee = movement.sides
    word = "Trade" if sent and received else "Deposit" if received else "Other Fee" if movement.is_fee else "Withdrawal"
    yield (
        TYPES.get(movement.subtype or "", word) if received and not sent else word,
        amount_of(received),
        ticker_of(received),
        amount_of(sent),
        ticker_of(sent),
        amount_of(fee),
        ticker_of(fee),
        movement.account,
        None,
        " ".join(filter(None, (movement.label, movement.reference))),
        datetime.fromtimestamp(movement.at // 1000, UTC).strftime("%Y-%m-%d %H:%M:%S"),
        None,
        movement.hash or movement.id,
        value_of(received),
        value_of(sent),
    )
