"""Every operation as a method, once for blocking code and once for asyncio.

Made by tools/python_sdk.py from the API's description.
"""

import datetime
from abc import ABC, abstractmethod
from typing import Any, TypeVar

from omnifolio_client import models, operations
from omnifolio_client.calls import Call

T = TypeVar("T")


class Api(ABC):
    """All operations; `run` carries one out."""

    @abstractmethod
    def run(self, call: Call[T]) -> T:
        """Carries out a call."""

    def list_providers(self, *, category: str | None = None) -> list[models.Provider]:
        """List what can be connected."""
        return self.run(operations.list_providers(category=category))

    def get_provider(self, name: str) -> models.Provider:
        """Get a provider."""
        return self.run(operations.get_provider(name))

    def get_team(self, *, client_id: str | None = None) -> models.Team:
        """Get public facts of a team."""
        return self.run(operations.get_team(client_id=client_id))

    def get_health(self) -> models.Health:
        """See whether the service can answer."""
        return self.run(operations.get_health())

    def list_accounts(self, *, fiat: str | None = None, wallet: str | None = None) -> list[models.Account]:
        """List all accounts with wallets, balances and values."""
        return self.run(operations.list_accounts(fiat=fiat, wallet=wallet))

    def add_account(
        self,
        *,
        provider: str,
        credentials: dict[str, str],
        name: str | None = None,
        sync_transactions: bool | None = None,
        sync_nfts: bool | None = None,
        daily_sync: bool | None = None,
        fiat: str | None = None,
    ) -> models.Account:
        """Connect an account."""
        return self.run(
            operations.add_account(
                provider=provider,
                credentials=credentials,
                name=name,
                sync_transactions=sync_transactions,
                sync_nfts=sync_nfts,
                daily_sync=daily_sync,
                fiat=fiat,
            )
        )

    def get_account(self, account_id: str, *, fiat: str | None = None, wallet: str | None = None) -> models.Account:
        """Get an account."""
        return self.run(operations.get_account(account_id, fiat=fiat, wallet=wallet))

    def change_account(
        self,
        account_id: str,
        *,
        credentials: dict[str, str] | None = None,
        security_answer: str | None = None,
        name: str | None = None,
        fiat: str | None = None,
    ) -> models.Account:
        """Give an account new credentials, or another name."""
        return self.run(
            operations.change_account(account_id, credentials=credentials, security_answer=security_answer, name=name, fiat=fiat)
        )

    def delete_account(self, account_id: str) -> None:
        """Disconnect an account and delete everything of it."""
        return self.run(operations.delete_account(account_id))

    def sync_account(self, account_id: str, *, fiat: str | None = None) -> models.Account:
        """Ask for a sync now."""
        return self.run(operations.sync_account(account_id, fiat=fiat))

    def poll_account(self, account_id: str, *, v: int | None = None, fiat: str | None = None) -> models.Account | None:
        """Wait for a change of an account."""
        return self.run(operations.poll_account(account_id, v=v, fiat=fiat))

    def get_coverage(self, account_id: str) -> models.AccountCoverage:
        """See which parts of an account's history are complete."""
        return self.run(operations.get_coverage(account_id))

    def get_reconciliation(self, account_id: str) -> models.Reconciliation:
        """Compare an account's balances with its history, and see where they part."""
        return self.run(operations.get_reconciliation(account_id))

    def list_transactions(
        self,
        account_id: str,
        *,
        ticker: str | None = None,
        wallet: str | None = None,
        types: str | None = None,
        from_: datetime.date | None = None,
        to: datetime.date | None = None,
        last: str | None = None,
        limit: int | None = None,
        sort: str | None = None,
        exclude_fields: str | None = None,
        fiat: str | None = None,
    ) -> list[models.Transaction]:
        """List transactions, page by page."""
        return self.run(
            operations.list_transactions(
                account_id,
                ticker=ticker,
                wallet=wallet,
                types=types,
                from_=from_,
                to=to,
                last=last,
                limit=limit,
                sort=sort,
                exclude_fields=exclude_fields,
                fiat=fiat,
            )
        )

    def get_transaction(self, account_id: str, transaction_id: str, *, fiat: str | None = None) -> models.Transaction:
        """Get a transaction."""
        return self.run(operations.get_transaction(account_id, transaction_id, fiat=fiat))

    def list_orders(
        self,
        account_id: str,
        *,
        from_: datetime.date | None = None,
        to: datetime.date | None = None,
        last: str | None = None,
        limit: int | None = None,
        sort: str | None = None,
    ) -> list[models.Order]:
        """List orders, page by page."""
        return self.run(operations.list_orders(account_id, from_=from_, to=to, last=last, limit=limit, sort=sort))

    def get_order(self, account_id: str, order_id: str) -> models.Order:
        """Get an order."""
        return self.run(operations.get_order(account_id, order_id))

    def list_all_positions(self, *, fiat: str | None = None, wallet: str | None = None) -> list[models.Position]:
        """List the open positions of all accounts."""
        return self.run(operations.list_all_positions(fiat=fiat, wallet=wallet))

    def list_positions(self, account_id: str, *, fiat: str | None = None, wallet: str | None = None) -> list[models.Position]:
        """List the open positions of an account."""
        return self.run(operations.list_positions(account_id, fiat=fiat, wallet=wallet))

    def list_history(
        self,
        account_id: str,
        *,
        from_: datetime.date | None = None,
        to: datetime.date | None = None,
        wallet: str | None = None,
        fiat: str | None = None,
    ) -> list[models.History]:
        """List the value of each wallet at the end of each day."""
        return self.run(operations.list_history(account_id, from_=from_, to=to, wallet=wallet, fiat=fiat))

    def export_transactions(
        self,
        target: str,
        *,
        account: str | None = None,
        from_: datetime.date | None = None,
        to: datetime.date | None = None,
        fiat: str | None = None,
    ) -> str:
        """Export transactions as a file."""
        return self.run(operations.export_transactions(target, account=account, from_=from_, to=to, fiat=fiat))

    def list_transfers(
        self, *, state: str | None = None, before: int | None = None, limit: int | None = None
    ) -> list[models.Transfer]:
        """List transfers between the user's own wallets."""
        return self.run(operations.list_transfers(state=state, before=before, limit=limit))

    def list_decisions(self) -> list[models.Decision]:
        """List what the user has decided."""
        return self.run(operations.list_decisions())

    def put_decision(
        self,
        *,
        kind: str,
        value: str,
        transaction: str | None = None,
        other: str | None = None,
        address: str | None = None,
        asset_id: str | None = None,
        day: str | None = None,
        currency: str | None = None,
        reason: str | None = None,
    ) -> models.Decision:
        """Decide: a label, a note, a type, spam or not, a link, a price."""
        return self.run(
            operations.put_decision(
                kind=kind,
                value=value,
                transaction=transaction,
                other=other,
                address=address,
                asset_id=asset_id,
                day=day,
                currency=currency,
                reason=reason,
            )
        )

    def undo_decision(self, decision_id: str) -> None:
        """Take a decision back."""
        return self.run(operations.undo_decision(decision_id))

    def export_decisions(self) -> models.Document:
        """Get every decision as a document that can be imported."""
        return self.run(operations.export_decisions())

    def import_decisions(self, document: models.Document) -> models.Loaded:
        """Take over the decisions of a document."""
        return self.run(operations.import_decisions(document))

    def get_portfolio(self, *, fiat: str | None = None) -> models.Portfolio:
        """See what the user owns in all."""
        return self.run(operations.get_portfolio(fiat=fiat))

    def list_changes(self, *, cursor: str | None = None, limit: int | None = None, fiat: str | None = None) -> models.Changes:
        """Follow everything that changes, in order, without missing or repeating anything."""
        return self.run(operations.list_changes(cursor=cursor, limit=limit, fiat=fiat))

    def delete_user(self) -> None:
        """Delete the user with all accounts, facts and keys."""
        return self.run(operations.delete_user())

    def sync_page(self, *, cursor: str | None = None, limit: int | None = None, fiat: str | None = None) -> models.Sync:
        """Keep a copy of everything: all there is at first, then what was added, modified and removed."""
        return self.run(operations.sync_page(cursor=cursor, limit=limit, fiat=fiat))

    def get_known(self, *, seq: int | None = None) -> models.Known:
        """See the balances and positions as they were known after a change."""
        return self.run(operations.get_known(seq=seq))

    def get_openapi(self) -> dict[str, Any]:
        """Get this description."""
        return self.run(operations.get_openapi())


