"""A small search: its space, evaluators in place of real ones, and a run of it."""

import os
import signal
from dataclasses import dataclass, field
from pathlib import Path

from neurocomp.arch import Candidate, Task
from neurocomp.explore import (
    Outcome,
    SearchResult,
    search,
)
from neurocomp.spec.read import parse
from neurocomp.spec.recipe import SearchSpec
from neurocomp.spec.space import Space, load_space, narrowed
from neurocomp.spec.target import load_target

TASK = Task((1, 8, 8), input_bits=4, classes=10)
LOIHI2 = load_target("loihi2")
SMALL = {
    "channels": [8],
    "final_pool": [2],
    "hidden": [32],
    "cell_bits": [2, 8],
    "macro_bits": [8],
    "timesteps": [4],
    "neurons": ["leaky"],
}


def small(**choices) -> Space:
    return narrowed(load_space("spikernel"), SMALL | choices)


TINY = {"ops": ["skip", "conv"], "kernel_sets": ["set1"], "cell_bits": [8]}


@dataclass
class StandIn:
    """A number that a candidate has, counting its calls and failing at one of them."""

    about: str = "stand-in"
    fail_at: int = 0
    calls: list[str] = field(default_factory=list)

    def knows(self, candidate: Candidate) -> bool:
        return True

    def __call__(self, candidate: Candidate, share: float) -> Outcome:
        self.calls.append(candidate.id)
        if len(self.calls) == self.fail_at:
            raise KeyboardInterrupt
        return Outcome(float(sum(op.kernel + op.bits for op in candidate.cell)) + share, 1.0)


@dataclass
class Deadly(StandIn):
    """Kills its process at the first candidate that nobody has marked."""

    marks: str = ""

    def __call__(self, candidate: Candidate, share: float) -> Outcome:
        mark = Path(self.marks) / candidate.id
        if not mark.exists() and len(list(Path(self.marks).iterdir())) < 2:
            mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return super().__call__(candidate, share)


@dataclass
class Always(StandIn):
    """Kills its process whatever it is given."""

    def __call__(self, candidate: Candidate, share: float) -> Outcome:
        os.kill(os.getpid(), signal.SIGKILL)
        return Outcome(None)


@dataclass
class Faulty(StandIn):
    """Has a fault of its own."""

    def __call__(self, candidate: Candidate, share: float) -> Outcome:
        raise ZeroDivisionError("of nothing")


@dataclass
class Nothing(StandIn):
    """Has no finite score for anything."""

    def __call__(self, candidate: Candidate, share: float) -> Outcome:
        return Outcome(None)


def run(tmp_path: Path, evaluator=None, space=None, **options) -> SearchResult:
    fields = {k: options.pop(k) for k in list(options) if k in SearchSpec.model_fields}
    spec = parse({"candidates": 30, "batch": 16} | fields, SearchSpec, "spec")
    return search(
        space or small(),
        spec,
        LOIHI2,
        TASK,
        evaluator or StandIn(),
        storage=tmp_path / "journal.log",
        **options,
    )


def ids(result: SearchResult) -> list[str]:
    return [s.candidate.id for s in result.ranking]
