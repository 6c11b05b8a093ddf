"""Secrets that must be nowhere, in every form in which they might be somewhere, and the search for them."""

import base64
import binascii
import contextlib
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from urllib.parse import quote, quote_plus

LINE_CHARS_MIN = 16
"""A line of a private key that is shorter than this proves nothing."""
OVERLAP_BYTES = 4_096
CHUNK_BYTES = 1 << 24


def parts_of(secret: str) -> set[bytes]:
    """What of a secret gives it away: all of it, the lines of a private key, and the bytes that a base64 text stands for."""
    found = {secret.strip().encode()}
    lines = [line for line in secret.splitlines() if line and not line.startswith("-----")]
    if len(lines) > 1:
        found |= {line.encode() for line in lines if len(line) >= LINE_CHARS_MIN}
    with contextlib.suppress(binascii.Error):
        found.add(base64.b64decode("".join(lines), validate=True))
    return found


def forms_of(secret: str) -> Mapping[str, bytes]:
    """Every form of a secret by a name for people. Base64 is cut so that it is found wherever it begins in a longer text."""
    forms: dict[str, bytes] = {}
    for place, part in enumerate(sorted(parts_of(secret))):
        forms[f"raw {place}"] = part
        forms[f"reversed {place}"] = part[::-1]
        forms[f"hex {place}"] = part.hex().encode()
        forms[f"HEX {place}"] = part.hex().upper().encode()
        forms[f"utf-16 {place}"] = part.decode("latin-1").encode("utf-16-le")
        for shift in range(3):
            for name, encode in (("base64", base64.b64encode), ("base64url", base64.urlsafe_b64encode)):
                forms[f"{name} {place}+{shift}"] = encode(bytes(shift) + part)[4 if shift else 0 : -4]
    text = secret.strip()
    for name, value in (("url", quote(text, safe="")), ("form", quote_plus(text)), ("json", json.dumps(text)[1:-1])):
        forms[name] = value.encode()
        forms[f"{name} lower"] = value.replace("%2F", "%2f").replace("%3D", "%3d").replace("%2B", "%2b").encode()
    return forms


def found_in(folders: Iterable[Path], secrets: Iterable[str]) -> list[tuple[str, str]]:
    """(file, form) for every form of every secret in every file below the folders; also in the files' names."""
    wanted = {value: name for secret in secrets for name, value in forms_of(secret).items()}
    hits = []
    for path in _files(folders):
        names = {name for value, name in wanted.items() if value in str(path).encode()}
        for chunk in _chunks(path):
            names |= {name for value, name in wanted.items() if value in chunk}
        hits += [(str(path), name) for name in sorted(names)]
    return hits


def _files(folders: Iterable[Path]) -> Iterator[Path]:
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                yield path


def _chunks(path: Path) -> Iterator[bytes]:
    """The file's bytes in pieces that overlap, so that nothing hides at a seam."""
    tail = b""
    try:
        with path.open("rb") as file:
            while part := file.read(CHUNK_BYTES):
                yield tail + part
                tail = part[-OVERLAP_BYTES:]
    except FileNotFoundError:  # a running database removes files of its own
        return
