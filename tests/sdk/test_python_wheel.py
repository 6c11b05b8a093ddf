"""The Python client's own wheel: its package, typed, with its licence, and nothing of the server."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

from tests.style.tree import ROOT

PROJECT = ROOT / "sdk" / "python"
PACKAGE = PROJECT / "src" / "omnifolio_client"
EPOCH = "1767225600"


def test_it_holds_the_package_alone_and_runs_from_there(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=PROJECT, env=os.environ | {"SOURCE_DATE_EPOCH": EPOCH}, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
        (licence,) = (name for name in archive.namelist() if name.endswith("/LICENSE"))
        assert archive.read(licence) == (ROOT / "LICENSE").read_bytes()
        metadata = archive.read(licence.partition("/")[0] + "/METADATA").decode()
        archive.extractall(tmp_path / "unpacked")
    assert held == {f"omnifolio_client/{file.name}" for file in PACKAGE.iterdir() if file.is_file()}
    assert "omnifolio_client/py.typed" in held
    assert "License-Expression: Apache-2.0" in metadata
    assert {line for line in metadata.splitlines() if line.startswith("Requires-Dist")} == {
        "Requires-Dist: httpx<1,>=0.27",
        "Requires-Dist: msgspec>=0.18",
    }
    shown = subprocess.run(
        [sys.executable, "-I", "-c", "import sys; sys.path.insert(0, sys.argv[1]); import omnifolio_client as c; "
         "print(c.__file__, any(name.split('.')[0] == 'omnifolio' for name in sys.modules))", str(tmp_path / "unpacked")],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert shown.stdout.split() == [str(tmp_path / "unpacked" / "omnifolio_client" / "__init__.py"), "False"]
