"""`omnifolio explain CHAIN HASH --account ADDRESS`: what one transaction of a chain did for an address."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import click

from omnifolio.app.explaining import Valuing, explain_document, explain_hash
from omnifolio.app.explaining_coins import coin_facts, coin_named, explain_coin
from omnifolio.app.explaining_networks import explain_network, network_named
from omnifolio.app.facts import Line
from omnifolio.faces.cli.entering import address_of
from omnifolio.faces.cli.main import EXIT_INCOMPLETE, Invocation, pass_invocation, run
from omnifolio.faces.cli.output import Format, Row, format_option, show
from omnifolio.model.clock import EpochMs, SystemClock, iso

COLUMNS = ("at", "type", "wallet", "amount", "asset", "role", "value", "currency", "counterparty", "status", "note")
_NOTHING: Line = dict.fromkeys(COLUMNS)


@click.command()
@click.argument("chain", required=False)
@click.argument("name", metavar="[HASH]", required=False)
@click.option("--account", "accounts", metavar="ADDRESS", multiple=True, help="Whose legs are meant; several times for several.")
@click.option(
    "--from-file",
    "document",
    metavar="FILE",
    type=click.Path(path_type=Path, exists=True, dir_okay=False, allow_dash=True),
    help="Read the transaction from a JSON document in the place of a node; - is standard input.",
)
@click.option("--fiat", metavar="CURRENCY", help="Ask the price sources what each leg was worth, and add it.")
@format_option
@pass_invocation
def explain(
    invocation: Invocation,
    /,
    *,
    chain: str | None,
    name: str | None,
    accounts: tuple[str, ...],
    document: Path | None,
    fiat: str | None,
    output_format: str,
) -> int:
    """Print a transaction's legs and meaning for an address, as a sync would file them.

    CHAIN is a venue's id (ethereum, bitcoin, solana) or a CAIP-2 id (eip155:1). It asks your own node, else a public one. Of an
    EVM document, chain, hash and addresses may be left out where it states them. Exit code 6: something of it is not known.
    """
    clock = SystemClock()
    coin, network = coin_named(chain or ""), network_named(chain or "")
    if network is not None and document is not None:
        raise click.UsageError(f"--from-file reads documents of EVM chains and coins; give HASH and --account for {network.name}")
    wallets = [address_of(invocation, account) for account in accounts]
    valuing = None if fiat is None else Valuing(invocation.settings(), fiat.upper())
    if document is not None:
        body = sys.stdin.buffer.read() if str(document) == "-" else document.read_bytes()
        if coin is not None:
            lines = run(lambda: coin_facts(coin, wallets, [body], clock=clock, name=name or "", valuing=valuing))
        else:
            lines = run(
                lambda: explain_document(body, clock=clock, chain=chain or "", name=name or "", accounts=wallets, valuing=valuing)
            )
    else:
        if not chain or not name or not accounts:
            raise click.UsageError("give CHAIN, HASH and --account ADDRESS, or --from-file FILE")
        asked = invocation.settings()
        if coin is not None:
            lines = run(lambda: explain_coin(asked, coin, name=name, accounts=wallets, clock=clock, valuing=valuing))
        elif network is not None:
            lines = run(lambda: explain_network(asked, network, name=name, accounts=wallets, clock=clock, valuing=valuing))
        else:
            lines = run(lambda: explain_hash(asked, chain=chain, name=name, accounts=wallets, clock=clock, valuing=valuing))
    if output_format in (Format.JSON, Format.NDJSON):
        show(lines, output_format)
    else:
        show(_rows(lines), output_format, columns=COLUMNS, empty="It moved nothing of this address and cost it nothing.")
    return EXIT_INCOMPLETE if any(line["kind"] == "problem" for line in lines) else 0


def _rows(lines: Sequence[Line]) -> Iterator[Row]:
    """One row a leg, and one a problem."""
    for line in lines:
        if line["kind"] == "problem":
            yield _NOTHING | {"note": line["text"]}
        for leg in line.get("legs", ()):
            kind = line["type"] if not line["subtype"] else f"{line['type']} ({line['subtype']})"
            told = {"at": iso(EpochMs(line["at"])), "type": kind, "status": line["status"], "note": None}
            yield _NOTHING | told | {name: leg[name] for name in COLUMNS if name in leg} | _why(leg)


def _why(leg: Mapping[str, object]) -> dict[str, object]:
    return {"note": leg["unvalued"]} if leg.get("unvalued") else {}
