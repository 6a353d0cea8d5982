"""Where a study's evaluations are kept: a journal file, or a database that machines share.

Every evaluation is a trial of an Optuna study, so that its dashboard can show them. A trial is
claimed (RUNNING) before it is evaluated, with who claimed it; of two claims for the same candidate
the lower trial number counts, which storage hands out one after the other. So no candidate is
evaluated twice, on however many machines. Claims of processes that are gone are reaped.
"""

from __future__ import annotations

import os
import socket
import threading
import time
import uuid
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

import optuna
import psutil  # type: ignore[import-untyped]
from optuna.exceptions import UpdateFinishedTrialError
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from neurocomp.explore.outcome import Outcome
from neurocomp.explore.storage import opened, reachable

BEAT_S = 20.0  # how often a process says that it is there
SILENCE_S = 90.0  # after which a process on another machine counts as gone
_CLAIM, _OWNER, _LOST, _SAID = "id", "owner", "lost", "said"


class Owner(NamedTuple):
    """A process that evaluates.

    Attributes:
        started: of the process, seconds since the epoch; tells it from a later one of its number.
    """

    host: str
    process: int
    started: float

    @classmethod
    def me(cls) -> Owner:
        """This process."""
        return cls(socket.gethostname(), os.getpid(), psutil.Process().create_time())

    def gone(self, beat: float) -> bool:
        """Whether the process has ended, or has not been heard of since a moment too long ago."""
        if self.host == socket.gethostname():
            try:
                found = psutil.Process(self.process)
                alive = abs(found.create_time() - self.started) < 1.0
                return not alive or found.status() == psutil.STATUS_ZOMBIE
            except psutil.NoSuchProcess:
                return True
        return time.time() - beat > SILENCE_S


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
        self.place = str(storage)
        self._me = f"{uuid.uuid4().hex[:12]}"
        self._storage = opened(storage)
        with reachable(self.place):
            optuna.create_study(
                storage=self._storage,
                study_name=study,
                direction=StudyDirection.MAXIMIZE,
                load_if_exists=True,
            )
            self._study = self._storage.get_study_id_from_name(study)
        self._mine: dict[str, int] = {}  # trial by key, of what this process has claimed
        self._known: dict[str, FrozenTrial] = {}
        self._running: dict[str, FrozenTrial] = {}  # of each key the claim that counts
        self._settled = 0  # so many trials are finished and read, from the first on
        self._stop = threading.Event()
        self._heart = threading.Thread(target=self._beat, daemon=True)

    def __enter__(self) -> Store:
        self._say_hello()
        self._heart.start()
        self.refresh()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._heart.join()
        for trial in self._mine.values():
            self._lose(trial)

    def refresh(self) -> None:
        """Read what others have done, and reap the claims of those that are gone."""
        owners = self._owners()
        trials = self._storage.get_all_trials(self._study, deepcopy=False)
        self._running.clear()
        settled = True
        for trial in trials[self._settled :]:
            key, owner = str(trial.user_attrs.get(_CLAIM)), trial.user_attrs.get(_OWNER)
            if not trial.state.is_finished():
                settled = False
                if owner not in owners or owners[owner][0].gone(owners[owner][1]):
                    self._lose(trial.number)
                else:
                    self._running.setdefault(key, trial)
            elif _LOST not in trial.user_attrs:
                self._known.setdefault(key, trial)
            self._settled += settled

    def start(self, n: int) -> int:
        """Where among n evaluations to begin, so that processes at work together seldom meet."""
        at_work = sorted(
            name for name, (owner, beat) in self._owners().items() if not owner.gone(beat)
        )
        return n * at_work.index(self._me) // len(at_work)

    def known(self, key: str) -> Outcome | None:
        """The outcome of an evaluation that is finished, as far as this process has read."""
        trial = self._known.get(key)
        if trial is None:
            return None
        score = trial.value if trial.state == TrialState.COMPLETE else None
        return Outcome(score, **trial.user_attrs[_SAID])

    def busy(self, key: str) -> bool:
        """Whether somebody is at an evaluation, as far as this process has read."""
        return key in self._running

    def claim(self, key: str, about: dict[str, Any]) -> bool:
        """Claim an evaluation; False where it is known or somebody else is at it.

        Args:
            about: JSON values that are kept beside it.
        """
        template = optuna.create_trial(
            state=TrialState.RUNNING, user_attrs={_CLAIM: key, _OWNER: self._me, **about}
        )
        trial = self._storage.create_new_trial(self._study, template_trial=template)
        mine = self._storage.get_trial_number_from_id(trial)
        self.refresh()
        if key in self._known or self._running[key].number != mine:
            self._lose(mine)
            return False
        self._mine[key] = mine
        return True

    def finish(self, key: str, outcome: Outcome) -> None:
        """Write the outcome of what was claimed; it is there when this returns."""
        trial = self._id(self._mine.pop(key))
        said = {"spikes": outcome.spikes, "seconds": outcome.seconds}
        self._storage.set_trial_user_attr(trial, _SAID, said)
        if outcome.score is None:
            self._storage.set_trial_state_values(trial, TrialState.FAIL)
        else:
            self._storage.set_trial_state_values(trial, TrialState.COMPLETE, [outcome.score])
        self._known[key] = self._storage.get_trial(trial)

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
        for trial in self._storage.get_all_trials(self._study, deepcopy=False):
            if trial.state == TrialState.COMPLETE:
                counts["scored"] += 1
            elif trial.state == TrialState.RUNNING:
                counts["running"] += 1
            else:
                counts["lost" if _LOST in trial.user_attrs else "unscored"] += 1
        return counts

    def _id(self, number: int) -> int:
        return self._storage.get_trial_id_from_study_id_trial_number(self._study, number)

    def _lose(self, number: int) -> None:
        """Close a claim without an outcome, unless somebody else has closed it."""
        trial = self._id(number)
        try:
            self._storage.set_trial_user_attr(trial, _LOST, True)
            self._storage.set_trial_state_values(trial, TrialState.FAIL)
        except UpdateFinishedTrialError:
            pass

    def _owners(self) -> dict[str, tuple[Owner, float]]:
        """Processes with the moment at which each was heard of last."""
        attributes = self._storage.get_study_user_attrs(self._study)
        return {
            name.removeprefix("owner:"): (Owner(*value["owner"]), value["beat"])
            for name, value in attributes.items()
            if name.startswith("owner:")
        }

    def _say_hello(self) -> None:
        value = {"owner": list(Owner.me()), "beat": time.time()}
        self._storage.set_study_user_attr(self._study, f"owner:{self._me}", value)

    def _beat(self) -> None:
        while not self._stop.wait(BEAT_S):
            self._say_hello()
