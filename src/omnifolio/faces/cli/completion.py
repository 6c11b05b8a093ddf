"""`omnifolio completion SHELL`: the script that lets a shell complete commands and options."""

import click
from click.shell_completion import get_completion_class

from omnifolio.faces.cli.main import cli

PROGRAM = "omnifolio"
VARIABLE = "_OMNIFOLIO_COMPLETE"
"""Set by the script when it asks the program what could come next."""


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the completion script of a shell.

    bash: eval "$(omnifolio completion bash)" in ~/.bashrc · zsh: the same with zsh in ~/.zshrc · fish: write it to
    ~/.config/fish/completions/omnifolio.fish
    """
    found = get_completion_class(shell)
    assert found is not None, "click knows every shell of the choice"
    click.echo(found(cli, {}, PROGRAM, VARIABLE).source())
