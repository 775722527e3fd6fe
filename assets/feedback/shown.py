"""The line that stands over a return that nobody sent, wherever a force or its letter shows it."""

from schemas.vocabulary import BASES


def basis_line(basis: str | None) -> str | None:
    """Return the line to stand over a reconstructed return, None over any other."""
    return f"RECONSTRUCTED sample: {BASES[basis]}." if basis == "reconstructed" else None
