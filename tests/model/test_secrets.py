"""Secrets: no way of writing one down shows it."""

import copy
import json
import logging
import pickle
import pprint
import traceback
from collections.abc import Callable

import msgspec
import pytest

from omnifolio.model.errors import BadCredentials
from omnifolio.model.secrets import MASK, Secret

CANARY = "canary-5f0c2a9b7d-canary"
SECRET = Secret(CANARY)


class Holder(msgspec.Struct):
    secret: Secret


def logged() -> str:
    record = logging.LogRecord("x", logging.INFO, __file__, 1, "key=%s %r", (SECRET, SECRET), None)
    return logging.Formatter().format(record)


def raised() -> str:
    error = BadCredentials(f"refused {SECRET}", secret=SECRET)
    found = traceback.TracebackException.from_exception(error, capture_locals=True)
    return "".join(found.format()) + repr(error) + repr(error.extra)


@pytest.mark.parametrize(
    "write",
    [
        lambda: str(SECRET),
        lambda: repr(SECRET),
        lambda: f"{SECRET} {SECRET!r} {SECRET!s} {SECRET:>40}",
        lambda: "%s %r" % (SECRET, SECRET),  # noqa: UP031
        lambda: "{} {!r}".format(SECRET, SECRET),  # noqa: UP032
        lambda: repr([SECRET, {"key": SECRET}, Holder(SECRET)]),
        lambda: pprint.pformat({"key": SECRET}),
        lambda: json.dumps({"key": SECRET}, default=str),
        lambda: msgspec.json.encode(Holder(SECRET), enc_hook=str).decode(),
        lambda: msgspec.msgpack.encode(Holder(SECRET), enc_hook=repr).decode("latin-1"),
        logged,
        raised,
    ],
)
def test_written_down_it_is_masked(write: Callable[[], str]) -> None:
    text = write()
    assert MASK in text
    assert CANARY not in text


@pytest.mark.parametrize(
    "store",
    [
        lambda: json.dumps(SECRET),
        lambda: msgspec.json.encode(SECRET),
        lambda: msgspec.json.encode(Holder(SECRET)),
        lambda: msgspec.msgpack.encode([SECRET]),
        lambda: msgspec.to_builtins(Holder(SECRET)),
        lambda: pickle.dumps(SECRET),
        lambda: pickle.dumps(Holder(SECRET)),
        lambda: copy.copy(SECRET),
        lambda: copy.deepcopy({"key": SECRET}),
        SECRET.__getstate__,
        lambda: {SECRET: 1},
        lambda: ",".join([SECRET]),  # type: ignore[list-item]
        lambda: bytes(SECRET),  # type: ignore[call-overload]
        lambda: vars(SECRET),
    ],
)
def test_it_cannot_be_stored_or_copied(store: Callable[[], object]) -> None:
    with pytest.raises(TypeError) as caught:
        store()
    assert CANARY not in str(caught.value)


def test_only_reveal_and_the_hint_show_anything() -> None:
    assert SECRET.reveal() == CANARY
    assert SECRET.hint() == "nary"
    assert Secret("fifteen-letters").hint() == MASK
    assert Secret(CANARY) == SECRET
    assert Secret("other") != SECRET
    assert SECRET != CANARY
