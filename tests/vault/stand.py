"""A vault with two users and their accounts, as the tests of this room need it."""

from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from omnifolio.model.accounts import Principal
from omnifolio.model.clock import EpochMs
from omnifolio.model.ids import AccountId, TeamId, UserId
from omnifolio.model.secrets import Secret
from omnifolio.store import schema
from omnifolio.vault.admin import publish
from omnifolio.vault.derived import derive
from omnifolio.vault.keystore import KeyStore
from omnifolio.vault.roots import FileRoot, ensure_root_key

NOW = EpochMs(1_700_000_000_000)
CANARY = "canary-a81f5b07c3e94d26-canary"
CREDENTIALS = {"apiKey": Secret("public-part-of-the-key"), "secret": Secret(CANARY)}


def revealed(found: dict[str, Secret]) -> dict[str, str]:
    return {name: secret.reveal() for name, secret in found.items()}


def key_store(folder: Path) -> KeyStore:
    """The key store in `folder`, with a root key made at first."""
    path = folder / "root.key"
    ensure_root_key(path, database_folder=None)
    return KeyStore(folder / "root.store", FileRoot(path, database_folder=None), database_folder=None)


def publication_key(keys: KeyStore) -> bytes:
    assert isinstance(keys.root, FileRoot)
    return derive(keys.root.edge_key, "publication")


def start(conn: Connection, keys: KeyStore) -> str:
    """What a worker does first."""
    return publish(conn, keys, publication_key=publication_key(keys), now=NOW)


def people(conn: Connection) -> list[tuple[Principal, list[AccountId]]]:
    """Three principals with two accounts each: two users of one team, one of another."""
    found = []
    for number, client in enumerate(("one", "one", "two"), start=1):
        team = conn.execute(sa.select(schema.teams.c.id).where(schema.teams.c.client_id == client)).scalar()
        if team is None:
            values = {"client_id": client, "name": client, "created_at": 0}
            team = conn.execute(sa.insert(schema.teams).returning(schema.teams.c.id), values).scalar_one()
        user = conn.execute(
            sa.insert(schema.users).returning(schema.users.c.id), {"team_id": team, "uuid": f"uuid-{number}", "created_at": 0}
        ).scalar_one()
        accounts = [
            conn.execute(
                sa.insert(schema.accounts).returning(schema.accounts.c.id),
                {"user_id": user, "venue": venue, "fingerprint": venue.encode(), "created_at": 0, "updated_at": 0},
            ).scalar_one()
            for venue in ("kraken", "binance")
        ]
        principal = Principal(team=TeamId(team), user=UserId(user), actor="test")
        found.append((principal, [AccountId(account) for account in accounts]))
    return found
