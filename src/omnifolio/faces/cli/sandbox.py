"""`omnifolio sandbox …`: the simulated venues, run as the separate program that they are."""

import subprocess
import sys

import click


@click.command(
    context_settings={"ignore_unknown_options": True, "help_option_names": []},
    short_help="Run simulated venues, print their truth and credentials.",
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def sandbox(arguments: tuple[str, ...]) -> int:
    """Simulated Binance, Kraken and Coinbase on loopback: serve, credentials, truth, csv."""
    process = subprocess.run([sys.executable, "-m", "omnifolio_sandbox", *arguments], check=False)  # noqa: S603 - our own module
    return process.returncode
