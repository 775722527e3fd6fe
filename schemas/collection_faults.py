"""What in a collection does not fit together, each fault with the keys that lead to it."""

import re
from collections.abc import Collection as Several
from collections.abc import Generator, Iterator, Mapping
from contextlib import suppress
from datetime import date
from difflib import get_close_matches
from operator import attrgetter
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from schemas.breakdown import Band
from schemas.collection_fields import Collection, Period, Published, Workforce
from schemas.disclosure import PROFILES, Exemption, Protection, in_print
from schemas.faults import Fault, Unsure, known, twice
from schemas.figures import figure_faults
from schemas.measures import NOW
from schemas.reference import FIGURES, Read, all_forces, forces_at
from schemas.reference_faults import (
    PublishedFigure,
    exact_in,
    forces_read,
    publication_read,
    workforce_read,
)
from schemas.rules.catalogue import KINDS, NATIONAL, rules
from schemas.toml_lines import Loc
from schemas.wording import listed


def collection_faults(collection: Collection, unsure: Unsure) -> Iterator[Fault]:
    """Yield everything that does not fit together.

    Nothing is told that only follows from what is `unsure`.
    """
    yield from unsure.new(_of_dates(collection, unsure))
    if not collection.title.strip():
        yield ("title",), "is empty; word it"
    yield from unsure.new(_of_periods(collection, unsure))
    if (sizes := collection.workforce) and not unsure.has("workforce"):
        yield from _of_sizes(collection, sizes)
    forces = [*unsure.new(_of_forces(collection, unsure))]
    yield from forces
    unsure |= {loc for loc, _ in forces if loc and loc[0] == "disclosure"}
    yield from unsure.new(_of_rules(collection, unsure))
    if collection.cases and not collection.template.cases and not unsure.has("template"):
        yield ("cases",), "its template has no [cases]: no extract could be taken; take it out"
    if not unsure.has("template", "disclosure"):
        yield from unsure.new(_of_subjects(collection))
    printed: Mapping[str, PublishedFigure] | None = {}
    if (one := collection.published) and not unsure.has("published"):
        printed = yield from _of_figures(collection, one, unsure)
    read = [("published",), ("census",), ("period",), ("template", "disclosure"),
            ("template", "profile")]  # fmt: skip
    if printed is not None and not any(unsure.has(*keys) for keys in read):
        yield from unsure.new(_of_exemptions(collection, printed, unsure.names))


def _of_periods(of: Collection, unsure: Unsure) -> Iterator[Fault]:
    """Yield the earlier periods that are asked about and not given, or given and not asked about.

    One whose name is near another's is that, misspelt.
    """
    asked = {entry.period for entry in of.template.counted()} - {NOW}
    wanted = asked - {*of.comparators}
    for name, one in of.comparators.items():
        if unsure.has("template") or name in asked or one.collection:
            continue
        if one.start < of.period.start and name != NOW:
            wanted -= {*get_close_matches(name, wanted, 1)}
            said = known("period that cells of the template ask about", name, sorted(asked))
            yield ("comparators", name), said
    for period in sorted(wanted):
        if not unsure.has("comparators", period):
            yield (
                ("comparators",),
                f"the template asks about {period!r}; give its start and end, or its collection,"
                f" in [comparators.{period}]",
            )


_IN_ORDER: Final = (
    ("deadlines.soft", "deadlines.hard", "the hard deadline {1} is before the soft one {0}"),
    ("period.end", "census", "the census {1} is before the period ends, {0}"),
    ("census", "deadlines.hard", "the hard deadline {1} is before the census {0}"),
    ("census", "deadlines.soft", "the soft deadline {1} is before the census {0}"),
    ("census", "deadlines.queries", "queries are to be answered on {1}, before the census {0}"),
)
"""Days of which one comes before the other, and what is said where it does not."""


def _of_dates(of: Collection, unsure: Unsure) -> Iterator[Fault]:
    told: set[str] = set()
    for first, second, said in _IN_ORDER:
        before, after = attrgetter(first)(of), attrgetter(second)(of)
        if after and after < before and second not in told and not unsure.has(*first.split(".")):
            told.add(second)
            yield tuple(second.split(".")), said.format(before, after)
    for name, comparator in of.comparators.items():
        if comparator.collection == of.id:
            yield ("comparators", name), "a collection cannot be compared with itself"
        elif comparator.start >= of.period.start and not unsure.has("period"):
            begins = f"it starts {comparator.start}, the collection {of.period.start}"
            yield ("comparators", name), f"this is no earlier period: {begins}"
        if name == NOW or not re.fullmatch(r"[a-z0-9][a-z0-9_-]*", name):
            yield ("comparators", name), f"{name!r} is no name: small letters, digits, - and _ only"
    opens, closes = of.window
    if of.running.opens and closes < opens and not unsure.has("deadlines", "hard"):
        yield ("running", "opens"), f"the window closes on {closes}, before it opens on {opens}"
    try:
        ZoneInfo(of.timezone)
    except (KeyError, ValueError, OSError):
        yield ("timezone",), f"no time zone {of.timezone!r}; one is Europe/London"


