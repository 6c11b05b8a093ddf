"""What users enter: which venue they mean, and its fields from files, standard input, the environment or a prompt."""

import difflib
import sys
from pathlib import Path

import click

from omnifolio.app.naming import resolved
from omnifolio.app.offer import NAMES_OF_FIELDS, Field, Offer, Offers
from omnifolio.app.offers import all_offers
from omnifolio.faces.cli.main import Invocation, run
from omnifolio.model.clock import SystemClock
from omnifolio.model.errors import InvalidField, LiteralSecretRefused, NotFound
from omnifolio.model.settings import variables
from omnifolio.venues.evm.address import checksummed


def offer_of(offers: Offers, name: str) -> Offer:
    """The venue with that name. Raises: NotFound that says what may have been meant."""
    try:
        return offers.of(name)
    except NotFound:
        near = difflib.get_close_matches(name, [offer.name for offer in offers.all], n=1)
        hint = f" Did you mean {near[0]}?" if near else ""
        raise NotFound(f"no venue is called {name[:40]!r}; omnifolio venues list names them.{hint}") from None


def offers_of(invocation: Invocation) -> Offers:
    """The venues of this configuration."""
    return Offers(all_offers(invocation.settings()))


def entered_fields(offer: Offer, given: tuple[str, ...], prefix: str | None, *, is_simulated: bool) -> dict[str, str]:
    """What the user enters, from files, standard input, the environment or a prompt without echo.

    Raises: LiteralSecretRefused for a secret on the command line, except for a simulated venue; InvalidField.
    """
    by_name = {field.name: field for field in offer.fields}
    from_input = sum(item.endswith("=-") for item in given)
    entered: dict[str, str] = {}
    for item in given:
        name, separator, value = item.partition("=")
        if not separator:
            raise InvalidField(f"{item[:20]}: expected FIELD=@FILE, FIELD=- or FIELD=VALUE")
        if value == "-":
            # Several fields take a line each; a single one takes everything, so that it may have several lines.
            entered[name] = (sys.stdin.readline() if from_input > 1 else sys.stdin.read()).strip()
        else:
            entered[name] = _value(by_name.get(our_name(offer, name)), name, value, is_simulated=is_simulated)
    if prefix:
        entered |= _from_environment(offer, prefix)
    for field in offer.fields:
        names = {field.name, *NAMES_OF_FIELDS.get(field.name, ())}
        if not names & entered.keys() and field.is_required and sys.stdin.isatty():
            entered[field.name] = click.prompt(f"{offer.display_name} {field.label}", hide_input=field.is_secret, err=True)
    return entered


def address_of(invocation: Invocation, text: str) -> str:
    """The address that was entered, or that the entered name stands for, which is said on standard error.

    Raises: InvalidField, NotFound, VenueError for a name that stands for none.
    """
    settings, clock = invocation.settings(), SystemClock()
    found = run(lambda: resolved(settings, text, clock=clock))
    if found != text:
        click.echo(f"{text} is {checksummed(found)}", err=True)
    return found


def our_name(offer: Offer, name: str) -> str:
    """Our name of a field that may have been given under another."""
    return next((field.name for field in offer.fields if name in NAMES_OF_FIELDS.get(field.name, ())), name)


def _value(field: Field | None, name: str, value: str, *, is_simulated: bool) -> str:
    if value.startswith("@"):
        path = Path(value[1:])
        if not path.is_file():
            raise InvalidField(f"{name}: there is no file {path}")
        return path.read_text(encoding="utf-8").strip()
    if (field is None or field.is_secret) and not is_simulated:
        raise LiteralSecretRefused(
            f"{name[:20]} was given in plain text, where the shell's history and other programs can read it"
        )
    return value


def _from_environment(offer: Offer, prefix: str) -> dict[str, str]:
    names = {field.name: f"{prefix}_{field.name}".upper() for field in offer.fields}
    environment = variables(names.values())
    found = {field: environment[name] for field, name in names.items() if name in environment}
    if not found:
        raise InvalidField(f"--credential-env {prefix}: expected {' or '.join(names.values())} in the environment")
    return found
