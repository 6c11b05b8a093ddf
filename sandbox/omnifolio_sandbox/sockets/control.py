"""What may be done to open sockets on purpose: cut them, end them, repeat what they told, say anything."""

from typing import Any

from omnifolio_sandbox.sockets.line import Line
from omnifolio_sandbox.state import State

DEEDS = ("drop", "close", "repeat", "say")
CLOSED_BY_SERVER = 1001


def act(state: State, asked: dict[str, Any]) -> int:
    """Do `{"do": "drop"|"close"|"repeat"|"say", "venue"?, "user"?, "text"?}` to the chosen lines; gives how many they are.

    `drop` cuts the wire, `close` says goodbye, `repeat` tells the last events once more, `say` sends a text as it is.
    Raises: ValueError.
    """
    unknown = asked.keys() - {"do", "venue", "user", "text"}
    deed = asked.get("do")
    if unknown or deed not in DEEDS:
        raise ValueError(f'give "do": one of {", ".join(DEEDS)}, and optionally "venue", "user" and "text"')
    lines = state.exchange.chosen(asked.get("venue"), asked.get("user"))
    for line in lines:
        _do(line, str(deed), str(asked.get("text", "")))
    return len(lines)


def _do(line: Line, deed: str, text: str) -> None:
    if deed == "drop":
        line.hang_up()
    elif deed == "close":
        line.hang_up(CLOSED_BY_SERVER)
    elif deed == "say":
        line.say(text)
    else:
        for said in list(line.events):
            line.say(said)
