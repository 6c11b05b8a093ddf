"""The tree is clean: nothing left over, nothing unused, nothing too long, nothing that only makes sense on one machine."""

import ast
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from tests.style.tree import ROOT, Source, Tree

Check = Callable[[Tree], list[str]]

FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 70

LONG_FILES: Mapping[str, str] = {
    "src/omnifolio/faces/api/wire.py": "every object of the wire, one after another",
    "src/omnifolio/store/schema.py": "every table there is, one after another",
    "src/omnifolio/model/errors.py": "every error there is, one after another",
    "sdk/python/src/omnifolio_client/models.py": "made by a tool: every object of the wire",
    "sdk/python/src/omnifolio_client/api.py": "made by a tool: every operation, twice",
}
"""Files above the limit, each with its reason."""

CALLED_BY_LIBRARIES: Mapping[str, str] = {
    "load_dialect_impl": "SQLAlchemy asks a type decorator for its column type",
    "process_bind_param": "SQLAlchemy hands a type decorator each value",
    "list_commands": "click asks a group for the names of its commands",
    "get_command": "click asks a group for one command",
    "self_group": "SQLAlchemy asks an expression whether it needs brackets",
    "do_GET": "http.server calls it for each GET",
    "do_POST": "http.server calls it for each POST",
    "log_message": "http.server tells it about each request",
    "check_required_credentials": "ccxt asks it before a private read",
    "on_json_response": "ccxt reads every answer with it",
    "pytestmark": "pytest marks every test of the file with it",
}
"""Methods that a library calls by name."""

OPEN_ENDS = re.compile(r"\b(?:TO" + r"DO|FIX" + r"ME|XX" + r"X|HA" + r"CK)\b")
SLABS = {"util", "utils", "helper", "helpers", "common", "misc", "manager", "managers"}
MACHINE = re.compile(r"(?<![\w.~}])/(?:wo" + r"rk|ro" + r"ot|ho" + r"me|Us" + r"ers)/\w")
REGISTRIES = re.compile(
    r"(?:py"
    + r"pi\.org|pythonhosted"
    + r"\.org|registry\.npm"
    + r"js\.org|npm"
    + r"js\.com|registry\.yarn"
    + r"pkg\.com|crates"
    + r"\.io)"
)
ELSEWHERE = re.compile(r"\bshared/(?:refer" + r"ence|dra" + r"fts|test" + r"beds|DES" + r"IGN|ST" + r"YLE)|\b[Ii]ss" + r"ue #?\d")

_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_CODE_FOLDERS = ("src", "sandbox", "benchmarks", "tools", "tests")


def no_open_ends(tree: Tree) -> list[str]:
    """An open end is an issue, not a comment."""
    return _lines_with(tree, OPEN_ENDS)


def no_place_of_this_machine(tree: Tree) -> list[str]:
    """No path that exists on one machine only."""
    return _lines_with(tree, MACHINE)


def no_registry_host(tree: Tree) -> list[str]:
    """Packages are named with their hashes; where they come from is the user's own configuration."""
    return _lines_with(tree, REGISTRIES)


def no_word_of_elsewhere(tree: Tree) -> list[str]:
    """The tree explains itself: no reference to a document that is not in it."""
    return _lines_with(tree, ELSEWHERE)


def no_slabs(tree: Tree) -> list[str]:
    """A module is named after its subject."""
    return [f"{s.path}: name the subject" for s in tree.sources if SLABS & {*s.module.split("."), *s.path.stem.split("_")}]


def modules_say_what_they_know(tree: Tree) -> list[str]:
    """Every module has a docstring; an empty `__init__` of a folder of tests needs none."""
    return [
        f"{source.path}: no docstring"
        for source in tree.sources
        if not ast.get_docstring(source.syntax)
        and not (source.is_package and not source.text.strip() and "tests" in source.path.parts)
    ]


def public_functions_say_what_they_give(tree: Tree) -> list[str]:
    """Every public function and class of the packages has a docstring."""
    return [
        f"{source.path}:{node.lineno}: {node.name} has no docstring"
        for source in (*tree.product(), *tree.simulation())
        for node in source.syntax.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        and not node.name.startswith("_")
        and not ast.get_docstring(node)
    ]


def files_have_one_subject(tree: Tree) -> list[str]:
    """A file above 400 lines gives its reason; a reason that is no longer needed goes."""
    lengths = {source.path.as_posix(): source.text.count("\n") for source in tree.sources}
    wrong = [
        f"{path}: {lines} lines; split it or give the reason in LONG_FILES"
        for path, lines in lengths.items()
        if lines >= FILE_LINES_MAX and path not in LONG_FILES
    ]
    return wrong + [
        f"{path}: needs no reason any more" for path in LONG_FILES if lengths.get(path, FILE_LINES_MAX) < FILE_LINES_MAX
    ]


