"""`omnifolio serve`: the API and its workers in one process."""

import asyncio
import logging

import click

from omnifolio.app.runtime import open_runtime
from omnifolio.app.sandbox import SandboxProcess
from omnifolio.faces.cli.main import Invocation, pass_invocation, run
from omnifolio.faces.cli.serving import Server, check_exposure, listen
from omnifolio.faces.cli.session import Session, introduce, program, session_of
from omnifolio.model.settings import Settings


@click.command()
@click.option("--sandbox", "is_sandbox", is_flag=True, help="Simulated venues take the place of the real ones; adds venue demo.")
@click.option(
    "--sandbox-port", type=click.IntRange(0, 65535), default=0, help="Port of the simulated venues.  [default: a free one]"
)
@click.option("--database", metavar="URL", help="sqlite:///PATH or postgresql://user:password@host/name.")
@click.option("--host", help="Address to listen on.  [default: 127.0.0.1]")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on; 0 takes a free one.  [default: 8400]")
@click.option("--workers", type=click.IntRange(0, 32), help="Sync workers in this process; 0 only serves.  [default: 2]")
@click.option("--tls-cert", metavar="PATH", help="Certificate chain, PEM.")
@click.option("--tls-key", metavar="PATH", help="Private key of the certificate, PEM.")
@click.option("--behind-proxy", is_flag=True, default=None, help="A proxy in front terminates TLS.")
@pass_invocation
def serve(invocation: Invocation, /, is_sandbox: bool, sandbox_port: int, **options: object) -> None:
    """Serve the API and keep every account up to date, until Ctrl-C.

    The first start makes the database, the key file and the owner's team, and says where they are.
    """
    settings = invocation.settings(**options)
    check_exposure(settings)
    logging.getLogger().setLevel(settings.log_level.upper())
    if not is_sandbox or settings.sandbox_url:
        run(lambda: _serve(settings))
        return
    with SandboxProcess("--port", str(sandbox_port)) as sandbox:
        run(lambda: _serve(invocation.settings(**options, sandbox_url=sandbox.url)))


async def _serve(settings: Settings) -> None:
    bound = listen(settings.host, settings.port)
    try:
        runtime = await open_runtime(settings, with_workers=settings.workers > 0)
        try:
            session = await session_of(runtime)
            introduce(session, is_error_stream=False)
            runtime.start()
            await Server(runtime.context, on_ready=lambda host, port: _announce(session, host, port)).run(bound)
        except asyncio.CancelledError:
            # Ctrl-C before the server took over the signals: as after it, there is nothing to complain about.
            return
        finally:
            await runtime.close()
    finally:
        bound.close()


def _announce(session: Session, host: str, port: int) -> None:
    settings = session.runtime.context.settings
    address = settings.reached_at(host=host, port=port)
    if settings.sandbox_url:
        click.echo("Simulated venues stand in the place of the real ones. For other commands beside this server:")
        click.echo(f"  export OMNIFOLIO_SANDBOX_URL={settings.sandbox_url}")
        click.echo(f"  {program(settings)} accounts add demo username=demo password=demo")
    else:
        click.echo(f"Link an account in another terminal: {program(settings)} accounts add kraken")
    click.echo(f"See it in a browser: {address}/ ({program(settings)} owner link signs you in)")
    click.echo(f"Omnifolio is ready at {address}/v1 (stop with Ctrl-C)")
