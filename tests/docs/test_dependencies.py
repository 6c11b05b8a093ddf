"""What is installed at run time: named with its reason, and under a licence that everybody can live with."""

import re
import tomllib
from importlib.metadata import Distribution, PackageNotFoundError, distribution

from tests.docs.pages import ROOT

PERMISSIVE = ("MIT", "BSD", "Apache", "PSF", "Python Software Foundation", "ISC", "Unlicense")
WEAK = {"certifi": "a list of certificates", "orjson": "comes with ccxt; unchanged", "fido2": "a list of domains; unchanged"}
"""MPL-2.0 binds changes of these files themselves, which we do not make."""
PAGE = ROOT / "docs" / "dependencies.md"
_NAME = re.compile(r"[A-Za-z0-9._-]+")
_SECTION = re.compile(r"^## ", re.M)


def declared() -> set[str]:
    """The run-time dependencies of pyproject.toml by name."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return {_name(text) for text in project["dependencies"]}


def test_the_page_names_exactly_what_is_declared() -> None:
    table = _SECTION.split(PAGE.read_text())[0]
    named = re.findall(r"^\| `([^`]+)` \|", table, re.M)
    assert sorted(named) == sorted(declared())


def test_everything_that_runs_has_a_permissive_licence() -> None:
    installed = _installed(declared())
    assert len(installed) > len(declared()), "dependencies of dependencies count"
    licences = {name: _licence(found) for name, found in installed.items()}
    doubtful = {name: text for name, text in licences.items() if not any(word in text for word in PERMISSIVE)}
    assert doubtful.keys() <= WEAK.keys(), doubtful
    strong = {name: text for name, text in licences.items() if re.search(r"\b[AL]?GPL|SSPL|BUSL", text)}
    assert strong == {}
    assert {name for name, text in licences.items() if "MPL" in text} <= WEAK.keys()


def test_the_page_says_which_licences_are_not_quite_permissive() -> None:
    text = PAGE.read_text()
    assert all(f"`{name}`" in text for name in WEAK)


def _installed(names: set[str]) -> dict[str, Distribution]:
    """What these names bring in, all the way down, as far as it is installed here."""
    found: dict[str, Distribution] = {}
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        try:
            found[name] = distribution(name)
        except PackageNotFoundError:  # for other platforms or Pythons
            continue
        waiting += [_name(text) for text in found[name].requires or [] if "extra ==" not in text]
    return found


def _licence(found: Distribution) -> str:
    metadata = found.metadata.json
    classifiers = [text for text in metadata.get("classifier", ()) if text.startswith("License ::")]
    stated = str(metadata.get("license_expression") or metadata.get("license") or "")
    return " ".join([stated.splitlines()[0] if stated else "", *classifiers])


def _name(text: str) -> str:
    match = _NAME.match(text)
    assert match is not None
    return match.group().lower().replace("_", "-")
