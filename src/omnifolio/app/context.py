"""What one process has: its database, clock, settings, keys and venues. Built once where a process starts, handed down by part.

Only `app` and `faces` see all of it; rooms below are given the one thing that they need.
"""

from collections.abc import Awaitable, Callable

from msgspec import Struct
from sqlalchemy.engine import Connection

from omnifolio.app.offer import Offers
from omnifolio.catalog.assets import Assets
from omnifolio.model.accounts import Principal
from omnifolio.model.clock import Clock
from omnifolio.model.ids import AccountId, WireIds
from omnifolio.model.settings import Settings
from omnifolio.store.engine import Store
from omnifolio.tenancy import audit
from omnifolio.tenancy.limits import ProcessLimits
from omnifolio.tenancy.tokens import TokenKeys
from omnifolio.vault.derived import derive
from omnifolio.vault.keystore import KeyStore
from omnifolio.views.market import Market

RequestSync = Callable[[Principal, AccountId], Awaitable[None]]
"""Marks an account as due now and wakes a worker. Raises: SyncInProgress, NotFound."""


class EdgeKeys(Struct, frozen=True):
    """The keys of the server's edge; none of them opens a credential."""

    pepper: bytes
    token: bytes
    audit: bytes
    fingerprint: bytes
    publication: bytes
    cursor: bytes

    def __repr__(self) -> str:
        return "EdgeKeys(***)"

    @classmethod
    def from_edge_key(cls, edge_key: bytes) -> "EdgeKeys":
        """All of them, derived from the installation's edge key."""
        return cls(
            pepper=derive(edge_key, "pepper"),
            token=derive(edge_key, "token"),
            audit=derive(edge_key, "audit"),
            fingerprint=derive(edge_key, "fingerprint"),
            publication=derive(edge_key, "publication"),
            cursor=derive(edge_key, "cursor"),
        )


class Context(Struct, frozen=True, kw_only=True):
    """One process. `key_store` is None in a process that only serves: it can seal credentials and open none."""

    store: Store
    clock: Clock
    settings: Settings
    ids: WireIds
    edge: EdgeKeys
    tokens: TokenKeys
    limits: ProcessLimits
    offers: Offers
    assets: Assets
    market: Market
    request_sync: RequestSync
    key_store: KeyStore | None = None

    def note(self, conn: Connection, principal: Principal, action: str, target: str = "") -> None:
        """Writes into the audit what the principal does, in the transaction that does it; the last call of that transaction."""
        audit.append(conn, principal, action, target, key=self.edge.audit, now=self.clock.now())
