"""A figure stands only in a sentence all of whose words are known to change nothing."""

import random
import re
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assets.inputs.reports.signs import vocabulary
from tests.reports.reading import figures, kent, said

GOOD = {
    "inv": "From September 2011 to May 2012 the force opened 48 investigations into the behaviour"
    " of its officers and staff.",
    "med": "From September 2011 to May 2012 the force investigated 48 instances of inappropriate"
    " leaks to the press.",
    "soc": "HMIC's commissioned research identified 48 cases of possibly improper behaviour"
    " on Facebook or Twitter by members of staff.",
    "app": "Since September 2011 the force has received 48 applications for second jobs.",
    "ok": "Since September 2011 the force has approved 48 applications for second jobs.",
}
NONE = {
    "inv": "From September 2011 to May 2012 the force did not instigate any investigations.",
    "med": "From September 2011 to May 2012 the force did not investigate any instances of"
    " inappropriate leaks to the press.",
    "soc": "HMIC's commissioned research did not identify any cases of possibly improper"
    " behaviour on Facebook or Twitter.",
    "app": "Since September 2011 there have been no applications for second jobs.",
    "acu": "The number of staff working in the anti-corruption unit has not changed.",
}
TEXTS = [*GOOD.values(), *NONE.values()]
LIMITING = (
    "except excepting bar save barring besides minus less fewer more than apart other excluding"
    " including nearly almost roughly approximately about around circa some over under above below"
    " per average mean mostly mainly partly half double twice up down not never hardly barely nor"
    " neither further another additional extra plus senior junior former retired first last second"
    " final initial planned expected projected forecast estimated claimed reported confirmed"
    " unconfirmed closed completed reopened live criminal serious minor joint regional local"
    " quarterly monthly annually weekly initially originally provisionally subsequently wrongly if"
    " unless until without within beyond though although however but rather instead only-if"
    " sometimes perhaps maybe possibly-not supposedly"
)
known = {word for words in vocabulary().same for word in words}
unknown = st.text(string.ascii_lowercase, min_size=4, max_size=9).filter(
    lambda word: word not in known and not re.search(r"[aeiou]", word)
)


def with_word(text: str, word: str, place: int) -> str:
    """Return a text with a word put before its word number `place`."""
    words = text.split(" ")
    return " ".join([*words[:place], word, *words[place:]])


@pytest.mark.parametrize("name", [*GOOD, "acu"])
def test_the_sentences_are_read_as_they_stand(name: str) -> None:
    if name in GOOD:
        assert said(kent(GOOD[name])) == {f"{name}=48"}
    if name in NONE:
        assert said(kent(NONE[name])) == {"acu=unchanged" if name == "acu" else f"{name}=0"}


@pytest.mark.parametrize("text", TEXTS)
@settings(deadline=None, max_examples=30)
@given(unknown, st.randoms(use_true_random=False))
def test_an_unknown_word_anywhere_leaves_no_figure(
    text: str, word: str, order: random.Random
) -> None:
    place = order.randrange(1, len(text.split()))
    report = kent(with_word(text, word, place))
    assert said(report) == {"!"}, with_word(text, word, place)


@pytest.mark.parametrize("turn", [0, *(pytest.param(n, marks=pytest.mark.slow) for n in (1, 2))])
@pytest.mark.parametrize("at_text", range(len(TEXTS)))
def test_a_limiting_word_beside_the_number_leaves_no_figure(at_text: int, turn: int) -> None:
    """All turns put each word into each sentence; one puts each word into some sentences."""
    text = TEXTS[at_text]
    words = text.rstrip(".").split(" ")
    (at,) = [n for n, one in enumerate(words) if one in {"48", "not", "no"}]
    for word in LIMITING.split(" ")[(at_text + turn) % 3 :: 3]:
        for place in (at, at + 1, at + 2, at + 3, len(words)):
            told = with_word(text.rstrip("."), word, place) + "."
            assert not figures(said(kent(told))), told


@pytest.mark.parametrize(
    "ending",
    [
        "{} two",
        ", {} two",
        "; {} two",
        " ({} two)",
        " - {} two",
        ", {} those of one unit",
        " {} it",
    ],
)
@pytest.mark.parametrize(
    "word",
    ["except", "bar", "save for", "other than", "apart from", "with the exception of", "less",
     "not counting", "leaving out", "excluding", "minus", "and a further", "as well as"],
)  # fmt: skip
def test_an_exception_after_a_sentence_leaves_no_figure(ending: str, word: str) -> None:
    for text in TEXTS:
        told = f"{text.rstrip('.')} {ending.format(word)}.".replace(" ,", ",").replace(" ;", ";")
        assert not figures(said(kent(told))), told


def test_every_frame_of_the_vocabulary_can_be_read() -> None:
    """A frame that is spelled wrongly would be a sentence that is silently never read."""
    for kind, frames in vocabulary().frames.items():
        for frame in frames:
            assert not re.search(r"[{}]", frame.pattern), (kind, frame.pattern)
