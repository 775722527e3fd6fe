"""What a letter says, sentence by sentence, for HTML and plain text alike."""

from datetime import datetime
from typing import Final, NamedTuple

from assets.feedback.letters import Letter, Sent, Situation
from assets.feedback.problems import Problem
from schemas.vocabulary import SEVERITIES
from schemas.wording import long_date, plural, visible

HEADINGS: Final[dict[Situation, str]] = {
    "missing": "We have not received your return",
    "rejected": "Your return cannot be counted yet",
    "resubmission_rejected": "Your new return cannot replace the earlier one yet",
    "queried": "Your return counts; please answer our queries",
}

_REQUESTS: Final[dict[Situation, str]] = {
    "missing": "Please send yours",
    "rejected": "Please mend it and send it again",
    "resubmission_rejected": "Please mend it and send it again",
    "queried": "Please answer",
}

_MOST_NOTES: Final = 5


def opening(letter: Letter) -> str:
    """Return where the return stands, in plain words."""
    title = letter.collection.title
    if letter.sent is None:
        other = f" We did receive {letter.note}." if letter.note else ""
        return (
            f"We have received no return for {title} that we could read as yours, so the national"
            " totals are made without your force. If you have sent one, please send it again: it"
            f" may not have reached us, or we could not open it.{other}"
        )
    received = _received(letter, letter.sent)
    number = len(letter.sent.problems("B"))
    blocking = f"{plural(number, 'problem')} {'keeps' if number == 1 else 'keep'}"
    if letter.situation == "rejected":
        return f"{received} {blocking} it out of the national totals for now."
    if letter.situation == "resubmission_rejected":
        return (
            f"{received} {blocking} it from taking the place of your version"
            f" {letter.sent.live_version}, which stays in the national totals until then."
        )
    queries = plural(len(letter.sent.problems("Q")), "query")
    return (
        f"{received} It is in the national totals, provisionally, because we have {queries} about"
        " figures that may well be right."
    )


def _received(letter: Letter, sent: Sent) -> str:
    moment = datetime.fromisoformat(sent.receipt.received_at)
    day = long_date(letter.collection.day_of(moment))
    return (
        f"Thank you for your return for {letter.collection.title}"
        f" ({visible(sent.receipt.file_name)}, version {sent.receipt.version}, received {day})."
    )


def deadline(letter: Letter) -> str:
    """Return by when an answer is wanted."""
    dates, today = letter.collection.deadlines, letter.written_on
    soft, hard = long_date(dates.soft), long_date(dates.hard)
    were = "are" if today <= dates.soft else "were"
    when = "as soon as you can"
    if today <= dates.hard:
        when = f"by {soft if today <= dates.soft else hard}"
    return (
        f"Returns {were} due by {soft}, at the latest by {hard}."
        f" {_REQUESTS[letter.situation]} {when}."
    )


def sections(letter: Letter) -> list[tuple[str, list[Problem], str]]:
    """Return the lists of problems: heading, problems, and what is left out of the list."""
    if letter.sent is None:
        return []
    blocking, queries, notes = (letter.sent.problems(severity) for severity in SEVERITIES)
    rest = len(notes) - _MOST_NOTES
    more = f"And {plural(rest, 'more note')}, in the marked copy." if rest > 0 else ""
    found = [
        (f"What blocks the return: {plural(len(blocking), 'problem')}", blocking, ""),
        (f"What we would like to know: {plural(len(queries), 'query')}", queries, ""),
        (f"For your information: {plural(len(notes), 'note')}", notes[:_MOST_NOTES], more),
    ]
    return [section for section in found if section[1]]


class Step(NamedTuple):
    """One thing to do, and the command for it where there is one."""

    text: str
    command: str = ""


def steps(letter: Letter) -> list[Step]:
    """Return what to do next, in order."""
    name = letter.attachment
    check = Step(
        "If you have Muster, check the workbook before you send it: it says at once what is still"
        " wrong.",
        f"muster check {name}",
    )
    if letter.sent is None:
        fill = Step(
            f"Fill {name}, the blank workbook that comes with this letter and is prepared for your"
            " force. Muster makes it too:",
            f"muster template {letter.force_code} --out .",
        )
        return [fill, check, Step("Send it to the data team.")]
    look = Step(
        f"Open {name}, which comes with this letter. Its first sheet lists every problem with a"
        " link to its cell, and each cell is marked and has a comment."
    )
    mend = Step("Mend what blocks the return, in that copy or in your own workbook.")
    reply = Step(
        "Look at each figure we ask about. If it is right, reply with the reason in a sentence or"
        " two, which a second person here then accepts. If not, correct it."
    )
    if letter.situation == "queried":
        send = "Send your answers to the data team, and the workbook if you corrected anything."
        return [look, reply, check, Step(send)]
    send = "Send the workbook to the data team, with your answers where we asked."
    if not letter.sent.problems("Q"):
        return [look, mend, check, Step("Send the workbook to the data team.")]
    return [look, mend, reply, check, Step(send)]
