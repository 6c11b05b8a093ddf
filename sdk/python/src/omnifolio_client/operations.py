"""Every operation as a value: what to ask, and the type of the answer. A client's `send` carries it out.

Made by tools/python_sdk.py from the API's description.
"""

import datetime
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from omnifolio_client import models
from omnifolio_client.calls import Call


def list_providers(*, category: str | None = None) -> Call[list[models.Provider]]:
    """List what can be connected."""
    return Call(method="GET", path="/v1/providers", kind=list[models.Provider], query={"category": category}, needs_token=False)


def get_provider(name: str) -> Call[models.Provider]:
    """Get a provider."""
    return Call(method="GET", path=f"/v1/providers/{quote(name, safe='')}", kind=models.Provider, needs_token=False)


def get_team(*, client_id: str | None = None) -> Call[models.Team]:
    """Get public facts of a team."""
    return Call(method="GET", path="/v1/teams/info", kind=models.Team, query={"client_id": client_id}, needs_token=False)


def get_health() -> Call[models.Health]:
    """See whether the service can answer."""
    return Call(method="GET", path="/health", kind=models.Health, needs_token=False)


def list_accounts(*, fiat: str | None = None, wallet: str | None = None) -> Call[list[models.Account]]:
    """List all accounts with wallets, balances and values."""
    return Call(method="GET", path="/v1/accounts", kind=list[models.Account], query={"fiat": fiat, "wallet": wallet})


def add_account(
    *,
    provider: str,
    credentials: dict[str, str],
    name: str | None = None,
    sync_transactions: bool | None = None,
    sync_nfts: bool | None = None,
    daily_sync: bool | None = None,
    fiat: str | None = None,
) -> Call[models.Account]:
    """Connect an account."""
    return Call(
        method="POST",
        path="/v1/accounts",
        kind=models.Account,
        query={"fiat": fiat},
        body=_given(
            provider=provider,
            credentials=credentials,
            name=name,
            sync_transactions=sync_transactions,
            sync_nfts=sync_nfts,
            daily_sync=daily_sync,
        ),
    )


def get_account(account_id: str, *, fiat: str | None = None, wallet: str | None = None) -> Call[models.Account]:
    """Get an account."""
    return Call(
        method="GET",
        path=f"/v1/accounts/{quote(account_id, safe='')}",
        kind=models.Account,
        query={"fiat": fiat, "wallet": wallet},
    )


def change_account(
    account_id: str,
    *,
    credentials: dict[str, str] | None = None,
    security_answer: str | None = None,
    name: str | None = None,
    fiat: str | None = None,
) -> Call[models.Account]:
    """Give an account new credentials, or another name."""
    return Call(
        method="PUT",
        path=f"/v1/accounts/{quote(account_id, safe='')}",
        kind=models.Account,
        query={"fiat": fiat},
        body=_given(credentials=credentials, security_answer=security_answer, name=name),
    )


def delete_account(account_id: str) -> Call[None]:
    """Disconnect an account and delete everything of it."""
    return Call(method="DELETE", path=f"/v1/accounts/{quote(account_id, safe='')}", kind=None)


def sync_account(account_id: str, *, fiat: str | None = None) -> Call[models.Account]:
    """Ask for a sync now."""
    return Call(method="POST", path=f"/v1/accounts/{quote(account_id, safe='')}/sync", kind=models.Account, query={"fiat": fiat})


def poll_account(account_id: str, *, v: int | None = None, fiat: str | None = None) -> Call[models.Account | None]:
    """Wait for a change of an account."""
    return Call(
        method="GET",
        path=f"/v1/accounts/{quote(account_id, safe='')}/poll",
        kind=models.Account,
        query={"v": v, "fiat": fiat},
        timeout_s=60.0,
    )


def get_coverage(account_id: str) -> Call[models.AccountCoverage]:
    """See which parts of an account's history are complete."""
    return Call(method="GET", path=f"/v1/accounts/{quote(account_id, safe='')}/coverage", kind=models.AccountCoverage)


def get_reconciliation(account_id: str) -> Call[models.Reconciliation]:
    """Compare an account's balances with its history, and see where they part."""
    return Call(method="GET", path=f"/v1/accounts/{quote(account_id, safe='')}/reconciliation", kind=models.Reconciliation)


def list_transactions(
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
) -> Call[list[models.Transaction]]:
    """List transactions, page by page."""
    return Call(
        method="GET",
        path=f"/v1/accounts/{quote(account_id, safe='')}/transactions",
        kind=list[models.Transaction],
        query={
            "ticker": ticker,
            "wallet": wallet,
            "types": types,
            "from": from_,
            "to": to,
            "last": last,
            "limit": limit,
            "sort": sort,
            "exclude_fields": exclude_fields,
            "fiat": fiat,
        },
    )


def get_transaction(account_id: str, transaction_id: str, *, fiat: str | None = None) -> Call[models.Transaction]:
    """Get a transaction."""
    return Call(
        method="GET",
        path=f"/v1/accounts/{quote(account_id, safe='')}/transactions/{quote(transaction_id, safe='')}",
        kind=models.Transaction,
        query={"fiat": fiat},
    )


