"""Writes docs/errors.md, and the table of routes in docs/api.md, from the code: `python -m tools.api_docs`."""

from pathlib import Path

from omnifolio.faces.api.openapi import document, router
from omnifolio.faces.api.server import ROUTERS
from omnifolio.model.errors import by_code

DOCS = Path(__file__).parents[1] / "docs"
BEGIN, END = "<!-- routes: made by tools/api_docs.py -->", "<!-- end of routes -->"

_ERRORS = """# Errors

Every error has a stable `code`. The body of an error answer is a problem document (RFC 9457) with Vezgo's `message` and `error`
beside it:

```json
{"type": "…/errors#not_found", "title": "…", "status": 404, "detail": "…", "instance": "/v1/accounts/…", "message": "…",
 "error": "…", "code": "not_found", "blame": "caller", "retry": "never", "action": "…", "request_id": "…", "docs_url": "…"}
```

`blame` says who can mend it: the `caller` (the request), the `user` (their key or account), the `venue`, or `us`. `retry` says
whether the same request helps: `never`, `later`, or `after_user` (when the user has acted). 429 carries `Retry-After` in seconds.
409 carries the existing account's id as `existing_institution_id` and `existing_connection_id`. Errors of an account's sync stand
in the account's `error`, under the names in the column *account*.

| code | status | blame | retry | account | meaning | what to do |
|---|---|---|---|---|---|---|
"""


def errors() -> str:
    """The page of all error codes."""
    rows = [
        f'| <a id="{code}"></a>`{code}` | {kind.status} | {kind.blame} | {kind.retry} | {kind.vezgo or "–"} '
        f"| {(kind.__doc__ or '').splitlines()[0]} | {kind.action} |"
        for code, kind in sorted(by_code().items())
    ]
    return _ERRORS + "\n".join(rows) + "\n"


def routes() -> str:
    """The table of all operations with the scope that each needs."""
    rows = ["| Operation | Scope | |", "|---|---|---|"]
    for path, item in document([*ROUTERS, router(ROUTERS)])["paths"].items():
        rows += [f"| {method.upper()} `{path}` | {spec['x-scope']} | {spec['summary']} |" for method, spec in item.items()]
    return "\n".join([BEGIN, *rows, END])


def page(text: str) -> str:
    """The API's page with the present table of routes in it."""
    before, _, rest = text.partition(BEGIN)
    return before + routes() + rest.partition(END)[2]


if __name__ == "__main__":
    (DOCS / "errors.md").write_text(errors(), encoding="utf-8")
    api = DOCS / "api.md"
    api.write_text(page(api.read_text(encoding="utf-8")), encoding="utf-8")
