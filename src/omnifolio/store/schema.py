"""Every table, in the order in which facts reach them.

Amounts, hashes of the outside world and ids that others gave are TEXT; our own digests are BLOB; instants are epoch
milliseconds; flags are 0 or 1. Integer keys inside, because they make bulk writes and joins cheap.
"""

from typing import Any

import sqlalchemy as sa
from sqlalchemy import BigInteger, Integer, LargeBinary, Text

METADATA = sa.MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)

Int = BigInteger().with_variant(Integer, "sqlite")


def _table(name: str, *items: sa.schema.SchemaItem, clustered: bool = False, counted: bool = False) -> sa.Table:
    """`counted`: SQLite, too, never gives the id of a deleted row to a new one."""
    return sa.Table(name, METADATA, *items, sqlite_strict=True, sqlite_with_rowid=not clustered, sqlite_autoincrement=counted)


def _id() -> sa.Column[int]:
    return sa.Column("id", Int, primary_key=True, autoincrement=True)


def _col(name: str, kind: Any = Text, *, default: str | None = None) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=False, server_default=None if default is None else sa.text(default))


def _maybe(name: str, kind: Any = Text) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=True)


def _to(name: str, target: str, *, cascade: bool = True, index: bool = False, optional: bool = False) -> sa.Column[int]:
    return sa.Column(
        name,
        Int,
        sa.ForeignKey(f"{target}.id", ondelete="CASCADE" if cascade else None),
        nullable=optional,
        index=index,
    )


meta = _table("meta", sa.Column("key", Text, primary_key=True), _col("value", LargeBinary))
"""Facts of this installation: its id and the keys of its wire ids. One row each."""

counters = _table("counters", sa.Column("name", Text, primary_key=True), _col("value", Int))
"""The last id given out on SQLite (`store.numbers`); PostgreSQL has sequences."""

# Tenancy -----------------------------------------------------------------------------------------------------------

teams = _table(
    "teams",
    _id(),
    _col("client_id"),
    _col("name"),
    _col("redirect_uris", default="'[]'"),
    _col("origins", default="'[]'"),
    _col("features", default="'[]'"),
    _col("is_active", Int, default="1"),
    _col("created_at", Int),
    sa.UniqueConstraint("client_id"),
    counted=True,
)

team_secrets = _table(
    "team_secrets",
    _id(),
    _to("team_id", "teams", index=True),
    _col("digest", LargeBinary),
    _col("hint"),
    _col("created_at", Int),
    _maybe("expires_at", Int),
    _maybe("last_used_at", Int),
    counted=True,
)

users = _table(
    "users",
    _id(),
    _to("team_id", "teams", index=True),
    _col("uuid"),
    _maybe("login_digest", LargeBinary),
    _col("seq", Int, default="0"),
    _col("horizon", Int, default="0"),
    _col("token_epoch", Int, default="0"),
    _col("created_at", Int),
    sa.UniqueConstraint("uuid"),
    sa.UniqueConstraint("team_id", "login_digest"),
    counted=True,
)
"""`seq` is the counter of the user's change log; `horizon` the highest sequence whose tombstones were dropped."""

audit = _table(
    "audit",
    _id(),
    _to("team_id", "teams", cascade=False, optional=True),
    _maybe("user_uuid"),
    _col("actor"),
    _col("action"),
    _col("target", default="''"),
    _col("at", Int),
    _col("digest", LargeBinary),
    sa.Index("ix_audit_chain", "team_id", "id"),
    counted=True,
)
"""`digest` chains every row to the one of the same team before it; no team means the installation itself."""

# Accounts ----------------------------------------------------------------------------------------------------------

