"""The TypeScript client as it is published: built once into a cache of the tree, by the compiler that its lock file names."""

import fcntl
import hashlib
import shutil
import subprocess
from pathlib import Path

from tests import npm

SOURCE = npm.ROOT / "sdk" / "typescript"


def built() -> Path:
    """The package's folder, with `dist` as `npm pack` would have it, and its tests. Raises: AssertionError."""
    home = npm.ROOT / ".cache" / "sdk" / "typescript" / "built"
    files = sorted([*SOURCE.glob("*.json"), *(SOURCE / "src").glob("*.ts"), *(SOURCE / "test").glob("*.mjs")])
    digest = hashlib.sha256(b"".join(str(file.name).encode() + file.read_bytes() for file in files)).hexdigest()
    home.parent.mkdir(parents=True, exist_ok=True)
    with (home.parent / ".build-lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        stamp = home / ".digest"
        if not (stamp.exists() and stamp.read_text() == digest):
            shutil.rmtree(home, ignore_errors=True)
            home.mkdir()
            for name in ("src", "test"):
                shutil.copytree(SOURCE / name, home / name)
            for file in SOURCE.glob("*.json"):
                shutil.copy(file, home)
            for step in (["--removeComments"], ["--emitDeclarationOnly", "--noCheck"]):
                node(compiler(), *step, folder=home)
            stamp.write_text(digest)
    return home


def placed(folder: Path) -> None:
    """Installs the client into a folder, as a program that uses it has it."""
    package = folder / "node_modules" / "@omnifolio" / "client"
    package.parent.mkdir(parents=True)
    package.symlink_to(built())


def compiler() -> Path:
    """The TypeScript compiler, a program for Node.js."""
    return npm.installed(SOURCE, "sdk/typescript") / "typescript" / "lib" / "tsc.js"


def node(*words: str | Path, folder: Path, environment: dict[str, str] | None = None) -> str:
    """What a program printed. Raises: AssertionError with everything when it failed."""
    command = [npm.node(), *map(str, words)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, env=environment, timeout=300, check=False)
    assert done.returncode == 0, f"{done.stdout[-6000:]}\n{done.stderr[-3000:]}"
    return done.stdout