def _of_forces(of: Collection, unsure: Unsure) -> Iterator[Fault]:
    read = forces_read(of.root)
    if read:
        yield from ((None, said) for said in read.faults)
    if not of.forces:
        yield ("forces",), "no force is expected; name those that are"
    for number, code in enumerate(of.forces):
        if code in of.forces[:number]:
            yield ("forces", number), f"{code} is listed twice"
    if not unsure.has("census") and (read is None or read.is_whole):
        heirs = set(read.column("successor")) if read else set()
        yield from _of_codes(of, heirs)


def _of_codes(of: Collection, heirs: set[str]) -> Iterator[Fault]:
    """Yield the forces that were not at the census; of `heirs` it is told in their own file."""
    known = all_forces(of.root).select("force_code", "valid_from")
    begins = dict(known.sort("valid_from", descending=True).iter_rows())
    there = set(forces_at(of.root, of.census)["force_code"])
    alike = {code.casefold(): code for code in there if code}
    named: list[tuple[Loc, tuple[str, ...]]] = [
        (("forces",), of.forces),
        (("without_police_authority",), of.without_police_authority),
        *((("disclosure", "exempt", i, "forces"), item.forces) for i, item in enumerate(of.exempt)),
    ]
    told: set[str] = set()
    for loc, code in (((*at, i), code) for at, codes in named for i, code in enumerate(codes)):
        if code in there | told:
            continue
        told.add(code)
        if end := of.ended(code):
            instead = f"; expect {end[1]}" if end[1] in begins else ""
            yield loc, f"{code} ended on {end[0]}, before the census{instead}"
        elif begins.get(code):
            yield loc, f"{code} began on {begins[code]}, after the census"
        elif code not in heirs:
            near = alike.get(code.strip().casefold())
            meant = f"; did you mean {near!r}?" if near else ""
            yield loc, f"force code not in reference/forces.csv: {code}{meant}"


def _of_figures(
    of: Collection, one: Published, unsure: Unsure
) -> Generator[Fault, None, dict[str, PublishedFigure] | None]:
    """Yield what is wrong in the files of a publication; return its exact figures by id.

    None for a publication whose figures cannot be told.
    """
    if absent := [*_absent(of, ("published",), one, ("figures", "source_issues", "uncollected"))]:
        yield from absent
        return None
    files = publication_read(of.root, one.figures, one.source_issues, one.uncollected)
    whose = one.collection or of.id
    for read in files:
        if whose in read.column("collection"):
            read.refer("collection", "collection that this publication is about", [whose])
    other = {read.path.name: read.column("collection") for read in files}
    other = {name: about for name, about in other.items() if about and whose not in about}
    if other and (one.collection or not unsure.has("id")):
        named = " and ".join(
            sorted({n or "no collection" for about in other.values() for n in about})
        )
        yield (
            ("published",),
            f"{', '.join(other)} is of {named}, not about this collection: its column `collection`"
            f" must say {whose} in every row. Take [published] out until there is a publication",
        )
    if not unsure.names and not unsure.has("template"):
        _hold_figures(files[0], of)
    yield from ((None, said) for read in files for said in read.faults)
    return exact_in(files[0]) if files[0].is_whole else None


def _absent(of: Collection, loc: Loc, said: object, keys: Several[str]) -> Iterator[Fault]:
    """Yield the files of reference data that are named and not there."""
    for key in keys:
        name = getattr(said, key)
        if name is not None and Path(name).name != name:
            yield (*loc, key), f"{name!r} must be the name of a file in reference/"
        elif name is not None and not of.reference(name).is_file():
            yield (*loc, key), f"there is no file {name!r} in {of.root / 'reference'}"


