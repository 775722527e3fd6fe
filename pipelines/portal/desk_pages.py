"""The pages of the desk: every force at a glance."""

from typing import Final

from starlette.responses import Response
from starlette.routing import Route

from pipelines.portal.web import Visit


def overview(visit: Visit) -> Response:
    """Show where each force's return stands, and who is missing or late."""
    return visit.page("desk_home")


PAGES: Final[list[Route]] = []
