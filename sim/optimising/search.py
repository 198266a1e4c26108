"""The search: Optuna proposes mixes from those tried before, and a journal keeps what was tried."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sim.faults import Fault, ScenarioError
from sim.store import StoreError, damaged, writing

JOURNAL = "search.journal"
"""File of a results directory in which Optuna keeps what was tried."""

MISSING_EXTRA = "Optuna is missing, which `abm optimise` needs: pip install 'abm[analysis]'"

_DIGITS = 4  # significant digits of a strength: what is simulated is what tables say
_RANDOM_A_LEVER = 3  # mixes a lever that are drawn at random before any is proposed

Mix = Mapping[str, float]
"""Strengths by lever."""


@dataclass(frozen=True)
class Tried:
    """A mix with what came of it: `values` of the objectives, and by how much of its limit each guardrail is missed (kept: 0 or less)."""

    mix: Mix
    values: tuple[float, ...]
    missed: Mapping[str, float]


def optuna() -> Any:
    """Import Optuna, only now; raises `ScenarioError` in one line when the extra is not installed."""
    try:
        import optuna
    except ImportError as error:
        raise ScenarioError([Fault("", "", "", MISSING_EXTRA)]) from error
    return optuna


class Search:
    """A search for mixes with small objectives that keep guardrails: what was tried, in order, and what is to be tried next.

    Proposals are those of the tree-structured Parzen estimator for several objectives with constraints (Ozaki et al. 2020; Optuna),
    after `starts` and some mixes drawn at random. They depend on `seed` and on what was tried before their batch, not on the time at which
    it was: one that was interrupted, and one on another number of processes, propose the same. `path` is the results directory, locked by
    the caller; a search of other settings, whose digest is `name`, is another study of the same journal.
    """

    def __init__(
        self,
        levers: Mapping[str, tuple[float, float]],
        objectives: int,
        starts: Sequence[Mix],
        batch: int,
        seed: int,
        name: str,
        path: Path | None = None,
    ) -> None:
        self._levers, self._starts, self._batch, self._seed = levers, list(starts), batch, seed
        self._ranges = {lever: optuna().distributions.FloatDistribution(low, high) for lever, (low, high) in levers.items()}
        self._directions = ["minimize"] * objectives
        with _quiet():
            self._kept = self._opened(name, path)
            self.tried = [Tried(dict(t.params), tuple(t.values), dict(t.constraints)) for t in self._kept.get_trials()]

    def _opened(self, name: str, path: Path | None) -> Any:
        if path is None:
            return optuna().create_study(directions=self._directions)
        file = path / JOURNAL
        _mend(file)
        from optuna.storages import JournalStorage
        from optuna.storages.journal import JournalFileBackend

        try:
            with writing(file):
                storage = JournalStorage(JournalFileBackend(str(file)))
            if name in optuna().get_all_study_names(storage):
                return optuna().load_study(study_name=name, storage=storage)
            with writing(file):
                return optuna().create_study(directions=self._directions, storage=storage, study_name=name)
        except (ValueError, KeyError, TypeError) as error:
            raise StoreError(damaged(file, error)) from error

    def ask(self) -> list[Mix]:
        """Return the mixes of the batch under way that were not tried yet: the same ones whenever it is asked."""
        begun = len(self.tried) // self._batch * self._batch
        with _quiet():
            startup = len(self._starts) + _RANDOM_A_LEVER * len(self._levers)
            sampler = optuna().samplers.TPESampler(seed=_seed_of(self._seed, begun), n_startup_trials=startup)
            study = optuna().create_study(directions=self._directions, sampler=sampler)
            study.add_trials([self._trial(tried) for tried in self.tried[:begun]])
            for mix in self._starts[begun : begun + self._batch]:
                study.enqueue_trial(dict(mix))
            asked = [study.ask(self._ranges).params for _ in range(self._batch)]
        return [self._rounded(mix) for mix in asked[len(self.tried) - begun :]]

    def tell(self, tried: Tried) -> None:
        """Keep what came of a mix, in one line of the journal."""
        with _quiet():
            self._kept.add_trial(self._trial(tried))
        self.tried.append(tried)

    def _trial(self, tried: Tried) -> Any:
        return optuna().trial.create_trial(
            params=dict(tried.mix), distributions=self._ranges, values=list(tried.values), constraints=dict(tried.missed)
        )

    def _rounded(self, mix: Mix) -> Mix:
        return {lever: min(max(float(f"{mix[lever]:.{_DIGITS}g}"), low), high) for lever, (low, high) in self._levers.items()}


def _seed_of(seed: int, begun: int) -> int:
    """Return the seed of the proposals of a batch, below 2^32."""
    return int.from_bytes(hashlib.sha256(f"{seed} {begun}".encode()).digest()[:4], "big")


def _mend(file: Path) -> None:
    """Take away what a killed process left: a line that is not whole at the end of a journal, and Optuna's lock on it."""
    with writing(file):
        for lock in file.parent.glob(f"{file.name}.lock*"):
            lock.unlink(missing_ok=True)
        if file.is_file():
            text = file.read_bytes()
            whole = text.rfind(b"\n") + 1
            if whole < len(text):
                with file.open("rb+") as kept:
                    kept.truncate(whole)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep Optuna from telling of every study that it makes."""
    log = optuna().logging
    level = log.get_verbosity()
    log.set_verbosity(log.ERROR)
    try:
        yield
    finally:
        log.set_verbosity(level)
