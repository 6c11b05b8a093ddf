"""Where a page returns to when it is over: the team's own address with what came of it, its own query kept as it is.

Names of success are those of an OAuth answer, so that clients of that kind need no code of their own; those of a failure are the
union of what such clients and Vezgo's read.
"""

from collections.abc import Sequence
from urllib.parse import urlencode

from omnifolio.connect.terms import Way

CLOSED = "Connection closed by the user"
"""Consumers look for this very text."""


def succeeded(way: Way, accounts: Sequence[str]) -> str | None:
    """The address with the account's id; several are also listed. None where nobody is to be returned to."""
    if way.redirect_uri is None or not accounts:
        return None
    told = [("account", accounts[0]), ("code", accounts[0])]
    if len(accounts) > 1:
        told.append(("accounts", ",".join(accounts)))
    return _with(way.redirect_uri, [*told, *_state(way)])


def failed(way: Way, *, error: str, message: str) -> str | None:
    """The address with what went wrong; None where nobody is to be returned to."""
    if way.redirect_uri is None:
        return None
    told = [
        ("error", error),
        ("error_description", message),
        ("error_type", "400"),
        ("error_message", message),
        ("message", message),
    ]
    return _with(way.redirect_uri, [*told, *_state(way)])


def _state(way: Way) -> list[tuple[str, str]]:
    return [] if way.state is None else [("state", way.state)]


def _with(address: str, told: Sequence[tuple[str, str]]) -> str:
    joint = "&" if "?" in address else "?"
    return f"{address}{'' if address.endswith(('?', '&')) else joint}{urlencode(told)}"
