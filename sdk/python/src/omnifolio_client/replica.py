"""A copy of a user's books in memory, kept by the answers of `sync`; the rules are those of a copy in any database."""

import msgspec

from omnifolio_client.models import (
    Sync,
    SyncAccount,
    SyncBalances,
    SyncPositions,
    SyncRows,
    SyncWallet,
    Transaction,
)


class Replica(msgspec.Struct, kw_only=True):
    """Everything by id; wallets by account and id. `cursor` goes with it: keep both together.

    It equals the server after an answer without `has_more`.
    """

    cursor: str = ""
    accounts: dict[str, SyncAccount] = {}
    wallets: dict[tuple[str, str], SyncWallet] = {}
    balances: dict[str, SyncBalances] = {}
    positions: dict[str, SyncPositions] = {}
    transactions: dict[str, Transaction] = {}

    def apply(self, answer: Sync) -> None:
        """Takes in one answer."""
        if answer.is_reset:
            self.accounts, self.wallets, self.balances, self.positions, self.transactions = {}, {}, {}, {}, {}
        for account in answer.removed.accounts:
            self._drop(account.id)
        for transaction in answer.removed.transactions:
            self.transactions.pop(transaction.id, None)
        self._put(answer.added)
        self._put(answer.modified)
        self.cursor = answer.next_cursor

    def _put(self, rows: SyncRows) -> None:
        self.accounts.update({row.id: row for row in rows.accounts})
        self.wallets.update({(row.account, row.id): row for row in rows.wallets})
        self.balances.update({row.id: row for row in rows.balances})
        self.positions.update({row.id: row for row in rows.positions})
        self.transactions.update({row.id: row for row in rows.transactions})

    def _drop(self, account: str) -> None:
        self.accounts.pop(account, None)
        self.wallets = {key: row for key, row in self.wallets.items() if row.account != account}
        self.balances = {key: row for key, row in self.balances.items() if row.account != account}
        self.positions = {key: row for key, row in self.positions.items() if row.account != account}
        self.transactions = {key: row for key, row in self.transactions.items() if row.account != account}
