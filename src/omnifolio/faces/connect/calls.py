"""What an open page asks for beside the API: search, who will be asked, files, checks, steps of the visit, and the end.

Only an open page may ask; its token says for whom. These routes belong to the page and are no part of the API's description.
"""

from typing import Annotated, Any, Literal

from litestar import Request, Response, Router, get, post
from litestar.params import JSONBody, QueryParameter
from msgspec import Meta, Struct

from omnifolio.app import connecting
from omnifolio.app.asking import asking, asking_first
from omnifolio.app.authenticate import Session
from omnifolio.app.brands import BRAND
from omnifolio.app.checking import Check, checks_of
from omnifolio.app.importing import import_data, preview_data
from omnifolio.app.searching import TEXT_LENGTH_MAX, search
from omnifolio.connect.tokens import Held
from omnifolio.faces.api.admission import CONNECT, SCOPE
from omnifolio.faces.api.answers import answer
from omnifolio.faces.api.given import Account, DeskGiven, SessionGiven
from omnifolio.ledger import accounts
from omnifolio.model.amounts import canonical
from omnifolio.model.clock import iso
from omnifolio.model.errors import PrivateKeyRefused
from omnifolio.model.facts import Claim
from omnifolio.model.ids import AccountId

FIELDS_MAX = 20
ACCOUNTS_MAX = 200
UNREADABLE_MAX = 50
"""Lines that could not be read and are told of one by one."""

READING: dict[str, Any] = {SCOPE: "read", CONNECT: "only"}
LINKING: dict[str, Any] = {SCOPE: "link", CONNECT: "only"}

Short = Annotated[str, Meta(max_length=100)]
Value = Annotated[str, Meta(max_length=20_000)]


class FindIn(Struct, frozen=True):
    """A text that somebody typed or pasted."""

    text: Annotated[str, Meta(max_length=TEXT_LENGTH_MAX)]


class MatchOut(Struct, frozen=True, kw_only=True):
    """One meaning of the text."""

    provider: str
    display_name: str
    category: str
    kind: str
    field: str
    value: str


class RefusedOut(Struct, frozen=True):
    """Why a text is not looked at any further."""

    code: str
    message: str


class FindOut(Struct, frozen=True):
    """What a text can mean."""

    matches: list[MatchOut]
    refused: RefusedOut | None = None


class StepsIn(Struct, frozen=True):
    """What would be connected: the public fields are enough."""

    provider: Short
    credentials: Annotated[dict[Short, Value], Meta(max_length=FIELDS_MAX)] = {}


class StepOut(Struct, frozen=True, kw_only=True):
    """One thing that will be read, and from whom."""

    reads: str
    source: str
    own: bool
    calls: str
    time: str


class PreviewOut(Struct, frozen=True, kw_only=True):
    """What a file holds. `new` are the lines, since nothing is known without an account; `first` the first of them in words."""

    layout: str
    provider: str
    lines: int
    new: int
    unreadable: list[str]
    first: list[str]
    complete_from: int | None
    complete_to: int | None


class ImportedOut(Struct, frozen=True, kw_only=True):
    """What a file has brought."""

    layout: str
    lines: int
    new: int
    known: int
    elsewhere: int
    ambiguous: int
    unreadable: list[str]


class ChecksOut(Struct, frozen=True):
    """How far the venue has been asked."""

    checks: list[Check]


class DoneIn(Struct, frozen=True):
    """What was connected, or reconnected, on this page."""

    account: Short | None = None
    accounts: Annotated[list[Short], Meta(max_length=ACCOUNTS_MAX)] = []


class DoneOut(Struct, frozen=True):
    """Where to go; null where the page only says goodbye."""

    redirect_to: str | None


class EventIn(Struct, frozen=True):
    """How far the visit came."""

    step: Literal["opened", "consented", "searched", "chosen", "entered", "checked", "done", "closed", "refused"]
    provider: Short | None = None
    outcome: Annotated[str, Meta(max_length=60, pattern="^[A-Za-z0-9_]*$")] = ""


