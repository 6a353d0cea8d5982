"""Several processes on one study: none of their trials is lost but those of the killed."""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import signal
import tempfile
import time
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from neurocomp.arch import Candidate
from neurocomp.explore import Evaluator, Outcome, ScoreEvaluator, SearchResult, search
from neurocomp.explore.store import Store
from neurocomp.spec.read import parse
from neurocomp.spec.recipe import SearchSpec
from neurocomp.spec.space import load_space, narrowed
from neurocomp.spec.target import load_target
from search_parts.common import aim
from search_parts.limits import DIGITS

EVALUATIONS, PROCESSES, KILLED = 120, 4, 2
WAIT_S = 0.2
KEPT = 200  # evaluations whose bookkeeping is timed
SPACE = {
    "channels": [16], "final_pool": [2], "hidden": [64], "cell_bits": [4], "macro_bits": [8],
    "timesteps": [4], "neurons": ["leaky"],
}  # fmt: skip


def workers(options: argparse.Namespace) -> None:
    """Four machines and four workers, two of them killed, on each storage; then how it scales."""
    for storage in ("a journal", options.storage):
        if storage is None:
            print("  not measured: PostgreSQL; give --storage URL of an empty database")
            continue
        with tempfile.TemporaryDirectory() as folder:
            place = storage if "://" in storage else str(Path(folder) / "journal.log")
            print(f"  on {place.split('@')[-1] if '://' in place else storage}", flush=True)
            _machines(place, folder)
            _killed_workers(place)
            _bookkeeping(place)
            _scaling(place)


@dataclass(frozen=True)
class Waiting:
    """An evaluation that takes its time elsewhere, as on a GPU: what is left is the study's own."""

    about: str

    def knows(self, candidate: Candidate) -> bool:
        """Every candidate."""
        return True

    def __call__(self, candidate: Candidate, share: float) -> Outcome:
        """Wait; the value is all one."""
        time.sleep(WAIT_S)
        return Outcome(float(candidate.convolutions))


