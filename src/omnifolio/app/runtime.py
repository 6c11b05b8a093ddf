"""A process, opened in order and closed in reverse: database, keys, way out, prices, and workers where there are any."""

import asyncio
import contextlib
import logging
import random
from collections.abc import Callable
from pathlib import Path

from sqlalchemy.engine import Connection

from omnifolio.app.context import Context, EdgeKeys
from omnifolio.app.link import mark_due
from omnifolio.app.offer import Offers
from omnifolio.app.offers import all_offers
from omnifolio.app.way_out import base_urls_of, oauth_clients_of, open_way_out
from omnifolio.catalog import assets as asset_catalog
from omnifolio.catalog import exchanges
from omnifolio.ledger import aliases
from omnifolio.model import amounts
from omnifolio.model.accounts import Principal
from omnifolio.model.clock import SECOND_MS, Clock, SystemClock
from omnifolio.model.errors import StoreUnavailable
from omnifolio.model.ids import AccountId, WebhookId, WireIds
from omnifolio.model.prices import NOW_INTERVAL_MS
from omnifolio.model.settings import Settings
from omnifolio.notify.dispatch import Notifier
from omnifolio.pricing import registry as price_registry
from omnifolio.store.engine import SqliteStore, Store, open_store
from omnifolio.store.migrate import prepare
from omnifolio.sync.consents import Consents
from omnifolio.sync.credentials import Doorkeeper, Note
from omnifolio.sync.glance import Glancer
from omnifolio.sync.live import Live
from omnifolio.sync.quotes import Refreshed, refresh_quotes
from omnifolio.sync.refresh import Refresher
from omnifolio.sync.tokens import TokenEndpoint
from omnifolio.sync.worker import Workers
from omnifolio.tenancy import audit, installation
from omnifolio.tenancy.limits import ProcessLimits
from omnifolio.tenancy.principals import operator
from omnifolio.tenancy.tokens import TokenKeys
from omnifolio.transport.egress import Egress
from omnifolio.transport.pacing import Sleep
from omnifolio.transport.recording import Recorder
from omnifolio.vault import admin as vault_admin
from omnifolio.vault.keystore import KeyStore
from omnifolio.vault.roots import EnvRoot, FileRoot, ensure_root_key, load_edge_key
from omnifolio.venues.registry import reader_for
from omnifolio.views.market import Market

PRICE_WANTS_MAX = 1_000
"""Prices asked in one run, so that runs are short."""
PRICE_RUNS_MAX = 1_000
"""Runs for somebody who waits, at the most."""

QUIET_S = 10.0
"""So long nothing new must have come before the closes of past days are asked for."""

log = logging.getLogger(__name__)


