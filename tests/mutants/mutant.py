"""A mutant: the engine with one mechanism broken, and the part of a case that must notice."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Mutant:
    """A broken engine; `catcher` is a part of a case, `patches` are (file in `sim/`, old text found exactly once, new text)."""

    name: str
    catcher: str
    patches: tuple[tuple[str, str, str], ...]

    @property
    def files(self) -> str:
        """The files broken."""
        return ", ".join(dict.fromkeys(file for file, _, _ in self.patches))


def one(name: str, catcher: str, file: str, old: str, new: str) -> Mutant:
    """Return a mutant of one patch."""
    return Mutant(name, catcher, ((file, old, new),))


P = "processes/"
