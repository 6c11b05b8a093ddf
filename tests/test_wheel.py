"""The wheel: everything that the program needs and nothing else, the same bytes every time, and it runs from there."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from omnifolio import __version__
from tests.style.tree import ROOT

PACKAGES = {"omnifolio": ROOT / "src" / "omnifolio", "omnifolio_sandbox": ROOT / "sandbox" / "omnifolio_sandbox"}
EPOCH = "1767225600"
ENTRY = "import omnifolio, omnifolio_sandbox; print(omnifolio.__file__); from omnifolio.faces.cli.main import main; main()"


def build(folder: Path) -> Path:
    """Builds the wheel of this checkout into a folder, without network."""
    environment = os.environ | {"SOURCE_DATE_EPOCH": EPOCH}
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built wheel."""
    return build(tmp_path_factory.mktemp("wheel"))


def test_it_holds_both_packages_with_their_data_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
        metadata = archive.read(f"omnifolio-{__version__}.dist-info/METADATA").decode()
    expected = {
        f"{package}/{file.relative_to(folder).as_posix()}"
        for package, folder in PACKAGES.items()
        for file in folder.rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }
    assert held == expected
    assert any(name.endswith("kraken.toml") for name in held)
    assert "License-Expression: Apache-2.0" in metadata


def test_it_is_the_same_file_every_time(wheel: Path, tmp_path: Path) -> None:
    assert build(tmp_path).read_bytes() == wheel.read_bytes()


def test_the_program_runs_from_it(wheel: Path, tmp_path: Path) -> None:
    """From the unpacked wheel alone: in another folder, and ahead of the checkout on the path."""
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "unpacked")
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYTHONPATH": str(tmp_path / "unpacked")}

    def run(*arguments: str) -> list[str]:
        command = [sys.executable, "-c", ENTRY, *arguments]
        return subprocess.run(
            command, cwd=tmp_path, env=environment, check=True, capture_output=True, text=True
        ).stdout.splitlines()

    place, version = run("--version")
    assert Path(place).is_relative_to(tmp_path)
    assert __version__ in version
    assert any("kraken" in line for line in run("venues", "list"))
