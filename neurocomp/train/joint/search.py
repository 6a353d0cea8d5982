"""The joint search from a recipe to a design that keeps its budgets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from neurocomp import data
from neurocomp.arch import Task
from neurocomp.errors import FitError
from neurocomp.hw.mesh import n_live_cores
from neurocomp.ir import Graph
from neurocomp.progress import Progress, quiet
from neurocomp.spec.joint import JointSpec, LiteSpace, Term
from neurocomp.spec.target import Target
from neurocomp.spec.train import TrainSpec
from neurocomp.train.callbacks import Loop
from neurocomp.train.fit import run
from neurocomp.train.joint.backbone import Backbone
from neurocomp.train.joint.budgets import Budgets
from neurocomp.train.joint.build import build
from neurocomp.train.joint.choices import Choices, Given
from neurocomp.train.joint.costs import Costs
from neurocomp.train.joint.design import Design, from_dict
from neurocomp.train.joint.halves import paired
from neurocomp.train.joint.judge import WORDS, Judge
from neurocomp.train.joint.menu import Menu
from neurocomp.train.joint.phase import Epoch, Joint
from neurocomp.train.joint.room import require_room
from neurocomp.train.joint.supernet import Supernet
from neurocomp.train.samples import Samples
from neurocomp.train.training import surrogate_of, torch_device

CHECKPOINT = "joint.ckpt"


@dataclass(frozen=True, slots=True)
class Job:
    """What a joint search is about.

    Attributes:
        given: choices that are made already.
        target, policy: what networks are mapped onto, and how.
        max_cores: limit of the network; the target's cores at most.
        limited: whether designs must keep limits at all, that of the target's cores included.
    """

    space: LiteSpace
    spec: JointSpec
    train: TrainSpec
    target: Target
    policy: str
    max_cores: int | None = None
    given: Given = field(default_factory=Given)
    limited: bool = True

    @property
    def kept(self) -> float:
        """Share of the weights that pruning leaves."""
        return 1 - self.train.prune

    @property
    def limits(self) -> dict[Term, float]:
        """Hard limits: the spec's, and as many cores as there are; none for a job without."""
        if not self.limited:
            return {}
        cores = min(self.max_cores or n_live_cores(self.target), n_live_cores(self.target))
        return {"cores": cores, **self.spec.budgets}

    def backbone(self, dataset: data.Dataset) -> Backbone:
        """The backbone of the network that is built."""
        return Backbone(self.space, _task(dataset), self.spec.channels)


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """What a joint search found.

    Attributes:
        design, graph: of the most accurate epoch whose network keeps every limit, by the samples
            that decide on choices; of equal ones the last.
        epoch: that epoch's row.
        history: one row per epoch.
        state: the supernet's weights at the end, to go on with under other choices.
    """

    design: Design
    graph: Graph
    epoch: Epoch
    history: tuple[Epoch, ...]
    state: dict[str, Any]

    @property
    def early(self) -> bool:
        """Whether the design is of the first half of the epochs, before choices settle."""
        return 2 * self.epoch.epoch <= self.epoch.epochs and self.epoch.epochs > 1

    @property
    def seconds(self) -> float:
        """That all epochs took."""
        return sum(row.seconds for row in self.history)


def search(
    job: Job,
    dataset: data.Dataset,
    out: Path,
    *,
    seed: int,
    device: str = "auto",
    start: Mapping[str, Any] | None = None,
    progress: Progress = quiet,
) -> Found:
    """Search a design; called again with the same arguments it goes on where it stopped.

    Args:
        out: folder for the checkpoint.
        start: weights of a supernet to begin with, as far as they are of this one.

    Raises:
        FitError: no network of the space has room on the target, told before the first epoch; or
            no epoch's network keeps every limit: says what the nearest one needs.
        InputError: space and data do not suit each other, or the checkpoint cannot be read.
        RunError: see `neurocomp.train.fit.fit`.
    """
    where = torch_device(device)
    backbone = job.backbone(dataset)
    if job.limited:
        require_room(backbone, job.given.nodes, job.target, int(job.limits["cores"]))
    choices = Choices(job.space, job.given, seed)
    small = Backbone(job.space, backbone.task, job.spec.search_channels)
    net = Supernet(small, choices.live, job.kept, surrogate_of(job.train), seed)
    if start is not None:
        known = net.state_dict()
        net.load_state_dict({k: v for k, v in start.items() if k in known}, strict=False)
    costs = Costs(Menu(backbone, job.target), job.kept)
    judge = Judge(backbone, job.target, job.policy, job.kept, job.limits, seed)
    phase = Joint(
        net,
        choices,
        costs,
        Budgets(job.spec, job.limits),
        job.spec,
        job.train.augment,
        judge,
        seed,
        lambda row: progress("search", row.epoch, row.epochs, _words(row)),
    )
    samples = Samples(dataset.train_values, dataset.train_labels, where)
    batches, deciding = paired(samples, dataset.train_labels, job.spec.batch, seed)
    out.mkdir(parents=True, exist_ok=True)
    loop = Loop(job.spec.epochs, job.spec.batch, deterministic=job.train.deterministic)
    run(phase, batches, out / CHECKPOINT, where, loop, deciding)
    chosen = _best(phase.history, judge) if job.limited else phase.history[-1]
    design = from_dict(chosen.design)
    return Found(
        design=design,
        graph=build(design, backbone),
        epoch=chosen,
        history=tuple(phase.history),
        state=net.state_dict(),
    )


def _best(history: list[Epoch], judge: Judge) -> Epoch:
    within = [row for row in history if not row.broken]
    if within:
        return max(within, key=lambda row: (row.accuracy, row.epoch))
    nearest = [
        f"{WORDS[term]}: {min(costs):,.0f} at least, {limit:,.0f} allowed"
        for term, limit in judge.limits.items()
        if (costs := [c for row in history if (c := row.decoded[term]) is not None])
        and min(costs) > limit
    ]
    found = "; ".join(nearest or sorted({b for row in history for b in row.broken}))
    raise FitError(
        f"none of the designs of {len(history)} epochs keeps the limits ({found}); raise the "
        "limit, search more epochs, raise joint.dual_rate, or use fewer channels"
    )


def _task(dataset: data.Dataset) -> Task:
    return Task(dataset.shape, dataset.bits, len(dataset.classes))


def _words(row: Epoch) -> str:
    spent = ", ".join(f"{t} {c:,.0f}" for t, c in row.decoded.items() if c is not None)
    return f"{row.epoch}/{row.epochs}: loss {row.loss:.3f}, decoded {row.accuracy:.2%}; {spent}"
