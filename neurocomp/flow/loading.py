"""Networks as users name them: a graph, a file of any known format, or the folder of a run."""

from __future__ import annotations

from collections.abc import Mapping as MappingType
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from neurocomp.errors import InputError
from neurocomp.flow.context import MAPPING, NETWORK, RATES_SAMPLES, measured_rates
from neurocomp.flow.folder import RunFolder
from neurocomp.flow.options import Options
from neurocomp.ir import Array, CubaLif, Graph, verify
from neurocomp.ir.store import load
from neurocomp.shipped import DEFAULT_POLICY, DEFAULT_TARGET
from neurocomp.spec.target import Target, load_target

if TYPE_CHECKING:
    from neurocomp.mapping import Mapping


def load_network(
    network: Graph | Path | str,
    *,
    skip_layers: int = 0,
    weight_bits: int | None = None,
    dt: float | None = None,
) -> tuple[Graph, RunFolder | None]:
    """A network as it is, from a file, or the trained one of a run folder with that run.

    Args:
        skip_layers: first layers of a netx file to leave out, as lava-dl's ``skip_layers``.
        weight_bits, dt: how a NIR file is read, as `neurocomp.formats.nir.read_nir` says.

    Raises:
        InputError: no network is there, the file is damaged, or an option is for other files.
    """
    if isinstance(network, Graph):
        return verify(network), None
    path = Path(network)
    if path.suffix == ".nir" and not path.is_dir() and not skip_layers:
        from neurocomp.formats.nir import read_nir

        return read_nir(path, dt=dt, weight_bits=weight_bits), None
    if weight_bits is not None or dt is not None:
        raise InputError(f"{path}: only a NIR file (.nir) is read with weight bits or a dt")
    if path.suffix == ".net" and not path.is_dir():
        from neurocomp.formats.netx import read_netx

        return read_netx(path, skip_layers=skip_layers), None
    if skip_layers:
        raise InputError(f"{path}: only a netx file (.net) has layers to skip")
    if path.is_dir():
        run = RunFolder.existing(path)
        run.require("train")
        return load(run.path / "train" / NETWORK), run
    if path.suffix != ".npz":
        what = "no such file" if not path.exists() else "an unknown kind of file"
        raise InputError(
            f"{path}: {what}; a network is a .npz, .net or .nir file, or the folder of a run"
        )
    return load(path), None


def integers_of(graph: Graph, window: int) -> Graph:
    """The network as it is executed: a float one made integer, at its own weight bits.

    Args:
        window: steps of a sample, where a float network has no window.
    """
    from neurocomp.quant.discretize import discretize

    if not any(isinstance(p.neuron, CubaLif) for p in graph.neurons):
        return graph
    return discretize(replace(graph, timesteps=graph.timesteps or window))


def target_of(hw: str | None, run: RunFolder | None) -> Target:
    """The target that was asked for, else the run's own, else the default."""
    if hw is None and run is not None:
        return Options.of_run(run).target
    return load_target(hw or DEFAULT_TARGET)


def policy_of(run: RunFolder | None) -> str:
    return DEFAULT_POLICY if run is None else Options.of_run(run).recipe.policy


def rates_of_run(graph: Graph, run: RunFolder | None) -> MappingType[str, Array] | None:
    """Measured rates where a run has data for them; None makes the mapper assume some."""
    if run is None:
        return None
    return measured_rates(graph, Options.of_run(run).dataset().train_values[:RATES_SAMPLES])


def mapping_of(
    graph: Graph, run: RunFolder | None, hw: str | None, policy: str | None, seed: int
) -> tuple[Mapping, Target]:
    """The mapping that a run has made, or a new one where a target or policy is asked for."""
    from neurocomp.mapping import map_graph
    from neurocomp.mapping.store import load as load_mapping

    target = target_of(hw, run)
    if run is not None and hw is None and policy is None:
        run.require("map")
        return load_mapping(run.path / "map" / MAPPING), target
    rates = rates_of_run(graph, run)
    return map_graph(graph, target, policy or policy_of(run), rates=rates, seed=seed), target
