"""The pages of a force: what is due and where its return stands. Nothing of any other."""

from typing import Final

from starlette.responses import Response
from starlette.routing import Route

from pipelines.portal.web import Visit


def home(visit: Visit) -> Response:
    """Show what is due and where the return stands."""
    bodies = visit.portal.collection.bodies
    name = bodies.filter(force_code=visit.force_code)["full_name"].item()
    return visit.page("force_home", force_name=name)


PAGES: Final[list[Route]] = []
