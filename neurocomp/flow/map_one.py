"""Map one network: does it fit, on how many cores, and what does it send."""

from __future__ import annotations

from pathlib import Path
from time import perf_counter
from typing import Any

from neurocomp.errors import InputError
from neurocomp.flow.loading import load_network, policy_of, rates_of_run, target_of
from neurocomp.ir import Graph


def map_network(
    network: Graph | Path | str,
    hw: str | None = None,
    *,
    policy: str | None = None,
    skip_layers: int = 0,
    weight_bits: int | None = None,
    dt: float | None = None,
    step_rate: float | None = None,
    seed: int = 0,
    out: Path | None = None,
    picture: Path | None = None,
) -> dict[str, Any]:
    """Map a network and check the mapping.

    Args:
        network: a graph (trained or not), a network file or a run folder; a run brings measured
            spike rates, else the rates are assumed and marked so.
        weight_bits, dt: how a NIR file is read.
        step_rate: steps per second at which power is stated.
        out: file for the mapping itself.
        picture: file for the core map, an SVG.

    Returns:
        The row that ``neurocomp map --json`` prints.

    Raises:
        FitError: it does not fit; names layer, limit, needed and available.
    """
    from neurocomp.mapping import map_graph, summary
    from neurocomp.mapping.store import save as save_mapping

    for file in (out, picture):
        if file is not None and not file.parent.is_dir():
            raise InputError(f"{file}: the folder {file.parent} does not exist; make it first")
    graph, run = load_network(network, skip_layers=skip_layers, weight_bits=weight_bits, dt=dt)
    target, policy = target_of(hw, run), policy or policy_of(run)
    rates = rates_of_run(graph, run)
    start = perf_counter()
    mapping = map_graph(graph, target, policy, rates=rates, seed=seed)
    seconds = perf_counter() - start
    if out is not None:
        save_mapping(mapping, out)
    if picture is not None:
        from neurocomp.report import write_core_map

        write_core_map(graph, mapping, target, picture)
    return {**summary(graph, mapping, target, rates, step_rate), "seconds": seconds}
