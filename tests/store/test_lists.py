"""One parameter for many values, in a form that the databases' indexes understand."""

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from omnifolio.store.engine import Store
from omnifolio.store.lists import any_of
from omnifolio.store.schema import refs, tokens

WANTED = sa.select(tokens.c.token).where(tokens.c.kind == "crypto", any_of(tokens.c.token, "wanted")).order_by(tokens.c.token)


async def test_any_of_finds_the_rows_with_one_of_the_values(store: Store) -> None:
    def op(conn: Connection) -> list[str]:
        conn.execute(sa.insert(tokens), [{"token": name, "ticker": name} for name in "abc"])
        return [row[0] for row in conn.execute(WANTED, {"wanted": ["a", "c", "z"]})]

    assert await store.write(op) == ["a", "c"]
    either = sa.select(tokens.c.token).where(sa.or_(tokens.c.token == "b", ~any_of(tokens.c.token, "wanted")))
    assert (await store.read(lambda conn: conn.execute(either, {"wanted": ["a", "b", "c"]}).all())) == [("b",)]


async def test_a_list_of_names_is_looked_up_in_the_index_and_not_by_reading_the_account(store: Store) -> None:
    statement = sa.select(refs.c.transaction_id).where(refs.c.account_id == 1, any_of(refs.c.key, "keys"))

    def op(conn: Connection) -> str:
        text = str(statement.compile(dialect=conn.dialect))
        if conn.dialect.name == "sqlite":
            plan = conn.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}", (1, '["x"]'))
        else:
            conn.exec_driver_sql("SET LOCAL enable_seqscan = off")
            asked = "SELECT transaction_id FROM refs WHERE account_id = 1 AND key = ANY (ARRAY['x'])"
            plan = conn.execute(sa.text(f"EXPLAIN {asked}"))
        return "\n".join(str(row) for row in plan)

    plan = await store.read(op)
    assert "account_id=? AND key=?" in plan or "key = ANY" in plan.partition("Index Cond")[2]
