"""What is built: how large the Connect page is, and that every language says everything."""

import gzip
import json
import re
from pathlib import Path

import msgspec
import pytest

from omnifolio.faces.pages.assets import STATIC, built
from tests.browser import ROOT

LOCALES = ROOT / "web" / "src" / "connect" / "locales"
LANGUAGES = ("de", "en", "es", "fr", "it")
CONNECT_KB_MAX = 40
_IMPORTED = re.compile(r"""(?:from|import)\s*"\./([^"]+\.js)\"""")
_ARGUMENT = re.compile(r"(?<!one )(?<!other )(?<!=0 )\{(\w+)[,}]")


def messages(language: str) -> dict[str, str]:
    """The messages of a language as a translator sees them."""
    found: dict[str, str] = json.loads((LOCALES / f"{language}.json").read_text(encoding="utf-8"))
    return found


def test_connect_in_one_language_is_small() -> None:
    page = built()["connect"]
    assert page.style is not None
    names, waiting = {page.style}, [page.script]
    while waiting:
        name = waiting.pop()
        names.add(name)
        waiting += [one for one in _IMPORTED.findall((STATIC / name).read_text(encoding="utf-8")) if one not in names]
    language = max(len(gzip.compress(part.read_bytes())) for part in STATIC.glob("part-*.js"))
    size = sum(len(gzip.compress((STATIC / name).read_bytes())) for name in names) + language
    assert size <= CONNECT_KB_MAX * 1024


def test_there_is_a_file_for_every_language_and_no_other() -> None:
    assert sorted(file.stem for file in LOCALES.iterdir()) == list(LANGUAGES)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_language_says_everything_and_nothing_else(language: str) -> None:
    english, here = messages("en"), messages(language)
    assert list(here) == list(english)
    assert all(here.values())
    for key, text in english.items():
        assert set(_ARGUMENT.findall(here[key])) == set(_ARGUMENT.findall(text)), key


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_language_says_who_has_looked_at_it(language: str) -> None:
    said = messages(language)["@review"]
    assert said == "source" if language == "en" else said == "unreviewed" or re.fullmatch(r"reviewed \d{4}-\d\d-\d\d by .+", said)


def test_every_message_is_used() -> None:
    code = "".join(file.read_text(encoding="utf-8") for file in (ROOT / "web" / "src" / "connect").rglob("*.ts"))
    said = {key for key in messages("en") if not key.startswith("@")}
    made = ("fault.", "proof.", "kind.", "check.", "depth.", "method.", "consent.how.", "field.")
    unused = {key for key in said if f'"{key}"' not in code and not key.startswith(made)}
    assert unused == set()


def test_nothing_that_is_built_asks_anybody_else() -> None:
    for file in STATIC.iterdir():
        text = file.read_text(encoding="utf-8") if file.suffix in (".js", ".css") else ""
        hosts = {
            host
            for host in re.findall(r"https?://([^/\"'`\s)]+)", text)
            if host != "www.w3.org" and not host.endswith(".example")
        }
        assert hosts == set(), file.name
        assert not re.search(
            r"\beval\(|new Function\(|localStorage|sessionStorage|document\.cookie|innerHTML\s*=\s*[^=]*location", text
        )


def test_the_manifest_names_files_that_there_are() -> None:
    for page in msgspec.json.decode((STATIC / "manifest.json").read_bytes(), type=dict[str, dict[str, str | None]]).values():
        assert all((STATIC / name).is_file() for name in page.values() if name is not None)


def test_no_template_brings_a_style_of_its_own() -> None:
    found: list[Path] = [file for file in (ROOT / "web" / "src").rglob("*.ts") if re.search(r"\bstyle=", file.read_text("utf-8"))]
    assert found == []
