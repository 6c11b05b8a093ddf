"""`omnifolio serve`: the API and its workers in one process."""

import click

from omnifolio.app.runtime import Runtime, open_runtime
from omnifolio.app.sandbox import SandboxProcess
from omnifolio.faces.cli.main import Invocation, pass_invocation, run
from omnifolio.faces.cli.serving import Server, check_exposure, scheme_of
from omnifolio.faces.cli.session import session_of
from omnifolio.model.settings import Settings


@click.command()
@click.option("--sandbox", "is_sandbox", is_flag=True, help="Simulated venues take the place of the real ones; adds venue demo.")
@click.option("--database", metavar="URL", help="sqlite:///PATH or postgresql://user:password@host/name.")
@click.option("--host", help="Address to listen on.  [default: 127.0.0.1]")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on; 0 takes a free one.  [default: 8400]")
@click.option("--workers", type=click.IntRange(0, 32), help="Sync workers in this process; 0 only serves.  [default: 2]")
@click.option("--tls-cert", metavar="PATH", help="Certificate chain, PEM.")
@click.option("--tls-key", metavar="PATH", help="Private key of the certificate, PEM.")
@click.option("--behind-proxy", is_flag=True, default=None, help="A proxy in front terminates TLS.")
@pass_invocation
def serve(invocation: Invocation, /, is_sandbox: bool, **options: object) -> None:
    """Serve the API and keep every account up to date, until Ctrl-C."""
    settings = invocation.settings(**options)
    check_exposure(settings)
    if not is_sandbox:
        run(lambda: _serve(settings))
        return
    with SandboxProcess() as sandbox:
        run(lambda: _serve(invocation.settings(**options, sandbox_url=sandbox.url)))


async def _serve(settings: Settings) -> None:
    runtime = await open_runtime(settings, with_workers=settings.workers > 0)
    try:
        await _introduce(runtime)
        runtime.start()
        await Server(runtime.context, on_ready=lambda host, port: _announce(settings, host, port)).run()
    finally:
        await runtime.close()


async def _introduce(runtime: Runtime) -> None:
    """What a first start has made, said once."""
    owner = (await session_of(runtime)).owner
    settings = runtime.context.settings
    if runtime.made_key:
        click.echo(f"Created the key file {settings.key_path} and the key store {settings.key_store_path}.")
        click.echo("Keep a copy of both apart from the database: without them every stored credential has to be entered again.")
    if owner.secret is not None:
        click.echo(f"Created the team {owner.team.name!r}: client id {owner.team.client_id}, secret {owner.secret.reveal()}")
        click.echo("The secret is shown this once. A token for yourself: omnifolio owner token")


def _announce(settings: Settings, host: str, port: int) -> None:
    shown = f"[{host}]" if ":" in host else host
    click.echo(f"Omnifolio is ready at {scheme_of(settings)}://{shown}:{port}/v1 (stop with Ctrl-C)")
