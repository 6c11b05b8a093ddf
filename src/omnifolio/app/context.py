"""What one process has: its settings, clock, database, keys, way out and readers, opened in order and closed in reverse."""

from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from omnifolio.app.venues import allow_everything_known, base_urls_of, reader_for
from omnifolio.catalog import assets as asset_catalog
from omnifolio.model import amounts
from omnifolio.model.clock import Clock, SystemClock
from omnifolio.model.errors import VaultUnavailable
from omnifolio.model.ids import WireIds
from omnifolio.model.settings import Settings
from omnifolio.pricing import registry as price_registry
from omnifolio.store.engine import SqliteStore, Store, open_store
from omnifolio.store.migrate import prepare
from omnifolio.sync.credentials import Doorkeeper
from omnifolio.sync.quotes import Pricer
from omnifolio.sync.refresh import Refresher
from omnifolio.sync.worker import Workers
from omnifolio.tenancy import installation
from omnifolio.transport.egress import Egress
from omnifolio.vault import admin as vault_admin
from omnifolio.vault.derived import Purpose, derive
from omnifolio.vault.keystore import KeyStore
from omnifolio.vault.roots import FileRoot, ensure_root_key, load_edge_key


class Keys(Struct, frozen=True):
    """The edge's keys by purpose. None of them opens a credential."""

    pepper: bytes
    token: bytes
    audit: bytes
    fingerprint: bytes
    publication: bytes

    def __repr__(self) -> str:
        return "Keys(***)"


class Context:
    """Everything that a command or a server works with. Open with `open_context`, close with `close`."""

    def __init__(
        self,
        *,
        settings: Settings,
        clock: Clock,
        store: Store,
        wire: WireIds,
        installation_id: str,
        keys: Keys,
        is_new: bool,
    ) -> None:
        self.settings = settings
        self.clock = clock
        self.store = store
        self.wire = wire
        self.installation_id = installation_id
        self.keys = keys
        self.is_new = is_new
        """True when this process has just created the key file: a first start."""
        self.egress = Egress(clock=clock)
        self.base_urls: Mapping[str, str] = base_urls_of(settings)
        self.assets = asset_catalog.load()
        self.sources = price_registry.build(
            chosen=settings.price_sources,
            base_urls=settings.base_urls,
            sandbox_url=settings.sandbox_url,
            assets=self.assets,
        )
        allow_everything_known(self.egress, self.sources, self.base_urls)
        self.pricer = Pricer(store=store, clock=clock, egress=self.egress, sources=self.sources)
        self.key_store: KeyStore | None = None
        self.workers: Workers | None = None

    async def open_workers(self) -> Workers:
        """The sync workers of this process, not yet started. They alone open the key store. Raises: VaultUnavailable."""
        folder = database_folder(self.store)
        root = FileRoot(self.settings.key_path, database_folder=folder)
        self.key_store = KeyStore(self.settings.key_store_path, root, database_folder=folder)
        await self.store.write(vault_admin.publish, self.key_store, publication_key=self.keys.publication, now=self.clock.now())
        doorkeeper = Doorkeeper(
            store=self.store,
            clock=self.clock,
            egress=self.egress,
            keys=self.key_store,
            reader_for=reader_for,
            base_urls=self.base_urls,
            on_trade=self.settings.trade_permission,
        )
        refresher = Refresher(
            store=self.store,
            clock=self.clock,
            doorkeeper=doorkeeper,
            interval_ms=self.settings.sync_interval_s * 1000,
            keep_bodies=self.settings.evidence == "keep",
        )
        self.workers = Workers(
            store=self.store,
            clock=self.clock,
            refresher=refresher,
            count=self.settings.workers,
            after_round=self.pricer.refresh,
        )
        return self.workers

    async def close(self) -> None:
        """Stops the workers after their pages, then lets everything go."""
        if self.workers is not None:
            await self.workers.stop()
        await self.egress.close()
        if self.key_store is not None:
            self.key_store.close()
        await self.store.close()


async def open_context(settings: Settings, *, clock: Clock | None = None) -> Context:
    """Opens the database (creating its tables at first) and the edge's keys (creating the key file at first).

    Raises: InvalidSettings, StoreUnavailable, SchemaTooNew, VaultUnavailable.
    """
    amounts.install()
    now = clock or SystemClock()
    store = open_store(settings.database_url)
    try:
        is_new = ensure_root_key(settings.key_path, database_folder=database_folder(store))
        edge = load_edge_key(settings.key_path)
        await store.write(prepare)
        found = await store.write(installation.get_or_create)
    except BaseException:
        await store.close()
        raise
    purposes: tuple[Purpose, ...] = ("pepper", "token", "audit", "fingerprint", "publication")
    return Context(
        settings=settings,
        clock=now,
        store=store,
        wire=WireIds(found.wire_key),
        installation_id=found.id,
        keys=Keys(*(derive(edge, purpose) for purpose in purposes)),
        is_new=is_new,
    )


def database_folder(store: Store) -> Path | None:
    """The folder that a copy of the database would take along; None on PostgreSQL."""
    return store.path.parent if isinstance(store, SqliteStore) else None


def require_key_store(context: Context) -> KeyStore:
    """The open key store. Raises: VaultUnavailable in a process without workers."""
    if context.key_store is None:
        raise VaultUnavailable("this process opens no credentials: it was started without workers")
    return context.key_store