@post("/find", status_code=200, opt=READING)
async def find(desk: DeskGiven, data: JSONBody[FindIn]) -> Response[bytes]:
    """What a text can mean; nobody outside is asked."""
    try:
        found = search(desk.context.offers, data.text)
    except PrivateKeyRefused as error:
        return answer(FindOut([], RefusedOut(error.code, error.message)))
    return answer(
        FindOut(
            [
                MatchOut(
                    provider=match.offer.name,
                    display_name=match.offer.display_name,
                    category=match.offer.category,
                    kind=match.kind,
                    field=match.field,
                    value=match.value,
                )
                for match in found
            ]
        )
    )


@post("/steps", status_code=200, opt=READING)
async def list_steps(desk: DeskGiven, data: JSONBody[StepsIn]) -> Response[bytes]:
    """Who would be asked, before anybody is."""
    settings, offer = desk.context.settings, desk.context.offers.of(data.provider)
    if any(field.is_secret and field.is_required for field in offer.fields):  # the page keeps secrets until they are sealed
        steps = asking(settings, offer, fields={}, has_key=False)
    else:
        steps = asking_first(settings, offer, data.credentials)
    found = [StepOut(reads=s.reads, source=s.source, own=s.is_own, calls=s.calls, time=s.time) for s in steps]
    return answer({"steps": found})


@post("/preview", status_code=200, opt=LINKING)
async def preview(
    desk: DeskGiven, request: Request[Any, Any, Any], provider: Annotated[str | None, QueryParameter(max_length=100)] = None
) -> Response[bytes]:
    """What a file would bring."""
    venue = None if provider is None else desk.context.offers.of(provider).name
    found = await preview_data(desk.context, await request.body(), provider=venue)
    return answer(
        PreviewOut(
            layout=found.layout,
            provider=found.venue,
            lines=found.lines,
            new=found.lines,
            unreadable=list(found.unreadable[:UNREADABLE_MAX]),
            first=[_told(claim) for claim in found.samples],
            complete_from=found.first,
            complete_to=found.last,
        )
    )


@post("/import", status_code=200, opt=LINKING)
async def import_into(
    desk: DeskGiven,
    session: SessionGiven,
    request: Request[Any, Any, Any],
    account: Annotated[str, QueryParameter(max_length=64)],
) -> Response[bytes]:
    """Reads a file into an account."""
    number = AccountId(desk.context.ids.integer("account", account))
    await desk.read.version(session.principal, number)
    connecting.may_change(session.page, number)
    found = await import_data(desk.context, session.principal, number, await request.body())
    return answer(
        ImportedOut(
            layout=found.layout,
            lines=found.lines,
            new=found.new,
            known=found.known,
            elsewhere=found.elsewhere,
            ambiguous=found.ambiguous,
            unreadable=list(found.unreadable[:UNREADABLE_MAX]),
        )
    )


@get("/checks/{account_id:str}", opt=READING)
async def list_checks(desk: DeskGiven, session: SessionGiven, account_id: Account) -> Response[bytes]:
    """What the venue has shown so far."""
    context = desk.context
    number = AccountId(context.ids.integer("account", account_id))
    account = await context.store.read(accounts.get, session.principal, number, context.clock.now())
    offer = context.offers.of(account.fields.get(BRAND, account.venue))
    return answer(ChecksOut(checks_of(account, offer)))


@post("/done", status_code=200, opt=LINKING)
async def finish(desk: DeskGiven, session: SessionGiven, data: JSONBody[DoneIn]) -> Response[bytes]:
    """Ends the page; its token is worth nothing afterwards."""
    connected = list(dict.fromkeys([*([data.account] if data.account else []), *data.accounts]))
    return answer(DoneOut(await connecting.finish(desk.context, _page(session), connected)))


@post("/event", status_code=204, opt=READING)
async def note_event(desk: DeskGiven, session: SessionGiven, data: JSONBody[EventIn]) -> None:
    """Notes how far the visit came."""
    await connecting.note_step(desk.context, _page(session), data.step, provider=data.provider, result=data.outcome)


def _page(session: Session) -> Held:
    assert session.page is not None, "the guard lets only open pages come here"
    return session.page


def _told(claim: Claim) -> str:
    moved = ", ".join(
        f"{'+' if leg.amount > 0 else ''}{canonical(leg.amount)} {leg.token.rpartition(':')[2]}" for leg in claim.legs
    )
    return f"{iso(claim.at)} {claim.label or claim.kind}: {moved}"


ROUTER = Router(
    "/connect",
    include_in_schema=False,
    route_handlers=[find, list_steps, preview, import_into, list_checks, finish, note_event],
)
