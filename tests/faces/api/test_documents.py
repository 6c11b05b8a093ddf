"""What the documents list is what the code has."""

from pathlib import Path

from tools import api_docs

from omnifolio.model.errors import by_code

DOCS = Path(__file__).parents[3] / "docs"


def test_every_error_code_is_explained() -> None:
    assert (DOCS / "errors.md").read_text(encoding="utf-8") == api_docs.errors(), "run python -m tools.api_docs"


def test_every_route_is_listed() -> None:
    text = (DOCS / "api.md").read_text(encoding="utf-8")
    assert text == api_docs.page(text), "run python -m tools.api_docs"


def test_every_error_says_what_to_do_and_has_a_status_that_fits_its_blame() -> None:
    for code, kind in by_code().items():
        assert kind.action.endswith("."), code
        assert (kind.__doc__ or "").strip(), code
        assert 400 <= kind.status < 600, code
        if issubclass(kind, by_code()["bad_request"]):
            assert kind.status < 500, code