def _bookkeeping(place: str) -> None:
    """CPU time that the study itself takes for an evaluation, from the claim to the outcome."""
    about = {"candidate": {"cell": "a few hundred bytes" * 20}}
    with Store(place if "://" in place else Path(place), "bookkeeping") as store:
        spent = []
        for number in range(KEPT):
            start = time.process_time()
            store.claim(str(number), about)
            store.finish(str(number), Outcome(1.0))
            spent.append(time.process_time() - start)
    first, last = (
        1000 * float(np.mean(part)) for part in (spent[: KEPT // 4], spent[-KEPT // 4 :])
    )
    print(
        f"      bookkeeping: {first:.0f} CPU-ms per evaluation, {last:.0f} after {KEPT}", flush=True
    )


def _scaling(place: str) -> None:
    """Evaluations per second by number of workers; those that need a core, and those that wait."""
    for number in (1, 2, 4, 8):
        rate = _rate(place, Waiting(f"waiting, {number} workers"), number)
        print(
            f"      {number} workers: {rate:.1f}/s of evaluations that wait {WAIT_S} s", flush=True
        )
    cores = f"{len(os.sched_getaffinity(0))} cores"
    for number in (1, 2, 4):
        load = f"load {os.getloadavg()[0]:.1f} before"
        rate = _rate(place, _evaluator(100 + number), number)
        print(f"      {number} workers: {rate:.1f}/s of scores on {cores} ({load})", flush=True)


def _rate(place: str, evaluator: Evaluator, number: int) -> float:
    """Evaluations per second from the first that is done to the last."""
    _search(place, workers=number, evaluator=evaluator)
    done = sorted(t.datetime_complete for t in _trials(place, evaluator.about))
    return (len(done) - 1) / (done[-1] - done[0]).total_seconds()


def _machines(place: str, folder: str) -> None:
    """Four processes do one search; two are killed when some of it is done."""
    context = multiprocessing.get_context("spawn")
    said = [Path(folder) / f"{k}.json" for k in range(PROCESSES)]
    there: list[BaseProcess] = [
        context.Process(target=_machine, args=(place, str(path))) for path in said
    ]
    for process in there:
        process.start()
    _wait_for(place)
    for process in there[:KILLED]:
        assert process.pid is not None
        os.kill(process.pid, signal.SIGKILL)
    for process in there:
        process.join()
    rows = [json.loads(path.read_text()) for path in said if path.is_file()]
    aim(f"of {PROCESSES} machines, {KILLED} killed: those that ended", len(rows), "=", 2)
    aim("rankings that differ between them", len({row["ranking"] for row in rows}) - 1, "=", 0)
    _accounts(place)


def _killed_workers(place: str) -> None:
    """One search with four workers, two of which are killed at work."""
    context = multiprocessing.get_context("spawn")
    search_process = context.Process(target=_search, args=(place, 1, PROCESSES))
    search_process.start()
    _wait_for(place, seed=1)
    children = psutil.Process(search_process.pid).children()
    busy = sorted(children, key=lambda p: -p.cpu_times().user)[:KILLED]
    for child in busy:
        child.kill()
    search_process.join()
    aim(f"exit of a search of which {len(busy)} workers were killed", search_process.exitcode or 0,
        "=", 0)  # fmt: skip
    _accounts(place, seed=1)


def _search(
    place: str, seed: int = 0, workers: int = 1, evaluator: Evaluator | None = None
) -> SearchResult:
    spec = parse({"candidates": 10_000, "evaluations": EVALUATIONS, "batch": 64}, SearchSpec, "b")
    return search(
        narrowed(load_space("spikernel"), SPACE), spec, load_target("loihi2"), DIGITS,
        evaluator or _evaluator(seed), storage=place if "://" in place else Path(place), seed=seed,
        workers=workers,
    )  # fmt: skip


def _evaluator(seed: int) -> ScoreEvaluator:
    values = np.random.default_rng(0).integers(0, 16, (64, *DIGITS.shape)).astype(np.uint8)
    return ScoreEvaluator(DIGITS, values, seed=seed)


def _machine(place: str, said: str) -> None:
    """One machine: its ranking, when it has ended."""
    found = _search(place)
    ranking = " ".join(s.candidate.id for s in found.ranking)
    Path(said).write_text(json.dumps({"ranking": ranking}))


def _trials(place: str, about: str) -> list[Any]:
    """Trials of an evaluator's study, as Optuna reads them."""
    import optuna
    from optuna.storages import JournalStorage, RDBStorage
    from optuna.storages.journal import JournalFileBackend

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    if "://" in place:
        storage: Any = RDBStorage(place)
    elif Path(place).exists():
        storage = JournalStorage(JournalFileBackend(place))
    else:
        return []
    name = f"{about}; {DIGITS}"
    studies = {study.study_name: study._study_id for study in storage.get_all_studies()}
    return storage.get_all_trials(studies[name]) if name in studies else []


def _wait_for(place: str, seed: int = 0) -> None:
    """Wait until a fifth of the evaluations are done."""
    about = _evaluator(seed).about
    while sum(t.state.name == "COMPLETE" for t in _trials(place, about)) < EVALUATIONS // 5:
        time.sleep(0.2)


def _accounts(place: str, seed: int = 0) -> None:
    """What became of all trials: each network once, and nothing left open."""
    trials = _trials(place, _evaluator(seed).about)
    complete = [t for t in trials if t.state.name == "COMPLETE"]
    lost = [t for t in trials if t.user_attrs.get("lost")]
    keys = [t.user_attrs["id"] for t in complete]
    print(f"      {len(trials)} trials: {len(complete)} scored, {len(lost)} lost or given up")
    aim("networks scored twice", len(keys) - len(set(keys)), "=", 0)
    aim("trials unaccounted for", len(trials) - len(complete) - len(lost), "=", 0)
    aim("networks scored", len(keys), "=", EVALUATIONS)
