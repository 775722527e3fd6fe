"""What people read of a public edition is made of its public marts, and of nothing else."""

import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from xml.etree import ElementTree

import polars as pl
import pytest
from openpyxl import load_workbook

from assets.disclosure.edition import PublicEdition, carry_forward, write_public
from assets.disclosure.forms import public_forms
from assets.disclosure.ledger import Entry
from assets.lake import hashes
from assets.release.changes import since_edition
from assets.release.contents import begin_pages
from assets.release.pack import Pack
from schemas.collection import Collection
from schemas.measures import NOW
from schemas.public import public_marts
from tests.pages.released import ABOUT, NO_GATE, Answers, Marts, is_number, pages_in, read_page

_OASIS = "urn:oasis:names:tc:opendocument:xmlns"
SMALL = pl.col("cases").is_between(1, 4)


@pytest.fixture(scope="module")
def public(whole: Marts, collection: Collection) -> Marts:
    """Public marts in which small counts and some sums are hidden."""
    forms = public_forms(whole, [], collection)
    hidden = {
        "investigations": ("cases", "symbol", SMALL),
        "force_profiles": ("investigations", "investigations_symbol", _is_of("AVS", "MPS")),
        "register_entries": ("entries", "symbol", pl.col("entries") < 5),
        "social_media": ("instances", "symbol", pl.col("instances").is_between(1, 4)),
        "distribution": ("value", "symbol", pl.col("statistic") == "maximum"),
    }
    for mart, (column, symbol, where) in hidden.items():
        known = where.fill_null(value=False)
        forms[mart] = forms[mart].with_columns(
            pl.when(known).then(pl.lit("c")).otherwise(symbol).alias(symbol),
            pl.when(~known).then(column).alias(column),
        )
    told = ~(pl.col("scope") == "DER")
    forms["reconciliation"] = forms["reconciliation"].with_columns(
        pl.when(told).then("symbol").otherwise(pl.lit("c")).alias("symbol"),
        *(pl.when(told).then(name) for name in ("computed", "difference", "status", "note")),
    )
    return forms


def _is_of(*forces: str) -> pl.Expr:
    return pl.col("force_code").is_in(forces)


def _write(folder: Path, marts: Mapping[str, pl.DataFrame], collection: Collection) -> Path:
    contracts = public_marts(collection.template)
    write_public(folder, PublicEdition(marts, contracts=contracts), ABOUT)
    pack = Pack(marts, {name: contracts[name] for name in marts}, collection, ABOUT)
    pack.write(folder)
    since = since_edition([], marts)
    begin_pages(NO_GATE, folder, marts, {**ABOUT, "edition": "public"}, since)()
    return folder


@pytest.fixture(scope="module")
def edition(
    tmp_path_factory: pytest.TempPathFactory, public: Marts, collection: Collection
) -> Path:
    return _write(tmp_path_factory.mktemp("public"), public, collection)


def test_no_byte_comes_from_elsewhere(
    edition: Path, collection: Collection, tmp_path: Path
) -> None:
    """All that is written again follows from the Parquet files that everybody is given."""
    marts = {path.stem: pl.read_parquet(path) for path in edition.glob("*.parquet")}
    order = {name: marts[name] for name in public_marts(collection.template) if name in marts}
    again = _write(tmp_path / "again", order, collection)
    assert hashes(again) == hashes(edition)
    assert len([*edition.rglob("*.html")]) == 49


def test_every_figure_is_what_the_public_marts_say_and_what_is_hidden_is_said_to_be(
    edition: Path, public: Marts
) -> None:
    answers, seen = Answers(public), set[str]()
    for path in pages_in(edition):
        shown, bare = read_page(path)
        assert [wrong for item in shown if (wrong := answers.wrong(item))] == [], path
        assert not [text for text in bare if is_number(text)], path
        seen |= {item.source for item in shown if item.text in {"hidden", "[c]"}}
    assert "force_profiles force_code=AVS investigations" in seen
    assert any(source.startswith("investigations ") for source in seen)
    figures = (edition / "figures.html").read_text(encoding="utf-8")
    for name, status in (("figures", "reconciliation_hidden"), ("forces/DER", "published")):
        html = (edition / f"{name}.html").read_text(encoding="utf-8")
        assert "DER-02" in html.partition(f'id="t-{status}"')[2].partition("</table>")[0]
    assert all(f">{one}<" in figures for one in public["reconciliation"]["figure_id"])
    head = (edition / "index.html").read_text(encoding="utf-8").partition("</header>")[0]
    assert "Public edition" in head
    assert "Reconstructed" in head


