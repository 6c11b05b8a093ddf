"""What the wheel needs is what it says it needs: every library that is imported is a direct dependency, and every one is used."""

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions

from tests.style.tree import ROOT

USED_BY_OTHERS = {
    "httptools": "uvicorn parses HTTP with it when it is there: half the CPU of its own parser",
    "ccxt": "loaded class by class, by name (`venues.exchanges.lazy_ccxt`)",
}
"""Dependencies that nothing here imports, and why they are wanted."""


def declared() -> set[str]:
    """The names of the run-time dependencies."""
    document = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return {re.split(r"[\[=<>; ]", line)[0] for line in document["project"]["dependencies"]}


def imported() -> set[str]:
    """The top-level names of all foreign modules that the two packages import, local imports included."""
    found: set[str] = set()
    for folder in ("src/omnifolio", "sandbox/omnifolio_sandbox"):
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Import):
                    found.update(alias.name.partition(".")[0] for alias in node.names)
                elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                    found.add(node.module.partition(".")[0])
    return found - set(sys.stdlib_module_names) - {"omnifolio", "omnifolio_sandbox"}


def test_every_library_that_is_imported_is_declared_and_every_declared_one_is_used() -> None:
    distributions = packages_distributions()
    needed = {distributions[name][0].lower() for name in imported()}
    assert needed | set(USED_BY_OTHERS) == declared()


def test_every_dependency_is_described_with_licence_and_reason() -> None:
    page = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\S+)` \| (.+?) \| (.+?) \| (.+?) \|$", page, re.M)
    assert {name for name, *_ in rows} == declared()
    permissive = ("MIT", "BSD-2-Clause", "BSD-3-Clause", "Apache-2.0", "PSF-2.0")
    assert [name for name, licence, *_ in rows if not licence.startswith(permissive)] == []
