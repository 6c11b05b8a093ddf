"""The built files of the web pages: which there are, under which names, and how they are sent.

`make web` builds them into `static/`; the wheel brings them along. Their names hold a digest of what is in them, so a browser may
keep them for ever; only the loader that other people's pages name keeps its name.
"""

from functools import cache
from pathlib import Path
from typing import Annotated

import msgspec
from litestar import Response, Router, get
from litestar.params import PathParameter
from msgspec import Struct

from omnifolio.faces.api.admission import PUBLIC, SCOPE
from omnifolio.model.errors import NotFound, PagesMissing

STATIC = Path(__file__).parent / "static"
MANIFEST = "manifest.json"
LOADER = "connect.js"
KEEP_FOR_EVER = "public, max-age=31536000, immutable"
KEEP_SHORTLY = "public, max-age=300"
MEDIA_TYPES = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml"}


class Built(Struct, frozen=True):
    """The names of a page's script and, where it has one, of its style sheet."""

    script: str
    style: str | None = None


@cache
def built() -> dict[str, Built]:
    """Every page by its name. Raises: PagesMissing when they were not built."""
    file = STATIC / MANIFEST
    if not file.is_file():
        raise PagesMissing
    return msgspec.json.decode(file.read_bytes(), type=dict[str, Built])


@cache
def _file(name: str) -> tuple[bytes, str]:
    """The bytes of a built file and its media type. Raises: NotFound."""
    kind = MEDIA_TYPES.get(Path(name).suffix)
    if kind is None or Path(name).name != name or not (STATIC / name).is_file():
        raise NotFound("there is no such file")
    return (STATIC / name).read_bytes(), kind


@get("/static/{name:str}", opt={SCOPE: PUBLIC}, include_in_schema=False, sync_to_thread=False)
def send_file(name: Annotated[str, PathParameter(max_length=128)]) -> Response[bytes]:
    """A built file. It is the same for everybody, and any page may load it."""
    data, kind = _file(name)
    keep = KEEP_SHORTLY if name == LOADER else KEEP_FOR_EVER
    return Response(data, media_type=kind, headers={"cache-control": keep, "access-control-allow-origin": "*"})


ROUTER = Router("/", route_handlers=[send_file])
