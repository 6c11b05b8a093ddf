"""What the tests of clients share: a running server with simulated venues, and a team."""

import json
import os
from collections.abc import Iterator

import pytest

from tests.anvil import free_port
from tests.docs.pages import Block
from tests.docs.stand import Stand

PORT = free_port()
"""Where the example listens: its page is registered with the team."""
SERVER = f"""omnifolio serve --sandbox --sandbox-port 8401
export OMNIFOLIO_SANDBOX_URL=http://127.0.0.1:8401
omnifolio teams create App --origin http://127.0.0.1:{PORT} -o json > team.json
omnifolio sandbox credentials --user alice --venue kraken -o json > alice.json
"""


@pytest.fixture(scope="session")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The environment of a program that uses a running server with simulated venues."""
    stand = Stand(tmp_path_factory.mktemp("live"))
    try:
        stand.run([Block("sh", SERVER)])
        team = json.loads((stand.home / "team.json").read_text())
        fields = json.loads((stand.home / "alice.json").read_text())["credentials"]["kraken"]
        yield os.environ | {
            "OMNIFOLIO_URL": f"http://127.0.0.1:{stand.ports['8400']}/v1",
            "CLIENT_ID": team["client_id"],
            "SECRET": team["secret"],
            "PORT": str(PORT),
            "KRAKEN": json.dumps(fields),
        }
    finally:
        stand.close()