class Prices:
    """Brings missing prices and exchange rates: at once for somebody who waits, and in the background of a server."""

    def __init__(self, store: Store, sources: price_registry.Sources, egress: Egress, clock: Clock) -> None:
        self._store, self._sources, self._egress, self._clock = store, sources, egress, clock
        self._lock = asyncio.Lock()
        self._news = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def bring(self, *, with_closes: bool = False) -> None:
        """Asks for what is missing, until nothing more can be asked now; the daily closes of the past only `with_closes`."""
        for _ in range(PRICE_RUNS_MAX):
            if not (await self._run(with_closes=with_closes)).more:
                return

    def start(self) -> None:
        """Goes on bringing prices in the running loop: when there is news, and every few minutes."""
        self._task = asyncio.create_task(self._keep_bringing(), name="prices")

    def wake(self) -> None:
        """There is news: balances or legs that may lack a price."""
        self._news.set()

    async def stop(self) -> None:
        """Stops between two questions; what was answered is stored."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self, *, with_closes: bool) -> Refreshed:
        async with self._lock:
            return await refresh_quotes(
                self._store, self._sources, self._egress, self._clock, wants_max=PRICE_WANTS_MAX, with_closes=with_closes
            )

    async def _keep_bringing(self) -> None:
        while True:
            self._news.clear()
            try:
                await self._bring_until_news(with_closes=False)
                # The closes of past days are many: they wait until no account brings anything new for a while.
                if not await self._news_within(QUIET_S):
                    await self._bring_until_news(with_closes=True)
            except StoreUnavailable as error:
                log.warning("prices_paused reason=%s", error.code)
            await self._news_within(NOW_INTERVAL_MS / SECOND_MS)

    async def _bring_until_news(self, *, with_closes: bool) -> None:
        while not self._news.is_set():
            if not (await self._run(with_closes=with_closes)).more:
                return

    async def _news_within(self, seconds: float) -> bool:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._news.wait(), seconds)
        return self._news.is_set()


class Runtime:
    """What one process has opened. Open with `open_runtime`, close with `close`."""

    def __init__(
        self,
        context: Context,
        *,
        egress: Egress,
        prices: Prices,
        notifier: Notifier,
        workers: Workers | None,
        live: Live | None,
        consents: Consents | None,
        made_key: bool,
    ) -> None:
        self.context = context
        self.egress = egress
        self.prices = prices
        self.notifier = notifier
        self.workers = workers
        self.live = live
        self.consents = consents
        self.made_key = made_key
        """True when this process has just created the key file: a first start."""

    def start(self) -> None:
        """Starts workers, prices, webhooks and listeners in the running loop."""
        if self.workers is not None:
            self.workers.start()
            self.prices.start()
            self.notifier.start()
        if self.live is not None:
            self.live.start()

    async def close(self) -> None:
        """Stops the listeners, the workers after their pages, then lets everything go."""
        if self.live is not None:
            await self.live.stop()
        if self.workers is not None:
            await self.workers.stop()
        await self.prices.stop()
        await self.notifier.stop()
        if self.consents is not None:
            await self.consents.settle()
        await self.egress.close()
        if self.context.key_store is not None:
            self.context.key_store.close()
        await self.context.store.close()


async def open_runtime(
    settings: Settings,
    *,
    with_workers: bool,
    clock: Clock | None = None,
    sleep: Sleep = asyncio.sleep,
    recorder: Recorder | None = None,
) -> Runtime:
    """Opens the database (creating its tables at first) and the keys (creating the key file at first).

    Without workers the key store stays closed: such a process can seal credentials and open none. `clock` and `sleep` are the
    time of everything that syncs: a clock that is set by hand comes with a sleep that moves it. `recorder` hears every answer.
    Raises: InvalidSettings, StoreUnavailable, SchemaTooNew, VaultUnavailable.
    """
    amounts.install()
    time = clock or SystemClock()
    store = open_store(settings.database_url)
    try:
        return await _open(settings, store, time, sleep, recorder=recorder, with_workers=with_workers)
    except BaseException:
        await store.close()
        raise


async def _open(
    settings: Settings, store: Store, clock: Clock, sleep: Sleep, *, recorder: Recorder | None, with_workers: bool
) -> Runtime:
    folder = database_folder(store)
    edge, made_key = _edge(settings, folder)
    await store.write(prepare)
    found = await store.write(installation.ensure, operator("start"))
    assets = asset_catalog.load()
    sources = price_registry.build(
        chosen=settings.price_sources, base_urls=settings.base_urls, sandbox_url=settings.sandbox_url, assets=assets
    )
    egress = Egress(clock=clock, sleep=sleep, recorder=recorder)
    open_way_out(egress, settings, sources)
    keys = await _open_keys(settings, store, edge, clock, folder) if with_workers else None
    prices = Prices(store, sources, egress, clock)
    ids = WireIds(found.wire_key)
    ids.learn(await store.read(aliases.after, 0))

    def note(conn: Connection, principal: Principal, action: str, account: AccountId) -> None:
        audit.append(conn, principal, action, ids.wire("account", account), key=edge.audit, now=clock.now())

    notifier = _notifier(settings, store, clock, egress=egress, ids=ids, edge=edge)
    workers = live = consents = None
    if keys is not None:
        consents = _consents(settings, store, clock, egress=egress, keys=keys, note=note)
        workers, live = _workers(
            settings,
            store,
            clock,
            egress=egress,
            keys=keys,
            prices=prices,
            wake_notifier=notifier.wake,
            note=note,
            consents=consents,
        )

    async def request_sync(principal: Principal, account: AccountId) -> None:
        await store.write(mark_due, principal, account, now=clock.now())
        if workers is not None:
            workers.wake()

    context = Context(
        store=store,
        clock=clock,
        settings=settings,
        ids=ids,
        edge=edge,
        tokens=TokenKeys(found.id, edge.token),
        limits=ProcessLimits(),
        offers=Offers(all_offers(settings)),
        assets=assets,
        market=Market(),
        request_sync=request_sync,
        key_store=keys,
    )
    return Runtime(
        context,
        egress=egress,
        prices=prices,
        notifier=notifier,
        workers=workers,
        live=live,
        consents=consents,
        made_key=made_key,
    )


def _edge(settings: Settings, folder: Path | None) -> tuple[EdgeKeys, bool]:
    """The keys of the edge, and whether the key file was made just now."""
    if settings.root_key:
        return EdgeKeys.from_edge_key(EnvRoot(settings.root_key).edge_key), False
    made = ensure_root_key(settings.key_path, database_folder=folder)
    return EdgeKeys.from_edge_key(load_edge_key(settings.key_path)), made


async def _open_keys(settings: Settings, store: Store, edge: EdgeKeys, clock: Clock, folder: Path | None) -> KeyStore:
    root = root_of(settings, folder)
    keys = KeyStore(settings.key_store_path, root, database_folder=folder)

    def publish(conn: Connection) -> None:
        vault_admin.publish(conn, keys, publication_key=edge.publication, now=clock.now())
        vault_admin.shred_requested(conn, keys)

    await store.write(publish)
    return keys


def _notifier(settings: Settings, store: Store, clock: Clock, *, egress: Egress, ids: WireIds, edge: EdgeKeys) -> Notifier:
    def note(conn: Connection, principal: Principal, action: str, webhook: WebhookId) -> None:
        audit.append(conn, principal, action, ids.wire("webhook", webhook), key=edge.audit, now=clock.now())

    return Notifier(
        store=store,
        clock=clock,
        courier=egress.courier,
        ids=ids,
        key=edge.webhooks,
        may_be_private=settings.webhooks_private,
        note=note,
    )


def _consents(settings: Settings, store: Store, clock: Clock, *, egress: Egress, keys: KeyStore, note: Note) -> Consents:
    endpoint = TokenEndpoint(
        egress=egress,
        clock=clock,
        clients=oauth_clients_of(settings),
        base_urls=base_urls_of(settings),
        addresses=settings.egress_ips,
    )
    return Consents(
        store=store,
        clock=clock,
        sleep=egress.wait,
        keys=keys,
        endpoint=endpoint,
        note=note,
        shred=lambda conn: vault_admin.shred_requested(conn, keys),
    )


def _workers(
    settings: Settings,
    store: Store,
    clock: Clock,
    *,
    egress: Egress,
    keys: KeyStore,
    prices: Prices,
    wake_notifier: Callable[[], None],
    note: Note,
    consents: Consents,
) -> tuple[Workers, Live | None]:
    doorkeeper = Doorkeeper(
        store=store,
        clock=clock,
        egress=egress,
        keys=keys,
        reader_for=reader_for,
        base_urls=base_urls_of(settings),
        on_trade=settings.trade_permission,
        note=note,
        consents=consents,
    )
    refresher = Refresher(
        store=store,
        clock=clock,
        doorkeeper=doorkeeper,
        interval_ms=settings.sync_interval_s * 1000,
        keep_bodies=settings.evidence == "keep",
    )
    listeners: list[Live] = []

    def on_news() -> None:
        prices.wake()
        wake_notifier()
        for one in listeners:
            one.wake()

    workers = Workers(
        store=store, clock=clock, refresher=refresher, count=settings.workers, chores=consents.take_back, on_news=on_news
    )
    if not settings.live_sockets:
        return workers, None
    live = Live(
        store=store,
        clock=clock,
        sleep=egress.wait,
        chance=random.random,
        doorkeeper=doorkeeper,
        glancer=Glancer(store=store, clock=clock, doorkeeper=doorkeeper, refresher=refresher),
        wake=workers.wake,
        on_news=prices.wake,
        venues=exchanges.live_ids(),
        sockets_max=settings.live_sockets,
    )
    listeners.append(live)
    return workers, live


def root_of(settings: Settings, folder: Path | None) -> FileRoot | EnvRoot:
    """Where the root key comes from: the environment if it is there, else the key file. Raises: VaultUnavailable."""
    return EnvRoot(settings.root_key) if settings.root_key else FileRoot(settings.key_path, database_folder=folder)


def database_folder(store: Store) -> Path | None:
    """The folder that a copy of the database would take along; None on PostgreSQL."""
    return store.path.parent if isinstance(store, SqliteStore) else None
