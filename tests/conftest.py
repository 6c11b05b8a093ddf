"""What every test has: the exact decimal context, and databases of both kinds."""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from omnifolio.model import amounts
from omnifolio.store.engine import Store, open_store
from omnifolio.venues.exchanges import lazy_ccxt
from tests import postgres

amounts.install()
lazy_ccxt.install()
"""Before any test imports ccxt: the product refuses to run beside one that came in whole."""

DIALECTS = ["sqlite", "postgresql"]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="rewrite the expected facts of golden cases")


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):  # only the process that began the run, not its workers
        postgres.begin_run()


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        postgres.end_run()


@pytest.fixture(scope="session")
def postgres_server() -> postgres.Server:
    """The run's PostgreSQL server, started at first use."""
    return postgres.shared()


@pytest.fixture
async def postgres_url(postgres_server: postgres.Server) -> AsyncIterator[str]:
    """A fresh PostgreSQL database with every table."""
    async with postgres.database(postgres_server) as url:
        yield url


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with every table, to be copied."""
    path = tmp_path_factory.mktemp("template") / "omnifolio.db"
    postgres.in_thread(postgres.prepare_database(f"sqlite:///{path}"))
    return path


@pytest.fixture
def sqlite_url(tmp_path: Path, sqlite_template: Path) -> str:
    """A fresh SQLite database with every table."""
    path = tmp_path / "omnifolio.db"
    shutil.copyfile(sqlite_template, path)
    return f"sqlite:///{path}"


@pytest.fixture(params=DIALECTS)
def database_url(request: pytest.FixtureRequest) -> str:
    """A fresh database with every table, once on SQLite and once on PostgreSQL."""
    name = "sqlite_url" if request.param == "sqlite" else "postgres_url"
    url: str = request.getfixturevalue(name)
    return url


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[Store]:
    """An open store with every table, once on SQLite and once on PostgreSQL."""
    opened = open_store(database_url)
    yield opened
    await opened.close()
