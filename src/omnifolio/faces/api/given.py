"""What routes are given without asking: the desk, and the session that the guard has admitted."""

from typing import Annotated, Any

from litestar import Request
from litestar.datastructures import State
from litestar.di import NamedDependency, Provide
from litestar.params import PathParameter, SkipValidation

from omnifolio.app.authenticate import Session
from omnifolio.faces.api.desk import Desk

DeskGiven = NamedDependency[SkipValidation[Desk]]
SessionGiven = NamedDependency[SkipValidation[Session]]
Account = Annotated[str, PathParameter(description="The account's id, 24 hexadecimal digits.", max_length=64)]
Transaction = Annotated[str, PathParameter(description="The transaction's id.", max_length=64)]
Order = Annotated[str, PathParameter(description="The order's id.", max_length=64)]


def give_desk(state: State) -> Desk:
    """The process's desk."""
    desk: Desk = state.desk
    return desk


def give_session(request: Request[Any, Any, Any]) -> Session:
    """The session of a request that the guard has let through."""
    session: Session = request.scope["state"]["session"]
    return session


DEPENDENCIES = {
    "desk": Provide(give_desk, sync_to_thread=False),
    "session": Provide(give_session, sync_to_thread=False),
}
"""What the framework gives to every route that names it."""
