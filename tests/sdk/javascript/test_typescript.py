"""The TypeScript client: its models are those of the API, it is small, its own tests pass, and it works against a live server."""

import json
import re
from pathlib import Path

import pytest
from tools import typescript_models

from tests.docs.pages import Page
from tests.sdk.javascript import typescript

BYTES_MAX = 15 * 1024
ALL_OF_IT = re.compile(r"^# fail 0$", re.M)
README = Page("sdk/typescript/README.md", (typescript.SOURCE / "README.md").read_text(encoding="utf-8"))


def test_its_models_are_made_from_the_description_as_it_is_now() -> None:
    assert typescript_models.FILE.read_text(encoding="utf-8") == typescript_models.models(), "write it anew with `make api`"


def test_it_is_small_and_depends_on_nothing() -> None:
    files = [*(typescript.built() / "dist").glob("*.js")]
    assert len(files) > 5
    assert sum(file.stat().st_size for file in files) < BYTES_MAX
    package = json.loads((typescript.SOURCE / "package.json").read_text())
    assert "dependencies" not in package
    for file in files:
        imported = re.findall(r"from \"([^\"]+)\"", file.read_text(encoding="utf-8"))
        assert all(name.startswith("./") for name in imported)


@pytest.mark.parametrize("suite", ["client", "webhooks"])
def test_its_own_tests_pass(suite: str) -> None:
    home = typescript.built()
    assert ALL_OF_IT.search(typescript.node("--test", "--test-reporter=tap", home / "test" / f"{suite}.test.mjs", folder=home))


def test_it_works_against_a_live_server(live: dict[str, str]) -> None:
    home = typescript.built()
    told = typescript.node("--test", "--test-reporter=tap", home / "test" / "live.test.mjs", folder=home, environment=live)
    assert ALL_OF_IT.search(told)


def test_what_its_page_shows_has_the_right_types_and_runs(live: dict[str, str], tmp_path: Path) -> None:
    typescript.placed(tmp_path)
    blocks = [block.text for block in README.blocks if block.language == "ts"]
    assert len(blocks) == 5
    for number, text in enumerate(blocks):
        (tmp_path / f"block{number}.mts").write_text(text.replace("http://127.0.0.1:8400/v1", live["OMNIFOLIO_URL"]))
    (tmp_path / "node.d.ts").write_text("declare const process: { env: Record<string, string | undefined> };\n")
    (tmp_path / "tsconfig.json").write_text(
        json.dumps(
            {
                "compilerOptions": {
                    "target": "ES2022",
                    "module": "NodeNext",
                    "lib": ["ES2022", "DOM"],
                    "types": [],
                    "skipLibCheck": True,
                    "strict": True,
                    "exactOptionalPropertyTypes": True,
                    "noUncheckedIndexedAccess": True,
                }
            }
        )
    )
    typescript.node(typescript.compiler(), folder=tmp_path)
    printed = [typescript.node(f"block{number}.mjs", folder=tmp_path, environment=live) for number in range(len(blocks))]
    assert all(printed)
    assert "connected already as" in "".join(printed)
    assert "2432232314" in "".join(printed)
