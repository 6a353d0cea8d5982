"""Networks as users name them: a graph, a file of any known format, or the folder of a run."""

from __future__ import annotations

from collections.abc import Mapping as MappingType
from pathlib import Path

from neurocomp.errors import InputError
from neurocomp.flow.folder import RunFolder
from neurocomp.flow.options import Options
from neurocomp.flow.stages import NETWORK, RATES_SAMPLES, measured_rates
from neurocomp.ir import Array, Graph, verify
from neurocomp.ir.store import load
from neurocomp.shipped import DEFAULT_POLICY, DEFAULT_TARGET
from neurocomp.spec.target import Target, load_target


def load_network(
    network: Graph | Path | str, *, skip_layers: int = 0
) -> tuple[Graph, RunFolder | None]:
    """A network as it is, from a file, or the trained one of a run folder with that run.

    Args:
        skip_layers: first layers of a netx file to leave out, as lava-dl's ``skip_layers``.

    Raises:
        InputError: no network is there, the file is damaged, or only netx files have layers.
    """
    if isinstance(network, Graph):
        return verify(network), None
    path = Path(network)
    if path.suffix == ".net" and not path.is_dir():
        from neurocomp.formats.netx import read_netx

        return read_netx(path, skip_layers=skip_layers), None
    if skip_layers:
        raise InputError(f"{path}: only a netx file (.net) has layers to skip")
    if path.is_dir():
        run = RunFolder.existing(path)
        run.require("train")
        return load(run.path / "train" / NETWORK), run
    if path.exists() and path.suffix != ".npz":
        raise InputError(f"{path}: a network is a .npz or .net file, or the folder of a run")
    return load(path), None


def target_of(hw: str | None, run: RunFolder | None) -> Target:
    """The target that was asked for, else the run's own, else the default."""
    if hw is None and run is not None:
        return Options.of_run(run.identity()).target
    return load_target(hw or DEFAULT_TARGET)


def policy_of(run: RunFolder | None) -> str:
    return DEFAULT_POLICY if run is None else Options.of_run(run.identity()).recipe.policy


def rates_of_run(graph: Graph, run: RunFolder | None) -> MappingType[str, Array] | None:
    """Measured rates where a run has data for them; None makes the mapper assume some."""
    if run is None:
        return None
    return measured_rates(
        graph, Options.of_run(run.identity()).dataset().train_values[:RATES_SAMPLES]
    )
