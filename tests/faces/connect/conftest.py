"""Worlds and servers as the API's tests have them, and a page that is built."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from omnifolio.faces.pages import assets
from tests.faces.api.conftest import address, client, world

__all__ = ["address", "client", "pages", "world"]


@pytest.fixture(scope="module", autouse=True)
def pages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A build whose script does nothing: what a browser is told is tested here, not what the page draws."""
    folder = tmp_path_factory.mktemp("static")
    (folder / assets.MANIFEST).write_text(json.dumps({"connect": {"script": "connect-x.js", "style": None}}))
    (folder / "connect-x.js").write_text("")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(assets, "STATIC", folder)
        assets.built.cache_clear()
        yield folder
    assets.built.cache_clear()
