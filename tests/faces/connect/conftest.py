"""Worlds and servers as the API's tests have them."""

from tests.faces.api.conftest import address, client, world

__all__ = ["address", "client", "world"]
