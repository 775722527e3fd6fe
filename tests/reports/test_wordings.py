"""What a reader of the report would understand is read, and nothing else ever is."""

import random
import re
import textwrap

import pytest

from tests.reports.reading import figures, kent, said, wordings

ROWS = wordings()
# A heading of a row's own speaks for what follows it, so such rows cannot stand among others.
MIXED = [row for row in ROWS if "# " not in row.text]
NAMES_A_SITE = re.compile("Facebook|Twitter").search


@pytest.mark.parametrize("file", sorted({row.file for row in ROWS}))
def test_a_wording_is_read_as_a_person_would(file: str) -> None:
    read = {row: kent(row.text) for row in ROWS if row.file == file}
    wrong = {str(row): got for row, got in read.items() if said(got) != row.expected}
    assert wrong == {}


def test_the_tables_cover_every_answer() -> None:
    """A measure that no row expects is a measure nobody tests."""
    names = {part.partition("=")[0] for row in ROWS for part in row.expected}
    assert names == {"inv", "med", "soc", "app", "ok", "acu", "!"}
    assert len({row.text for row in ROWS}) == len(ROWS)


@pytest.mark.slow
@pytest.mark.parametrize("hyphens", [True, False], ids=["breaks hyphens", "keeps hyphens"])
def test_where_lines_end_does_not_matter(hyphens: bool) -> None:
    """Each row at one width of many: over the rows, lines end in every place."""
    for number, row in enumerate(ROWS[hyphens::2]):
        if "\n" not in row.text:
            width = 12 + number % 60
            wrapped = textwrap.fill(
                row.text, width, break_long_words=False, break_on_hyphens=hyphens
            )
            assert said(kent(wrapped)) == row.expected, wrapped


@pytest.mark.parametrize("seed", range(3))
def test_what_stands_around_a_sentence_adds_no_figure(seed: int) -> None:
    """Most wrong figures would come from a neighbour: another force, another year, a subject."""
    order = random.Random(seed)
    nothing = [row for row in MIXED if not figures(row.expected) and not NAMES_A_SITE(row.text)]
    certain = [row for row in MIXED if figures(row.expected) and not NAMES_A_SITE(row.text)]
    for row in order.sample(certain, 10):
        around = [other.text for other in order.sample(nothing, 12)]
        place = order.randrange(len(around))
        paragraphs = [*around[:place], row.text, *around[place:]]
        assert figures(said(kent(*paragraphs))) <= row.expected, row.text
        run_on = [text for text in paragraphs if "\n" not in text]
        for report in (kent("\n".join(run_on)), kent(" ".join(run_on))):
            assert figures(said(report)) <= row.expected, row.text
