"""The state of an installation, and everything that it may call."""

from collections.abc import Mapping, Sequence

from msgspec import Struct
from sqlalchemy.engine import Connection

from omnifolio.app.runtime import Runtime, database_folder, root_of
from omnifolio.ledger import accounts
from omnifolio.model.accounts import Principal
from omnifolio.model.clock import DAY_MS, EpochMs
from omnifolio.model.errors import OmnifolioError
from omnifolio.views.coverage import all_losses

OVERDUE_MS = DAY_MS
SOCKET = "SOCKET"


class Check(Struct, frozen=True):
    """One thing that was looked at."""

    name: str
    is_ok: bool
    text: str


def hosts(runtime: Runtime) -> Sequence[Mapping[str, str]]:
    """Every (venue or source, method, URL pattern) that may leave, by venue; SOCKET for sockets. Nothing else can."""
    found = [(venue, rule.method, rule.url) for venue, rules in runtime.egress.rules().items() for rule in rules]
    found += [(venue, SOCKET, rule.url) for venue, rules in runtime.egress.sockets.rules().items() for rule in rules]
    return [{"venue": venue, "method": method, "url": url} for venue, method, url in sorted(found, key=lambda item: item[0])]


async def checks(runtime: Runtime, principal: Principal) -> list[Check]:
    """Database, keys, workers and overdue accounts, and what the principal's accounts are about to lose."""
    context = runtime.context
    found = [Check("database", True, f"{context.store.dialect}, schema up to date")]
    try:
        root = root_of(context.settings, database_folder(context.store))
        where = "the environment" if context.settings.root_key else str(context.settings.key_path)
        found.append(Check("root key", True, f"{where}, key {root.key_id}"))
    except OmnifolioError as error:
        found.append(Check("root key", False, error.message))
    if context.settings.workers:
        found.append(Check("workers", True, "this process opens credentials: it serves and synchronises"))
    else:
        found.append(Check("workers", True, "none here: this process can open no credential"))

    def op(conn: Connection) -> int:
        return len(accounts.due(conn, _before(context.clock.now()), 1_000))

    overdue = await context.store.read(op)
    text = "no account is overdue" if not overdue else f"{overdue} accounts have been due for a day: is a worker running?"
    found.append(Check("accounts", overdue == 0, text))
    lost = await context.store.read(all_losses, principal, context.clock.now())
    text = "; ".join(f"{account.name or account.venue}, {loss.text}" for account, loss in lost)
    found.append(Check("history", not lost, text or "nothing unread is about to be lost"))
    return found


def _before(now: EpochMs) -> EpochMs:
    return EpochMs(now - OVERDUE_MS)