class AsyncApi(ABC):
    """All operations; `run` carries one out."""

    @abstractmethod
    async def run(self, call: Call[T]) -> T:
        """Carries out a call."""

    async def list_providers(self, *, category: str | None = None) -> list[models.Provider]:
        """List what can be connected."""
        return await self.run(operations.list_providers(category=category))

    async def get_provider(self, name: str) -> models.Provider:
        """Get a provider."""
        return await self.run(operations.get_provider(name))

    async def get_team(self, *, client_id: str | None = None) -> models.Team:
        """Get public facts of a team."""
        return await self.run(operations.get_team(client_id=client_id))

    async def get_health(self) -> models.Health:
        """See whether the service can answer."""
        return await self.run(operations.get_health())

    async def list_accounts(self, *, fiat: str | None = None, wallet: str | None = None) -> list[models.Account]:
        """List all accounts with wallets, balances and values."""
        return await self.run(operations.list_accounts(fiat=fiat, wallet=wallet))

    async def add_account(
        self,
        *,
        provider: str,
        credentials: dict[str, str],
        name: str | None = None,
        sync_transactions: bool | None = None,
        sync_nfts: bool | None = None,
        daily_sync: bool | None = None,
        fiat: str | None = None,
    ) -> models.Account:
        """Connect an account."""
        return await self.run(
            operations.add_account(
                provider=provider,
                credentials=credentials,
                name=name,
                sync_transactions=sync_transactions,
                sync_nfts=sync_nfts,
                daily_sync=daily_sync,
                fiat=fiat,
            )
        )

    async def get_account(self, account_id: str, *, fiat: str | None = None, wallet: str | None = None) -> models.Account:
        """Get an account."""
        return await self.run(operations.get_account(account_id, fiat=fiat, wallet=wallet))

    async def change_account(
        self,
        account_id: str,
        *,
        credentials: dict[str, str] | None = None,
        security_answer: str | None = None,
        name: str | None = None,
        fiat: str | None = None,
    ) -> models.Account:
        """Give an account new credentials, or another name."""
        return await self.run(
            operations.change_account(account_id, credentials=credentials, security_answer=security_answer, name=name, fiat=fiat)
        )

    async def delete_account(self, account_id: str) -> None:
        """Disconnect an account and delete everything of it."""
        return await self.run(operations.delete_account(account_id))

    async def sync_account(self, account_id: str, *, fiat: str | None = None) -> models.Account:
        """Ask for a sync now."""
        return await self.run(operations.sync_account(account_id, fiat=fiat))

    async def poll_account(self, account_id: str, *, v: int | None = None, fiat: str | None = None) -> models.Account | None:
        """Wait for a change of an account."""
        return await self.run(operations.poll_account(account_id, v=v, fiat=fiat))

    async def get_coverage(self, account_id: str) -> models.AccountCoverage:
        """See which parts of an account's history are complete."""
        return await self.run(operations.get_coverage(account_id))

    async def get_reconciliation(self, account_id: str) -> models.Reconciliation:
        """Compare an account's balances with its history, and see where they part."""
        return await self.run(operations.get_reconciliation(account_id))

    async def list_transactions(
        self,
        account_id: str,
        *,
        ticker: str | None = None,
        wallet: str | None = None,
        types: str | None = None,
        from_: datetime.date | None = None,
        to: datetime.date | None = None,
        last: str | None = None,
        limit: int | None = None,
        sort: str | None = None,
        exclude_fields: str | None = None,
        fiat: str | None = None,
    ) -> list[models.Transaction]:
        """List transactions, page by page."""
        return await self.run(
            operations.list_transactions(
                account_id,
                ticker=ticker,
                wallet=wallet,
                types=types,
                from_=from_,
                to=to,
                last=last,
                limit=limit,
                sort=sort,
                exclude_fields=exclude_fields,
                fiat=fiat,
            )
        )

    async def get_transaction(self, account_id: str, transaction_id: str, *, fiat: str | None = None) -> models.Transaction:
        """Get a transaction."""
        return await self.run(operations.get_transaction(account_id, transaction_id, fiat=fiat))

    async def list_orders(
        self,
        account_id: str,
        *,
        from_: datetime.date | None = None,
        to: datetime.date | None = None,
        last: str | None = None,
        limit: int | None = None,
        sort: str | None = None,
    ) -> list[models.Order]:
        """List orders, page by page."""
        return await self.run(operations.list_orders(account_id, from_=from_, to=to, last=last, limit=limit, sort=sort))

    async def get_order(self, account_id: str, order_id: str) -> models.Order:
        """Get an order."""
        return await self.run(operations.get_order(account_id, order_id))

    async def list_all_positions(self, *, fiat: str | None = None, wallet: str | None = None) -> list[models.Position]:
        """List the open positions of all accounts."""
        return await self.run(operations.list_all_positions(fiat=fiat, wallet=wallet))

    async def list_positions(
        self, account_id: str, *, fiat: str | None = None, wallet: str | None = None
    ) -> list[models.Position]:
        """List the open positions of an account."""
        return await self.run(operations.list_positions(account_id, fiat=fiat, wallet=wallet))

    async def list_history(
        self,
        account_id: str,
        *,
        from_: datetime.date | None = None,
        to: datetime.date | None = None,
        wallet: str | None = None,
        fiat: str | None = None,
    ) -> list[models.History]:
        """List the value of each wallet at the end of each day."""
        return await self.run(operations.list_history(account_id, from_=from_, to=to, wallet=wallet, fiat=fiat))

    async def export_transactions(
        self,
        target: str,
        *,
        account: str | None = None,
        from_: datetime.date | None = None,
        to: datetime.date | None = None,
        fiat: str | None = None,
    ) -> str:
        """Export transactions as a file."""
        return await self.run(operations.export_transactions(target, account=account, from_=from_, to=to, fiat=fiat))

    async def list_transfers(
        self, *, state: str | None = None, before: int | None = None, limit: int | None = None
    ) -> list[models.Transfer]:
        """List transfers between the user's own wallets."""
        return await self.run(operations.list_transfers(state=state, before=before, limit=limit))

    async def list_decisions(self) -> list[models.Decision]:
        """List what the user has decided."""
        return await self.run(operations.list_decisions())

    async def put_decision(
        self,
        *,
        kind: str,
        value: str,
        transaction: str | None = None,
        other: str | None = None,
        address: str | None = None,
        asset_id: str | None = None,
        day: str | None = None,
        currency: str | None = None,
        reason: str | None = None,
    ) -> models.Decision:
        """Decide: a label, a note, a type, spam or not, a link, a price."""
        return await self.run(
            operations.put_decision(
                kind=kind,
                value=value,
                transaction=transaction,
                other=other,
                address=address,
                asset_id=asset_id,
                day=day,
                currency=currency,
                reason=reason,
            )
        )

    async def undo_decision(self, decision_id: str) -> None:
        """Take a decision back."""
        return await self.run(operations.undo_decision(decision_id))

    async def export_decisions(self) -> models.Document:
        """Get every decision as a document that can be imported."""
        return await self.run(operations.export_decisions())

    async def import_decisions(self, document: models.Document) -> models.Loaded:
        """Take over the decisions of a document."""
        return await self.run(operations.import_decisions(document))

    async def get_portfolio(self, *, fiat: str | None = None) -> models.Portfolio:
        """See what the user owns in all."""
        return await self.run(operations.get_portfolio(fiat=fiat))

    async def list_changes(
        self, *, cursor: str | None = None, limit: int | None = None, fiat: str | None = None
    ) -> models.Changes:
        """Follow everything that changes, in order, without missing or repeating anything."""
        return await self.run(operations.list_changes(cursor=cursor, limit=limit, fiat=fiat))

    async def delete_user(self) -> None:
        """Delete the user with all accounts, facts and keys."""
        return await self.run(operations.delete_user())

    async def sync_page(self, *, cursor: str | None = None, limit: int | None = None, fiat: str | None = None) -> models.Sync:
        """Keep a copy of everything: all there is at first, then what was added, modified and removed."""
        return await self.run(operations.sync_page(cursor=cursor, limit=limit, fiat=fiat))

    async def get_known(self, *, seq: int | None = None) -> models.Known:
        """See the balances and positions as they were known after a change."""
        return await self.run(operations.get_known(seq=seq))

    async def get_openapi(self) -> dict[str, Any]:
        """Get this description."""
        return await self.run(operations.get_openapi())
