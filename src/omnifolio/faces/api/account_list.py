"""The list of a user's accounts as one encoded body: the kept one while it holds, else made anew from what has changed.

Both ways to it come here: the route, and the short way of the edge that leaves the framework out.
"""

from omnifolio.app.authenticate import Session
from omnifolio.faces.api.answers import encoded
from omnifolio.faces.api.desk import Body, Desk, Piece


async def account_list(desk: Desk, session: Session, currency: str) -> Body:
    """The list as it is now. Raises: InvalidField for a currency without a rate, StoreUnavailable."""
    body = desk.bodies.find((session.state.user, currency), session.state, desk.context.clock.now())
    return await _made(desk, session, currency) if body is None else body


async def _made(desk: Desk, session: Session, currency: str) -> Body:
    """Accounts that have not changed are taken from the list that was kept."""
    now, key = desk.context.clock.now(), (session.state.user, currency)
    before = desk.bodies.usable(key, session.state, now)
    kept = before.pieces if before is not None and before.is_shared else {}
    found = await desk.read.changed_accounts(
        session.principal, {number: piece.v for number, piece in kept.items()}, fiat=currency
    )
    made = {number: Piece(view.account.v, encoded(desk.accounts.account(view, now=now))) for number, view in found.views.items()}
    pieces = {number: made.get(number) or kept[number] for number in found.order}
    body = Body(
        seq=session.state.seq,
        prices=session.state.prices,
        made_at=before.made_at if before is not None and len(made) < len(pieces) else now,
        is_shared=found.is_shared,
        pieces=pieces,
        data=_array([piece.data for piece in pieces.values()]),
    )
    desk.bodies.keep(key, body)
    return body


def _array(parts: list[bytes]) -> bytes:
    """The JSON array of encoded values. Brackets are put to the small parts: the whole is written once."""
    if not parts:
        return b"[]"
    parts[0] = b"[" + parts[0]
    parts[-1] += b"]"
    return b",".join(parts)
