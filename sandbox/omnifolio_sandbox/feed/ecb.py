"""The European Central Bank's reference-rate files in their own XML form, newest day first."""

from datetime import date, timedelta
from functools import lru_cache

from omnifolio_sandbox.feed.own import working_days
from omnifolio_sandbox.http import Request, Response, answer
from omnifolio_sandbox.state import State
from omnifolio_sandbox.world.prices import day_of

FIRST_DAY = date(2020, 1, 2)
SHORT_DAYS = 90
HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<gesmes:Envelope xmlns:gesmes="http://www.gesmes.org/xml/2002-08-01" '
    'xmlns="http://www.ecb.int/vocabulary/2002-08-01/eurofxref">\n'
    "<gesmes:subject>Reference rates</gesmes:subject>\n"
    "<gesmes:Sender><gesmes:name>European Central Bank</gesmes:name></gesmes:Sender>\n<Cube>\n"
)
TAIL = "</Cube>\n</gesmes:Envelope>\n"


class EcbServer:
    """`/ecb` stands for https://www.ecb.europa.eu."""

    name = "ecb"

    def __init__(self, state: State) -> None:
        self.state = state

    def handle(self, request: Request) -> Response:
        """The daily, the 90-day or the whole file, up to today's rate."""
        today = day_of(max(self.state.server_ms(), self.state.clock.world_ms))
        first = {
            "/stats/eurofxref/eurofxref-daily.xml": today - timedelta(days=7),
            "/stats/eurofxref/eurofxref-hist-90d.xml": today - timedelta(days=SHORT_DAYS),
            "/stats/eurofxref/eurofxref-hist.xml": FIRST_DAY,
        }.get(request.path)
        if first is None or request.method != "GET":
            return answer({"error": "not found"}, 404)
        newest_only = request.path.endswith("daily.xml")
        return Response(200, _file(first, today, newest_only), {}, "text/xml")


@lru_cache(maxsize=8)
def _file(first: date, last: date, newest_only: bool) -> bytes:
    days = working_days(first, last)[::-1][: 1 if newest_only else None]
    cubes = "".join(
        f'<Cube time="{day}">' + "".join(f'<Cube currency="{name}" rate="{rate}"/>' for name, rate in rates.items()) + "</Cube>\n"
        for day, rates in days
    )
    return (HEAD + cubes + TAIL).encode()
