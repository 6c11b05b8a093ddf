"""One web page: the shell that loads its script, the facts that it begins with, and the headers under which browsers run it.

The strictest policy that lets our own script and style run: nothing inline, nothing from elsewhere, Trusted Types on.
What a page begins with is a block of data, which browsers never run.
"""

import html
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

import msgspec
from litestar import Request, Response

from omnifolio.faces.api.edge import PAGE_HEADERS
from omnifolio.faces.pages.assets import built
from omnifolio.model.errors import PagesMissing
from omnifolio.model.settings import Settings

_ICON = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E"
    "%3Ccircle cx='8' cy='8' r='6' fill='none' stroke='%23528bff' stroke-width='3'/%3E%3C/svg%3E"
)


def prefix_of(settings: Settings) -> str:
    """The path under which browsers see this server: "" at the root, else such as `/omnifolio`."""
    return urlsplit(settings.public_url).path.rstrip("/")


def protect(request: Request[Any, Any, Any], *, framed_by: Sequence[str], form_action: str = "'none'") -> None:
    """Gives the answer a page's headers. `framed_by` are the exact origins whose pages may show it in a frame; () for none."""
    frames = " ".join(framed_by) or "'none'"
    policy = (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; "
        f"form-action {form_action}; frame-ancestors {frames}; require-trusted-types-for 'script'; trusted-types lit-html"
    )
    headers = [
        (b"cache-control", b"no-store"),
        (b"content-security-policy", policy.encode()),
        (b"x-content-type-options", b"nosniff"),
        (b"referrer-policy", b"no-referrer"),
        (b"cross-origin-opener-policy", b"same-origin"),
        (b"permissions-policy", b"camera=(), microphone=(), geolocation=(), payment=(), usb=()"),
        (b"strict-transport-security", b"max-age=31536000"),
    ]
    if not framed_by:
        headers.append((b"x-frame-options", b"DENY"))
    request.scope["state"][PAGE_HEADERS] = headers


def page(settings: Settings, name: str, *, title: str, lang: str, theme: str, data: Any, status: int = 200) -> Response[bytes]:
    """The page of that name, which begins with `data`. `theme` is light, dark or auto. Raises: PagesMissing."""
    found, prefix = built().get(name), prefix_of(settings)
    if found is None:
        raise PagesMissing(f"the page {name} of this installation was not built")
    style = f'<link rel="stylesheet" href="{prefix}/static/{found.style}">' if found.style else ""
    facts = msgspec.json.encode(data).decode().replace("<", "\\u003c")
    text = (
        f'<!doctype html><html lang="{html.escape(lang)}" data-theme="{html.escape(theme)}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<title>{html.escape(title)}</title><link rel="icon" href="{_ICON}">{style}'
        f'<script type="module" src="{prefix}/static/{found.script}"></script></head>'
        f'<body><script id="facts" type="application/json">{facts}</script>'
        "<noscript>This page needs JavaScript. It loads nothing from anywhere else.</noscript></body></html>"
    )
    return Response(text.encode(), status_code=status, media_type="text/html; charset=utf-8")
