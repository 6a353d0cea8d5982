"""A run to report on: a small integer network on cores, and rows as the stages write them."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
from networks import dag, images

from neurocomp.ir import Graph, Population, Slice, whole
from neurocomp.ir.shapes import endpoints, weight_shape
from neurocomp.mapping.model import CoreAddress, Mapping, Partition, Placement
from neurocomp.quant import reference
from neurocomp.quant.discretize import discretize
from neurocomp.report import RunResults
from neurocomp.spec.target import load_target

EXACT = dict.fromkeys(("neurons", "synapse_words", "in_axons", "out_axons"), "exact")


def integer_graph(untrained: Graph, seed: int = 0) -> Graph:
    """The network with random weights of a useful size, made integer."""
    rng = np.random.default_rng(seed)
    projections = []
    for e in untrained.projections:
        weight = e.weight
        if weight is None:
            shape = weight_shape(e.op, *endpoints(untrained, e))
            weight = rng.normal(0.05, 1.5 / np.sqrt(np.prod(shape[1:])), shape)
        if e.source == untrained.inputs[0].name:
            weight = weight / 8
        projections.append(replace(e, weight=weight))
    return discretize(untrained.with_parts(untrained.populations, tuple(projections)))


def halves(population: Population) -> tuple[Slice, Slice]:
    """A population cut in two along its channels."""
    c, h, w = population.shape
    name, middle = population.name, c // 2
    return Slice(name, (0, 0, 0), (middle, h, w)), Slice(name, (middle, 0, 0), (c, h, w))


def mapping_of(graph: Graph) -> Mapping:
    """One core per population, but two for the first and one for the last two together."""
    first, *others = graph.neurons
    cores = [(s,) for s in halves(first)]
    cores += [(whole(p),) for p in others[:-2]]
    cores.append(tuple(whole(p) for p in others[-2:]))
    addresses = tuple(CoreAddress(0, 3 * i) for i in range(len(cores)))
    return Mapping(
        graph.name, graph.digest(), "loihi2", "balanced", 0,
        Partition(tuple(cores)), Placement(addresses), (),
    )  # fmt: skip


def map_row(policy: str = "balanced", cores: int = 7) -> dict[str, Any]:
    """A row as ``neurocomp map --json`` prints it, two layers of it."""
    return {
        "network": "dag",
        "target": "loihi2",
        "policy": policy,
        "n_chips": 1,
        "n_cores": cores,
        "lower_bound_cores": 6,
        "layers": [
            {
                "name": "stem",
                "shape": [2, 8, 8],
                "parameters": 38,
                "n_cores": 2,
                "weight_bits": 8,
                "used": {
                    "neurons": [128, 4095],
                    "synapse_words": [8000, 16000],
                    "in_axons": [2, 16000],
                    "out_axons": [4, None],
                },
                "basis": EXACT,
            },
            {
                "name": "fc",
                "shape": [1024, 1, 1],
                "parameters": 131072,
                "n_cores": 1,
                "weight_bits": 4,
                "used": {
                    "neurons": [1024, 4095],
                    "synapse_words": [1600, 16000],
                    "in_axons": [96, 16000],
                    "out_axons": [12, None],
                },
                "basis": EXACT,
            },
        ],
        "traffic": {
            "messages_per_step": 61.5,
            "spike_hops_per_step": 140.25,
            "max_link_per_step": 12.0,
            "rates": "measured",
        },
        "costs": {
            "loihi1_equivalent_energy": {
                "davies2018": {
                    "energy_pj": {
                        "neurons": 2000.0,
                        "synapses": 3000.0,
                        "messages": 0.0,
                        "mesh": 500.0,
                        "total": 5500.0,
                    },
                    "makespan_ns": 4000.0,
                    "step_ns": 4500.0,
                    "power_mw": None,
                    "unpriced": ["message_out", "message_in"],
                }
            }
        },
        "seconds": 0.5,
    }


def candidate(name: str, **changes: Any) -> dict[str, Any]:
    """One candidate's row; scored and within the limits unless said otherwise."""
    row = {
        "id": name,
        "params": 40_000,
        "stored_bits": 81_920,
        "synops": 500_000,
        "cores": 9,
        "convolutions": 3,
        "score": 150.0,
        "rejected": None,
    }
    return {**row, **changes}


def candidates() -> list[dict[str, Any]]:
    """Four scored candidates, two rejected for one reason and one for another."""
    too_many = "more than 64 cores"
    return [
        candidate("a", score=100.0, stored_bits=40_960, cores=7, convolutions=2),
        candidate("b", score=160.0, stored_bits=122_880, cores=12, convolutions=5),
        candidate("c", score=150.0, stored_bits=81_920, cores=9, convolutions=4),
        candidate("d", score=120.0, stored_bits=163_840, cores=14, convolutions=4),
        candidate("e", score=None, cores=70, rejected=too_many),
        candidate("f", score=None, cores=80, rejected=too_many),
        candidate("g", score=None, rejected="more than 50,000 parameters", params=60_000),
    ]


def summary(graph: Graph) -> dict[str, Any]:
    """The summary of a run that went to its end."""
    layers = [{"name": p.name, "spikes": 100, "mismatches": 0} for p in graph.neurons]
    return {
        "run": "runs/example",
        "recipe": "spikernel-digits",
        "target": "loihi2",
        "search": {
            "candidates": 9,
            "distinct": 7,
            "feasible": 4,
            "seconds": 3.5,
            "candidates_per_second": 2.0,
        },
        "best": {
            "id": "b",
            "params": 40_000,
            "weight_bits": {"macro": 8},
            "timesteps": 6,
            "score": 160.0,
            "cores": 12,
        },
        "pareto": [{"id": i, "score": s} for i, s in (("a", 100.0), ("c", 150.0), ("b", 160.0))],
        "accuracy": {"float": 0.9806, "integer": 0.9722, "lava": 0.9722},
        "mapping": map_row(),
        "simulate": {
            "backend": "lava",
            "samples": 360,
            "steps": 6,
            "spikes": 100 * len(layers),
            "mismatches": 0,
            "layers": layers,
            "accuracy": 0.9722,
            "cpu_ms_per_step": 1.25,
            "synops": 72_000_000,
            "latency_steps": 13,
        },
    }


def history() -> list[dict[str, Any]]:
    """Six epochs of float training and three of quantisation-aware training."""
    return [
        {"phase": phase, "epoch": i, "loss": 2.0 / (i + 1),
         "accuracy": 1 - 0.5 / (i + 1), "seconds": 1.0}
        for phase, epochs in (("float", 6), ("qat", 3))
        for i in range(epochs)
    ]  # fmt: skip


@cache
def finished() -> RunResults:
    """Everything that a run of all stages makes."""
    graph = integer_graph(dag())
    values = images(1)
    trace = reference.run(graph, values)
    return RunResults(
        summary=summary(graph),
        candidates=candidates(),
        history=history(),
        graph=graph,
        mapping=mapping_of(graph),
        target=load_target("loihi2"),
        mappings={"compiler": map_row("compiler", 9), "balanced": map_row()},
        raster={name: spikes[0] for name, spikes in trace.spikes.items()},
        sample=values[0],
        label=3,
        prediction=int(trace.predictions()[0]),
    )
