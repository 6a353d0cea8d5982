"""Map one network: does it fit, on how many cores, and what does it send."""

from __future__ import annotations

import re
import warnings
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

from neurocomp.atomic import write_json
from neurocomp.errors import InputError, InputWarning
from neurocomp.flow.loading import load_network, policy_of, rates_of_run, target_of
from neurocomp.flow.outputs import PICTURE, json_of, require_safe
from neurocomp.ir import Graph

if TYPE_CHECKING:
    from neurocomp.mapping import Mapping


def map_network(
    network: Graph | Path | str,
    hw: str | None = None,
    *,
    policy: str | None = None,
    effort: str = "fast",
    time_budget: float | None = None,
    pareto: bool = False,
    without_rules: bool = False,
    skip_layers: int = 0,
    weight_bits: int | None = None,
    dt: float | None = None,
    step_rate: float | None = None,
    seed: int = 0,
    out: Path | None = None,
    picture: Path | None = None,
    routes: Path | None = None,
) -> dict[str, Any]:
    """Map a network and check the mapping.

    Args:
        network: a graph (trained or not), a network file or a run folder; a run brings measured
            spike rates, else the rates are assumed and marked so.
        effort: "fast" or "quality", which without a time budget also tells what the chip's rules
            cost.
        time_budget: seconds after which the best mapping found counts; results then depend on the
            machine. None = no limit, the same result everywhere.
        pareto: add ``pareto``, the mappings that none beats in cores, messages, hops and greatest
            link load; each is written beside ``out``, with its number.
        without_rules: add ``without_rules``, the cores that a chip without its rules would need.
        weight_bits, dt: how a NIR file is read.
        step_rate: steps per second at which power is stated.
        out: file for the mapping itself.
        picture: file for the core map, an SVG.
        routes: file for the routing tables, see `neurocomp.mapping.route.routing_tables`.

    Returns:
        The row that ``neurocomp map --json`` prints.

    Raises:
        FitError: it does not fit; names layer, limit, needed and available.
        InputError: bad input, or a result that would replace an input or a file of another kind.
        RunError: the checker finds the mapping illegal or its counters wrong.
    """
    from neurocomp.mapping import cores_without_rules, map_graph, map_pareto, summary
    from neurocomp.mapping.activity import rates_of
    from neurocomp.mapping.route import routing_tables

    _require_files(out, picture, routes, pareto, (network, hw, policy))
    graph, run = load_network(network, skip_layers=skip_layers, weight_bits=weight_bits, dt=dt)
    target, policy = target_of(hw, run), policy or policy_of(run)
    rates = rates_of_run(graph, run)
    limits: dict[str, Any] = {"rates": rates, "seed": seed, "effort": effort}
    limits["seconds"] = time_budget
    start = perf_counter()
    unbeaten: tuple[Mapping, ...] = ()
    if pareto:
        mapping, unbeaten = map_pareto(graph, target, policy, **limits)
    else:
        mapping = map_graph(graph, target, policy, **limits)
    row = summary(graph, mapping, target, rates, step_rate)
    if pareto:
        row["pareto"] = [_figures(summary(graph, other, target, rates)) for other in unbeaten]
    if without_rules or (effort == "quality" and time_budget is None):
        n_cores = cores_without_rules(graph, target, policy, rates=rates, seed=seed)
        row["without_rules"] = {"n_cores": min(n_cores, mapping.n_cores)}  # rules only forbid
    row["seconds"] = perf_counter() - start
    files = [] if out is None else _saved(out, mapping, unbeaten)
    if routes is not None:
        write_json(routes, routing_tables(mapping, target, rates_of(graph, rates)))
        files.append(routes)
    if picture is not None:
        from neurocomp.report import write_core_map

        write_core_map(graph, mapping, target, picture)
        files.append(picture)
    row["files"] = list(map(str, files))
    return row


def _require_files(
    out: Path | None,
    picture: Path | None,
    routes: Path | None,
    pareto: bool,
    inputs: tuple[Graph | Path | str | None, ...],
) -> None:
    """`InputError` where results could not be written or would destroy something."""
    from neurocomp.mapping.route import FORMAT as ROUTES
    from neurocomp.mapping.store import FORMAT as MAPPING

    if picture is not None and picture.suffix.lower() != ".svg":
        raise InputError(f"{picture}: the picture is an SVG file; name it {picture.stem}.svg")
    mapping = json_of("a mapping (JSON)", MAPPING)
    outs = [] if out is None else [out, *(_numbered_there(out) if pareto else ())]
    results = [(file, mapping) for file in outs]
    for file, kind in ((picture, PICTURE), (routes, json_of("routing tables (JSON)", ROUTES))):
        if file is not None:
            results.append((file, kind))
            if pareto and out is not None and _number(out, file):
                raise InputError(f"{file}: may be a mapping of the Pareto list; name another file")
    require_safe(results, inputs)


def _number(out: Path, file: Path) -> int | None:
    """The number that a Pareto list's mapping in a file has; None where it can be none."""
    found = re.fullmatch(re.escape(out.stem) + r"-([1-9]\d*)" + re.escape(out.suffix), file.name)
    same_folder = file.parent.resolve() == out.parent.resolve()
    return int(found[1]) if found and same_folder else None


def _numbered_there(out: Path) -> list[Path]:
    """Files that are named as mappings of a Pareto list, by their numbers."""
    there = out.parent.iterdir() if out.parent.is_dir() else ()
    return sorted(file for file in there if _number(out, file))


def _saved(out: Path, mapping: Mapping, unbeaten: tuple[Mapping, ...]) -> list[Path]:
    """Write the mapping, and those of a Pareto list beside it with their numbers."""
    from neurocomp.mapping.store import save

    files = [out, *(out.with_stem(f"{out.stem}-{i}") for i in range(1, len(unbeaten) + 1))]
    for file, found in zip(files, (mapping, *unbeaten), strict=True):
        save(found, file)
    old = [file.name for file in _numbered_there(out) if (_number(out, file) or 0) > len(unbeaten)]
    if unbeaten and old:
        text = f"{out.parent}: {', '.join(old)} are left of an earlier list, not of this one"
        warnings.warn(InputWarning(text), stacklevel=2)
    return files


def _figures(row: dict[str, Any]) -> dict[str, Any]:
    """What mappings are chosen by."""
    sizes = {key: row[key] for key in ("n_cores", "n_chips")}
    keys = ("messages_per_step", "spike_hops_per_step", "max_link_per_step")
    return sizes | {key: row["traffic"][key] for key in keys}
