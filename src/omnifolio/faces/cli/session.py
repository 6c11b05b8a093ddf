"""A command at work: opens what it needs, acts in the owner's name, closes everything."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from msgspec import Struct

from omnifolio.app.runtime import Runtime, open_runtime
from omnifolio.faces.cli.main import Invocation, run
from omnifolio.model.settings import Settings
from omnifolio.tenancy.owner import Owner
from omnifolio.tenancy.owner import ensure as ensure_owner
from omnifolio.tenancy.principals import operator

T = TypeVar("T")


class Session(Struct, frozen=True):
    """What a command works with."""

    runtime: Runtime
    owner: Owner


def at_work(invocation: Invocation, work: Callable[[Session], Awaitable[T]], *, with_workers: bool = False) -> T:
    """Runs `work` with an open runtime. Raises: what `work` raises, and what opening does."""
    return with_settings(invocation.settings(), work, with_workers=with_workers)


def with_settings(settings: Settings, work: Callable[[Session], Awaitable[T]], *, with_workers: bool = False) -> T:
    """As `at_work`, with settings that a command has completed."""

    async def body() -> T:
        runtime = await open_runtime(settings, with_workers=with_workers)
        try:
            return await work(await session_of(runtime))
        finally:
            await runtime.close()

    return run(body)


async def session_of(runtime: Runtime) -> Session:
    """The owner's session in an open runtime."""
    context = runtime.context
    owner = await context.store.write(
        ensure_owner, operator("cli"), actor="cli", pepper=context.edge.pepper, now=context.clock.now()
    )
    return Session(runtime, owner)
