"""A real browser for tests: Chromium driven by Playwright, with every violation of a page's policy and every console error kept.

Playwright brings no browser here; the system's Chromium is driven. Where there is none and the run may install packages (as on a
machine that runs this suite alone), Debian's is installed.
"""

import fcntl
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
CACHE = ROOT / ".cache" / "beds" / "browser"
AXE = ROOT / "web" / "node_modules" / "axe-core" / "axe.min.js"
SCREENSHOTS = ROOT / ".cache" / "screenshots"
NAMES = ("chromium", "chromium-browser", "google-chrome")
QUIET = (
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
"""Without these it asks its maker's hosts for things at every start."""
PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1280, "height": 900}
_LISTEN = """document.addEventListener('securitypolicyviolation', event => window.__violation(
    event.effectiveDirective + ' ' + event.blockedURI + ' ' + event.sample))"""


def installed() -> Path:
    """The browser's binary, installed when it may be. Fails with a clear word when it cannot be had."""
    if (found := _found()) is not None:
        return found
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise RuntimeError("these tests need Chromium on the path. Debian, Ubuntu: sudo apt install chromium")
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # several test processes may come here at once
        if (found := _found()) is None:
            command = ["apt-get", "install", "-y", "-q", "--no-install-recommends", "chromium"]
            subprocess.run(command, check=True, capture_output=True, env=os.environ | {"DEBIAN_FRONTEND": "noninteractive"})
            found = _found()
    assert found is not None
    return found


def _found() -> Path | None:
    paths = (shutil.which(name) for name in NAMES)
    return next((Path(path) for path in paths if path is not None), None)


@contextmanager
def browser() -> Iterator[Browser]:
    """A running browser without any state."""
    arguments = [*QUIET, *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    with sync_playwright() as driver:
        running = driver.chromium.launch(executable_path=str(installed()), headless=True, args=arguments)
        try:
            yield running
        finally:
            running.close()


class Watched:
    """A page whose violations and errors are collected; `faults` is what a test compares with []."""

    def __init__(self, context: BrowserContext) -> None:
        self.faults: list[str] = []
        context.expose_binding("__violation", lambda _, text: self.faults.append(f"policy: {text}"))
        context.add_init_script(_LISTEN)
        self.page: Page = context.new_page()
        self.page.on("pageerror", lambda error: self.faults.append(f"error: {error}"))
        self.page.on("console", lambda said: self.faults.append(f"console: {said.text}") if said.type == "error" else None)

    def accessibility(self) -> list[str]:
        """What axe finds wrong with the page as it is now: rule and element."""
        self.page.evaluate(AXE.read_text(encoding="utf-8") + ";0")
        found = self.page.evaluate("axe.run()")
        return [f"{rule['id']}: {node['html'][:200]}" for rule in found["violations"] for node in rule["nodes"]]

    def picture(self, name: str) -> Path:
        """Writes a screenshot of the whole page, for people to look at."""
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        path = SCREENSHOTS / f"{name}.png"
        self.page.screenshot(path=str(path), full_page=True)
        return path
