"""`omnifolio demo`: simulated venues, a server and one user's portfolio, from nothing, in one command."""

import asyncio
import json
import tempfile
from collections.abc import Coroutine
from pathlib import Path
from socket import socket
from typing import Any

import click

from omnifolio.app import link as linking
from omnifolio.app.authenticate import USER_SCOPES
from omnifolio.app.read import Read
from omnifolio.app.runtime import open_runtime
from omnifolio.app.sandbox import SandboxProcess, credentials_of
from omnifolio.app.signing_in import sign_in_link
from omnifolio.faces.cli.main import EXIT_INCOMPLETE, Invocation, pass_invocation, run
from omnifolio.faces.cli.portfolio import as_document, counted, print_portfolio
from omnifolio.faces.cli.progress import watching
from omnifolio.faces.cli.serving import Server, listen
from omnifolio.faces.cli.session import Session, session_of
from omnifolio.ledger import accounts, overview
from omnifolio.model.clock import SystemClock
from omnifolio.model.errors import InvalidSettings
from omnifolio.model.settings import Settings

USER = "demo"
VENUES = ("kraken", "binance", "coinbase", "demo")
CURRENCIES = ("USD", "EUR")
LOOPBACK = "127.0.0.1"
LOOK_S = 0.05
WAIT_S = 300.0


@click.command()
@click.option("--once", is_flag=True, help="End after printing the portfolio.")
@click.option(
    "--port", type=click.IntRange(0, 65535), help="Port of the API.  [default: 8400 if it is free, with --once a free one]"
)
@click.option("--sandbox-now", type=int, metavar="MS", help="The simulated world's time, epoch milliseconds.  [default: now]")
@click.option("-o", "--output", "output_format", type=click.Choice(["text", "json"]), default="text", help="How to print.")
@pass_invocation
def demo(invocation: Invocation, once: bool, port: int | None, sandbox_now: int | None, output_format: str) -> int:
    """Show what Omnifolio does, with simulated Kraken, Binance and Coinbase accounts over their real protocols.

    Nothing leaves this machine, no database or key of yours is touched, and everything is deleted at the end.
    """
    arguments = ["--now", str(sandbox_now)] if sandbox_now is not None else []
    bound = _bound(port, once=once)
    with (
        bound,
        tempfile.TemporaryDirectory(prefix="omnifolio-demo-") as folder,
        SandboxProcess(*arguments) as sandbox,
    ):
        settings = invocation.settings(
            database=f"sqlite:///{Path(folder) / 'data' / 'demo.db'}",
            key_file=str(Path(folder) / "keys" / "root.key"),
            key_store="",
            sandbox_url=sandbox.url,
            host=LOOPBACK,
            port=bound.getsockname()[1],
            tls_cert="",
            tls_key="",
            behind_proxy=False,
            workers=len(VENUES),
            live_sockets=0,  # Its accounts are read once; who begins to listen asks for another round.
            base_urls={},
            price_sources=(),
        )
        return run(lambda: _demo(settings, bound, once=once, is_json=output_format == "json"))


def _bound(port: int | None, *, once: bool) -> socket:
    """Where the API will be: the asked port, else the usual one, else whichever is free."""
    if port is not None or once:
        return listen(LOOPBACK, port or 0)
    usual = Settings().port
    try:
        return listen(LOOPBACK, usual)
    except InvalidSettings:
        click.echo(f"Port {usual} is taken; using a free one.", err=True)
        return listen(LOOPBACK, 0)


async def _demo(settings: Settings, bound: socket, *, once: bool, is_json: bool) -> int:
    started_s = SystemClock().monotonic()
    runtime = await open_runtime(settings, with_workers=True)
    try:
        session = await session_of(runtime)
        server = Server(runtime.context, on_ready=lambda _host, _port: None)
        url = f"http://{LOOPBACK}:{settings.port}/v1"
        serving = asyncio.create_task(server.run(bound))
        runtime.start()
        code = await _unless_stopped(serving, _story(session, url, started_s, is_json=is_json))
        if once:
            server.should_exit = True
        else:
            await _say_what_next(session, url)
        await serving
        return code if once else 0
    finally:
        await runtime.close()


async def _unless_stopped(serving: asyncio.Task[None], story: Coroutine[Any, Any, int]) -> int:
    """The story's result. Raises: click.Abort when Ctrl-C ended the server before."""
    telling = asyncio.create_task(story)
    done, _ = await asyncio.wait({serving, telling}, return_when=asyncio.FIRST_COMPLETED)
    if telling in done:
        return telling.result()
    telling.cancel()
    await asyncio.gather(telling, return_exceptions=True)
    serving.result()
    raise click.Abort


async def _story(session: Session, url: str, started_s: float, *, is_json: bool) -> int:
    """Links, reads, values and prints; gives the exit code."""
    await _link(session)
    if not is_json:
        click.echo("Linked four simulated accounts; reading them over the venues' own protocols …")
    async with asyncio.timeout(WAIT_S):
        async with watching(session):
            first_s = await _until_read(session, started_s)
        await session.runtime.prices.bring()
    return await _print(session, url, first_s, SystemClock().monotonic() - started_s, is_json=is_json)


async def _link(session: Session) -> None:
    found = await asyncio.to_thread(credentials_of, USER)
    context = session.runtime.context
    for venue in VENUES:
        await linking.link(context, session.owner.principal, provider=venue, entered=found[venue], name=None, options={})


async def _until_read(session: Session, started_s: float) -> float:
    """Waits until every account's round is over; gives the seconds until the first balances were there."""
    context, principal = session.runtime.context, session.owner.principal
    first_s = 0.0
    while True:
        found = await context.store.read(accounts.listed, principal, context.clock.now())
        if not first_s:
            numbers = [await context.store.read(overview.counts, principal, account.id) for account in found]
            if any(count.balances for count in numbers):
                first_s = SystemClock().monotonic() - started_s
        if all(account.status != "syncing" for account in found):
            return first_s
        await asyncio.sleep(LOOK_S)


async def _print(session: Session, url: str, first_s: float, whole_s: float, *, is_json: bool) -> int:
    context, principal = session.runtime.context, session.owner.principal
    found = {fiat: (await Read(context).portfolio(principal, fiat=fiat))[0] for fiat in CURRENCIES}
    counts = await counted(session, found)
    if is_json:
        click.echo(json.dumps(as_document(found, counts), indent=2))
    else:
        print_portfolio(found, counts)
        click.echo(f"\nFirst balances after {first_s:.1f} s, everything after {whole_s:.1f} s. API: {url}")
    return EXIT_INCOMPLETE if any(view.account.status != "ok" for view in found[CURRENCIES[0]].accounts) else 0


async def _say_what_next(session: Session, url: str) -> None:
    context, owner = session.runtime.context, session.owner
    token = context.tokens.issue(owner.team, owner.user, USER_SCOPES, now=context.clock.now())
    link = await sign_in_link(context)
    click.echo(
        f"""
Look at it in a browser (this link signs you in once, within 15 minutes):

  {url.removesuffix("/v1")}/console#{link.reveal()}

Ask the API yourself (this token is good for 20 minutes):

  curl -H 'Authorization: Bearer {token}' {url}/portfolio?fiat=EUR

From the demo to your own accounts:

  omnifolio serve                                   makes database and key file, and tells where
  omnifolio accounts add kraken                     asks for a read-only key without showing it
  omnifolio accounts add ethereum wallet=0x…        a public address is enough
  omnifolio portfolio --fiat EUR

Serving until Ctrl-C."""
    )
