"""`omnifolio demo`: simulated venues, a server and one user's portfolio, from nothing, in one command."""

import asyncio
import json
import tempfile
from pathlib import Path

import click

from omnifolio.app import link as linking
from omnifolio.app.authenticate import USER_SCOPES
from omnifolio.app.read import Read
from omnifolio.app.runtime import open_runtime
from omnifolio.app.sandbox import SandboxProcess, credentials_of
from omnifolio.faces.cli.main import EXIT_INCOMPLETE, Invocation, pass_invocation, run
from omnifolio.faces.cli.portfolio import as_document, print_portfolio
from omnifolio.faces.cli.progress import watching
from omnifolio.faces.cli.serving import Server
from omnifolio.faces.cli.session import Session, session_of
from omnifolio.ledger import accounts, overview
from omnifolio.model.clock import SystemClock
from omnifolio.model.settings import Settings

USER = "demo"
VENUES = ("kraken", "binance", "coinbase", "demo")
CURRENCIES = ("USD", "EUR")
RATE_SCALE = "1000"
"""The demo's venues are asked a thousand times faster than the real ones would allow."""
LOOK_S = 0.05
WAIT_S = 300.0


@click.command()
@click.option("--once", is_flag=True, help="End after printing the portfolio.")
@click.option("--port", type=click.IntRange(0, 65535), help="Port of the API.  [default: 8400, with --once a free one]")
@click.option("--sandbox-now", metavar="MS", help="The simulated world's time, epoch milliseconds.  [default: now]")
@click.option("-o", "--output", "output_format", type=click.Choice(["text", "json"]), default="text", help="How to print.")
@pass_invocation
def demo(invocation: Invocation, once: bool, port: int | None, sandbox_now: str | None, output_format: str) -> int:
    """Show what Omnifolio does, with simulated Kraken, Binance and Coinbase accounts over their real protocols.

    Nothing leaves this machine, and everything is deleted at the end.
    """
    arguments = ["--rate-scale", RATE_SCALE, *(["--now", sandbox_now] if sandbox_now else [])]
    with tempfile.TemporaryDirectory(prefix="omnifolio-demo-") as folder, SandboxProcess(*arguments) as sandbox:
        settings = invocation.settings(
            database=f"sqlite:///{Path(folder) / 'data' / 'demo.db'}",
            key_file=str(Path(folder) / "keys" / "root.key"),
            key_store="",
            sandbox_url=sandbox.url,
            port=port if port is not None else 0 if once else None,
            workers=len(VENUES),
            base_urls={},
            price_sources=(),
        )
        return run(lambda: _demo(settings, once=once, is_json=output_format == "json"))


async def _demo(settings: Settings, *, once: bool, is_json: bool) -> int:
    started_s = SystemClock().monotonic()
    runtime = await open_runtime(settings, with_workers=True)
    try:
        session = await session_of(runtime)
        ready = asyncio.Event()
        address: list[str] = []

        def announce(host: str, port: int) -> None:
            address.append(f"http://{host}:{port}/v1")
            ready.set()

        server = Server(runtime.context, on_ready=announce)
        serving = asyncio.create_task(server.run())
        runtime.start()
        await _link(session)
        if not is_json:
            click.echo("Linked four simulated accounts; reading them over the venues' own protocols …")
        async with asyncio.timeout(WAIT_S):
            async with watching(session):
                first_s = await _until_read(session, started_s)
            await runtime.prices.bring()
            await ready.wait()
        code = await _print(session, address[0], first_s, SystemClock().monotonic() - started_s, is_json=is_json)
        if once:
            server.should_exit = True
        else:
            await _say_what_next(session, address[0])
        await serving
        return code if once else 0
    finally:
        await runtime.close()


async def _link(session: Session) -> None:
    found = await asyncio.to_thread(credentials_of, USER)
    context = session.runtime.context
    for venue in VENUES:
        account = await linking.link(
            context, session.owner.principal, provider=venue, entered=found[venue], name=None, options={}
        )
        await context.request_sync(session.owner.principal, account)


async def _until_read(session: Session, started_s: float) -> float:
    """Waits until every account's round is over; gives the seconds until the first balances were there."""
    context, principal = session.runtime.context, session.owner.principal
    first_s = 0.0
    while True:
        found = await context.store.read(accounts.listed, principal, context.clock.now())
        if not first_s:
            counted = [await context.store.read(overview.counts, principal, account.id) for account in found]
            if any(count.balances for count in counted):
                first_s = SystemClock().monotonic() - started_s
        if all(account.status != "syncing" for account in found):
            return first_s
        await asyncio.sleep(LOOK_S)


async def _print(session: Session, url: str, first_s: float, whole_s: float, *, is_json: bool) -> int:
    context, principal = session.runtime.context, session.owner.principal
    found = {fiat: (await Read(context).portfolio(principal, fiat=fiat))[0] for fiat in CURRENCIES}
    counted = {
        account.account.id: await context.store.read(overview.counts, principal, account.account.id)
        for account in found[CURRENCIES[0]].accounts
    }
    if is_json:
        click.echo(json.dumps(as_document(found, counted), indent=2))
    else:
        print_portfolio(found, counted)
        click.echo(f"\nFirst balances after {first_s:.1f} s, everything after {whole_s:.1f} s. API: {url}")
    return EXIT_INCOMPLETE if any(view.account.status != "ok" for view in found[CURRENCIES[0]].accounts) else 0


async def _say_what_next(session: Session, url: str) -> None:
    context, owner = session.runtime.context, session.owner
    token = context.tokens.issue(owner.team, owner.user, USER_SCOPES, now=context.clock.now())
    click.echo(
        f"""
Ask the API yourself (this token is good for 20 minutes):

  curl -H 'Authorization: Bearer {token}' {url}/portfolio?fiat=EUR

From the demo to your own accounts:

  omnifolio serve                                   makes database and key file, and tells where
  omnifolio accounts add kraken                     asks for a read-only key without showing it
  omnifolio accounts add ethereum wallet=0x…        a public address is enough
  omnifolio balances --fiat EUR

Serving until Ctrl-C."""
    )
