"""Release as an asset: all marts of one run, published together or not at all."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl

from assets.declare import CODE_VERSION, COLLECTIONS, OWNERS, unquoted
from assets.disclosure.ledger import given_out
from assets.disclosure.published import BEHIND
from assets.lake import Lake
from assets.release.contents import PUBLIC, QUALITY
from assets.release.gate.process import Gate
from assets.release.identity import (
    DUE,
    EARLY,
    LOST,
    MadeFrom,
    ingredients,
    release_id,
    sha256_of_tables,
)
from assets.release.pack import DICTIONARY
from assets.release.pages.drawn import REPORT
from assets.release.publish import publish, renew_series
from assets.tables import read_table
from schemas.collection import load_collection
from schemas.errors import LakeError, MusterError, ReleaseBlockedError
from schemas.marts import MARTS

_STAGE = "release"
_CHECK = "expectations"
_PUBLIC = "public"
_PUBLIC_DUE = "public_due"
_CHECKS = {
    _CHECK: "What is expected of the marts holds; a critical one blocks the release.",
    _PUBLIC: "Nothing hidden in any public edition can be worked out (rule M010).",
    _PUBLIC_DUE: "It is time for a public edition (rule M011).",
}
_TIMING = "M011"
_MADE_BY = {
    "investigations_by_month": "cases/investigations_by_month",
    "reconciliation": "reconciliation/reconciliation",
    "returns_status": "validation/returns_status",
    "findings": "reconciliation/findings",
    "repairs": "validation/repairs",
    "corrections": "validation/corrections",
    "national_checks": "recount/national_checks",
    "social_media": "research/social_media",
    "survey": "research/survey",
    "survey_changes": "research/survey_changes",
}
_READ = {
    **{name: _MADE_BY.get(name, f"totals/{name}") for name in MARTS},
    "receipts": "intake/receipts",
    "live_returns": "validation/live_returns",
    "report_figures": "reports/report_figures",
    "research_files": "research/research_files",
    "extracts": "cases/extracts",
    "extract_findings": "cases/extract_findings",
    "answers": "desk/answers",
    "choices": "desk/choices",
    "declared": "desk/corrections",
}


@dg.asset(
    key=[_STAGE, "marts"],
    description="Every mart as a Parquet file in one immutable release, shown by one rename.",
    group_name=_STAGE,
    kinds={"parquet"},
    owners=OWNERS,
    code_version=CODE_VERSION,
    partitions_def=COLLECTIONS,
    check_specs=[
        dg.AssetCheckSpec(name, asset=[_STAGE, "marts"], description=what)
        for name, what in _CHECKS.items()
    ],
    deps=[name.split("/") for name in _READ.values()],
)
def marts(
    context: dg.AssetExecutionContext,
    lake_root: dg.ResourceParam[Path],
    gate: dg.ResourceParam[Gate],
) -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
    lake = Lake(lake_root, context.partition_key)
    try:
        tables = {name: read_table(lake.table(of)) for name, of in _READ.items()}
        made_from = _made_from(lake, tables)
        folder, found = publish(lake, {name: tables[name] for name in MARTS}, made_from, gate)
    except ReleaseBlockedError as error:
        why = {"blocked": str(error), "blocked_by": list(error.places)}
        yield _checked(passed=False, docs=lake.work / QUALITY, found=why)
        raise
    except (MusterError, OSError):
        raise
    except Exception as error:
        raise unquoted(error) from None
    if older := renew_series(lake_root):
        context.log.warning(f"marts/series {older}")
    yield dg.MaterializeResult(
        data_version=dg.DataVersion(release_id(made_from)),
        metadata={
            "release": release_id(made_from),
            "path": dg.MetadataValue.path(folder),
            "report": _page(folder / REPORT / "index.html"),
            "quality": _page(folder / QUALITY / "index.html"),
            "dictionary": _page(folder / DICTIONARY),
            "rows": {of.stem: tables[of.stem].height for of in sorted(folder.glob("*.parquet"))},
        },
    )
    yield _checked(passed=True, docs=folder / QUALITY, found=found[_CHECK])
    withheld, early = found[_PUBLIC]["withheld"], found[_PUBLIC].get("rule") == _TIMING
    told = {**found[_PUBLIC], "path": dg.MetadataValue.path(folder / PUBLIC)}
    for name, passed, metadata in (
        (_PUBLIC, withheld is None or early, told),
        (_PUBLIC_DUE, not early, {"withheld": withheld}),
    ):
        warn = dg.AssetCheckSeverity.WARN
        yield dg.AssetCheckResult(check_name=name, passed=passed, severity=warn, metadata=metadata)


def choose_ahead(gate: Gate, lake: Lake) -> None:
    """Begin to choose what the public edition hides, once what it is chosen from is made.

    The gate's process has nothing else to do until there are all marts.
    """
    if _may_be_public(lake) == DUE:
        gate.choose_ahead(lake, {name: _READ[name] for name in BEHIND})


def _made_from(lake: Lake, tables: Mapping[str, pl.DataFrame]) -> MadeFrom:
    named = tables["comparisons"].select("previous_collection", "previous_release")
    live = tables["extracts"].filter("live")
    # What does not count shows in the marts too: why it was refused, and in the notes of its force.
    received = [tables["extracts"], tables["extract_findings"]]
    return ingredients(
        lake.collection,
        returns=tables["receipts"].select("force_code", "sha256").iter_rows(),
        live=tables["live_returns"].select("force_code", "sha256").iter_rows(),
        reports=tables["report_figures"]["sha256"].unique(),
        decisions=[
            # Of a reason that was refused no mart says anything.
            tables["answers"].drop_nulls("reason").drop("asked_again"),
            *(tables[name] for name in ("choices", "corrections")),
            # The mart of corrections has those of live returns alone; others show in findings.
            *([tables["declared"]] if tables["declared"].height else []),
        ],
        research=tables["research_files"].select("file_name", "sha256", "basis").iter_rows(),
        cases=sorted(map(list, live.select("force_code", "sha256").iter_rows())),
        public=_may_be_public(lake),
        compared=[*map(list, named.drop_nulls().unique().sort(pl.all()).iter_rows())],
        extracts_sha256="" if received[0].is_empty() else sha256_of_tables(received),
    )


def _may_be_public(lake: Lake) -> str:
    collection = load_collection(lake.collection)
    try:
        given_out(lake, collection)
    except LakeError:
        return LOST
    return DUE if collection.day_of(datetime.now(UTC)) > collection.deadlines.hard else EARLY


def _page(path: Path) -> dg.UrlMetadataValue:
    return dg.MetadataValue.url(path.as_uri())


def _checked(*, passed: bool, docs: Path, found: dict[str, Any]) -> dg.AssetCheckResult:
    page = _page(docs / "index.html")
    return dg.AssetCheckResult(
        check_name=_CHECK, passed=passed, metadata={**found, "data_docs": page}
    )
