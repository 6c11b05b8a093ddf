"""What the documentation lists is all there is: commands, exit codes, settings, error codes. Its links lead somewhere.

Routes are compared where they are made: tests/faces/api/test_documents.py.
"""

import re
import shlex
from collections.abc import Iterator
from typing import get_args

import click
import msgspec
import pytest

from omnifolio.app.offers import chain_offers, exchange_offers
from omnifolio.catalog import layouts
from omnifolio.catalog.cosmos_chains import cosmos_chains
from omnifolio.catalog.wallets import wallet_brands
from omnifolio.faces.cli.main import EXIT_CODES, cli
from omnifolio.model import errors
from omnifolio.model.accounts import KeyChangeCode
from omnifolio.model.settings import Settings
from tests.docs.pages import ROOT, Page, pages

PAGES = {page.path: page for page in pages()}
CLI = PAGES["docs/cli.md"]


def commands(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command that can be called, with its words."""
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            assert found is not None
            yield from commands(found, (*path, name))
    if path and (not isinstance(command, click.Group) or command.invoke_without_command):
        yield path, command


COMMANDS = dict(commands(cli))


def test_the_readme_counts_what_there_is() -> None:
    exchanges = exchange_offers()
    read = [offer for offer in exchanges if not offer.is_best_effort]
    programs = {row.display_name.partition(":")[0] for row in map(layouts.load, layouts.ids()) if row.id != "omnifolio"}
    text = PAGES["README.md"].text
    for words in (
        f"- {len(exchanges)} exchange accounts. {len(read)} have a reader of their own",
        f"{len(exchanges) - len(read)} more are read as ccxt reads them",
        f"- {len(chain_offers(()))} EVM main networks",
        f"- {len(cosmos_chains())} Cosmos chains",
        f"- By the name of the wallet, {len(wallet_brands())} of them",
        f"- Exported files of {len(programs)} programs",
    ):
        assert words in text, words


def test_every_command_is_listed_once() -> None:
    rows = [match.split() for match in re.findall(r"^\| `omnifolio ([^`]*)`", CLI.text, re.M)]
    listed = [_path(row) for row in rows]
    assert sorted(listed) == sorted(COMMANDS)


def test_exit_codes_are_those_of_the_program() -> None:
    listed = re.findall(r"^\| (\d+) \| (.+) \|$", CLI.text, re.M)
    assert {int(code): text for code, text in listed} == EXIT_CODES


def test_every_setting_is_listed_with_its_variable() -> None:
    listed = dict(re.findall(r"^\| `\[?(\w+)\]?` \| `(OMNIFOLIO_\w+)`", CLI.text, re.M))
    names = {field.name for field in msgspec.structs.fields(Settings)}
    assert set(listed) == names
    assert {name: variable for name, variable in listed.items() if variable != f"OMNIFOLIO_{name.upper()}"} == {
        "base_urls": "OMNIFOLIO_BASE_URL__KRAKEN",
        "oauth": "OMNIFOLIO_OAUTH__COINBASE__CLIENT_ID",
    }


def test_every_error_code_is_listed() -> None:
    def codes(kind: type[errors.OmnifolioError]) -> set[str]:
        found = {kind.code} if kind.__module__ == errors.__name__ else set()
        return found.union(*(codes(sub) for sub in kind.__subclasses__())) if kind.__subclasses__() else found

    listed = set(re.findall(r"^\| (?:<a [^>]*></a>)?`(\w+)` \|", PAGES["docs/errors.md"].text, re.M))
    assert codes(errors.OmnifolioError) <= listed


@pytest.mark.parametrize("page", PAGES.values(), ids=lambda page: page.path)
def test_commands_that_are_named_in_the_text_exist_with_their_options(page: Page) -> None:
    for text in page.inline:
        if not text.startswith("omnifolio "):
            continue
        words = shlex.split(text.replace("[", " ").replace("]", " "))[1:]
        if words[0] in ("COMMAND", "sandbox") or words[0].startswith("-"):
            continue
        path = _path(words)
        group = any(known[: len(path)] == path for known in COMMANDS)
        assert path in COMMANDS or (path and group), text
        if path in COMMANDS:
            known = {option for parameter in COMMANDS[path].params for option in parameter.opts} | {"--help"}
            assert {word for word in words if word.startswith("--")} <= known, text


@pytest.mark.parametrize("page", PAGES.values(), ids=lambda page: page.path)
def test_links_lead_somewhere(page: Page) -> None:
    for link in page.links:
        if link.startswith(("http://", "https://", "mailto:")):
            continue
        name, _, anchor = link.partition("#")
        target = (ROOT / page.path).parent / name if name else ROOT / page.path
        assert target.exists(), link
        if anchor:
            assert anchor in PAGES[str(target.resolve().relative_to(ROOT))].anchors, link


def test_every_page_is_reachable_from_the_readme() -> None:
    reached, waiting = set(), ["README.md"]
    while waiting:
        path = waiting.pop()
        if path in reached or path not in PAGES:
            continue
        reached.add(path)
        for link in PAGES[path].links:
            if "://" not in link and link.partition("#")[0]:
                waiting.append(str(((ROOT / path).parent / link.partition("#")[0]).resolve().relative_to(ROOT)))
    assert {path for path in PAGES if path.startswith("docs/")} <= reached


def _path(words: list[str]) -> tuple[str, ...]:
    """The longest beginning that is a command or a group."""
    known = {path[:length] for path in COMMANDS for length in range(1, len(path) + 1)}
    found: tuple[str, ...] = ()
    for length in range(1, len(words) + 1):
        if tuple(words[:length]) in known:
            found = tuple(words[:length])
    return found


def test_every_file_that_can_be_imported_is_listed_as_its_row_says() -> None:
    row_of = r"^\| `([a-z-]+)` \| (.+) \| (\S+) \| (UTC|ask) \| (yes|no) \| (.+), (\S+) \|$"
    assert re.findall(row_of, PAGES["docs/files.md"].text, re.M) == [
        (
            row.id,
            row.display_name,
            "any" if row.venue == layouts.NO_VENUE else row.venue,
            row.time_zone,
            "yes" if row.seen_real else "no",
            f"[{row.source[8:].partition('/')[0]}]({row.source})" if row.source.startswith("https://") else "here",
            row.seen,
        )
        for row in map(layouts.load, layouts.ids())
    ]


def test_every_way_in_which_a_key_changes_is_listed() -> None:
    text = (ROOT / "docs" / "sync.md").read_text(encoding="utf-8")
    section = text.split("## What is known of a key")[1].split("\n## ")[0]
    assert set(re.findall(r"^\| `([a-z_]+)` \|", section, re.MULTILINE)) == set(get_args(KeyChangeCode))


def test_every_promise_to_vezgo_s_sdks_names_tests_that_there_are() -> None:
    table = PAGES["docs/vezgo.md"].text.split("<!-- held -->")[1].split("<!-- end of held -->")[0]
    api = ROOT / "tests" / "faces" / "api"
    connect = "".join(path.read_text(encoding="utf-8") for path in (api.parent / "connect").rglob("test_*.py"))
    below = connect + "".join((api / f"test_{name}.py").read_text(encoding="utf-8") for name in ("vezgo_sdk", "edge", "answers"))
    scripted = connect + (api / "test_vezgo_js.py").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d+) \| [^|]+ \| ([^|]+) \| ([^|]+) \|$", table, re.M)
    assert [int(number) for number, _, _ in rows] == [*range(1, 25), 26, 27, 28]
    for number, python, javascript in rows:
        for names, text in ((python, below), (javascript, scripted)):
            missing = [name for name in re.findall(r"`(\w+)`", names) if f"def {name}(" not in text]
            assert missing == [], number
