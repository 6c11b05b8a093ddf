"""Puts the built web pages into the wheel: from a checkout they are built with Node, an unpacked sdist brings them along."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

MANIFEST = Path("src/omnifolio/faces/pages/static/manifest.json")


class WebPages(BuildHookInterface[Any]):
    """Runs `tools/web.sh` before a wheel or an sdist is packed; an editable install needs no Node."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Builds the pages where there are sources, and refuses to pack a wheel without them."""
        if version == "editable":
            return
        root = Path(self.root)
        if not (root / "PKG-INFO").exists():
            shell = shutil.which("sh")
            if shell is None:
                raise SystemExit("Building from a checkout needs a POSIX shell and Node 20 or newer")
            subprocess.run([shell, str(root / "tools" / "web.sh")], check=True)  # noqa: S603 - our own file
        if not (root / MANIFEST).exists():
            raise SystemExit(f"{MANIFEST} is missing: run make web")
