"""What the catalog and the documentation say about proofs is what the cases prove."""

from pathlib import Path

import pytest
from tests.catalog import proving

from omnifolio.catalog import exchanges
from omnifolio.catalog.proofs import FILE, of
from omnifolio.catalog.proofs import proofs as stated

CATALOG = Path(exchanges.__file__).parent
PAGE = Path(__file__).parents[2] / "docs" / "venues.md"


def real() -> dict[str, frozenset[str]]:
    """The kinds that real answers were checked for: counted where the recorded cases are, else as stated before."""
    return dict(proving.recorded_kinds()) or {
        venue: frozenset(kind for kind, level in proof.streams.items() if level == "recorded")
        for venue, proof in stated().items()
    }


def test_the_catalog_and_the_page_say_what_the_cases_prove(request: pytest.FixtureRequest) -> None:
    found = proving.proofs(real())
    if request.config.getoption("--update-golden"):
        (CATALOG / FILE).write_text(proving.as_toml(found), encoding="utf-8")
        PAGE.write_text(proving.as_page(found), encoding="utf-8")
    assert (CATALOG / FILE).read_text(encoding="utf-8") == proving.as_toml(found)
    assert PAGE.read_text(encoding="utf-8") == proving.as_page(found)


def test_the_readme_counts_what_users_confirmed() -> None:
    assert f"## {proving.confirmed_by_users()}\n" in (PAGE.parents[1] / "README.md").read_text(encoding="utf-8")


def test_every_exchange_that_can_be_linked_has_five_cases() -> None:
    for venue in exchanges.ids():
        assert of(venue).cases >= proving.CASES_MIN or of(venue).proof == "listed", venue


def test_an_exchange_without_cases_is_only_listed() -> None:
    assert (of("nobody").proof, of("nobody").streams) == ("listed", {})
