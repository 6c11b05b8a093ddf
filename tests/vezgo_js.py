"""Vezgo's official SDK for JavaScript as npm has it (`vezgo-sdk-js` 1.0.9): its build for Node.js and those for browsers."""

from pathlib import Path

from tests import npm

BED = Path(__file__).resolve().parent / "beds" / "vezgo"


def installed() -> Path:
    """The package's folder: `lib/vezgo.js` is for Node.js, `dist/vezgo.js` and `dist/vezgo.min.js` set `window.Vezgo`."""
    return npm.installed(BED, "beds/vezgo") / "vezgo-sdk-js"
