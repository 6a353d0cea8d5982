"""Other ways to design a network with the parts of the joint search, for comparison."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from neurocomp import data
from neurocomp.progress import Progress, quiet
from neurocomp.spec.joint import JointSpec, Term
from neurocomp.train.joint.choices import Given
from neurocomp.train.joint.search import Found, Job, search

FULL_BITS = 8  # what the chip stores at most; stands for weights that are not quantised
LATER_EPOCHS = 2  # pruning, bits and timesteps each get 1/LATER_EPOCHS of the first search's epochs


def sequential(
    job: Job,
    dataset: data.Dataset,
    out: Path,
    *,
    seed: int,
    device: str = "auto",
    progress: Progress = quiet,
) -> tuple[Found, float]:
    """A + P + Q + T: architecture, then pruning, then bits, then timesteps (LitE-SNN, Table 4).

    Each step goes on with the weights of the one before, and keeps its choices. The first two know
    neither costs nor limits, that of the target's cores included; bits are chosen under the limits
    but that on bit-SynOps, the timesteps under all.

    Returns:
        The last step's find, and the seconds of all four.
    """
    space = job.space
    longest = (max(space.timesteps),)
    full = space.model_copy(update={"bits": (FULL_BITS,), "timesteps": longest})
    widths = space.model_copy(update={"timesteps": longest})
    later = max(job.spec.epochs // LATER_EPOCHS, 1)
    free = job.spec.model_copy(update={"lambdas": {}, "budgets": {}})
    shorter = free.model_copy(update={"epochs": later})
    until_bits = _terms(job, {"bits", "cores"}, later)
    every = job.spec.model_copy(update={"epochs": later})
    dense = job.train.model_copy(update={"prune": 0.0})
    common: dict[str, Any] = {"seed": seed, "device": device, "progress": progress}

    whole = replace(job, space=full, spec=free, train=dense, limited=False)
    a = search(whole, dataset, out / "A", **common)
    given = Given(a.design.nodes)
    pruning = replace(job, space=full, spec=shorter, given=given, limited=False)
    p = search(pruning, dataset, out / "P", start=a.state, **common)
    bits = replace(job, space=widths, spec=until_bits, given=given)
    q = search(bits, dataset, out / "Q", start=p.state, **common)
    given = Given(a.design.nodes, q.design.bits)
    steps = replace(job, spec=every, given=given)
    t = search(steps, dataset, out / "T", start=q.state, **common)
    return t, a.seconds + p.seconds + q.seconds + t.seconds


def uniform(job: Job, bits: int) -> Job:
    """The same search with one bit width for all."""
    return replace(job, space=job.space.model_copy(update={"bits": (bits,)}))


def uncompressed(job: Job) -> Job:
    """SpikeDHS: the architecture alone, at full width and length, unpruned, without any limit."""
    update = {"bits": (FULL_BITS,), "timesteps": (max(job.space.timesteps),)}
    return replace(
        job,
        space=job.space.model_copy(update=update),
        spec=job.spec.model_copy(update={"lambdas": {}, "budgets": {}}),
        train=job.train.model_copy(update={"prune": 0.0}),
        limited=False,
    )


def _terms(job: Job, terms: set[Term], epochs: int) -> JointSpec:
    """The spec with the λ and budgets of some terms only."""
    spec = job.spec
    return spec.model_copy(
        update={
            "epochs": epochs,
            "lambdas": {k: v for k, v in spec.lambdas.items() if k in terms},
            "budgets": {k: v for k, v in spec.budgets.items() if k in terms},
        }
    )