def list_orders(
    account_id: str,
    *,
    from_: datetime.date | None = None,
    to: datetime.date | None = None,
    last: str | None = None,
    limit: int | None = None,
    sort: str | None = None,
) -> Call[list[models.Order]]:
    """List orders, page by page."""
    return Call(
        method="GET",
        path=f"/v1/accounts/{quote(account_id, safe='')}/orders",
        kind=list[models.Order],
        query={"from": from_, "to": to, "last": last, "limit": limit, "sort": sort},
    )


def get_order(account_id: str, order_id: str) -> Call[models.Order]:
    """Get an order."""
    return Call(
        method="GET", path=f"/v1/accounts/{quote(account_id, safe='')}/orders/{quote(order_id, safe='')}", kind=models.Order
    )


def list_all_positions(*, fiat: str | None = None, wallet: str | None = None) -> Call[list[models.Position]]:
    """List the open positions of all accounts."""
    return Call(method="GET", path="/v1/positions", kind=list[models.Position], query={"fiat": fiat, "wallet": wallet})


def list_positions(account_id: str, *, fiat: str | None = None, wallet: str | None = None) -> Call[list[models.Position]]:
    """List the open positions of an account."""
    return Call(
        method="GET",
        path=f"/v1/accounts/{quote(account_id, safe='')}/positions",
        kind=list[models.Position],
        query={"fiat": fiat, "wallet": wallet},
    )


def list_history(
    account_id: str,
    *,
    from_: datetime.date | None = None,
    to: datetime.date | None = None,
    wallet: str | None = None,
    fiat: str | None = None,
) -> Call[list[models.History]]:
    """List the value of each wallet at the end of each day."""
    return Call(
        method="GET",
        path=f"/v1/accounts/{quote(account_id, safe='')}/history",
        kind=list[models.History],
        query={"from": from_, "to": to, "wallet": wallet, "fiat": fiat},
    )


def export_transactions(
    target: str,
    *,
    account: str | None = None,
    from_: datetime.date | None = None,
    to: datetime.date | None = None,
    fiat: str | None = None,
) -> Call[str]:
    """Export transactions as a file."""
    return Call(
        method="GET",
        path=f"/v1/exports/{quote(target, safe='')}",
        kind=str,
        query={"account": account, "from": from_, "to": to, "fiat": fiat},
    )


def list_transfers(
    *, state: str | None = None, before: int | None = None, limit: int | None = None
) -> Call[list[models.Transfer]]:
    """List transfers between the user's own wallets."""
    return Call(
        method="GET", path="/v1/transfers", kind=list[models.Transfer], query={"state": state, "before": before, "limit": limit}
    )


def list_decisions() -> Call[list[models.Decision]]:
    """List what the user has decided."""
    return Call(method="GET", path="/v1/decisions", kind=list[models.Decision])


def put_decision(
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
) -> Call[models.Decision]:
    """Decide: a label, a note, a type, spam or not, a link, a price."""
    return Call(
        method="PUT",
        path="/v1/decisions",
        kind=models.Decision,
        body=_given(
            kind=kind,
            value=value,
            transaction=transaction,
            other=other,
            address=address,
            asset_id=asset_id,
            day=day,
            currency=currency,
            reason=reason,
        ),
    )


def undo_decision(decision_id: str) -> Call[None]:
    """Take a decision back."""
    return Call(method="DELETE", path=f"/v1/decisions/{quote(decision_id, safe='')}", kind=None)


def export_decisions() -> Call[models.Document]:
    """Get every decision as a document that can be imported."""
    return Call(method="GET", path="/v1/decisions/export", kind=models.Document)


def import_decisions(document: models.Document) -> Call[models.Loaded]:
    """Take over the decisions of a document."""
    return Call(method="POST", path="/v1/decisions/import", kind=models.Loaded, body=document)


def get_portfolio(*, fiat: str | None = None) -> Call[models.Portfolio]:
    """See what the user owns in all."""
    return Call(method="GET", path="/v1/portfolio", kind=models.Portfolio, query={"fiat": fiat})


def list_changes(*, cursor: str | None = None, limit: int | None = None, fiat: str | None = None) -> Call[models.Changes]:
    """Follow everything that changes, in order, without missing or repeating anything."""
    return Call(method="GET", path="/v1/changes", kind=models.Changes, query={"cursor": cursor, "limit": limit, "fiat": fiat})


def delete_user() -> Call[None]:
    """Delete the user with all accounts, facts and keys."""
    return Call(method="DELETE", path="/v1/users/me", kind=None)


def sync_page(*, cursor: str | None = None, limit: int | None = None, fiat: str | None = None) -> Call[models.Sync]:
    """Keep a copy of everything: all there is at first, then what was added, modified and removed."""
    return Call(method="GET", path="/v1/sync", kind=models.Sync, query={"cursor": cursor, "limit": limit, "fiat": fiat})


def get_known(*, seq: int | None = None) -> Call[models.Known]:
    """See the balances and positions as they were known after a change."""
    return Call(method="GET", path="/v1/known", kind=models.Known, query={"seq": seq})


def get_openapi() -> Call[dict[str, Any]]:
    """Get this description."""
    return Call(method="GET", path="/v1/openapi.json", kind=dict[str, Any], needs_token=False)


def _given(**fields: object) -> Mapping[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}
