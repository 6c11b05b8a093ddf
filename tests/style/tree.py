"""The project as files: what is in the tree, and what each Python file imports, wherever in the file it does so."""

import ast
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

FOLDERS = ("src", "sandbox", "sdk", "tests", "benchmarks", "tools", "docs", "examples", ".github", ".ci")
TEXT_SUFFIXES = {"", ".py", ".md", ".toml", ".sh", ".yml", ".yaml", ".lock", ".json", ".sol", ".js", ".ts", ".css", ".html"}
SKIPPED = {"__pycache__", "node_modules", "static", ".cache"}
FILE_BYTES_MAX = 4 * 1024 * 1024
"""Larger files are recordings, which are not prose or code of ours."""


class Import:
    """One imported dotted name and its line. `from a import b` is `a.b`."""

    def __init__(self, name: str, line: int) -> None:
        self.name, self.line = name, line


class Source:
    """One Python file. `path` is relative to the tree, `module` its dotted name below `src/`, `sandbox/` or the root."""

    def __init__(self, tree: Path, file: Path) -> None:
        self.path = file.relative_to(tree)
        self.text = file.read_text(encoding="utf-8")
        parts = list(self.path.with_suffix("").parts)
        if parts[0] in ("src", "sandbox"):
            parts = parts[1:]
        self.is_package = parts[-1] == "__init__"
        self.module = ".".join(parts[:-1] if self.is_package else parts)

    @cached_property
    def syntax(self) -> ast.Module:
        """The parsed file."""
        return ast.parse(self.text, str(self.path))

    @cached_property
    def imports(self) -> list[Import]:
        """Every import, local and typing-only ones and `import_module("…")` included."""
        return list(self._imports())

    def _imports(self) -> Iterator[Import]:
        for node in ast.walk(self.syntax):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    yield Import(alias.name, node.lineno)
            elif isinstance(node, ast.ImportFrom):
                base = self._absolute(node)
                for alias in node.names:
                    yield Import(f"{base}.{alias.name}".strip("."), node.lineno)
            elif isinstance(node, ast.Call) and _called(node) in ("import_module", "__import__") and node.args:
                yield Import(_leading_text(node.args[0]), node.lineno)

    def _absolute(self, node: ast.ImportFrom) -> str:
        if not node.level:
            return node.module or ""
        package = self.module.split(".") if self.is_package else self.module.split(".")[:-1]
        base = package[: len(package) - node.level + 1]
        return ".".join([*base, *([node.module] if node.module else [])])


class Tree:
    """A checkout, or a folder that looks like one."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @cached_property
    def sources(self) -> list[Source]:
        """Every Python file."""
        return [Source(self.root, file) for file in self._files() if file.suffix == ".py"]

    @cached_property
    def texts(self) -> dict[Path, str]:
        """Every text file by its path relative to the tree."""
        found = [file for file in self._files() if file.suffix in TEXT_SUFFIXES and file.stat().st_size <= FILE_BYTES_MAX]
        return {file.relative_to(self.root): file.read_text(encoding="utf-8") for file in found}

    def product(self) -> list[Source]:
        """The files of the package `omnifolio`."""
        return [source for source in self.sources if source.module.split(".")[0] == "omnifolio"]

    def simulation(self) -> list[Source]:
        """The files of the package `omnifolio_sandbox`."""
        return [source for source in self.sources if source.module.split(".")[0] == "omnifolio_sandbox"]

    def _files(self) -> list[Path]:
        found = [path for path in self.root.glob("*") if path.is_file() and not path.name.startswith(".")]
        for folder in FOLDERS:
            found += [path for path in (self.root / folder).rglob("*") if path.is_file() and not SKIPPED & set(path.parts)]
        return sorted(path for path in found if path.name != "bench.json")


def room_of(module: str) -> str:
    """The room of a dotted name of ours: `ledger` of `omnifolio.ledger.read`; "" for the package itself."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else ""


def _called(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def _leading_text(node: ast.expr) -> str:
    """The literal beginning of a text: all of it for "a.b", "a." for f"a.{name}", "?" where it begins with a value."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr) and node.values and isinstance(node.values[0], ast.Constant):
        return str(node.values[0].value)
    return "?"
