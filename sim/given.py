"""What a command was given on its line, as far as it takes to give it, or another one about the same baseline, again."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

FILES, DIR = "FILES", "DIR"
"""What stands for the folder of a file, and of a results directory, that lies elsewhere on a machine."""

_STANDS = {
    FILES: "the folder in which the file named after it lies",
    DIR: "the folder in which the results directory named after it lies",
}


@dataclass(frozen=True)
class Given:
    """What stood on a command line; without `files` nothing is known, as of runs made from Python.

    `files` are scenarios or an experiment, `baseline` is the file of the baseline, `settings` are those of `--set`, `options` are the words
    of others that change what is run, and `out` is the results directory, empty where none was named. No path says where on a machine it
    is: it is relative, or that of one elsewhere is its last name in a folder that is left open, `FILES` or `DIR`.
    """

    files: tuple[str, ...] = ()
    baseline: str = ""
    settings: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    out: str = ""

    @classmethod
    def of(
        cls,
        files: Sequence[Path],
        out: Path | None,
        settings: Iterable[str] | None,
        options: Mapping[str, int | float | bool | None],
        baseline: Path | None = None,
    ) -> Given:
        """Return what a command was given: `options` by name, those that are None or False were not; the first file is the `baseline`'s."""
        words: list[str] = []
        for name, value in options.items():
            if value is not None and value is not False:
                words += [name] if value is True else [name, str(value)]
        own = baseline or files[0]
        place = "" if out is None else placed(out, DIR)
        return cls(tuple(placed(file, FILES) for file in files), placed(own, FILES), tuple(settings or ()), tuple(words), place)

    @classmethod
    def read(cls, entry: Mapping[str, object]) -> Given:
        """Return what a manifest says was given; raises `TypeError` for what makes no sense."""
        lists = {name: tuple(map(str, _list(entry.get(name, ())))) for name in ("files", "settings", "options")}
        return cls(**lists, baseline=str(entry.get("baseline", "")), out=str(entry.get("out", "")))

    @property
    def set_words(self) -> list[str]:
        """Return the words of all `--set`."""
        return [word for setting in self.settings for word in ("--set", setting)]

    def words(self, *names: str) -> list[str]:
        """Return the words of some options that take a value, where they were given."""
        pairs = zip(self.options, self.options[1:], strict=False)
        return [word for name, value in pairs if name in names for word in (name, value)]

    def line(self, command: str) -> str:
        """Return the command line as one would type it."""
        out = ["--out", self.out] if self.out else []
        return shlex.join(["abm", command.partition(" ")[0], *self.files, *self.options, *self.set_words, *out])


def placed(path: Path, elsewhere: str) -> str:
    """Write a path so that it does not say where on a machine it is: from the current folder, or by its last name in `elsewhere`."""
    if not path.is_absolute():
        return path.as_posix()
    here = Path.cwd()
    return path.relative_to(here).as_posix() if path.is_relative_to(here) else f"{elsewhere}/{path.name}"


def open_folders(words: Iterable[str]) -> str:
    """Say what stands for the folders that the paths among some words leave open; nothing where none does."""
    found = {word.partition("/")[0] for word in words if "/" in word}
    return "; ".join(f"{name} stands for {meaning}" for name, meaning in _STANDS.items() if name in found)


def _list(value: object) -> list[object]:
    if not isinstance(value, list | tuple):
        raise TypeError(f"{value!r} is no list")
    return list(value)
