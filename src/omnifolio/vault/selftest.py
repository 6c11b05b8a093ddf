"""Proves the vault on this machine: rotates the root key while workers keep and open credentials all the time.

`omnifolio vault selftest` runs it in a folder of its own; no real key is touched.
"""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from msgspec import Struct

from omnifolio.model.clock import Clock
from omnifolio.model.errors import OmnifolioError
from omnifolio.vault.admin import drop_old_roots, rotate_root
from omnifolio.vault.keystore import KeyStore
from omnifolio.vault.open import keep, open_kept
from omnifolio.vault.places import Place
from omnifolio.vault.roots import FileRoot, ensure_root_key

ACCOUNTS_PER_WORKER = 5


class Proof(Struct, frozen=True, kw_only=True):
    """What happened: how often a credential was kept and opened, how often the root key was replaced, and what failed."""

    opened: int
    rotations: int
    failures: tuple[str, ...]


def rotate_under_load(folder: Path, clock: Clock, *, workers: int, seconds: float, rotations_min: int = 1) -> Proof:
    """Rotates again and again while each of `workers` keeps and opens credentials, each with files opened by itself.

    It ends after `seconds`, but not before `rotations_min` rotations. At the end everything that was kept is opened once more.
    """
    path, store = folder / "root.key", folder / "root.store"
    ensure_root_key(path, database_folder=None)
    stop = threading.Event()
    with ThreadPoolExecutor(workers) as pool:
        running = [pool.submit(_work, path, store, number, clock, stop) for number in range(workers)]
        own = KeyStore(store, FileRoot(path, database_folder=None), database_folder=None)
        until, rotations = clock.monotonic() + seconds, 0
        try:
            while rotations < rotations_min or clock.monotonic() < until:
                rotate_root(own)
                drop_old_roots(own)
                rotations += 1
        finally:
            stop.set()
        done = [future.result() for future in running]
        failures = [failure for _opened, _kept, found in done for failure in found]
        for _opened, kept, _found in done:
            failures += [f"{place.account}: {text}" for place, box in kept if (text := _opens(own, place, box)) != "opened"]
        own.close()
    return Proof(opened=sum(opened for opened, _kept, _found in done), rotations=rotations, failures=tuple(failures))


def _work(
    path: Path, store: Path, number: int, clock: Clock, stop: threading.Event
) -> tuple[int, list[tuple[Place, bytes]], list[str]]:
    keys = KeyStore(store, FileRoot(path, database_folder=None), database_folder=None)
    opened, kept, failures = 0, list[tuple[Place, bytes]](), list[str]()
    while not stop.is_set():
        account = opened % ACCOUNTS_PER_WORKER + (opened // 100) * ACCOUNTS_PER_WORKER
        place = Place(team=1, user=f"user-{number}", account=account, venue="selftest")
        try:
            box = keep(keys, place, 1, b"selftest", now=clock.now())
        except OmnifolioError as error:
            failures.append(error.message)
            continue
        text = _opens(keys, place, box)
        if text != "opened":
            failures.append(text)
        kept = [*kept[-ACCOUNTS_PER_WORKER:], (place, box)]
        opened += 1
    keys.close()
    return opened, kept, failures


def _opens(keys: KeyStore, place: Place, box: bytes) -> str:
    try:
        return "opened" if open_kept(keys, place, 1, box) == b"selftest" else "opened to something else"
    except OmnifolioError as error:
        return error.message