accounts = _table(
    "accounts",
    _id(),
    _to("user_id", "users", index=True),
    _col("venue"),
    _maybe("name"),
    _col("fields", default="'{}'"),
    _col("fingerprint", LargeBinary),
    _col("key_hint", default="''"),
    _col("options", default="'{}'"),
    _col("status", default="'syncing'"),
    _col("progress", default="'{}'"),
    _maybe("error_code"),
    _maybe("error_text"),
    _maybe("certificate"),
    _col("created_at", Int),
    _col("updated_at", Int),
    _col("seq", Int, default="0"),
    _col("since", Int, default="0"),
    _col("is_deleted", Int, default="0"),
    _col("calls", Int, default="0"),
    _maybe("synced_at", Int),
    _maybe("round_at", Int),
    _maybe("scanned_at", Int),
    _col("failures", Int, default="0"),
    _maybe("next_sync_at", Int),
    _col("fence", Int, default="0"),
    _col("lease_owner", default="''"),
    _col("lease_until", Int, default="0"),
    _col("live_owner", default="''"),
    _maybe("live_since", Int),
    _maybe("live_heard_at", Int),
    _maybe("live_problem"),
    _col("live_after", Int, default="0"),
    sa.UniqueConstraint("user_id", "fingerprint"),
    sa.Index("ix_accounts_due", "next_sync_at"),
    sa.Index("ix_accounts_live", "live_owner", "venue"),
    counted=True,
)
"""`since` is the sequence of the link itself, `seq` that of the last change.
`fields` public link fields (JSON); `fingerprint` keyed hash of the credential or address, so one user cannot link one twice;
`progress` {wallets, balances, transactions} → status; `round_at` when the sync under way began (null between syncs);
`scanned_at` when history was last read, null once a balance has moved since; `failures` rounds in a row that failed; `fence`
rises with each lease and is checked by every commit. `live_owner` names the process that listens to the account's private stream
("" for nobody), `live_since` says since when it is heard, `live_after` when it may be tried again after `live_problem`."""

listeners = _table("listeners", sa.Column("name", Text, primary_key=True), _col("until", Int))
"""The processes that listen to private streams, and until when each is believed to live."""

