"""The list of a user's accounts as one encoded body: the kept one while it holds, else made anew from what has changed.

Both ways to it come here: the route, and the short way of the edge that leaves the framework out.
"""

from collections.abc import Mapping

from omnifolio.app.authenticate import Session
from omnifolio.faces.api.answers import encoded
from omnifolio.faces.api.desk import Body, Desk, Piece
from omnifolio.model.ids import AccountId
from omnifolio.views.accounts import Changed


async def account_list(desk: Desk, session: Session, currency: str) -> Body:
    """The list as it is now. Raises: InvalidField for a currency without a rate, StoreUnavailable."""
    body = desk.bodies.find((session.state.user, currency), session.state, desk.context.clock.now())
    return await _made(desk, session, currency) if body is None else body


async def _made(desk: Desk, session: Session, currency: str) -> Body:
    """Accounts that have not changed are taken from the list that was kept."""
    now, key = desk.context.clock.now(), (session.state.user, currency)
    before = desk.bodies.usable(key, session.state, now)
    kept = before.pieces if before is not None and before.is_shared else {}

    def body(found: Changed) -> Body:
        parts: dict[AccountId, bytes | memoryview] = dict(before.parts()) if before is not None else {}
        for number, view in found.views.items():
            parts[number] = encoded(desk.accounts.account(view, now=now))
        versions = {number: found.views[number].account.v if number in found.views else kept[number].v for number in found.order}
        pieces, data = joined(versions, parts)
        return Body(
            seq=session.state.seq,
            prices=session.state.prices,
            made_at=before.made_at if before is not None and len(found.views) < len(pieces) else now,
            is_shared=found.is_shared,
            pieces=pieces,
            data=data,
        )

    known = {number: piece.v for number, piece in kept.items()}
    made = await desk.read.changed_accounts(session.principal, known, fiat=currency, into=body)
    desk.bodies.keep(key, made)
    return made


def joined(
    versions: Mapping[AccountId, int], parts: Mapping[AccountId, bytes | memoryview]
) -> tuple[dict[AccountId, Piece], bytes]:
    """The JSON array of encoded accounts, in the order of `versions`, and where in it each of them stands."""
    pieces: dict[AccountId, Piece] = {}
    start = 1
    for number, v in versions.items():
        end = start + len(parts[number])
        pieces[number] = Piece(v, start, end)
        start = end + 1
    written: list[bytes | memoryview] = [b","] * (2 * len(pieces) + 1)
    written[1::2] = [parts[number] for number in versions]
    written[0], written[-1] = b"[", b"]"
    return pieces, b"".join(written) if pieces else b"[]"