def _hold_figures(read: Read, of: Collection) -> None:
    """Tell of the figures that nothing which the collection takes in could ever give."""
    scopes = ("national", *of.forces)
    every = {*scopes, *all_forces(of.root)["force_code"]}
    for line, row in read.rows:
        basis = row.get("basis")
        if basis in {"research", "survey"} and not of.research:
            read.tell(line, "basis", "the collection takes no research; say document")
        if basis != "returns" or not {FIGURES.key, *FIGURES.needed} <= row.keys():
            continue
        # A word that is near none of them is what a publication calls some of the nation.
        named = row["scope"].strip()
        near = {named.upper(), named.lower()} & every or {*get_close_matches(named, scopes, 1)}
        if row["scope"] not in scopes and near:
            there = [*near & {*scopes}] or scopes
            said = known("force that is expected", row["scope"], there)
            read.tell(line, "scope", said)
        with suppress(ValueError):  # a breakdown that cannot be read is told already
            is_national = row["scope"] == "national"
            for column, said in figure_faults(row, of.template, is_national=is_national):
                read.tell(line, column, said)


def _of_sizes(of: Collection, sizes: Workforce) -> Iterator[Fault]:
    if absent := [*_absent(of, ("workforce",), sizes, ("figures",))]:
        yield from absent
        return
    read = workforce_read(of.root, sizes.figures)
    yield from ((None, said) for said in read.faults)
    days = {*read.column("as_at")} - {""}
    if days and str(sizes.as_at) not in days:
        said = f"{sizes.figures} has no number of {sizes.as_at}; it has those of"
        yield ("workforce", "as_at"), f"{said} {', '.join(sorted(days))}"


_NO_CHANGE: Final = 5
"""A usual change of so many times the earlier number is meant in per cent."""

_USES: Final = {"sum", *KINDS}
"""How templates use rules; a rule without any of these is no template's own."""


def _of_rules(of: Collection, unsure: Unsure) -> Iterator[Fault]:
    for name, limits in of.thresholds.items():
        for limit, number in limits.items():
            said = rules()[name].limits.get(limit, "") if name in rules() else ""
            if number > 1 and re.match("(smallest|largest) usual share|largest share of", said):
                whole = f"{number:g} is no share of a whole, from 0 to 1: a half is 0.5"
                yield ("thresholds", name, limit), whole
            if number >= _NO_CHANGE and "change, as a share" in said:
                often = f"{number:g} times the earlier number is no usual change: a half is 0.5"
                yield ("thresholds", name, limit), often
            if number < (least := 2 if limit == "multiple" else 0):
                yield ("thresholds", name, limit), f"must be {least} or more"
        low, high = limits.get("lowest"), limits.get("highest")
        if low is not None and high is not None and low > high:
            yield ("thresholds", name), f"lowest {low:g} is above highest {high:g}"
    yield from _of_limits(of, unsure)
    yield from _of_changes(of, unsure)


def _of_changes(of: Collection, unsure: Unsure) -> Iterator[Fault]:
    """Yield the changes of rules that nobody may change, or that no return is held to."""
    named = [change.rule for change in of.rule_changes]
    yield from twice([(("rule_changes", i, "rule"), name) for i, name in enumerate(named)])
    known_uses = not unsure.has("template", "rules")
    for number, name in enumerate(named):
        changed, said = rules().get(name), ""
        if changed is None or changed.guards:
            why = "values depend on it" if changed else "there is no such rule"
            said = f"rule {name} cannot be changed: {why}"
        elif known_uses and changed.says.keys() & _USES and name not in of.template.rules_in_use:
            said = "its template does not use the rule, so take the change out"
        if said:
            yield ("rule_changes", number, "rule"), said


def _of_limits(of: Collection, unsure: Unsure) -> Iterator[Fault]:
    """Yield the rules whose limits are not those that the template asks for."""
    there = [one.id for one in rules().values() if one.limits and one.id not in of.thresholds]
    unknown = of.thresholds.keys() - rules().keys()
    yield from ((("thresholds", name), known("rule with limits", name, there)) for name in unknown)
    meant = {near for name in unknown for near in get_close_matches(name, there, 1)}
    for rule in rules().values():
        loc, given = ("thresholds", rule.id), set(of.thresholds.get(rule.id, {}))
        in_use, judged = rule.id in of.template.rules_in_use, "rules"
        if rule.tier == NATIONAL:
            in_use = bool(of.thresholds) and rule.id in of.template.national_rules
            judged = "measures"
        uses = {use.use for use in of.template.rules if use.id == rule.id}
        wanted = set(rule.limits_in(uses)) if in_use else set()
        # Files of the time before a rule had them hold: it is then as it was.
        fewer = set(rule.limits) if in_use else set()
        if given and not in_use:
            if not unsure.has("template", judged):
                yield loc, "its template does not use the rule, so take its limits out"
        elif given not in (wanted, fewer) and (given or rule.id not in meant):
            yield loc, f"must give {listed(sorted(wanted))}, not {listed(sorted(given))}"