secrets = _table(
    "secrets",
    sa.Column("account_id", Int, sa.ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    _col("version", Int),
    _col("record", LargeBinary),
    _col("created_at", Int),
)
"""The credential of an account, sealed under its user's key."""

intake = _table(
    "intake",
    _id(),
    _to("account_id", "accounts", index=True),
    _col("box", LargeBinary),
    _col("created_at", Int),
    counted=True,
)
"""Credentials sealed to the installation's public key, until a worker has taken them in."""

wallets = _table(
    "wallets",
    _id(),
    _to("account_id", "accounts"),
    _col("key"),
    _col("name"),
    _maybe("address"),
    _col("since", Int, default="0"),
    sa.UniqueConstraint("account_id", "key"),
)
"""`since` is the sequence of the commit that first named the wallet; 0 where that was not kept yet. A wallet never changes."""

tokens = _table(
    "tokens",
    _id(),
    _col("token"),
    _col("ticker"),
    _col("name", default="''"),
    _col("kind", default="'crypto'"),
    _maybe("decimals", Int),
    sa.UniqueConstraint("token"),
    sa.Index("ix_tokens_ticker", "ticker"),
)

# What readers said -------------------------------------------------------------------------------------------------

cursors = _table(
    "cursors",
    sa.Column("account_id", Int, sa.ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    sa.Column("stream", Text, primary_key=True),
    _col("token"),
    _col("updated_at", Int),
    _maybe("done_at", Int),
    clustered=True,
)
"""`done_at` when the stream last reached the present."""

coverage = _table(
    "coverage",
    sa.Column("account_id", Int, sa.ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    sa.Column("stream", Text, primary_key=True),
    sa.Column("start", Int, primary_key=True, autoincrement=False),
    _col("end", Int),
    clustered=True,
)

gaps = _table(
    "gaps",
    _id(),
    _to("account_id", "accounts", index=True),
    _col("stream"),
    _col("code"),
    _col("text"),
    _maybe("start", Int),
    _maybe("end", Int),
    _col("is_failure", Int, default="0"),
    _col("opened_at", Int),
    _col("seq", Int),
)
"""A failure's gap closes when its stream is read again; a reader's own gap stays until the reader no longer states it."""

evidence = _table(
    "evidence",
    _id(),
    _to("account_id", "accounts", index=True),
    _col("page", Int),
    _col("stream"),
    _col("request"),
    _col("params"),
    _col("status", Int),
    _col("received_at", Int),
    _col("digest", LargeBinary),
    _maybe("body", LargeBinary),
    _col("seq", Int),
)
"""`page` is the id of the first evidence of its batch: the answers that were decoded together. `body` is compressed; null
where only the hash is kept."""

claims = _table(
    "claims",
    _id(),
    _to("account_id", "accounts"),
    _col("origin"),
    _col("book"),
    _col("ref"),
    _col("transaction_id", Int),
    _col("stream"),
    _col("payload", LargeBinary),
    _maybe("evidence_id", Int),
    _maybe("height", Int),
    _col("finality"),
    _col("is_withdrawn", Int, default="0"),
    sa.Index("ix_claims_transaction", "account_id", "transaction_id"),
    sa.Index(
        "ix_claims_unsettled",
        "account_id",
        "stream",
        sqlite_where=sa.text("finality <> 'final'"),
        postgresql_where=sa.text("finality <> 'final'"),
    ),
)
"""What one source said of one event, encoded; a transaction is the fold of its claims. `ref`, `book` and `origin` together name a
claim within its account once: they stand among the `refs`."""

refs = _table(
    "refs",
    sa.Column("account_id", Int, sa.ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    sa.Column("key", Text, primary_key=True),
    _col("transaction_id", Int),
    clustered=True,
)
"""Every name under which an event was seen, and what identifies its claims, long ones as digests (`ledger.names`). Rows are never
deleted while the account lives, so ids survive any re-sync; where a transaction merged into another, its names follow
`merged_into`."""

# What the ledger concluded -----------------------------------------------------------------------------------------

transactions = _table(
    "transactions",
    _id(),
    _to("account_id", "accounts"),
    _col("user_id", Int),
    _col("seq", Int),
    _col("since", Int),
    _col("state", default="'live'"),
    _maybe("merged_into", Int),
    _col("at", Int),
    _col("type"),
    _maybe("subtype"),
    _col("status"),
    _col("name"),
    _col("label"),
    _maybe("event"),
    _maybe("confirmed_at", Int),
    _maybe("height", Int),
    _col("finality"),
    sa.Index("ix_transactions_type", "account_id", "state", "type", "at", "id"),
    sa.Index("ix_transactions_feed", "user_id", "seq", "id"),
)
"""`state` live · merged (see `merged_into`) · gone. `since` is the sequence at which this version began."""

legs = _table(
    "legs",
    sa.Column(
        "transaction_id",
        Int,
        sa.ForeignKey("transactions.id", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    ),
    sa.Column("key", Text, primary_key=True),
    _col("wallet_id", Int),
    _col("token_id", Int),
    _col("amount"),
    _col("role"),
    _maybe("counterparty"),
    _col("type_number", Int),
    _col("at", Int),
    sa.Index("ix_legs_both", "wallet_id", "token_id", "type_number", "at", "transaction_id"),
    clustered=True,
)
"""`type_number` and `at` are the transaction's: the type as its place among the eight, the instant. With them every filter of a
page is a few ranges of one index, whatever is asked together."""

touches = _table(
    "touches",
    sa.Column("wallet_id", Int, sa.ForeignKey("wallets.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    sa.Column("type_number", Int, primary_key=True, autoincrement=False),
    sa.Column("at", Int, primary_key=True, autoincrement=False),
    sa.Column("transaction_id", Int, primary_key=True, autoincrement=False),
    clustered=True,
)
"""Which transactions touch a wallet, in the order of its pages: one row for each of them, however many legs it has there."""

crossings = _table(
    "crossings",
    sa.Column(
        "transaction_id",
        Int,
        sa.ForeignKey("transactions.id", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    ),
    sa.Column("wallet_id", Int, primary_key=True, autoincrement=False),
    sa.Column("token_id", Int, primary_key=True, autoincrement=False),
    _col("type_number", Int),
    _col("at", Int),
    sa.Index("ix_crossings_both", "wallet_id", "token_id", "type_number", "at", "transaction_id"),
    clustered=True,
)
"""A wallet and a token that one transaction moves, but no leg of it together: what `ix_legs_both` lacks. Few transactions touch
two wallets."""

sums = _table(
    "sums",
    sa.Column("wallet_id", Int, sa.ForeignKey("wallets.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    sa.Column("token_id", Int, primary_key=True, autoincrement=False),
    _col("amount"),
    clustered=True,
)
"""The sum of all legs of live transactions, kept by `commit`: reconciliation compares it with the observed balance."""

ends = _table(
    "ends",
    sa.Column(
        "transaction_id", Int, sa.ForeignKey("transactions.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    ),
    sa.Column("key", Text, primary_key=True),
    _col("user_id", Int),
    _col("account_id", Int),
    _col("wallet_id", Int),
    _col("token_id", Int),
    _col("amount"),
    _col("fee"),
    _col("at", Int),
    _maybe("event"),
    _maybe("party"),
    _maybe("mask"),
    _col("name"),
    sa.Index("ix_ends_time", "user_id", "at", "wallet_id", "token_id"),
    sa.Index("ix_ends_event", "user_id", "event", sqlite_where=sa.text("event IS NOT NULL"),
             postgresql_where=sa.text("event IS NOT NULL")),
    sa.Index("ix_ends_mask", "user_id", "mask", sqlite_where=sa.text("mask IS NOT NULL"),
             postgresql_where=sa.text("mask IS NOT NULL")),
    clustered=True,
)  # fmt: skip
"""The legs of live deposits and withdrawals that may be one side of a transfer between the user's own wallets. `fee` is what the
transaction paid in that token; `event` and `party` are written as they are compared, `mask` is the party's first and last
characters."""

links = _table(
    "links",
    sa.Column("source_id", Int, sa.ForeignKey("transactions.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    sa.Column("source_key", Text, primary_key=True),
    sa.Column("target_id", Int, sa.ForeignKey("transactions.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    sa.Column("target_key", Text, primary_key=True),
    _col("user_id", Int),
    _col("state"),
    _col("evidence"),
    _col("confidence", Int),
    _col("at", Int),
    _col("seq", Int),
    sa.Index("ix_links_target", "target_id"),
    sa.Index("ix_links_page", "user_id", "state", "at"),
    clustered=True,
)
"""Which leg left and which arrived as one transfer, concluded from `ends` alone (`ledger.links`): state linked, or offered to be
confirmed. `evidence` are words separated by spaces, `confidence` is in thousandths, `at` when the source left."""

linking = _table(
    "linking",
    sa.Column("user_id", Int, sa.ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    _col("digest", LargeBinary),
)
"""Under which reviewed assets and rules a user's links were concluded; under others they are concluded anew."""

snapshots = _table(
    "snapshots",
    sa.Column("wallet_id", Int, sa.ForeignKey("wallets.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    sa.Column("product", Text, primary_key=True),
    _col("first_seen", Int),
    _col("last_seen", Int),
    _col("seq", Int),
    _maybe("suspect", LargeBinary),
    _maybe("suspect_since", Int),
    _col("since", Int, default="0"),
    clustered=True,
)
"""One row per (wallet, product): an unchanged re-read moves `last_seen` and nothing else. `since` is the sequence of the first
look, `seq` that of the last change. `suspect` holds an observation that
the guard has not accepted yet."""

observations = _table(
    "observations",
    _id(),
    _to("wallet_id", "wallets"),
    _col("product"),
    _col("token_id", Int),
    _col("amount"),
    _col("first_seen", Int),
    _maybe("last_seen", Int),
    _col("since", Int),
    _maybe("until", Int),
    _maybe("evidence_id", Int),
    sa.Index("ix_observations_current", "wallet_id", "product", sqlite_where=sa.text("until IS NULL"),
             postgresql_where=sa.text("until IS NULL")),
    sa.Index("ix_observations_time", "wallet_id", "first_seen"),
)  # fmt: skip
"""Observed amounts as intervals. `since`/`until` are sequences, `first_seen`/`last_seen` instants; open ones have no end."""

position_snapshots = _table(
    "position_snapshots",
    sa.Column("wallet_id", Int, sa.ForeignKey("wallets.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    sa.Column("scope", Text, primary_key=True),
    _col("first_seen", Int),
    _col("last_seen", Int),
    _col("seq", Int),
    _col("since", Int, default="0"),
    clustered=True,
)
"""One row per (wallet, scope): an unchanged re-read moves `last_seen` and nothing else. `since` and `seq` as for balances."""

positions = _table(
    "positions",
    _id(),
    _to("wallet_id", "wallets"),
    _col("scope"),
    _col("key"),
    _col("payload", LargeBinary),
    _col("first_seen", Int),
    _maybe("last_seen", Int),
    _col("since", Int),
    _maybe("until", Int),
    _maybe("evidence_id", Int),
    sa.Index("ix_positions_current", "wallet_id", "scope", sqlite_where=sa.text("until IS NULL"),
             postgresql_where=sa.text("until IS NULL")),
    sa.Index("ix_positions_time", "wallet_id", "first_seen"),
)  # fmt: skip
"""Positions as intervals, each encoded whole; `since`/`until` are sequences, `first_seen`/`last_seen` instants."""

position_tokens = _table(
    "position_tokens",
    sa.Column("position_id", Int, sa.ForeignKey("positions.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    sa.Column("token_id", Int, primary_key=True, autoincrement=False),
    clustered=True,
)
"""The tokens in which open positions have their worth, so that their prices are asked for."""

past = _table(
    "past",
    _id(),
    _to("user_id", "users"),
    _col("kind"),
    _col("fact_id", Int),
    _col("since", Int),
    _col("until", Int),
    _col("payload", LargeBinary),
    sa.Index("ix_past_until", "user_id", "kind", "until"),
)
"""Earlier versions of facts, with the sequences between which they held. Ordered by their end: what was replaced after a recent
sequence is few rows."""

commits = _table(
    "commits",
    sa.Column("user_id", Int, sa.ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    sa.Column("seq", Int, primary_key=True, autoincrement=False),
    _col("at", Int),
    _maybe("account_id", Int),
    clustered=True,
)

orders = _table(
    "orders",
    _id(),
    _to("account_id", "accounts"),
    _col("ref"),
    _col("created_at", Int),
    _col("seq", Int),
    _col("payload", LargeBinary),
    sa.UniqueConstraint("account_id", "ref"),
    sa.Index("ix_orders_page", "account_id", "created_at", "id"),
)

overlays = _table(
    "overlays",
    _id(),
    _to("user_id", "users", index=True),
    _col("kind"),
    _col("target"),
    _col("value"),
    _col("author"),
    _col("reason", default="''"),
    _col("at", Int),
    _col("seq", Int),
    sa.UniqueConstraint("user_id", "kind", "target"),
)
"""What a person decided; never mixed into facts. `target` is a transaction id, token id or wallet id by `kind`."""

# Prices ------------------------------------------------------------------------------------------------------------

quotes = _table(
    "quotes",
    sa.Column("token_id", Int, primary_key=True, autoincrement=False),
    sa.Column("currency", Text, primary_key=True),
    sa.Column("resolution", Int, primary_key=True, autoincrement=False),
    sa.Column("bucket", Int, primary_key=True, autoincrement=False),
    _maybe("price"),
    _col("source"),
    _col("route", default="''"),
    _col("reason", default="''"),
    _col("observed_at", Int),
    sa.Index("ix_quotes_retry", "reason", "observed_at",
             sqlite_where=sa.text("reason IN ('source_failed', 'no_source', 'spike')"),
             postgresql_where=sa.text("reason IN ('source_failed', 'no_source', 'spike')")),
    clustered=True,
)  # fmt: skip
"""A null `price` is a known absence with its `reason`, so that nobody asks again at once; a price with a reason is not believed
and enters no value."""

rates = _table(
    "rates",
    sa.Column("currency", Text, primary_key=True),
    sa.Column("day", Int, primary_key=True, autoincrement=False),
    _col("rate"),
    _col("source"),
    _col("observed_at", Int),
    clustered=True,
)
"""Units of `currency` for one euro on a UTC day (the day's first millisecond)."""

price_state = _table(
    "price_state",
    sa.Column("key", Text, primary_key=True),
    _col("version", Int),
)
"""A counter that rises with every change of quotes or rates, so that readers know when a valuation is stale."""

rate_limits = _table("rate_limits", sa.Column("key", Text, primary_key=True), _col("tat", Int))
"""One row per limited key (GCRA): the theoretical arrival time in microseconds."""
