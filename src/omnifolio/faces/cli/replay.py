"""`omnifolio replay CASSETTE.json`: a recorded conversation through the reader and the ledger, without network."""

import json
from pathlib import Path

import click

from omnifolio.app.replay import replay as replay_cassette
from omnifolio.faces.cli.main import run
from omnifolio.transport.recording import load


@click.command()
@click.argument("cassette", type=click.Path(path_type=Path, exists=True, dir_okay=False))
def replay(cassette: Path) -> None:
    """Drive one account's sync from a recorded conversation and print normalised facts, one JSON object a line.

    What could not be read is named by lines of kind "problem".
    """
    document = load(cassette.read_bytes())
    lines = run(lambda: replay_cassette(document))
    for line in lines:
        click.echo(json.dumps(line, ensure_ascii=False))
