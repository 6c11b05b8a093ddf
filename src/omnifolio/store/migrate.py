"""Brings a database to this version's schema: a fresh one at once, an older one step by step, a newer one not at all."""

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from omnifolio.model.errors import SchemaTooNew
from omnifolio.store.schema import METADATA

REVISION = "0001"
"""The newest revision in `migrations/versions`; a test compares the two."""

_version = sa.Table("alembic_version", sa.MetaData(), sa.Column("version_num", sa.String(32), primary_key=True))


def prepare(conn: Connection) -> None:
    """Creates or upgrades every table, in the caller's transaction.

    Raises: SchemaTooNew when the database was written by a newer version.
    """
    if conn.dialect.name == "postgresql":
        # Two processes that start at once must not create the same tables: the second waits here and finds them.
        conn.execute(sa.text("SELECT pg_advisory_xact_lock(7245203)"))
    found = _revision(conn)
    if found is None:
        METADATA.create_all(conn)
        _version.create(conn)
        conn.execute(_version.insert().values(version_num=REVISION))
    elif found > REVISION:
        raise SchemaTooNew(f"the database has schema {found}; this version knows {REVISION}")
    elif found < REVISION:
        _upgrade(conn)


def _revision(conn: Connection) -> str | None:
    if not sa.inspect(conn).has_table("alembic_version"):
        return None
    return conn.execute(sa.select(_version.c.version_num)).scalar_one_or_none()


def _upgrade(conn: Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "omnifolio.store:migrations")
    config.attributes["connection"] = conn
    command.upgrade(config, REVISION)
