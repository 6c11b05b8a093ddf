"""`omnifolio replay CASSETTE.json`: a recorded conversation through the reader and the ledger, without network."""

import json
from pathlib import Path

import click

from omnifolio.app.replay import replay_file
from omnifolio.faces.cli.main import run


@click.command()
@click.argument("cassette", type=click.Path(path_type=Path, exists=True, dir_okay=False))
def replay(cassette: Path) -> None:
    """Drive one account's sync from a recorded conversation and print normalised facts, one JSON object a line.

    A document about one transaction of a chain is taken as well, see omnifolio explain. What could not be read is named by lines
    of kind "problem".
    """
    body = cassette.read_bytes()
    for line in run(lambda: replay_file(body)):
        click.echo(json.dumps(line, ensure_ascii=False))
