"""What in a collection does not fit together, each fault with the keys that lead to it."""

import re
from collections.abc import Iterator
from datetime import date

from schemas.collection_fields import CollectionFields, Period
from schemas.disclosure import PROFILES, Exemption, in_print
from schemas.errors import SetupError
from schemas.measures import NOW
from schemas.reference import PublishedFigure, collections_named, forces_at
from schemas.rules.catalogue import NATIONAL, rules
from schemas.toml_file import Fault, Loc
from schemas.wording import listed


def collection_faults(collection: CollectionFields, *, released: bool) -> Iterator[Fault]:
    """Yield everything that does not fit together; what a release keeps was held to its time."""
    yield from _of_dates(collection)
    asked = {entry.period for entry in collection.template.counted()} - {NOW}
    for period in sorted(asked - set(collection.comparators)):
        yield (
            ("comparators",),
            f"the template asks about {period!r}; give its start and end, or its collection, in"
            f" [comparators.{period}]",
        )
    yield from _of_forces(collection)
    yield from _of_figures(collection)
    if not released:
        yield from _of_rules(collection)
        yield from _of_subjects(collection)
        for number, item in enumerate(collection.exempt):
            for key, said in _of_exemption(item, collection):
                yield ("disclosure", "exempt", number, key), said


def _of_dates(of: CollectionFields) -> Iterator[Fault]:
    soft, hard = of.deadlines.soft, of.deadlines.hard
    if hard < soft:
        yield ("deadlines", "hard"), f"the hard deadline {hard} is before the soft one {soft}"
    if of.census < of.period.end:
        ends = of.period.end
        yield ("census",), f"the census {of.census} is before the period ends, {ends}"
    if hard < of.census:
        yield ("deadlines", "hard"), f"the hard deadline {hard} is before the census {of.census}"
    for name, comparator in of.comparators.items():
        if comparator.collection == of.id:
            yield ("comparators", name), "a collection cannot be compared with itself"
        elif comparator.start >= of.period.start:
            begins = f"it starts {comparator.start}, the collection {of.period.start}"
            yield ("comparators", name), f"this is no earlier period: {begins}"
        if name == NOW or not re.fullmatch(r"[a-z0-9][a-z0-9_-]*", name):
            yield ("comparators", name), f"{name!r} is no name: small letters, digits, - and _ only"
    opens, closes = of.window
    if closes < opens:
        yield ("running",), f"the window closes on {closes}, before it opens on {opens}"


def _of_forces(of: CollectionFields) -> Iterator[Fault]:
    known = set(forces_at(of.root, of.census)["force_code"])
    named: list[tuple[Loc, tuple[str, ...]]] = [
        (("forces",), of.forces),
        (("without_police_authority",), of.without_police_authority),
        *((("disclosure", "exempt", i, "forces"), item.forces) for i, item in enumerate(of.exempt)),
    ]
    for loc, code in (((*at, i), code) for at, codes in named for i, code in enumerate(codes)):
        if code in known:
            continue
        if end := of.ended(code):
            instead = f"; expect {end[1]}" if end[1] else ""
            yield loc, f"{code} ended on {end[0]}, before the census{instead}"
        else:
            yield loc, f"force code not in reference/forces.csv: {code}"
    if not of.forces:
        yield ("forces",), "no force is expected; name those that are"
    for number, code in enumerate(of.forces):
        if code in of.forces[:number]:
            yield ("forces", number), f"{code} is listed twice"


def _of_figures(of: CollectionFields) -> Iterator[Fault]:
    whose = (of.published.collection if of.published else None) or of.id
    for name in of.reference_files:
        try:
            about = collections_named(of.reference(name))
        except SetupError as error:
            yield ("published",), str(error)
            continue
        if about != {whose}:
            named = " and ".join(sorted(map(str, about))) or "no collection"
            yield (
                ("published",),
                f"{name} is of {named}, not about this collection: its column `collection` must"
                f" say {whose} in every row. Take [published] out until there is a publication",
            )


def _of_rules(of: CollectionFields) -> Iterator[Fault]:
    for name, limits in of.thresholds.items():
        low, high = limits.get("lowest"), limits.get("highest")
        if low is not None and high is not None and low > high:
            yield ("thresholds", name), f"lowest {low:g} is above highest {high:g}"
    for rule in rules().values():
        loc, given = ("thresholds", rule.id), set(of.thresholds.get(rule.id, {}))
        in_use = rule.id in of.template.rules_in_use
        if rule.tier == NATIONAL:
            in_use = bool(of.thresholds) and rule.id in of.template.national_rules
        wanted = set(rule.limits) if in_use else set()
        if given and not in_use:
            yield loc, "its template does not use the rule, so take its limits out"
        elif given != wanted:
            yield loc, f"must give {listed(sorted(wanted))}, not {listed(sorted(given))}"
    for number, change in enumerate(of.rule_changes):
        changed = rules().get(change.rule)
        if changed is None or changed.guards:
            why = "values depend on it" if changed else "there is no such rule"
            said = f"rule {change.rule} cannot be changed: {why}"
            yield ("rule_changes", number, "rule"), said


def _of_subjects(of: CollectionFields) -> Iterator[Fault]:
    described = of.template.disclosure
    if of.disclosure is not None and described is not None:
        given, asked = sorted(of.disclosure.counts), sorted(described.subjects)
        if given != asked:
            yield ("disclosure", "counts"), f"must give {listed(asked)}, not {listed(given)}"


def _of_exemption(item: Exemption, of: CollectionFields) -> Iterator[tuple[str, str]]:
    """Yield what is wrong in an exemption, after its key."""
    counts = in_print(of.template)
    if item.mart != PROFILES or item.column not in counts:
        known = ", ".join(f"{PROFILES}.{name}" for name in counts)
        no_count = f"{item.mart}.{item.column} is no count that reports on a force print"
        yield "column", f"{no_count}: {known}"
        return
    if unknown := [name for name in item.figures if name not in of.printed]:
        publication = of.published.figures if of.published else "no publication"
        yield (
            "figures",
            f"{item.column} rests on {', '.join(unknown)}, which {publication} does not have. An"
            " exemption belongs to the publication that printed the count; take it out, or name a"
            " figure of this collection's publication",
        )
        return
    figures = [of.printed[name] for name in item.figures]
    for figure in figures:
        rests = f"{item.column} rests on {figure.figure_id}, which is"
        if (figure.measure, figure.breakdown) != counts[item.column]:
            yield (
                "figures",
                f"{rests} {figure.measure} {figure.breakdown or 'in all'}: another count. Name the"
                " figure that prints this one",
            )
        elif not _is_of_the_time(figure, of):
            yield (
                "figures",
                f"{rests} about {figure.period_start} to {figure.period_end}: not about this"
                " collection. Take the exemption out, or name the figure that prints this"
                " collection's count",
            )
    scopes = sorted(figure.scope for figure in figures)
    if scopes != sorted(item.forces):
        yield (
            "forces",
            f"{item.column} is for {', '.join(sorted(item.forces))}, but its figures are about"
            f" {', '.join(scopes)}. Name one figure for each force",
        )


def _is_of_the_time(figure: PublishedFigure, of: CollectionFields) -> bool:
    """Whether a figure is about the period; cases on social media are those of the year."""
    year = of.census.year
    whole_year = Period(start=date(year, 1, 1), end=date(year, 12, 31))
    period = whole_year if figure.measure == "social_media_cases" else of.period
    return (figure.period_start, figure.period_end) == (str(period.start), str(period.end))
