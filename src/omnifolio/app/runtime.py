"""A process, opened in order and closed in reverse: database, keys, way out, prices, and workers where there are any."""

from pathlib import Path

from sqlalchemy.engine import Connection

from omnifolio.app.context import Context, EdgeKeys
from omnifolio.app.link import mark_due
from omnifolio.app.offers import Offers, all_offers
from omnifolio.app.way_out import base_urls_of, open_way_out
from omnifolio.catalog import assets as asset_catalog
from omnifolio.model import amounts
from omnifolio.model.accounts import Principal
from omnifolio.model.clock import Clock, SystemClock
from omnifolio.model.ids import AccountId, WireIds
from omnifolio.model.settings import Settings
from omnifolio.pricing import registry as price_registry
from omnifolio.store.engine import SqliteStore, Store, open_store
from omnifolio.store.migrate import prepare
from omnifolio.sync.credentials import Doorkeeper
from omnifolio.sync.quotes import Refreshed, refresh_quotes
from omnifolio.sync.refresh import Refresher
from omnifolio.sync.worker import Workers
from omnifolio.tenancy import installation
from omnifolio.tenancy.principals import operator
from omnifolio.tenancy.tokens import TokenKeys
from omnifolio.transport.egress import Egress
from omnifolio.vault import admin as vault_admin
from omnifolio.vault.keystore import KeyStore
from omnifolio.vault.roots import FileRoot, ensure_root_key, load_edge_key
from omnifolio.venues.registry import reader_for
from omnifolio.views.market import Market

PRICE_RUNS_MAX = 40
"""Runs of `bring_prices` at the most, each of which is bounded itself."""


class Runtime:
    """What one process has opened. Open with `open_runtime`, close with `close`."""

    def __init__(
        self,
        context: Context,
        *,
        egress: Egress,
        sources: price_registry.Sources,
        workers: Workers | None,
        made_key: bool,
    ) -> None:
        self.context = context
        self.egress = egress
        self.sources = sources
        self.workers = workers
        self.made_key = made_key
        """True when this process has just created the key file: a first start."""

    async def bring_prices(self) -> Refreshed:
        """Asks for every price that is missing, until nothing more can be asked now."""
        context = self.context
        for _ in range(PRICE_RUNS_MAX):
            done = await refresh_quotes(context.store, self.sources, self.egress, context.clock)
            if not done.more:
                break
        return done

    async def close(self) -> None:
        """Stops the workers after their pages, then lets everything go."""
        if self.workers is not None:
            await self.workers.stop()
        await self.egress.close()
        if self.context.key_store is not None:
            self.context.key_store.close()
        await self.context.store.close()


async def open_runtime(settings: Settings, *, with_workers: bool, clock: Clock | None = None) -> Runtime:
    """Opens the database (creating its tables at first) and the keys (creating the key file at first).

    Without workers the key store stays closed: such a process can seal credentials and open none.
    Raises: InvalidSettings, StoreUnavailable, SchemaTooNew, VaultUnavailable.
    """
    amounts.install()
    time = clock or SystemClock()
    store = open_store(settings.database_url)
    try:
        return await _open(settings, store, time, with_workers=with_workers)
    except BaseException:
        await store.close()
        raise


async def _open(settings: Settings, store: Store, clock: Clock, *, with_workers: bool) -> Runtime:
    folder = database_folder(store)
    made_key = ensure_root_key(settings.key_path, database_folder=folder)
    edge = EdgeKeys.from_edge_key(load_edge_key(settings.key_path))
    await store.write(prepare)
    found = await store.write(installation.ensure, operator("start"))
    assets = asset_catalog.load()
    sources = price_registry.build(
        chosen=settings.price_sources, base_urls=settings.base_urls, sandbox_url=settings.sandbox_url, assets=assets
    )
    egress = Egress(clock=clock)
    open_way_out(egress, settings, sources)
    keys = await _open_keys(settings, store, edge, clock, folder) if with_workers else None
    holder: list[Runtime] = []

    async def request_sync(principal: Principal, account: AccountId) -> None:
        await store.write(mark_due, principal, account, now=clock.now())
        if holder and holder[0].workers is not None:
            holder[0].workers.wake()

    context = Context(
        store=store,
        clock=clock,
        settings=settings,
        ids=WireIds(found.wire_key),
        edge=edge,
        tokens=TokenKeys(found.id, edge.token),
        offers=Offers(all_offers(is_sandbox=bool(settings.sandbox_url))),
        assets=assets,
        market=Market(),
        request_sync=request_sync,
        key_store=keys,
    )
    runtime = Runtime(context, egress=egress, sources=sources, workers=None, made_key=made_key)
    if keys is not None:
        runtime.workers = _workers(runtime, keys)
    holder.append(runtime)
    return runtime


async def _open_keys(
    settings: Settings, store: Store, edge: EdgeKeys, clock: Clock, folder: Path | None
) -> KeyStore:
    keys = KeyStore(settings.key_store_path, FileRoot(settings.key_path, database_folder=folder), database_folder=folder)

    def publish(conn: Connection) -> None:
        vault_admin.publish(conn, keys, publication_key=edge.publication, now=clock.now())

    await store.write(publish)
    return keys


def _workers(runtime: Runtime, keys: KeyStore) -> Workers:
    context, settings = runtime.context, runtime.context.settings
    doorkeeper = Doorkeeper(
        store=context.store,
        clock=context.clock,
        egress=runtime.egress,
        keys=keys,
        reader_for=reader_for,
        base_urls=base_urls_of(settings),
        on_trade=settings.trade_permission,
    )
    refresher = Refresher(
        store=context.store,
        clock=context.clock,
        doorkeeper=doorkeeper,
        interval_ms=settings.sync_interval_s * 1000,
        keep_bodies=settings.evidence == "keep",
    )

    async def after_round() -> None:
        await runtime.bring_prices()

    return Workers(
        store=context.store, clock=context.clock, refresher=refresher, count=settings.workers, after_round=after_round
    )


def database_folder(store: Store) -> Path | None:
    """The folder that a copy of the database would take along; None on PostgreSQL."""
    return store.path.parent if isinstance(store, SqliteStore) else None
