"""Our own CSV: one line a movement, with wallets and values, so that nothing of a transaction is lost.

The columns are those of the plain layout that is read back (docs/files.md). Lines of one transaction share `group`, the
transaction's reference; by it an import knows them again. A fee is a line of the type `fee` in the same group.
"""

from collections.abc import Iterator, Mapping

from omnifolio.exports.table import Cell
from omnifolio.model.clock import iso
from omnifolio.model.ids import AccountId, WireIds
from omnifolio.views.transactions import TransactionPage
from omnifolio.views.valuation import Money

HEADER = (
    "date", "type", "asset", "amount", "wallet", "counterparty", "hash", "id", "group", "account", "asset_id", "label", "value",
    "currency",
)  # fmt: skip

KINDS: Mapping[str, str] = {
    "staking_reward": "staking_reward",
    "interest_income": "interest",
    "income_reward": "reward",
    "distribution": "airdrop",
    "cashback": "cashback",
    "rebate": "rebate",
    "referral_bonus": "referral",
    "refund": "refund",
    "mining": "mining",
    "fork": "fork",
    "fees": "fee",
}
TYPES = frozenset({"trade", "deposit", "withdrawal", "staking", "unstaking"})


def rows(page: TransactionPage, *, ids: WireIds, accounts: Mapping[AccountId, str]) -> Iterator[tuple[Cell, ...]]:
    """Every leg of every transaction that happened, in their order."""
    for view in page.rows:
        row = view.transaction
        if row.status != "confirmed":
            continue
        number = ids.wire("transaction", row.id)
        word = row.type if row.type in TYPES else KINDS.get(row.subtype or "", "other")
        for leg in row.legs:
            token, value = page.tokens[leg.token], view.values.get(leg.key)
            yield (
                iso(row.at),
                "fee" if leg.role == "fee" else word,
                token.ticker,
                leg.amount,
                page.wallets[leg.wallet].key,
                leg.counterparty,
                row.event,
                f"{number}:{leg.key}",
                f"omnifolio:{number}",
                accounts[row.account],
                token.id,
                row.label,
                value.amount if isinstance(value, Money) else None,
                page.currency,
            )