def functions_fit_on_a_screen(tree: Tree) -> list[str]:
    """No function above 70 lines."""
    return [
        f"{source.path}:{node.lineno}: {node.name} has {length} lines"
        for source in tree.sources
        for node in ast.walk(source.syntax)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (length := (node.end_lineno or 0) - node.lineno + 1) > FUNCTION_LINES_MAX
    ]


def nothing_is_unused(tree: Tree) -> list[str]:
    """Every definition is named a second time somewhere: public ones in any text of the tree, private ones in their own file."""
    everywhere = Counter(word for text in tree.texts.values() for word in _WORD.findall(text))
    wrong = []
    for source in tree.sources:
        if source.path.parts[0] not in _CODE_FOLDERS:
            continue
        here = Counter(_WORD.findall(source.text))
        for name, line in _definitions(source):
            if (here if name.startswith("_") else everywhere)[name] < 2:
                wrong.append(f"{source.path}:{line}: {name} is used nowhere")
    return wrong


CHECKS: tuple[Check, ...] = (
    no_open_ends, no_place_of_this_machine, no_registry_host, no_word_of_elsewhere, no_slabs, modules_say_what_they_know,
    public_functions_say_what_they_give, files_have_one_subject, functions_fit_on_a_screen, nothing_is_unused,
)  # fmt: skip

PLANTED: tuple[tuple[Check, str, str], ...] = (
    (no_open_ends, "docs/plan.md", "TO" + "DO: later"),
    (no_open_ends, "src/omnifolio/app/later.py", "# FIX" + "ME"),
    (no_place_of_this_machine, "tools/run.sh", "cd /ro" + "ot/omnifolio"),
    (no_registry_host, "requirements.lock", "https://files.pythonhosted" + ".org/x.whl"),
    (no_word_of_elsewhere, "README.md", "as issue" + " 2 says"),
    (no_slabs, "src/omnifolio/ledger/utils.py", ""),
    (no_slabs, "src/omnifolio/helpers/dates.py", ""),
    (modules_say_what_they_know, "src/omnifolio/app/mute.py", "A = 1"),
    (public_functions_say_what_they_give, "sandbox/omnifolio_sandbox/mute.py", "def give():\n    return 1"),
    (files_have_one_subject, "src/omnifolio/app/long.py", "A = 1\n" * FILE_LINES_MAX),
    (functions_fit_on_a_screen, "tests/long.py", "def f():\n" + "    pass\n" * FUNCTION_LINES_MAX),
    (nothing_is_unused, "src/omnifolio/app/dead.py", "def never_called():\n    pass"),
    (nothing_is_unused, "src/omnifolio/app/dead_constant.py", "NEVER_READ = 1"),
    (nothing_is_unused, "src/omnifolio/app/dead_method.py", "class A(A):\n    def never_called(self):\n        pass"),
)


@pytest.fixture(scope="module")
def project() -> Tree:
    """This checkout."""
    return Tree(ROOT)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_the_tree_is_tidy(project: Tree, check: Check) -> None:
    assert len(project.texts) > len(CHECKS), "the checks must see the project's files"
    assert check(project) == []


@pytest.mark.parametrize(("check", "path", "text"), PLANTED, ids=[path for _, path, _ in PLANTED])
def test_a_planted_fault_is_found(tmp_path: Path, check: Check, path: str, text: str) -> None:
    file = tmp_path / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    assert check(Tree(tmp_path)) != []


def test_every_check_has_a_planted_fault() -> None:
    assert {check for check, _, _ in PLANTED} == set(CHECKS)


def _lines_with(tree: Tree, pattern: re.Pattern[str]) -> list[str]:
    return [
        f"{path}:{number}: {found.group()}"
        for path, text in tree.texts.items()
        for number, line in enumerate(text.splitlines(), 1)
        if (found := pattern.search(line))
    ]


def _definitions(source: Source) -> Iterator[tuple[str, int]]:
    """Names that the file defines for use by name: functions, methods, classes, constants. What a decorator registers, what
    tests and fixtures are called, and what Python itself calls is left out."""
    is_test = source.path.parts[0] == "tests"
    for node in ast.walk(source.syntax):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            plain = {"property", "staticmethod", "classmethod", "dataclass", "cached_property", "cache"}
            registered = any(
                ast.unparse(decorator).split("(")[0].split(".")[-1] not in plain for decorator in node.decorator_list
            )
            called_by_others = (
                node.name.startswith(("__", "pytest_"))
                or node.name in CALLED_BY_LIBRARIES
                or (is_test and node.name.lower().startswith("test"))
            )
            if not registered and not called_by_others:
                yield node.name, node.lineno
    for statement in source.syntax.body:
        targets = (
            statement.targets
            if isinstance(statement, ast.Assign)
            else [statement.target]
            if isinstance(statement, ast.AnnAssign)
            else []
        )
        yield from (
            (target.id, statement.lineno) for target in targets if isinstance(target, ast.Name) and not target.id.startswith("__")
        )
