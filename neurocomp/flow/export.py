"""Write a network, with its mapping where the format holds one, as other tools' files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neurocomp.errors import InputError
from neurocomp.flow.drawn import Drawn
from neurocomp.flow.folder import RunFolder
from neurocomp.flow.loading import integers_of, load_network, mapping_of
from neurocomp.flow.options import Options
from neurocomp.flow.outputs import NETX, NIR, SANAFE, ResultKind, require_safe
from neurocomp.ir import Array, CubaLif, Graph

if TYPE_CHECKING:
    from neurocomp.formats.sanafe import Layout
    from neurocomp.mapping import Mapping
    from neurocomp.spec.target import Target

FOLDER, NAME = "export", "network"  # within a run folder, and of a network without a file


@dataclass(frozen=True, slots=True)
class _Job:
    """What is to be written where; options that were not given are None."""

    graph: Graph
    run: RunFolder | None
    out: Path
    hw: str | None
    policy: str | None
    steps: int | None
    seed: int


def export_network(
    network: Graph | Path | str,
    to: str,
    hw: str | None = None,
    *,
    policy: str | None = None,
    steps: int | None = None,
    skip_layers: int = 0,
    weight_bits: int | None = None,
    dt: float | None = None,
    seed: int = 0,
    out: Path | None = None,
) -> dict[str, Any]:
    """Write a network in another tool's format.

    Args:
        network: a graph, a network file or a run folder, with the mapping it has made. A float
            one is made integer, but for "nir".
        to: "netx" (a sequence of layers); "nir", with the cores of a run's mapping or of the target
            or policy that is asked for; or "sanafe", which holds the mapping and a sample: the
            run's first test sample, else seeded random values at rate 0.1.
        steps: of a sample, for a network without a window of its own.
        weight_bits, dt: how a NIR file is read.
        out: file to write, for "sanafe" a folder; by default ``export/`` of the run, or the current
            folder and the network file's name.

    Returns:
        The row that ``neurocomp export --json`` prints, with ``paths``.

    Raises:
        InputError: an unknown format, a network that it cannot hold, a place that cannot be
            written, or a file there that is read or of another kind.
        FitError: the mapping does not fit.
    """
    if to not in WRITERS:
        raise InputError.unknown("format", to, list(WRITERS))
    graph, run = load_network(network, skip_layers=skip_layers, weight_bits=weight_bits, dt=dt)
    name = NAME if run is not None or isinstance(network, Graph) else Path(network).stem
    if out is None:
        folder = Path() if run is None else run.stage(FOLDER)
        out = folder / f"{name}{ENDINGS[to]}"
    require_safe(_results(to, out), (network, hw, policy))
    if to != "sanafe" and out.suffix != ENDINGS[to]:
        raise InputError(f"{out}: call it {out.name}{ENDINGS[to]}, by which it is known again")
    job = _Job(graph, run, out, hw, policy, steps, seed)
    return {"format": to, "network": graph.name, **WRITERS[to](job)}


def _results(to: str, out: Path) -> list[tuple[Path, ResultKind]]:
    """The files that an export writes."""
    if to != "sanafe":
        return [(out, NETX if to == "netx" else NIR)]
    from neurocomp.formats.sanafe import FILES

    if not out.parent.is_dir():
        raise InputError(f"{out}: the folder {out.parent} does not exist; make it first")
    if out.exists() and not out.is_dir():
        raise InputError(f"{out}: is no folder; name another for the files of sanafe")
    return [(out / name, SANAFE) for name in FILES if out.is_dir()]


def _netx(job: _Job) -> dict[str, Any]:
    from neurocomp.formats.netx import write_netx

    write_netx(_integers(job), job.out)
    return {"paths": [str(job.out)]}


def _nir(job: _Job) -> dict[str, Any]:
    from neurocomp.formats.nir import write_nir

    asked = job.hw is not None or job.policy is not None
    mapped = asked or (job.run is not None and job.run.result("map") is not None)
    cores = _cores_of(job) if mapped else None
    write_nir(job.graph, job.out, cores=cores)
    return {"paths": [str(job.out)], "cores": cores}


def _cores_of(job: _Job) -> dict[str, list[int]]:
    """Physical cores that hold each population, numbered through all chips."""
    mapping, target = mapping_of(job.graph, job.run, job.hw, job.policy, job.seed)
    cores: dict[str, set[int]] = {p.name: set() for p in job.graph.neurons}
    places = mapping.placement.addresses
    for slices, (chip, core) in zip(mapping.partition.cores, places, strict=True):
        for s in slices:
            cores[s.population].add(chip * target.cores_per_chip + core)
    return {name: sorted(held) for name, held in cores.items()}


def _sanafe(job: _Job) -> dict[str, Any]:
    from neurocomp.formats.sanafe import write_sanafe

    graph = _integers(job)
    sent = _messages(job, graph)
    mapping, target = mapping_of(graph, job.run, job.hw, job.policy, job.seed)
    job.out.mkdir(exist_ok=True)
    written = write_sanafe(graph, layout_of(mapping, target), target, sent, job.out)
    return {
        "paths": [str(written.architecture), str(written.network)],
        "target": target.name,
        "policy": mapping.policy,
        "n_cores": mapping.n_cores,
        "steps": written.steps,
        "synapses": written.synapses,
        "given": written.given,
        "costs": written.costs,
    }


def _integers(job: _Job) -> Graph:
    """The network as the chip holds it, checked."""
    from neurocomp.quant.check import check

    graph = job.graph
    is_float = any(isinstance(p.neuron, CubaLif) for p in graph.neurons)
    if is_float and graph.timesteps is None and job.steps is None:
        raise InputError(f"{graph.name} has no window of its own; say how many --steps to run")
    return check(integers_of(graph, job.steps or 1))


def _messages(job: _Job, graph: Graph) -> dict[str, Array]:
    """What every population sends in one sample, (steps, C, H, W)."""
    from neurocomp.quant import reference

    if job.run is None:
        values = Drawn.of(graph, 1, job.steps, job.seed)[:]
    else:
        values = Options.of_run(job.run).dataset().test_values[:1]
    shown = reference.input_frames(graph, values)
    spikes = reference.run(graph, values).spikes
    sent: dict[str, Array] = {name: fired[0] for name, fired in spikes.items()}
    return sent | {graph.inputs[0].name: shown[0]}


def layout_of(mapping: Mapping, target: Target) -> Layout:
    """A mapping as SANA-FE's writer takes it."""
    from neurocomp.formats.sanafe import Layout, Place
    from neurocomp.hw.mesh import tile_of

    per_tile = target.mesh.cores_per_tile.value
    places = (
        Place(*tile_of(target, *address), address.core % per_tile)
        for address in mapping.placement.addresses
    )
    return Layout(mapping.partition.cores, tuple(places))


WRITERS: dict[str, Callable[[_Job], dict[str, Any]]] = {
    "netx": _netx,
    "nir": _nir,
    "sanafe": _sanafe,
}
ENDINGS = {"netx": ".net", "nir": ".nir", "sanafe": "-sanafe"}
