"""An older database comes to hold what a new one would, and none is half brought up to date."""

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection
from tests.ledger.test_pages import a_full_account

from omnifolio.ledger.claims import decode_claim
from omnifolio.model.errors import SchemaTooNew
from omnifolio.store.engine import Store
from omnifolio.store.migrate import REVISION, STEPS, prepare
from omnifolio.store.migrations import links, live, pages, positions, replica
from omnifolio.store.migrations.names import UNIQUE
from omnifolio.store.schema import METADATA

MADE = (*positions.TABLES, *links.TABLES)
TABLES = ("transactions", "legs", "crossings", "touches", "refs", "claims", *MADE)
OLD_INDEXES = (
    "CREATE INDEX ix_transactions_page ON transactions (account_id, at, id)",
    "CREATE INDEX ix_transactions_type ON transactions (account_id, type, at, id)",
    "CREATE INDEX ix_legs_token ON legs (account_id, token_id, at, transaction_id)",
    "CREATE INDEX ix_legs_wallet ON legs (wallet_id, at, transaction_id)",
)
OLD_REFS = (
    "CREATE TABLE refs (account_id BIGINT NOT NULL, ref TEXT NOT NULL, transaction_id BIGINT NOT NULL, "
    "CONSTRAINT pk_refs PRIMARY KEY (account_id, ref), CONSTRAINT fk_refs_account_id FOREIGN KEY (account_id) "
    "REFERENCES accounts (id) ON DELETE CASCADE)"
)
TEXT_INDEXES = (
    "CREATE INDEX ix_refs_transaction_id ON refs (transaction_id)",
    "CREATE INDEX ix_claims_transaction_id ON claims (transaction_id)",
    "CREATE INDEX ix_transactions_event ON transactions (user_id, event) WHERE event IS NOT NULL",
)
_STAMP = sa.text("SELECT version_num FROM alembic_version")


def make_old(conn: Connection) -> None:
    """Takes away what revision 0001 did not have."""
    without_beginnings(conn)
    without_links(conn)
    with_texts(conn)
    without_listeners(conn)
    for table in reversed(positions.TABLES):
        conn.execute(sa.text(f"DROP TABLE {table}"))
    conn.execute(sa.text("DROP TABLE touches"))
    conn.execute(sa.text(f"ALTER TABLE claims ADD COLUMN digest {'BLOB' if conn.dialect.name == 'sqlite' else 'BYTEA'}"))
    conn.execute(sa.text("DROP TABLE crossings"))
    for name in ("ix_transactions_type", "ix_legs_both"):
        conn.execute(sa.text(f"DROP INDEX {name}"))
    pair = "SELECT wallet_id, token_id FROM sums LIMIT 1"
    conn.execute(sa.text(f"DELETE FROM sums WHERE (wallet_id, token_id) IN ({pair})"))
    conn.execute(sa.text("ALTER TABLE legs DROP COLUMN type_number"))
    conn.execute(
        sa.text(
            "ALTER TABLE legs ADD COLUMN account_id BIGINT"
            if conn.dialect.name != "sqlite"
            else "ALTER TABLE legs ADD COLUMN account_id INTEGER"
        )
    )
    conn.execute(sa.text("UPDATE legs SET account_id = (SELECT account_id FROM transactions t WHERE t.id = legs.transaction_id)"))
    for statement in OLD_INDEXES:
        conn.execute(sa.text(statement))
    conn.execute(sa.text("UPDATE alembic_version SET version_num = '0001'"))


def with_texts(conn: Connection) -> None:
    """Writes names as texts, as they were before revision 0006."""
    told = conn.execute(sa.text("SELECT account_id, transaction_id, payload FROM claims")).all()
    rows = {(row[0], name, row[1]) for row in told for name in decode_claim(row[2]).refs}
    conn.execute(sa.text("DROP TABLE refs"))
    conn.execute(sa.text(OLD_REFS))
    add = sa.text("INSERT INTO refs VALUES (:account, :ref, :number)")
    conn.execute(add, [{"account": account, "ref": ref, "number": number} for account, ref, number in rows])
    if conn.dialect.name == "postgresql":
        conn.execute(sa.text(f"ALTER TABLE claims ADD CONSTRAINT {UNIQUE} UNIQUE (account_id, ref, book, origin)"))
    conn.execute(sa.text("DROP INDEX ix_claims_transaction"))
    for statement in TEXT_INDEXES:
        conn.execute(sa.text(statement))


def without_beginnings(conn: Connection) -> None:
    """Takes away what came with revision 0008."""
    for table in replica.TABLES:
        conn.execute(sa.text(f"ALTER TABLE {table} DROP COLUMN since"))
    conn.execute(sa.text(f"DROP INDEX {replica.INDEX}"))
    conn.execute(sa.text(f"CREATE INDEX {replica.OLD_INDEX} ON past (user_id, kind, since, until)"))


def without_links(conn: Connection) -> None:
    """Takes away what came with revision 0007."""
    for table in reversed(links.TABLES):
        conn.execute(sa.text(f"DROP TABLE {table}"))


def without_listeners(conn: Connection) -> None:
    """Takes away what came with revision 0005."""
    conn.execute(sa.text("DROP TABLE listeners"))
    conn.execute(sa.text(f"DROP INDEX {live.INDEX}"))
    for name in live.COLUMNS:
        conn.execute(sa.text(f"ALTER TABLE accounts DROP COLUMN {name}"))


