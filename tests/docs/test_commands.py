"""Every command and program that the documentation shows is run, in order, in a scratch home."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.pages import Page, pages
from tests.docs.stand import Stand

EXCUSED_MAX = 4
"""Blocks that may say why they are not run: they need a real key, the network, or a tool that is not ours."""

SERVER = "omnifolio serve --sandbox --sandbox-port 8401\nexport OMNIFOLIO_SANDBOX_URL=http://127.0.0.1:8401\n"
"""For pages that speak of a running server."""

TEAM = """
eval "$(omnifolio teams create App -o json | python3 -c '
import json, sys
team = json.load(sys.stdin)
print("export CLIENT_ID=" + team["client_id"], "SECRET=" + team["secret"])')"
omnifolio sandbox credentials --user alice --venue kraken -o json > alice.json
python3 linked.py > account.txt
export ACCOUNT=$(cat account.txt)
"""
LINKED = """
import json, os, time
from vezgo import Vezgo
fields = json.load(open("alice.json"))["credentials"]["kraken"]
user = Vezgo(os.environ["CLIENT_ID"], os.environ["SECRET"], base_url="http://127.0.0.1:8400/v1", login_name="user-1")
account = user.accounts.add(provider="kraken", credentials=fields)
while user.accounts.get_one(account["id"])["status"] == "syncing":
    time.sleep(0.2)
print(account["id"])
"""
"""An account that is read already, as the page on the API takes for granted."""

NAMES = "import os\nCLIENT_ID, SECRET = os.environ['CLIENT_ID'], os.environ['SECRET']\n"
RUN = [page for page in pages() if any(block.is_run for block in page.blocks)]


@pytest.fixture
def stand(tmp_path: Path) -> Iterator[Stand]:
    """A scratch home; its servers are stopped at the end."""
    made = Stand(tmp_path)
    yield made
    made.close()


@pytest.mark.parametrize("page", RUN, ids=lambda page: page.path)
def test_what_a_page_shows_runs(page: Page, stand: Stand) -> None:
    blocks = [block for block in page.blocks if block.is_run]
    own_server = any("omnifolio serve" in block.text for block in blocks)
    needs_team = "CLIENT_ID" in "".join(block.text for block in blocks)
    (stand.home / "linked.py").write_text(LINKED.replace("8400", str(stand.ports["8400"])), encoding="utf-8")
    before = ("" if own_server else SERVER) + (TEAM if needs_team else "")
    stand.run(blocks, before=before, python_before=NAMES if needs_team else "")


def test_few_blocks_are_excused_and_each_says_why() -> None:
    excused = [block.text.splitlines()[0] for page in pages() for block in page.blocks if block.is_excused]
    assert 0 < len(excused) <= EXCUSED_MAX
    assert all(len(line.partition(": ")[2].split()) >= 3 for line in excused)


def test_the_walk_of_the_readme_is_among_what_runs() -> None:
    readme = next(page for page in RUN if page.path == "README.md")
    shown = "".join(block.text for block in readme.blocks if block.is_run)
    for word in ("make demo", "make test", "omnifolio serve", "accounts add kraken", "curl", "from vezgo import"):
        assert word in shown
