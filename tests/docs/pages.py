"""Pages of the documentation taken apart: code blocks, inline code, links and anchors."""

import re
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

ROOT = Path(__file__).resolve().parents[2]
NOT_RUN = "# not run by the tests: "
"""How a block begins that cannot run here; the reason follows, for readers to see."""

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.M | re.S)
_INLINE = re.compile(r"`([^`\n]+)`")
_LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ +(.+)$", re.M)
_ANCHOR = re.compile(r'<a id="([^"]+)">')


class Block(Struct, frozen=True):
    """A fenced block: its language ("" for none) and its text."""

    language: str
    text: str

    @property
    def is_run(self) -> bool:
        """Whether it is a command or a program, and not marked as one that cannot run here."""
        return self.language in ("sh", "python") and not self.is_excused

    @property
    def is_excused(self) -> bool:
        """Whether it says itself why it is not run."""
        return self.text.startswith(NOT_RUN)


class Page(Struct, frozen=True):
    """One page: its path under the root, and its text."""

    path: str
    text: str

    @property
    def blocks(self) -> Sequence[Block]:
        """Its fenced blocks in order."""
        return [Block(language, text) for language, text in _FENCE.findall(self.text)]

    @property
    def prose(self) -> str:
        """Its text without fenced blocks."""
        return _FENCE.sub("", self.text)

    @property
    def inline(self) -> Sequence[str]:
        """Its inline code."""
        return _INLINE.findall(self.prose)

    @property
    def links(self) -> Sequence[str]:
        """Where it points to."""
        return _LINK.findall(self.prose)

    @property
    def anchors(self) -> frozenset[str]:
        """The places in it that can be pointed to."""
        named = {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in _HEADING.findall(self.prose)}
        return frozenset(named | set(_ANCHOR.findall(self.text)))


def pages() -> Sequence[Page]:
    """README.md, the other pages at the root, docs/*.md, and the pages of the clients."""
    found = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md")), *sorted(ROOT.glob("sdk/*/README.md"))]
    return [Page(str(path.relative_to(ROOT)), path.read_text(encoding="utf-8")) for path in found]
