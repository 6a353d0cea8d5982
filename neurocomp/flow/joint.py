"""The stage ``search`` of a recipe with a joint search, and the paper's figures of a network."""

from __future__ import annotations

import json
from collections.abc import Mapping as MappingType
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from neurocomp.atomic import write_json
from neurocomp.errors import InputError
from neurocomp.flow.context import CANDIDATE, CANDIDATES, UNTRAINED, Context, Result
from neurocomp.flow.options import Options
from neurocomp.ir import Array, Graph
from neurocomp.ir.store import save

if TYPE_CHECKING:
    from neurocomp.mapping import Mapping
    from neurocomp.train.joint import Found, Job

SECONDS_PER_HOUR = 3600


def search(ctx: Context) -> Result:
    """Search architecture, bits and timesteps together; leaves the design and its untrained graph.

    What each epoch decoded stands in the result's ``history``; of the networks that keep every
    limit the most accurate is chosen, by the samples that decide on choices. Its score is that
    accuracy, with the supernet's weights.
    """
    from neurocomp.spec.read import write_yaml
    from neurocomp.train.joint import search as search_jointly

    options, folder = ctx.options, ctx.run.stage("search")
    job = job_of(options)
    found = search_jointly(
        job, ctx.dataset, folder, seed=options.seed, device=options.device, progress=ctx.progress
    )
    write_yaml(folder / CANDIDATE, found.design.as_dict())
    save(found.graph, folder / UNTRAINED)
    write_json(folder / CANDIDATES, [])
    best = design_row(found, job)
    return {"search": search_row(found, job), "best": best, "pareto": [best]}


def job_of(options: Options) -> Job:
    """What the recipe's joint search is about."""
    from neurocomp.spec.joint import load_lite_space
    from neurocomp.train.joint import Job

    recipe = options.recipe
    if recipe.joint is None:
        raise InputError(f"recipe {recipe.name}: has no section 'joint'")
    return Job(
        space=load_lite_space(recipe.joint.space),
        spec=recipe.joint,
        train=recipe.train,
        target=options.target,
        policy=recipe.policy,
        max_cores=recipe.search.max_cores,
    )


def search_row(found: Found, job: Job) -> dict[str, Any]:
    """The part ``search`` of the summary."""
    distinct = {json.dumps(row.design, sort_keys=True): not row.broken for row in found.history}
    return {
        "strategy": "joint",
        "candidates": len(found.history),
        "distinct": len(distinct),
        "feasible": sum(distinct.values()),
        "seconds": found.seconds,
        "candidates_per_second": len(found.history) / found.seconds,
        "limits": job.limits,
        "epoch": found.epoch.epoch,
        "early": found.early,
        "judged": found.epoch.decoded,
        "history": [asdict(row) for row in found.history],
        "ranking": [],
    }


def design_row(found: Found, job: Job) -> dict[str, Any]:
    """The chosen design as plain values, as the part ``best`` of the summary."""
    from neurocomp.cost import parameters

    cells = zip(job.space.cells, found.design.bits, strict=True)
    return {
        "id": found.design.id,
        "params": parameters(found.graph),
        "model_bits": found.epoch.decoded["bits"],
        "bit_synops": found.epoch.decoded["bit_synops"],
        "cores": round(found.epoch.decoded["cores"] or 0),
        "weight_bits": {f"cell{i}": list(row) for i, (_, row) in enumerate(cells, 1)},
        "timesteps": found.design.timesteps,
        "convolutions": sum(k.op.startswith("conv") for _, k in found.design.edges),
        "nodes": found.design.as_dict()["nodes"],
        "score": found.epoch.accuracy,
    }


def figures_row(
    graph: Graph,
    mapping: Mapping,
    rates: MappingType[str, Array],
    options: Options,
    search_seconds: float,
    history: Path,
) -> dict[str, Any]:
    """A trained network's row of LitE-SNN's tables, from measured rates on the run's target.

    Args:
        history: file with a row per epoch of the network's training.
    """
    from neurocomp.cost.litesnn import figures
    from neurocomp.cost.size import is_fixed
    from neurocomp.train.joint.judge import stored_bits

    mean = {name: float(np.mean(rate)) for name, rate in rates.items()}
    bits = sorted({e.weight_bits for e in graph.projections if not is_fixed(graph, e)})
    trained = sum(row["seconds"] for row in json.loads(history.read_text()))
    return {
        **asdict(figures(graph, mean, options.target)),
        "stored_bytes": stored_bits(graph, mapping, options.target) // 8,
        "weight_bits": bits,
        "timesteps": graph.timesteps,
        "design_hours": (search_seconds + trained) / SECONDS_PER_HOUR,
    }
