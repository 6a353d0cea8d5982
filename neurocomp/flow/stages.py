"""The stages of the main job, in order; each turns the artefacts before it into its own.

A stage takes the run folder and the options, leaves its artefacts in the folder named after it and
returns its result: JSON values, part of the summary. Stages read each other's files, never memory,
so a run that was resumed and one that was not do the same.
"""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter

import numpy as np

from neurocomp.atomic import write_json, writing
from neurocomp.data import Dataset
from neurocomp.flow import joint
from neurocomp.flow.compare import compare
from neurocomp.flow.context import (
    CANDIDATE,
    CANDIDATES,
    FLOAT_NETWORK,
    HISTORY,
    MAPPING,
    NETWORK,
    RASTER,
    RATES_SAMPLES,
    UNTRAINED,
    Context,
    Result,
    measured_rates,
)
from neurocomp.flow.explored import explored
from neurocomp.flow.folder import RunFolder
from neurocomp.flow.limits import limits_row
from neurocomp.flow.options import Options
from neurocomp.ir import Graph
from neurocomp.ir.store import load, save
from neurocomp.progress import Progress
from neurocomp.spec.recipe import Recipe

BATCHES = "batches"  # of a simulation under way
COMPARED_POLICY = "compiler"  # the rule of Intel's own compiler, beside the recipe's policy


def search(ctx: Context) -> Result:
    """Design a network; leaves the chosen one and its untrained graph.

    A recipe with a joint search does that one, any other draws, prices and scores candidates.
    """
    from neurocomp.arch import Task, build
    from neurocomp.spec.read import write_yaml

    if ctx.options.recipe.joint is not None:
        return joint.search(ctx)
    folder = ctx.run.stage("search")
    found = explored(ctx.options, ctx.dataset, folder, ctx.progress)
    best = found.best.candidate
    write_yaml(folder / CANDIDATE, best.as_dict())
    task = Task(ctx.dataset.shape, ctx.dataset.bits, len(ctx.dataset.classes))
    save(build(best, task), folder / UNTRAINED)
    write_json(folder / CANDIDATES, found.rows())
    return found.as_row()


def train(ctx: Context) -> Result:
    """Train the chosen candidate in two phases; leaves the float and the integer graph."""
    graph = load(ctx.run.path / "search" / UNTRAINED)
    return train_graph(graph, ctx.dataset, ctx.options, ctx.run, ctx.progress)


def train_graph(
    graph: Graph,
    dataset: Dataset,
    options: Options,
    run: RunFolder,
    progress: Progress,
    *,
    tensorboard: bool = False,
) -> Result:
    """Train an untrained graph and leave all files of the stage but its result.

    Also what ``neurocomp train`` does; of several processes of torchrun the first one writes.
    """
    from neurocomp.train import train as fit
    from neurocomp.train.ranks import rank

    folder = run.path / "train" if rank() else run.stage("train")
    trained = fit(
        graph,
        dataset,
        options.recipe.train,
        folder,
        seed=options.seed,
        device=options.device,
        tensorboard=tensorboard,
        progress=progress,
    )
    if rank() == 0:
        save(trained.float_graph, folder / FLOAT_NETWORK)
        save(trained.graph, folder / NETWORK)
        write_json(folder / HISTORY, list(trained.history))
    return {
        "accuracy": {"float": trained.accuracy_float, "integer": trained.accuracy_integer},
        "epochs": trained.epochs,
        "images_per_second": trained.images_per_second,
        "regridded": trained.regridded,
    }


def map_stage(ctx: Context) -> Result:
    """Map the integer graph with the recipe's policy, and with the compiler's beside it."""
    from neurocomp.mapping import map_graph, summary
    from neurocomp.mapping.store import save as save_mapping

    graph = load(ctx.run.path / "train" / NETWORK)
    rates = measured_rates(graph, ctx.dataset.train_values[:RATES_SAMPLES])
    policies = dict.fromkeys((ctx.options.recipe.policy, COMPARED_POLICY))
    rows = {}
    folder = ctx.run.stage("map")
    for done, policy in enumerate(policies):
        ctx.progress("map", done, len(policies), policy)
        start = perf_counter()
        mapping = map_graph(graph, ctx.options.target, policy, rates=rates, seed=ctx.options.seed)
        if policy == ctx.options.recipe.policy:
            save_mapping(mapping, folder / MAPPING)
            seconds = ctx.run.require("search")["search"]["seconds"]
            history = ctx.run.stage("train") / HISTORY
            figures = joint.figures_row(graph, mapping, rates, ctx.options, seconds, history)
        seconds = perf_counter() - start
        row = summary(graph, mapping, ctx.options.target, rates)
        rows[policy] = {**row, "seconds": seconds}
    ctx.progress("map", len(policies), len(policies))
    own = rows[ctx.options.recipe.policy]
    made = {"mapping": own, "policies": rows, "figures": figures}
    if ctx.options.recipe.joint is not None:
        searched = ctx.run.require("search")["search"]
        made["limits"] = limits_row(searched["limits"], searched.get("judged", {}), figures, own)
    return made


def simulate(ctx: Context) -> Result:
    """Run the mapped network in Lava on the test set and compare it with the reference."""
    from neurocomp.backend import simulate as execute
    from neurocomp.data.dataset import some_of, spread
    from neurocomp.mapping.store import load as load_mapping
    from neurocomp.quant import reference

    graph = load(ctx.run.path / "train" / NETWORK)
    mapping = load_mapping(ctx.run.path / "map" / MAPPING)
    values, labels = ctx.dataset.test_values, ctx.dataset.test_labels
    some = spread(len(labels), ctx.options.samples)
    values, labels = some_of(values, some), labels[some]
    found = execute(
        graph,
        mapping,
        values,
        labels,
        backend="lava",
        keep=ctx.run.stage("simulate") / BATCHES,
        on_progress=ctx.progress,
    )
    sample = reference.run(graph, values[:1])
    with writing(ctx.run.stage("simulate") / RASTER) as file:
        np.savez_compressed(
            file,
            sample=values[:1][0],
            label=labels[0],
            prediction=sample.predictions()[0],
            **{f"spikes.{name}": fired[0] for name, fired in sample.spikes.items()},
        )
    return {"simulate": found.as_row()}


STAGES: dict[str, Callable[[Context], Result]] = {
    "search": search,
    "train": train,
    "map": map_stage,
    "simulate": simulate,
    "compare": compare,
}


def stages_of(recipe: Recipe) -> list[str]:
    """Names of a recipe's stages, in order; only one with baselines compares."""
    compares = recipe.joint is not None and recipe.joint.baselines
    return [name for name in STAGES if name != "compare" or compares]
