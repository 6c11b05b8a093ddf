"""Packages from npm that tests run: installed once into a cache, from a checked-in lock file and without install scripts."""

import fcntl
import hashlib
import shutil
import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LOCK_FILES = ("package.json", "package-lock.json", ".npmrc")
NODE_MAJOR_MIN = 20


@cache
def node() -> str:
    """The path of Node.js. Fails with a clear word when it is missing or too old."""
    found = shutil.which("node")
    if found is None or shutil.which("npm") is None:
        raise RuntimeError(f"these tests need Node.js >= {NODE_MAJOR_MIN} with npm on the path")
    version = subprocess.run([found, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    if int(version.lstrip("v").partition(".")[0]) < NODE_MAJOR_MIN:
        raise RuntimeError(f"these tests need Node.js >= {NODE_MAJOR_MIN}; {found} is {version}")
    return found


def installed(source: Path, name: str) -> Path:
    """The folder `node_modules` with what the lock file in `source` names, kept in `.cache/<name>`."""
    node()
    home = ROOT / ".cache" / name
    home.mkdir(parents=True, exist_ok=True)
    with (home / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # several test processes may come here at once
        return _installed(source, home)


def _installed(source: Path, home: Path) -> Path:
    modules, stamp = home / "node_modules", home / ".lock-digest"
    digest = hashlib.sha256(b"".join((source / file).read_bytes() for file in LOCK_FILES)).hexdigest()
    if not (modules.exists() and stamp.exists() and stamp.read_text() == digest):
        for file in LOCK_FILES:
            shutil.copy(source / file, home)
        done = subprocess.run(["npm", "ci", "--ignore-scripts"], cwd=home, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"npm ci of {source / 'package.json'} failed: {done.stderr[-800:]}")
        stamp.write_text(digest)
    return modules
