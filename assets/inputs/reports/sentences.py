"""Lays out a report's text: its lines cleaned of typography and joined into sentences."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby, pairwise
from typing import Final

SOFT_BREAK: Final = "\u00ad"
"""Ends a cleaned line whose last word certainly goes on, without a hyphen, on the next."""

# Circled numbers too, which would become digits of the number that they hang on.
_SUPERSCRIPTS: Final = "\u00b9\u00b2\u00b3\u2070" + "".join(
    chr(code) for code in (*range(0x2074, 0x207A), *range(0x2080, 0x208A), *range(0x2460, 0x249C))
)
_INVISIBLE: Final = "\ufeff\u200b\u200c\u200d\u2060"
_CHARACTERS: Final = str.maketrans(
    {
        **dict.fromkeys("\u2018\u2019\u201a\u201b\u2032\u00b4\u02bc`", "'"),
        **dict.fromkeys("\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb", '"'),
        **dict.fromkeys("\u2010\u2011\u2212", "-"),
        **dict.fromkeys("\u2014\u2015", " - "),
        **dict.fromkeys("|\t\f\v\0", " "),
        **dict.fromkeys(_SUPERSCRIPTS + _INVISIBLE, ""),
    }
)
_THOUSANDS: Final = re.compile(
    r"(?<![\d\u00a0\u2009\u202f])(\d{1,3})[\u00a0\u2009\u202f](?=\d{3}(?!\d))"
)
_SET_MARK: Final = r"(?i:<sup>.*?</sup>)|\[\^?\d{1,3}\](?:\([^()\s]*\))?"
# A footnote number runs into the word, or the full stop, that it hangs on.
_RUN_ON_MARK: Final = (
    r"(?<=[A-Za-z]{3})\d{1,2}(?!\w)|(?<=[)'\"][.,;:)'\"])\d{1,2}(?=\s|$)"
    r"|(?<=[A-Za-z]{2}[.,;:)'\"])(?<!approx\.)(?<!ca\.)\d{1,2}(?=\s|$)"
)
_MARK: Final = re.compile(rf"[{_SUPERSCRIPTS}]|{_SET_MARK}|{_RUN_ON_MARK}")
_OPENS_NOTE: Final = rf"[{_SUPERSCRIPTS}]+|{_SET_MARK}|\d{{1,2}}(?=\s[A-Z])|\*(?=[ A-Z][^*]*$)"
_NOTE: Final = re.compile(rf"\s*(?:{_OPENS_NOTE})")
_REPLACEMENTS: Final = tuple(
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (_SET_MARK, ""),
        (r"</?[A-Za-z][^<>]{0,200}>", ""),
        (r"!?\[([^\[\]]*)\]\([^()\s]*\)", r"\1"),
        (r"(?:^|\s)\u2013(?=\s|$)", " - "),
        (r"\u2013", "-"),
        (r"\\(?=[^\w\s])", ""),
        (r"\*+|(?<!\w)_+(?=\w)|(?<=\w)_+(?!\w)", ""),
        (_RUN_ON_MARK, ""),
        (r"[~<>\u2264\u2265\u00b1\u2248]\s?(?=\d)", "about "),
        (r"(?<=\d)\+", " or more"),
    )
)


def clean_line(line: str) -> str:
    """Return the line's words with plain quotes and hyphens and single spaces.

    An em dash and a spaced en dash become ` - `. A line that ends in a soft hyphen keeps it, as
    SOFT_BREAK.
    """
    line = line.rstrip()
    breaks = line.endswith(SOFT_BREAK)
    line = _THOUSANDS.sub(r"\1,", line.replace(SOFT_BREAK, "").translate(_CHARACTERS))
    line = unicodedata.normalize("NFKC", line)
    for pattern, replacement in _REPLACEMENTS:
        line = pattern.sub(replacement, line)
    return " ".join(line.split()) + (SOFT_BREAK if breaks else "")


def marked_lines(text: str) -> frozenset[int]:
    """Return the lines, from 1, that bear the mark of a note, where the text has notes."""
    lines = text.split("\n")
    if not any(map(_NOTE.match, lines)):
        return frozenset()
    return frozenset(
        number
        for number, line in enumerate(lines, start=1)
        if _MARK.search(line) or line.lstrip("* ").count("*") % 2
    )


_HEADING_MARK: Final = re.compile(r"\s*(?:#{1,6}\s+|[■□▪]\s*)")
_BULLET: Final = re.compile(
    r"\s*(?:[•●◦○‣∙·]\s*|[-*+\u2013]\s+|\(?(?:[a-z]|[ivx]{1,4}|\d{1,2})\)\s+"
    rf"|(?:{_OPENS_NOTE})\s*)"
)
_CERTAIN_BULLET: Final = re.compile(r"\s*[•●◦○‣∙]")
_PAGE_NUMBER: Final = re.compile(
    r"[-\u2013\s|]*(?:page )?\d{1,3}(?: (?:of|/) \d{1,3})?[-\u2013\s|]*", re.IGNORECASE
)
_MAY_PRECEDE_BULLET: Final = re.compile(r"(?:[.;:,?!]['\")]?|\band|\bor)$")
_LONGEST_HEADING: Final = 60
_MOST_HEADINGS: Final = 20
_LOWEST: Final = 7
"""Level of a heading that is not marked with `#`."""
_LIKE_HEADING: Final = re.compile(r"(?:[\d.]+ )?[A-Z].*[^.;:,]|\d{4}(?:[/-]\d+)?")
_OPENS_LIST: Final = re.compile(":$")
_SENTENCE_ENDED: Final = re.compile(r"[.?!]['\")]*$")
_FINISHED: Final = re.compile(r"[.?!:;]['\")]*$")

_HYPHEN_STAYS: Final = re.compile(
    r"(?:\b(?i:twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|anti|counter|nine|two|three"
    r"|second|social|non|self|co|cross|force|data|media|integrity|work|police)|[\dA-Z])-$"
)
_ABBREVIATIONS: Final = (
    r"e\.g i\.e cf vs nos p pp para paras approx c ca est incl mr mrs ms dr st sgt insp supt "
    r"jan feb mar apr jun jul aug sep sept oct nov dec"
)
_NOT_ABBREVIATED: Final = "".join(rf"(?<!\b{word})" for word in _ABBREVIATIONS.split())
_SENTENCE_END: Final = re.compile(
    rf"(?<!\b[A-Z])(?i:{_NOT_ABBREVIATED})[.?!]+['\")]*(?= ['\"(]?[A-Z\d])"
)


@dataclass(frozen=True)
class Sentence:
    """One sentence, its wording cleaned of typography and on one line.

    `lines` has the 1-based line of the source for each character of `text`; `paragraph` is the
    same number for sentences that belong together; `headings` are those that it stands under;
    `is_item` tells the start of a list item, `is_heading` a heading or question.
    """

    text: str
    lines: tuple[int, ...]
    paragraph: int
    headings: tuple[str, ...]
    is_item: bool
    is_heading: bool

    @property
    def asks(self) -> bool:
        """Whether it is a question."""
        return self.text.rstrip(" '\")").endswith("?")

    def opens(self, other: "Sentence") -> bool:
        """Return whether another that follows goes on with its words, as an item of a list may."""
        goes_on = not self.is_heading or other.text[:1].islower()
        unfinished = other.is_item and goes_on and not _FINISHED.search(self.text)
        return self.text.endswith(":") or unfinished


@dataclass
class _Block:
    """Lines that belong together: a paragraph, a list item or a heading.

    `pieces` are the lines' words with their numbers; a piece starts with the space it needs.
    `level` is that of a heading that is marked as one.
    """

    is_item: bool = False
    level: int = 0
    pieces: list[tuple[str, int]] = field(default_factory=list)

    def add(self, line: str, number: int) -> None:
        last, at = self.pieces[-1] if self.pieces else ("", 0)
        hyphenated = last.endswith("-") and last[-2:-1].isalnum()
        splits_word = hyphenated and line[:1].islower() and not _HYPHEN_STAYS.search(last)
        if last.endswith(SOFT_BREAK) or splits_word:
            self.pieces[-1] = (last[:-1], at)
        elif last and not hyphenated:
            line = " " + line
        self.pieces.append((line, number))

    @property
    def text(self) -> str:
        return "".join(words for words, _ in self.pieces)

    @property
    def is_heading(self) -> bool:
        text = self.text
        short = len(text) <= _LONGEST_HEADING and not self.is_item
        return bool(self.level) or (short and bool(_LIKE_HEADING.fullmatch(text)))

    def ends(self, pattern: re.Pattern[str]) -> bool:
        return bool(self.pieces) and bool(pattern.search(self.pieces[-1][0]))


def read_sentences(text: str) -> list[Sentence]:
    """Return the sentences of a text in order; headings and list items count as sentences."""
    sentences: list[Sentence] = []
    headings: list[tuple[int, str]] = []
    paragraph, before = 0, _Block()
    for block in _blocks(text):
        is_open = block.is_item and (before.is_item or not before.ends(_FINISHED))
        if not (is_open or before.ends(_OPENS_LIST)):
            paragraph += 1
        words, is_heading = block.text, block.is_heading
        lines = tuple(number for piece, number in block.pieces for _ in piece)
        if is_heading:
            # One that follows another directly stands under that, too.
            level = block.level or _LOWEST
            higher = headings if before.is_heading else [h for h in headings if h[0] < level]
            headings = [*higher[:_MOST_HEADINGS], (level, words)]
        ends = [match.end() for match in _SENTENCE_END.finditer(words)]
        for last, end in pairwise([-1, *ends, len(words)]):
            if (start := last + 1) >= end:
                continue
            said, is_question = words[start:end], words[end - 1] == "?"
            if is_question and not is_heading:
                headings = [*(h for h in headings if h[0] < _LOWEST), (_LOWEST, said)]
            sentences.append(
                Sentence(
                    said,
                    lines[start:end],
                    paragraph,
                    tuple(heading for _, heading in headings),
                    is_item=block.is_item and start == 0,
                    is_heading=is_heading or is_question,
                )
            )
        before = block
    return sentences


def _blocks(text: str) -> Iterator[_Block]:
    """Yield the blocks of a text, those put together again that a page break has torn."""
    last: _Block | None = None
    for block in _blocks_as_set(text):
        first = block.pieces[0][0][:1]
        goes_on = (first.islower() or first.isdigit()) and not block.is_item
        if last and goes_on and not last.is_heading and not last.ends(_FINISHED):
            last.add(*block.pieces[0])
            last.pieces += block.pieces[1:]
        else:
            yield from [last] if last else []
            last = block
    yield from [last] if last else []


def _blocks_as_set(text: str) -> Iterator[_Block]:
    """Yield the blocks that blank lines, bullets and heading marks make.

    Text of a PDF has no blank lines: there a block ends where a sentence does on a line that had
    room for the next word.
    """
    raw = text.split("\n")
    runs = [[*run] for _, run in groupby(raw, key=lambda line: bool(line.strip()))]
    # Of a text that has a line for each sentence nobody knows how long a line could be.
    wrapped = [[len(x) for x in run if not _SENTENCE_ENDED.search(x.rstrip())] for run in runs]
    widths = [max(of, default=0) for of, run in zip(wrapped, runs, strict=True) for _ in run]
    block = _Block()
    for number, line in enumerate(raw, start=1):
        neighbours = raw[max(number - 2, 0) : number - 1] + raw[number : number + 1]
        if _PAGE_NUMBER.fullmatch(line) and not "".join(neighbours).strip():
            continue
        opens = _opens_block(line, block)
        cleaned = clean_line(line[opens.end() :] if opens else line)
        room = widths[number - 1] - len(raw[number - 2]) - 1
        had_room = block.ends(_SENTENCE_ENDED) and len(cleaned.partition(" ")[0]) <= room
        if block.pieces and (opens or not cleaned or block.level or had_room):
            yield block
            block = _Block()
        if opens:
            if _HEADING_MARK.match(line):
                block.level = opens[0].count("#") or _LOWEST
            block.is_item = not block.level
        if cleaned:
            block.add(cleaned, number)
    if block.pieces:
        yield block


def _opens_block(line: str, before: _Block) -> re.Match[str] | None:
    """Return the bullet or heading mark a line starts with.

    A dash also starts a line where a sentence with a dash in it was wrapped, so it opens an item
    only where the text before it can have ended.
    """
    if mark := _HEADING_MARK.match(line):
        return mark
    bullet = _BULLET.match(line)
    if bullet is None or _CERTAIN_BULLET.match(line) or not before.pieces or before.is_item:
        return bullet
    return bullet if before.ends(_MAY_PRECEDE_BULLET) else None
