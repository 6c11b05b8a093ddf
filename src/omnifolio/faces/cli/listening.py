"""`omnifolio webhooks listen`: a receiver on this machine that checks each message's signature and prints it."""

import contextlib
import http.server
import json
import threading
from collections.abc import Iterator

import click

from omnifolio.app import notifying
from omnifolio.faces.cli.main import Invocation, pass_invocation
from omnifolio.faces.cli.session import Session, at_work
from omnifolio.faces.cli.webhook_team import acting, team_option
from omnifolio.model.errors import InvalidSettings, SignatureInvalid
from omnifolio.notify.signatures import verify

HOST = "127.0.0.1"
BODY_BYTES_MAX = 1 << 20
LOOK_S = 0.2


class Receiver(http.server.ThreadingHTTPServer):
    """Takes messages on loopback; each one that is genuine is printed once, as a line of JSON with its id."""

    daemon_threads = True

    def __init__(self, port: int) -> None:
        super().__init__((HOST, port), _Message)
        self.secret = ""
        self.seen: set[str] = set()
        self.lock = threading.Lock()

    def take(self, headers: dict[str, str], body: bytes) -> int:
        """The status that answers a message."""
        try:
            message = verify(body, headers, self.secret)
        except SignatureInvalid as error:
            click.echo(f"refused: {error.message}", err=True)
            return 401
        with self.lock:
            if message not in self.seen:
                click.echo(json.dumps({"id": message, **json.loads(body)}, ensure_ascii=False))
                self.seen.add(message)
        return 204


class _Message(http.server.BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if not length.isdigit() or int(length) > BODY_BYTES_MAX:
            self.send_error(413)
            return
        status = self.server.take(dict(self.headers.items()), self.rfile.read(int(length)))
        self.send_response(status)
        self.end_headers()

    def log_message(self, *_args: object) -> None:
        """Nothing: what came is printed already."""


@click.command()
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Port to listen on.  [default: a free one]")
@click.option("--event", "types", multiple=True, help="Only events of this type; may be repeated.  [default: all]")
@click.option("--count", type=click.IntRange(1), help="End after so many messages.")
@team_option
@pass_invocation
def listen(invocation: Invocation, port: int, types: tuple[str, ...], count: int | None, team: str | None) -> None:
    """Print what happens, as a webhook of this machine that is removed again at the end.

    A running server sends the messages, with OMNIFOLIO_WEBHOOKS_PRIVATE=true, as this command needs it too.
    """
    if not invocation.settings().webhooks_private:
        raise InvalidSettings(
            "webhooks_private: set it to true, here and for the server, so that messages may go to this machine"
        )
    with _running(port) as receiver:
        url = f"http://{HOST}:{receiver.server_address[1]}/"

        async def begin(session: Session) -> str:
            context = session.runtime.context
            principal = await acting(session, team)
            made, secret = await notifying.add(context, principal, url=url, form="omnifolio", types=types)
            receiver.secret = secret.reveal()
            return made.id

        async def end(session: Session) -> None:
            await notifying.remove(session.runtime.context, await acting(session, team), webhook)

        webhook = at_work(invocation, begin)
        click.echo(f"Listening at {url} as webhook {webhook}; stop with Ctrl-C.", err=True)
        try:
            _wait(receiver, count)
        finally:
            at_work(invocation, end)


def _wait(receiver: Receiver, count: int | None) -> None:
    """Until so many messages have come, or Ctrl-C."""
    over = threading.Event()
    with contextlib.suppress(KeyboardInterrupt):
        while not over.wait(LOOK_S):
            if count is not None and len(receiver.seen) >= count:
                return


@contextlib.contextmanager
def _running(port: int) -> Iterator[Receiver]:
    """The receiver, in a thread of its own. Raises: InvalidSettings when the port is taken."""
    try:
        receiver = Receiver(port)
    except OSError as error:
        raise InvalidSettings(f"port: cannot listen on {HOST}:{port} ({error.strerror})") from None
    thread = threading.Thread(target=receiver.serve_forever, name="webhooks-listen", daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        receiver.shutdown()
        receiver.server_close()
        thread.join()
