"""The stage ``compare``: networks that were designed in other ways, trained and mapped alike."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

from neurocomp.atomic import write_json
from neurocomp.errors import FitError
from neurocomp.flow.context import HISTORY, RATES_SAMPLES, Context, Result, measured_rates
from neurocomp.flow.explored import explored
from neurocomp.flow.folder import RESULT
from neurocomp.flow.joint import figures_row, job_of
from neurocomp.flow.limits import limits_row
from neurocomp.ir import Graph
from neurocomp.spec.train import TrainSpec

UNIFORM_BITS = 4


def compare(ctx: Context) -> Result:
    """Design, train and map a network for each of the recipe's baselines.

    Each has a folder and a result file of its own, so that a comparison that stopped goes on with
    the baseline that it was in. One that cannot be designed within the limits or mapped has a row
    with the ``fault``; ``limits`` holds the trained network against each of them.
    """
    assert ctx.options.recipe.joint is not None  # see `neurocomp.flow.stages.stages_of`
    rows = [_row(ctx, name) for name in ctx.options.recipe.joint.baselines]
    return {"baselines": rows}


def _row(ctx: Context, name: str) -> dict[str, Any]:
    folder = ctx.run.stage("compare") / name
    path = folder / RESULT
    if path.is_file():
        row: dict[str, Any] = json.loads(path.read_text())
        return row
    folder.mkdir(exist_ok=True)
    try:
        graph, spec, seconds = DESIGNERS[name](ctx, folder)
    except FitError as fault:
        made: dict[str, Any] = {"name": name, "fault": str(fault)}
    else:
        made = {"name": name, **_deployed(ctx, graph, spec, folder, seconds)}
    write_json(path, made)
    return made


def _deployed(
    ctx: Context, graph: Graph, spec: TrainSpec, folder: Path, seconds: float
) -> dict[str, Any]:
    """A design trained, made integer and mapped, as figures; its accuracy where it has no room."""
    from neurocomp.mapping import map_graph, summary
    from neurocomp.train import train

    options = ctx.options
    trained = train(
        graph,
        ctx.dataset,
        spec,
        folder / "train",
        seed=options.seed,
        device=options.device,
        progress=ctx.progress,
    )
    history = folder / HISTORY
    write_json(history, list(trained.history))
    rates = measured_rates(trained.graph, ctx.dataset.train_values[:RATES_SAMPLES])
    policy = options.recipe.policy
    accuracy = {"float": trained.accuracy_float, "integer": trained.accuracy_integer}
    try:
        mapping = map_graph(trained.graph, options.target, policy, rates=rates, seed=options.seed)
    except FitError as fault:
        return {"fault": str(fault), "accuracy": accuracy}
    figures = figures_row(trained.graph, mapping, rates, options, seconds, history)
    mapped = summary(trained.graph, mapping, options.target, rates)
    return {
        "fault": None,
        "accuracy": accuracy,
        "cores": mapping.n_cores,
        "limits": limits_row(job_of(options).limits, {}, figures, mapped),
        **figures,
    }


def _sequential(ctx: Context, folder: Path) -> tuple[Graph, TrainSpec, float]:
    """A + P + Q + T within the limits that the joint search had.

    Where weight bits had none, it may have as many as the joint design.
    """
    from neurocomp.train.joint import sequential

    options = ctx.options
    job = job_of(options)
    most = {"bits": ctx.run.require("search")["best"]["model_bits"]}
    spec = job.spec.model_copy(update={"budgets": {**most, **job.spec.budgets}})
    job = replace(job, spec=spec)
    found, seconds = sequential(
        job, ctx.dataset, folder, seed=options.seed, device=options.device, progress=ctx.progress
    )
    return found.graph, job.train, seconds


def _joint(ctx: Context, folder: Path, variant: str) -> tuple[Graph, TrainSpec, float]:
    """The joint search with some of its choices taken away."""
    from neurocomp.train.joint import search, uncompressed, uniform

    whole, options = job_of(ctx.options), ctx.options
    job = uncompressed(whole) if variant == "spikedhs" else uniform(whole, UNIFORM_BITS)
    found = search(
        job, ctx.dataset, folder, seed=options.seed, device=options.device, progress=ctx.progress
    )
    return found.graph, job.train, found.seconds


def _spikernel(ctx: Context, folder: Path) -> tuple[Graph, TrainSpec, float]:
    """The best score among the recipe's SpiKernel candidates with no more weight memory.

    Raises:
        FitError: the smallest of them has more.
    """
    from neurocomp.arch import Task, build

    options, dataset = ctx.options, ctx.dataset
    found = explored(options, dataset, folder, ctx.progress)
    most = ctx.run.require("search")["best"]["model_bits"]
    fitting = [s.candidate for s in found.ranking if s.price.model_bits <= most]
    if not fitting:
        least = min(s.price.model_bits for s in found.ranking)
        raise FitError(
            f"the smallest SpiKernel candidate has {least:,} weight bits, the joint design "
            f"{most:,.0f}; narrow the recipe's space to smaller networks"
        )
    task = Task(dataset.shape, dataset.bits, len(dataset.classes))
    dense = options.recipe.train.model_copy(update={"prune": 0.0})
    return build(fitting[0], task), dense, found.seconds


Designer: TypeAlias = Callable[[Context, Path], tuple[Graph, TrainSpec, float]]
DESIGNERS: dict[str, Designer] = {
    "sequential": _sequential,
    "uniform4": partial(_joint, variant="uniform4"),
    "spikedhs": partial(_joint, variant="spikedhs"),
    "spikernel": _spikernel,
}
