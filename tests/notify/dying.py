"""A worker that is killed at a named moment of its first message: `python -m tests.notify.dying URL NOW_MS POINT`."""

import asyncio
import os
import signal
import sys
from collections.abc import Mapping

from omnifolio.notify.dispatch import Notifier
from omnifolio.store.engine import open_store
from omnifolio.transport.courier import Courier, Receipt
from tests.notify.stand import IDS, KEY, SetClock, no_note

POINTS = ("claimed", "sent", "recorded")


def die() -> None:
    """As a power cut would."""
    os.kill(os.getpid(), signal.SIGKILL)


class Doomed(Courier):
    """Dies before or after the message is sent."""

    point = ""

    async def deliver(self, url: str, *, headers: Mapping[str, str], body: bytes, may_be_private: bool) -> Receipt:
        if self.point == "claimed":
            die()
        receipt = await super().deliver(url, headers=headers, body=body, may_be_private=may_be_private)
        if self.point == "sent":
            die()
        return receipt


async def main(url: str, now_ms: int, point: str) -> None:
    """Delivers until it dies."""
    clock = SetClock()
    clock.now_ms = now_ms
    store = open_store(url)
    courier = Doomed(clock, lambda *_: None)
    courier.point = point
    worker = Notifier(store=store, clock=clock, courier=courier, ids=IDS, key=KEY, may_be_private=True, note=no_note)
    write = store.write_sync

    async def write_and_die(op, *args, **kwargs):  # type: ignore[no-untyped-def]
        done = await write(op, *args, **kwargs)
        if getattr(op, "__name__", "") == "record":
            die()
        return done

    if point == "recorded":
        store.write_sync = write_and_die  # type: ignore[method-assign]
    await worker.run_until_idle()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), sys.argv[3]))