def columns(conn: Connection) -> list[tuple[object, ...]]:
    """The columns of accounts and listeners as the database has them, and the index over both."""
    told = sa.inspect(conn)
    found: list[tuple[object, ...]] = [
        (table, column["name"], str(column["type"]), column["nullable"], column["default"])
        for table in ("accounts", "listeners")
        for column in told.get_columns(table)
    ]
    return found + [tuple(index["column_names"]) for index in told.get_indexes("accounts") if index["name"] == live.INDEX]


def contents(conn: Connection) -> tuple[object, ...]:
    """Rows and indexes of what the steps touch; of the sums, which pairs have one."""
    told = sa.inspect(conn)
    names = {index["name"] for table in TABLES for index in told.get_indexes(table)}
    columns = [(c["name"], str(c["type"]), c["nullable"]) for table in MADE for c in told.get_columns(table)]
    keys = [(key["constrained_columns"], key["options"]) for table in MADE for key in told.get_foreign_keys(table)]
    legs = conn.execute(sa.text("SELECT transaction_id, key, type_number, at FROM legs ORDER BY 1, 2")).all()
    crossed = conn.execute(sa.text("SELECT * FROM crossings ORDER BY 1, 2, 3")).all()
    touched = conn.execute(sa.text("SELECT * FROM touches ORDER BY 1, 2, 3, 4")).all()
    named = conn.execute(sa.text("SELECT * FROM refs ORDER BY 1, 2")).all()
    said = conn.execute(sa.text("SELECT id, ref, transaction_id, stream, finality, is_withdrawn FROM claims ORDER BY 1")).all()
    unique = [told.get_unique_constraints(table) for table in ("refs", "claims")]
    primary = [told.get_pk_constraint(table) for table in ("refs", "claims")]
    summed = conn.execute(sa.text("SELECT wallet_id, token_id FROM sums ORDER BY 1, 2")).all()
    names |= {column["name"] for table in ("claims", "legs", "refs") for column in told.get_columns(table)}
    names |= {str(found) for found in (unique, primary)}
    return names, columns, keys, *([tuple(row) for row in rows] for rows in (legs, crossed, touched, summed, named, said))


async def test_an_older_database_comes_to_hold_what_a_new_one_does(store: Store) -> None:
    await a_full_account(store)
    new = await store.read(contents)
    assert all(new)
    await store.write(make_old)
    await store.write(prepare)
    assert await store.read(contents) == new
    assert await store.read(lambda conn: conn.execute(_STAMP).scalar_one()) == REVISION
    await store.write(prepare)
    assert await store.read(contents) == new


async def test_an_older_database_knows_who_listens_as_a_new_one_does(store: Store) -> None:
    await a_full_account(store)
    new = await store.read(columns)
    accounts = await store.read(lambda conn: conn.execute(sa.text("SELECT id, live_owner, live_after FROM accounts")).all())
    await store.write(without_beginnings)
    await store.write(with_texts)
    await store.write(without_listeners)
    await store.write(without_links)
    await store.write(lambda conn: conn.execute(sa.text("UPDATE alembic_version SET version_num = '0004'")))
    await store.write(prepare)
    assert sorted(map(str, await store.read(columns))) == sorted(map(str, new))
    again = await store.read(lambda conn: conn.execute(sa.text("SELECT id, live_owner, live_after FROM accounts")).all())
    assert again == accounts
    assert accounts


def beginnings(conn: Connection) -> list[tuple[object, ...]]:
    """The columns that say when something began, as the database has them, and the indexes of earlier versions."""
    told = sa.inspect(conn)
    found: list[tuple[object, ...]] = [
        (table, str(column["type"]), column["nullable"], str(column["default"]))
        for table in replica.TABLES
        for column in told.get_columns(table)
        if column["name"] == "since"
    ]
    return found + [(index["name"], *index["column_names"]) for index in told.get_indexes("past")]


async def test_an_older_database_knows_when_things_began_and_finds_earlier_versions_by_their_end(store: Store) -> None:
    await a_full_account(store)
    new = await store.read(beginnings)
    assert len(new) == len(replica.TABLES) + 1
    await store.write(without_beginnings)
    await store.write(lambda conn: conn.execute(sa.text("UPDATE alembic_version SET version_num = '0007'")))
    await store.write(prepare)
    assert await store.read(beginnings) == new
    for table in replica.TABLES:
        rows = await store.read(lambda conn, name: conn.execute(sa.text(f"SELECT DISTINCT since FROM {name}")).all(), table)
        assert [tuple(row) for row in rows] in ([], [(0,)]), table


async def test_a_step_that_fails_leaves_the_older_database_as_it_was(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    await a_full_account(store)
    await store.write(make_old)

    def fail(conn: Connection) -> None:
        pages.upgrade(conn)
        raise RuntimeError("the power went")

    monkeypatch.setitem(STEPS, "0001", ("0002", fail))
    with pytest.raises(RuntimeError):
        await store.write(prepare)
    assert await store.read(lambda conn: conn.execute(_STAMP).scalar_one()) == "0001"
    assert not await store.read(lambda conn: sa.inspect(conn).has_table("crossings"))
    monkeypatch.undo()
    await store.write(prepare)
    assert all(await store.read(contents))


async def test_a_newer_database_is_refused(store: Store) -> None:
    await store.write(lambda conn: conn.execute(sa.text("UPDATE alembic_version SET version_num = '9999'")))
    with pytest.raises(SchemaTooNew, match="9999"):
        await store.write(prepare)


def test_every_step_leads_to_the_present_schema() -> None:
    assert {following for following, _ in STEPS.values()} - STEPS.keys() == {REVISION}
    assert {"crossings", "touches"} <= METADATA.tables.keys()