def _of_subjects(of: Collection) -> Iterator[Fault]:
    described = of.template.disclosure
    if of.disclosure is not None and described is None:
        said = "its template has no [disclosure], so that no public edition could be made"
        yield ("disclosure",), f"{said}: say there what it protects, or take this out"
    elif of.disclosure is not None and described is not None:
        given, asked = sorted(of.disclosure.counts), sorted(described.subjects)
        if given != asked:
            yield ("disclosure", "counts"), f"must give {listed(asked)}, not {listed(given)}"
        for subject, counts in of.disclosure.counts.items():
            yield from ((("disclosure", "counts", subject, k), said) for k, said in _small(counts))
        if of.research and not described.research:
            said = 'its template protects nothing of research: say research = ["social_media"] in'
            yield ("research",), f"{said} the [disclosure] there, or take this out"
    shown = [(one.measure, one.dims, one.period) for one in of.template.profile.values()]
    for use in of.template.rules if of.disclosure else ():
        before = [of.template.entry_at[p] for text in use.other for p in of.template.places(text)]
        told = [e for e in before if (e.measure, e.dims, e.period) in shown]
        if use.use == "ratios" and (told or not use.other):
            what = "/".join(told[0].place) if told else "an earlier release"
            yield (
                ("disclosure",),
                f"rule {use.id} looks by ratios at what is compared with {what}, which a public"
                " edition may show: what that tells is not counted in. Let the template have it by"
                " rate",
            )


def _small(counts: Protection) -> Iterator[tuple[str, str]]:
    """Yield why small counts would be shown, or could be told, after the key that says so."""
    band = Band.parse(counts.small)
    least = (band.high or 0) - band.low
    if not counts.is_small(1):
        yield "small", f"{counts.small} would show a count of 1: begin with 1, or 0 to hide zeros"
    elif counts.width < least:
        closer = f"of {counts.small} one could tell more than that it is small"
        yield "width", f"{counts.width} is too narrow, {closer}: give {least} or more"


def _of_exemptions(
    of: Collection, printed: Mapping[str, PublishedFigure], none: Several[str]
) -> Iterator[Fault]:
    """Yield what is wrong in exemptions; what is of names that are `none` nobody can tell."""
    for number, item in enumerate(of.exempt):
        for key, said in _of_exemption(item, of, printed, none):
            yield ("disclosure", "exempt", number, key), said


def _of_exemption(
    item: Exemption, of: Collection, printed: Mapping[str, PublishedFigure], none: Several[str]
) -> Iterator[tuple[str, str]]:
    """Yield what is wrong in an exemption, after its key."""
    counts = in_print(of.template)
    if item.mart != PROFILES or item.column not in counts:
        there = ", ".join(f"{PROFILES}.{name}" for name in counts)
        no_count = f"{item.mart}.{item.column} is no count that reports on a force print"
        yield "column", f"{no_count}: {there}"
        return
    if unknown := [name for name in item.figures if name not in printed]:
        publication = of.published.figures if of.published else "no publication"
        yield (
            "figures",
            f"{item.column} rests on {', '.join(unknown)}, which {publication} does not have. An"
            " exemption belongs to the publication that printed the count; take it out, or name a"
            " figure of this collection's publication",
        )
        return
    figures = [printed[name] for name in item.figures]
    for figure in figures:
        rests = f"{item.column} rests on {figure.figure_id}, which is"
        named = {figure.measure, *re.split("[=;]", figure.breakdown)}
        if (figure.measure, figure.breakdown) != counts[item.column] and not named & {*none}:
            another = f"{figure.measure} {figure.breakdown or 'in all'}: another count"
            yield "figures", f"{rests} {another}. Name the figure that prints this one"
    if other := [figure for figure in figures if not _is_of_the_time(figure, of)]:
        yield (
            "figures",
            f"{item.column} rests on {other[0].figure_id}, which is about {other[0].period_start}"
            f" to {other[0].period_end}: not about this collection. Take the exemption out, or name"
            " the figure that prints this collection's count",
        )
    scopes = sorted(figure.scope for figure in figures)
    if scopes != sorted(item.forces):
        yield (
            "forces",
            f"{item.column} is for {', '.join(sorted(item.forces))}, but its figures are about"
            f" {', '.join(scopes)}. Name one figure for each force",
        )


def _is_of_the_time(figure: PublishedFigure, of: Collection) -> bool:
    """Whether a figure is about the period; cases on social media are those of the year."""
    year = of.census.year
    whole_year = Period(start=date(year, 1, 1), end=date(year, 12, 31))
    period = whole_year if figure.measure == "social_media_cases" else of.period
    return (figure.period_start, figure.period_end) == (str(period.start), str(period.end))
