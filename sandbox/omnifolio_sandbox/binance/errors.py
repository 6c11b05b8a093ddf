"""Binance's errors, and the checks of parameters that raise them."""

from collections.abc import Mapping

from omnifolio_sandbox.clock import MS_PER_DAY


class BinanceError(Exception):
    """An error body `{"code", "msg"}` with its HTTP status."""

    def __init__(self, code: int, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.status = status


Params = Mapping[str, str]


def required(params: Params, name: str) -> str:
    """A parameter that has to be there."""
    value = params.get(name, "")
    if not value:
        raise BinanceError(-1102, f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed.")
    return value


def whole(params: Params, name: str) -> int | None:
    """A whole number, None if absent."""
    value = params.get(name)
    if value is None or value == "":
        return None
    if not value.isdigit():
        raise BinanceError(-1100, f"Illegal characters found in parameter '{name}'; legal range is '^[0-9]{{1,20}}$'.")
    return int(value)


def limit(params: Params, name: str, *, default: int, most: int) -> int:
    """A page size; larger ones than `most` are cut to it, as the venue does."""
    return min(whole(params, name) or default, most)


def window(
    params: Params, now_ms: int, *, days: int, default_days: int, names: tuple[str, str] = ("startTime", "endTime")
) -> tuple[int, int]:
    """The asked time window in epoch ms, both ends included; refused when it spans more than `days`."""
    start, end = whole(params, names[0]), whole(params, names[1])
    if end is None:
        end = now_ms if start is None else min(now_ms, start + days * MS_PER_DAY)
    if start is None:
        start = end - default_days * MS_PER_DAY
    if start > end:
        raise BinanceError(-1023, "Start time is greater than end time.")
    if end - start > days * MS_PER_DAY:
        raise BinanceError(-1127, f"More than {days * 24} hours between {names[0]} and {names[1]}.")
    return start, end