def test_a_sum_is_hidden_only_where_no_public_mart_shows_it(
    edition: Path, public: Marts, collection: Collection
) -> None:
    """What a profile or a national total shows, a table that adds up hidden cells shows too."""
    answers = Answers(public)

    def is_known(address: str) -> bool:
        mart, *keys, _ = address.split(" ")
        dims = dict(key.split("=", 1) for key in keys)
        force, same = dims.pop("force_code", None), [address]
        if mart == "social_media" and not force:
            parts = [f"{key}={dims[key]}" for key in ("year", "site", "category") if key in dims]
            of = f"measure=social_media_instances breakdown={';'.join(parts)}"
            same.append(f"national_totals {of} period= value")
        elif mart in {"investigations", "register_entries"}:
            same += [
                f"force_profiles force_code={force} {name}"
                for name, of in collection.template.profile.items()
                if (of.measure, of.dims, of.period) == (mart, dims, NOW)
            ]
        return any(answers.at(one) is not None for one in same)

    hidden = {
        (item.source, item.of)
        for path in pages_in(edition)
        for item in read_page(path)[0]
        if item.text in {"hidden", "[c]"}
    }
    assert not [both for both in hidden if all(is_known(one) for one in both if one)]
    assert ("investigations force_code=AVS cases", None) in hidden, "it is shown nowhere"
    html = (edition / "forces" / "STF.html").read_text(encoding="utf-8")
    assert '<td data-from="force_profiles force_code=STF investigations">48</td>' in html


def test_what_only_the_data_team_has_stands_on_no_page(edition: Path) -> None:
    for path in pages_in(edition):
        html = path.read_text(encoding="utf-8")
        for own in ("SHA-256", "Receipt", "muster explain", "Full edition", "national_checks"):
            assert own not in html, (path, own)
        for href in re.findall(r'href="([^"#]+)', html):
            assert href == "data:," or (path.parent / href).resolve().is_relative_to(edition)
            assert href == "data:," or (path.parent / href).is_file(), href


def test_a_hidden_force_has_no_column_no_rank_and_no_shade(edition: Path) -> None:
    html = (edition / "index.html").read_text(encoding="utf-8")
    assert re.search(r'<li class="none"[^>]*><a href="forces/MPS.html">', html)
    assert ">1st of 42 shown<" in html
    assert html.partition('class="cols all"')[2].partition("</div>")[0].count("<i ") == 42
    assert "A force whose number is hidden has no column." in html
    rank = '<td data-from="force_profiles force_code=MPS investigations" data-rank>hidden</td>'
    assert rank in html


def test_the_readme_says_how_much_is_hidden(edition: Path, whole: Marts) -> None:
    text = (edition / "README.txt").read_text(encoding="utf-8")
    counts = whole["investigations"].filter(SMALL).height
    total = f"{counts:,} of {whole['investigations'].height:,} cells"
    assert f"  investigations.cases: {total}\n" in text
    assert "  force_profiles.investigations: 2 of 44 cells\n" in text
    assert "distribution.value" in text
    assert "second_jobs.count" not in text, "nothing of it is hidden"


def test_both_workbooks_say_the_same_and_mark_what_is_hidden(edition: Path) -> None:
    book = load_workbook(edition / "summary.xlsx")
    with zipfile.ZipFile(edition / "summary.ods") as file:
        assert file.infolist()[0].filename == "mimetype"
        root = ElementTree.fromstring(file.read("content.xml"))
    table, text = (
        f"{{urn:oasis:names:tc:opendocument:xmlns:{of}:1.0}}" for of in ("table", "text")
    )
    found = {of.attrib[f"{table}name"]: of for of in root.iter(f"{table}table")}
    assert [*found] == book.sheetnames
    forces = [
        ["".join(cell.itertext()) for cell in row.iter(f"{table}table-cell")]
        for row in found["forces"].iter(f"{table}table-row")
    ]
    written = [["" if v is None else str(v) for v in row] for row in book["forces"].values]
    assert len(forces) == len(written)
    mine = next(row for row in forces if row[0] == "Metropolitan Police")
    assert mine[2] == "[c]"
    assert next(row for row in written if row[0] == "Metropolitan Police")[2] == "[c]"
    assert len([*found["contents"].iter(f"{text}a")]) == len(found) - 2


def test_pages_are_carried_forward_with_the_edition_they_are_of(
    edition: Path, tmp_path: Path
) -> None:
    entry_of = tmp_path / "entry"
    (entry_of).mkdir()
    (entry_of / "public").symlink_to(edition)
    entry = Entry(entry_of, "a" * 64, 1, ABOUT["release"], {}, {})
    carry_forward(tmp_path / "public", entry, "a reason", ABOUT)
    then, now = hashes(edition), hashes(tmp_path / "public")
    assert then.keys() == now.keys()
    assert {name for name in then if then[name] != now[name]} == {"README.txt"}
