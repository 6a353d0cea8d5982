"""Where a study's evaluations are kept: a journal file, or a database that machines share.

Every evaluation is a trial of an Optuna study, so that its dashboard can show them. A trial is
claimed (RUNNING) before it is evaluated, with who claimed it; of two claims for the same candidate
the lower trial number counts, which storage hands out one after the other. So no candidate is
evaluated twice, on however many machines. Claims of processes that are gone are reaped; one that
was only away for long finds its claim lost, and goes on with the others' outcome.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from types import TracebackType
from typing import Any

import optuna
from optuna.exceptions import UpdateFinishedTrialError
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from neurocomp.errors import RunError
from neurocomp.explore.outcome import Outcome
from neurocomp.explore.presence import Presence
from neurocomp.explore.storage import Line, opened

_CLAIM, _OWNER, _LOST, _SAID = "id", "owner", "lost", "said"
_UNSCORED = "unscored"  # in what was said: there is no score to come


class Store:
    """Evaluations of one study by key, in a storage that other studies and processes may share."""

    def __init__(self, storage: Path | str, study: str) -> None:
        """Open or create the storage and the study in it.

        Args:
            storage: path of a journal file, or the URL of a database.
            study: says everything that values depend on besides the candidate.

        Raises:
            InputError: the storage cannot be reached or written, or is something else.
        """
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self._storage = opened(storage)
        self._ask = Line(storage)
        self._ask(
            optuna.create_study,
            storage=self._storage,
            study_name=study,
            direction=StudyDirection.MAXIMIZE,
            load_if_exists=True,
        )
        self._study = self._ask(self._storage.get_study_id_from_name, study)
        self._mine: dict[str, int] = {}  # trial by key, of what this process has claimed
        self._known: dict[str, FrozenTrial] = {}
        self._running: dict[str, FrozenTrial] = {}  # of each key the claim that counts
        self._settled = 0  # so many trials are finished and read, from the first on
        self._presence = Presence(self._ask, self._storage, self._study)

    def __enter__(self) -> Store:
        self._presence.start()
        with contextlib.ExitStack() as stack:
            stack.push(self)  # its `__exit__`, in case of a fault
            self.refresh()
            stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._ask.close()
        self._presence.stop()
        with contextlib.suppress(RunError):  # whoever comes next reaps these claims
            for trial in self._mine.values():
                self._lose(trial)

    def refresh(self) -> None:
        """Read what others have done, and reap the claims of those that are gone."""
        trials = self._ask(self._storage.get_all_trials, self._study, deepcopy=False)
        # Read after the trials: whoever has claimed has said hello before.
        there = self._presence.there()
        self._running.clear()
        settled = True
        for trial in trials[self._settled :]:
            key = str(trial.user_attrs.get(_CLAIM))
            if not trial.state.is_finished():
                settled = False
                if trial.user_attrs.get(_OWNER) in there:
                    self._running.setdefault(key, trial)
                else:
                    self._lose(trial.number)
            elif not _is_lost(trial):
                self._known.setdefault(key, trial)
            self._settled += settled

    def start(self, n: int) -> int:
        """Where among n evaluations to begin, so that processes at work together seldom meet."""
        at_work = sorted(self._presence.there())
        return n * at_work.index(self._presence.me) // len(at_work)

    def known(self, key: str) -> Outcome | None:
        """The outcome of an evaluation that is finished, as far as this process has read."""
        trial = self._known.get(key)
        if trial is None:
            return None
        score = trial.value if trial.state == TrialState.COMPLETE else None
        said = trial.user_attrs[_SAID]
        return Outcome(score, spikes=said["spikes"], seconds=said["seconds"])

    def busy(self, key: str) -> bool:
        """Whether somebody is at an evaluation, as far as this process has read."""
        return key in self._running

    def claim(self, key: str, about: dict[str, Any]) -> bool:
        """Claim an evaluation; False where it is known or somebody else is at it.

        Args:
            about: JSON values that are kept beside it.
        """
        template = optuna.create_trial(
            state=TrialState.RUNNING, user_attrs={_CLAIM: key, _OWNER: self._presence.me, **about}
        )
        trial = self._ask(self._storage.create_new_trial, self._study, template_trial=template)
        new = self._ask(self._storage.get_trial_number_from_id, trial)
        self.refresh()
        counts = self._running.get(key)
        mine = counts is not None and counts.user_attrs[_OWNER] == self._presence.me
        if counts is None or not mine or key in self._known:
            self._lose(new)
            return False
        if counts.number != new:  # the storage was away, and had heard the first time
            self._lose(new)
        self._mine[key] = counts.number
        return True

    def finish(self, key: str, outcome: Outcome) -> None:
        """Write the outcome of what was claimed; it is there when this returns.

        A claim that others have taken for dead is claimed again, unless one of them has done so:
        then their outcome will count.
        """
        trial = self._id(self._mine.pop(key))
        unscored = outcome.score is None
        said = {"spikes": outcome.spikes, "seconds": outcome.seconds, _UNSCORED: unscored}
        try:
            self._ask(self._storage.set_trial_user_attr, trial, _SAID, said)
            if outcome.score is None:
                self._close(trial, TrialState.FAIL)
            else:
                self._close(trial, TrialState.COMPLETE, [outcome.score])
        except UpdateFinishedTrialError:
            lost = self._ask(self._storage.get_trial, trial).user_attrs
            about = {k: v for k, v in lost.items() if k not in (_CLAIM, _OWNER, _LOST, _SAID)}
            if self.claim(key, about):
                self.finish(key, outcome)
            return
        self._known[key] = self._ask(self._storage.get_trial, trial)

    def drop(self, key: str) -> None:
        """Give up what was claimed."""
        self._lose(self._mine.pop(key))

    def seconds_at_work(self, keys: set[str]) -> float:
        """Wall seconds in which any process evaluated any of these, in this and earlier calls."""
        spans: dict[str, list[float]] = {}
        for key in keys & self._known.keys():
            trial = self._known[key]
            if trial.datetime_start is not None and trial.datetime_complete is not None:
                begin, end = trial.datetime_start.timestamp(), trial.datetime_complete.timestamp()
                span = spans.setdefault(trial.user_attrs[_OWNER], [begin, end])
                span[:] = min(span[0], begin), max(span[1], end)
        total, reached = 0.0, 0.0
        for begin, end in sorted(spans.values()):
            total += max(end - max(begin, reached), 0.0)
            reached = max(reached, end)
        return total

    def accounts(self) -> dict[str, int]:
        """Number of trials: scored, without a finite score, lost with their process, running."""
        counts = dict.fromkeys(("scored", "unscored", "lost", "running"), 0)
        for trial in self._ask(self._storage.get_all_trials, self._study, deepcopy=False):
            if trial.state == TrialState.COMPLETE:
                counts["scored"] += 1
            elif trial.state == TrialState.RUNNING:
                counts["running"] += 1
            else:
                counts["lost" if _is_lost(trial) else "unscored"] += 1
        return counts

    def _id(self, number: int) -> int:
        return self._ask(self._storage.get_trial_id_from_study_id_trial_number, self._study, number)

    def _close(self, trial: int, state: TrialState, values: list[float] | None = None) -> None:
        self._ask(self._storage.set_trial_state_values, trial, state, values)

    def _lose(self, number: int) -> None:
        """Close a claim without an outcome, unless somebody else has closed it."""
        trial = self._id(number)
        with contextlib.suppress(UpdateFinishedTrialError):
            self._ask(self._storage.set_trial_user_attr, trial, _LOST, True)
            self._close(trial, TrialState.FAIL)


def _is_lost(trial: FrozenTrial) -> bool:
    """Whether a finished trial has no outcome: an outcome may have come while it was reaped."""
    if trial.state == TrialState.COMPLETE or _LOST not in trial.user_attrs:
        return False
    return not trial.user_attrs.get(_SAID, {}).get(_UNSCORED, False)
