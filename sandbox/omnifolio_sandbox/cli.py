"""The command line: `serve`, `credentials`, `truth`, `csv`. Exit 0 done, 2 wrong arguments, 1 anything else."""

import argparse
import asyncio
import ipaddress
import json
import os
import signal
import sys
import threading
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Sequence
from typing import Any

from omnifolio_sandbox import credentials
from omnifolio_sandbox.amounts import exact
from omnifolio_sandbox.clock import Clock
from omnifolio_sandbox.truth import truth, venues_of
from omnifolio_sandbox.world.world import World

FETCH_TIMEOUT_S = 120


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and give its exit code."""
    asked = _parser().parse_args(arguments)
    try:
        return int(asked.run(asked))
    except BrokenPipeError:  # the reader of our output had enough
        sys.stderr.close()
        return 0
    except (ValueError, OSError) as fault:
        print(f"omnifolio-sandbox: {fault}", file=sys.stderr)
        return 2 if isinstance(fault, ValueError) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="omnifolio-sandbox", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    serve = commands.add_parser("serve", help="run all simulated venues on one port")
    serve.add_argument("--host", default="127.0.0.1")
    serve.add_argument("--port", type=int, default=0, help="0 (the default) takes a free one")
    serve.add_argument("--now", type=int, help="the world's time in epoch ms (default: this machine's, to the minute)")
    serve.add_argument("--wire-time", choices=("real", "world"), default="real", help="what servers call now")
    serve.add_argument("--rate-scale", type=int, default=1, help="multiply all rate limits")
    serve.add_argument("--allow-remote", action="store_true", help="allow a --host that is not loopback")
    serve.add_argument("--until-stdin-ends", action="store_true", help="stop when standard input closes: with its parent")
    _sizes(serve)
    serve.set_defaults(run=_serve)

    keys = commands.add_parser("credentials", help="print a user's API credentials")
    keys.add_argument("--user", required=True)
    keys.add_argument("--venue")
    keys.add_argument("--permission", default="read", choices=credentials.PERMISSIONS)
    keys.add_argument("-o", "--output", choices=("text", "json"), default="text")
    keys.set_defaults(run=_credentials)

    facts = commands.add_parser("truth", help="print every balance and transaction of a user, one JSON object a line")
    facts.add_argument("--user", required=True)
    facts.add_argument("--venue", help="one venue, or several with commas (default: all)")
    facts.add_argument("--at", type=int, help="epoch ms (default: the server's clock, or now)")
    facts.add_argument("--server", help="base URL of a running sandbox, whose clock and scripted events then count")
    _sizes(facts)
    facts.set_defaults(run=_truth)

    export = commands.add_parser("csv", help="print a venue's own CSV export of a user's history")
    export.add_argument("--user", required=True)
    export.add_argument("--venue", required=True, choices=("kraken",))
    export.add_argument("--kind", required=True, choices=("ledgers", "trades"))
    export.add_argument("--at", type=int, help="epoch ms up to which the export reaches (default: now)")
    _sizes(export)
    export.set_defaults(run=_csv)
    return parser


def _sizes(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--user-size",
        action="append",
        default=[],
        metavar="USER=N",
        help="transactions that a user makes per venue in three years (may be repeated)",
    )


def _world(asked: argparse.Namespace) -> World:
    sizes = {}
    for pair in asked.user_size:
        user, equals, number = pair.partition("=")
        if not equals or not number.isdigit() or int(number) < 1:
            raise ValueError(f"--user-size {pair!r}: give USER=N with a whole number above zero")
        sizes[credentials.check_user(user)] = int(number)
    return World(sizes)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _serve(asked: argparse.Namespace) -> int:
    from omnifolio_sandbox.server import Runner, Sandbox, listener, url_of
    from omnifolio_sandbox.state import Limits, State

    if not _is_loopback(asked.host) and not asked.allow_remote:
        raise ValueError(f"--host {asked.host} can be reached from outside: add --allow-remote if that is meant")
    if asked.rate_scale < 1:
        raise ValueError("--rate-scale must be 1 or more")
    state = State(Clock(now_ms=asked.now, wire=asked.wire_time), _world(asked), Limits(asked.rate_scale))

    with listener(asked.host, asked.port) as sock:
        ready = json.dumps({"ready": True, "url": url_of(sock)})
        runner = Runner(Sandbox(state), lambda: print(ready, flush=True))
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: setattr(runner, "should_exit", True))
        if asked.until_stdin_ends:
            threading.Thread(target=_stop_with_stdin, args=(runner,), name="until-stdin-ends", daemon=True).start()
        asyncio.run(runner.serve(sock))
    return 0


def _stop_with_stdin(runner: Any) -> None:
    while os.read(sys.stdin.fileno(), 1024):  # os.read holds no lock that the interpreter's end would wait for
        continue
    runner.should_exit = True


def _credentials(asked: argparse.Namespace) -> int:
    found = credentials.of_user(asked.user, asked.permission)
    if asked.venue is not None:
        if asked.venue not in found:
            raise ValueError(f"user {asked.user} has no credentials at {asked.venue!r}: only {', '.join(found)}")
        found = {asked.venue: found[asked.venue]}
    if asked.output == "json":
        print(json.dumps({"user": asked.user, "permission": asked.permission, "credentials": found}, indent=2))
        return 0
    for venue, fields in found.items():
        for name, value in fields.items():
            print(f"{venue}\t{name}\t{value.strip()}")
    return 0


def _truth(asked: argparse.Namespace) -> int:
    user = credentials.check_user(asked.user)
    if asked.server:
        sys.stdout.write(_fetched_truth(asked))
        return 0
    venues = [venue for venue in (asked.venue or "").split(",") if venue] or venues_of(user)
    at_ms = Clock(now_ms=asked.at).world_ms
    lines: list[dict[str, Any]] = truth(user, at_ms, world=_world(asked), venues=venues)
    sys.stdout.writelines(json.dumps(line, separators=(",", ":")) + "\n" for line in lines)
    return 0


def _fetched_truth(asked: argparse.Namespace) -> str:
    """The truth of a running sandbox."""
    query = {"user": asked.user, "venue": asked.venue, "at": asked.at}
    chosen = urllib.parse.urlencode({name: value for name, value in query.items() if value is not None})
    url = f"{asked.server.rstrip('/')}/_sandbox/truth?{chosen}"
    if not url.startswith(("http://", "https://")):
        raise ValueError(f"--server {asked.server!r}: give the http:// address that `serve` printed")
    try:
        with urllib.request.urlopen(url, timeout=FETCH_TIMEOUT_S) as response:  # noqa: S310 - scheme checked above
            return str(response.read().decode())
    except urllib.error.HTTPError as fault:
        raise ValueError(f"{url} answered {fault.code}: {fault.read().decode(errors='replace')}") from fault


def _csv(asked: argparse.Namespace) -> int:
    from omnifolio_sandbox.kraken.book import KrakenBook
    from omnifolio_sandbox.kraken.export import export

    account = _world(asked).account(credentials.check_user(asked.user), asked.venue)
    with exact():
        sys.stdout.write(export(KrakenBook(account, Clock(now_ms=asked.at).world_ms), asked.kind))
    return 0
