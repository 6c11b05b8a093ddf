"""What reads otherwise although none of its facts changed: transactions and accounts take the sequence at which they do.

So the change log tells them again, and who keeps an answer knows that it is old. Versions of facts are not touched: what was
known at a sequence stays what it was.
"""

from collections.abc import Iterable

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from omnifolio.model.ids import TransactionId, UserId
from omnifolio.store.lists import any_of
from omnifolio.store.schema import accounts, legs, snapshots, tokens, transactions, wallets

_user: sa.BindParameter[int] = sa.bindparam("user")
_seq: sa.BindParameter[int] = sa.bindparam("seq_")
_transactions = (
    sa.update(transactions)
    .where(any_of(transactions.c.id, "ids"), transactions.c.user_id == _user, transactions.c.seq < _seq)
    .values(seq=_seq)
)
_their_accounts = (
    sa.update(accounts)
    .where(
        accounts.c.user_id == _user,
        accounts.c.seq < _seq,
        accounts.c.id.in_(sa.select(transactions.c.account_id).where(any_of(transactions.c.id, "ids"))),
    )
    .values(seq=_seq)
)
_accounts = (
    sa.update(accounts).where(accounts.c.user_id == _user, accounts.c.is_deleted == 0, accounts.c.seq < _seq).values(seq=_seq)
)
_balances = (
    sa.update(snapshots)
    .where(
        snapshots.c.seq < _seq,
        snapshots.c.wallet_id.in_(
            sa.select(wallets.c.id).where(
                wallets.c.account_id.in_(sa.select(accounts.c.id).where(accounts.c.user_id == _user, accounts.c.is_deleted == 0))
            )
        ),
    )
    .values(seq=_seq)
)
_with_token = (
    sa.select(legs.c.transaction_id)
    .distinct()
    .join(wallets, wallets.c.id == legs.c.wallet_id)
    .join(accounts, accounts.c.id == wallets.c.account_id)
    .join(tokens, tokens.c.id == legs.c.token_id)
    .where(accounts.c.user_id == _user, tokens.c.token == sa.bindparam("token"))
)
_with_party = (
    sa.select(legs.c.transaction_id)
    .distinct()
    .join(wallets, wallets.c.id == legs.c.wallet_id)
    .join(accounts, accounts.c.id == wallets.c.account_id)
    .where(accounts.c.user_id == _user, legs.c.counterparty == sa.bindparam("party"))
)


def mark_transactions(conn: Connection, user: UserId, numbers: Iterable[int], seq: int) -> None:
    """These transactions of the user, and their accounts, are told again in the change log."""
    values = {"user": user, "ids": sorted(set(numbers)), "seq_": seq}
    if values["ids"]:
        conn.execute(_transactions, values)
        conn.execute(_their_accounts, values)


def mark_accounts(conn: Connection, user: UserId, seq: int) -> None:
    """Every account of the user, and all its balances, are told again in the change log."""
    conn.execute(_accounts, {"user": user, "seq_": seq})
    conn.execute(_balances, {"user": user, "seq_": seq})


def with_party(conn: Connection, user: UserId, address: str) -> list[TransactionId]:
    """The user's transactions with somebody at an address. Reads all legs of the user: for what a person does, not a sync."""
    return [TransactionId(row[0]) for row in conn.execute(_with_party, {"user": user, "party": address})]


def with_token(conn: Connection, user: UserId, token: str) -> list[TransactionId]:
    """The user's transactions that move a token, by its id."""
    return [TransactionId(row[0]) for row in conn.execute(_with_token, {"user": user, "token": token})]
