"""What of the Python client is made from the API's description is what the description says now."""

from decimal import Decimal
from typing import Any, get_args

import msgspec
import pytest
from tools import python_sdk

import omnifolio_client
from omnifolio.faces.api.openapi import document, router
from omnifolio.faces.api.problems import by_code
from omnifolio.faces.api.server import ROUTERS
from omnifolio_client import AsyncOmnifolio, Omnifolio, codes, models, operations
from omnifolio_client.errors import ApiError

MADE = python_sdk.files()
OPERATIONS = sum(len(item) for item in document([*ROUTERS, router(ROUTERS)])["paths"].values())


@pytest.mark.parametrize("name", MADE)
def test_making_it_again_gives_the_same_bytes(name: str) -> None:
    stored = (python_sdk.PACKAGE / name).read_text(encoding="utf-8")
    assert stored == MADE[name], "run python -m tools.python_sdk"


def test_every_operation_is_a_method_of_both_clients() -> None:
    names = [name for name, found in vars(operations).items() if getattr(found, "__module__", "") == operations.__name__]
    public = [name for name in names if not name.startswith("_")]
    assert len(public) == OPERATIONS - len(python_sdk.LEFT_OUT)
    for name in public:
        assert callable(getattr(Omnifolio, name))
        assert callable(getattr(AsyncOmnifolio, name))


def test_every_code_has_a_class_of_its_own_place() -> None:
    assert set(codes.BY_CODE) == set(by_code())
    for code, kind in codes.BY_CODE.items():
        assert issubclass(kind, ApiError)
        assert kind.code == code
    assert issubclass(codes.BY_CODE["invalid_field"], codes.BY_CODE["bad_request"])


def test_every_field_that_is_called_exact_is_there_and_is_a_decimal() -> None:
    seen = {field.name: field for kind in _models() for field in msgspec.structs.fields(kind) if field.name in python_sdk.EXACT}
    assert set(seen) == python_sdk.EXACT
    for field in seen.values():
        assert Decimal in (field.type, *get_args(field.type)), field.name


def test_the_package_names_what_it_offers() -> None:
    assert all(hasattr(omnifolio_client, name) for name in omnifolio_client.__all__)


def _models() -> list[Any]:
    return [found for found in vars(models).values() if isinstance(found, type) and issubclass(found, msgspec.Struct)]
