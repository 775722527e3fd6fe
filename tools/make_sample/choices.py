"""Answers from a list: each force gives one to each question, together the published numbers.

Belongs here: what the coded answers and the review interval have in common. Does not: any
question (solve_*.py).
"""

import math
from collections.abc import Callable, Iterable, Mapping

from assets.sample.research import fraction
from tools.make_sample.likelihood import assumed_sizes
from tools.make_sample.program import Program, Unknown

Likelihood = Callable[[str, str, str], float]
"""Relative likelihood of (force code, question, answer)."""


class ChoiceProgram(Program):
    """An integer program in which each force gives one answer to each question."""

    def __init__(self, questions: Mapping[str, Iterable[str]], likelihood: Likelihood) -> None:
        """Add an unknown for each force, question and answer.

        Args:
            questions: the answers each question allows.
            likelihood: how likely an answer is beside the others, where nothing decides it.
        """
        super().__init__()
        self._unknowns: dict[tuple[str, str, str], Unknown] = {}
        for force_code in assumed_sizes():
            for question, answers in questions.items():
                keys = [(force_code, question, answer) for answer in answers]
                self._unknowns.update(
                    {key: self.choice(_surprise(likelihood(*key), *key)) for key in keys}
                )
                self.require_total((self._unknowns[key] for key in keys), 1)

    def given(self, force_code: str, question: str, answer: str) -> Unknown:
        """Return whether the force gives the answer, 1 or 0."""
        return self._unknowns[force_code, question, answer]

    def forces_answering(self, question: str, answers: Iterable[str]) -> Unknown:
        """Return the unknown number of forces that give one of the answers."""
        return self.sum(
            self.given(force_code, question, answer)
            for force_code in assumed_sizes()
            for answer in answers
        )

    def solved_answers(self) -> dict[tuple[str, str], str]:
        """Return the answer of each (force code, question)."""
        solution = self.solve()
        return {
            (force_code, question): answer
            for (force_code, question, answer), unknown in self._unknowns.items()
            if solution[unknown]
        }


def _surprise(likelihood: float, *key: str) -> float:
    """Return a cost under which, left alone, each answer is the cheapest as often as is likely."""
    return math.log(-math.log(fraction("answer", *key))) - math.log(likelihood)
