"""The UI of the analysts: everything can be seen, nothing launched or changed."""

import pytest

from tests.services.front import TEAM, VIEW
from tests.services.service import Service

pytestmark = pytest.mark.services

CHANGES = {
    "startSensor": """mutation { startSensor(sensorSelector: {repositoryLocationName: "muster",
        repositoryName: "__repository__", sensorName: "landing_2012_revisit"}) { __typename } }""",
    "setSensorCursor": """mutation { setSensorCursor(cursor: "", sensorSelector:
        {repositoryLocationName: "muster", repositoryName: "__repository__",
        sensorName: "landing_2012_revisit"}) { __typename } }""",
    "reloadWorkspace": "mutation { reloadWorkspace { __typename } }",
    "wipeAssets": """mutation { wipeAssets(assetPartitionRanges: [{assetKey:
        {path: ["release", "marts"]}}]) { __typename } }""",
}


def test_a_launch_is_refused(published: Service) -> None:
    before = published.runs()
    assert published.launch(VIEW)["__typename"] == "UnauthorizedError"
    assert published.runs() == before


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_is_refused(published: Service, change: str) -> None:
    (answer,) = published.graphql(CHANGES[change], host=VIEW).values()
    assert answer["__typename"] == "UnauthorizedError"


def test_deleting_a_run_is_refused(published: Service) -> None:
    run_id = next(iter(published.runs()))
    query = f'mutation {{ deletePipelineRun(runId: "{run_id}") {{ __typename }} }}'
    (answer,) = published.graphql(query, host=VIEW).values()
    assert answer["__typename"] == "UnauthorizedError"
    assert run_id in published.runs()


def test_reporting_an_asset_is_refused(published: Service) -> None:
    """This is an endpoint of its own beside GraphQL."""
    path = "/report_asset_materialization/release/marts"
    assert published.front.request(VIEW, path, body={}, who=VIEW).status in {401, 403}


def test_both_uis_show_the_same_runs(published: Service) -> None:
    query = "{ runsOrError { ... on Runs { results { runId } } } }"
    seen = [published.graphql(query, host=host) for host in (TEAM, VIEW)]
    assert seen[0] == seen[1]
    assert seen[0]["runsOrError"]["results"]
