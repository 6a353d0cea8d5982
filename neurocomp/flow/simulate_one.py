"""Run one network, mapped or not, and compare its spikes with the reference."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from neurocomp.errors import InputError
from neurocomp.flow.loading import load_network, policy_of, rates_of_run, target_of
from neurocomp.flow.options import Options
from neurocomp.flow.stages import MAPPING
from neurocomp.ir import Array, Graph, Input
from neurocomp.progress import Progress, quiet

RANDOM_RATE = 0.1  # of the spikes a network file is given where there is no input
RANDOM_SAMPLES = 16


def simulate(
    network: Graph | Path | str,
    hw: str | None = None,
    *,
    policy: str | None = None,
    backend: str = "lava",
    samples: int | None = None,
    steps: int | None = None,
    input_file: Path | None = None,
    skip_layers: int = 0,
    timeout_s: float = 600.0,
    seed: int = 0,
    progress: Progress = quiet,
) -> dict[str, Any]:
    """Run a network and compare it with the reference.

    Args:
        network: an integer graph or network file, which gets the input file or seeded random
            values at rate 0.1, or a run folder, which gets its own test set.
        hw, policy: of a run, by default, its own; then the mapping that it made is executed.
        backend: only "lava" needs a mapping.
        steps: per sample, for a network without a window of its own.

    Returns:
        The row that ``neurocomp simulate --json`` prints, with ``mismatches``.
    """
    from neurocomp.backend import BACKENDS
    from neurocomp.backend import simulate as execute
    from neurocomp.mapping import map_graph
    from neurocomp.mapping.store import load as load_mapping

    if backend not in BACKENDS:
        raise InputError.unknown("backend", backend, list(BACKENDS))
    graph, run = load_network(network, skip_layers=skip_layers)
    if steps is not None and graph.timesteps is not None:
        raise InputError(
            f"{network}: has a window of {graph.timesteps} steps, --steps is for networks without"
        )
    labels = None
    if input_file is not None:
        values = _read_values(input_file, graph)
    elif run is not None:
        dataset = Options.of_run(run.identity()).dataset()
        values, labels = dataset.test_values, dataset.test_labels
    else:
        values = random_values(graph, samples or RANDOM_SAMPLES, steps, seed)
    values, labels = values[:samples], None if labels is None else labels[:samples]
    mapping = None
    if backend == "lava" and run is not None and hw is None and policy is None:
        run.require("map")
        mapping = load_mapping(run.path / "map" / MAPPING)
    elif backend == "lava":
        target, policy = target_of(hw, run), policy or policy_of(run)
        mapping = map_graph(graph, target, policy, rates=rates_of_run(graph, run), seed=seed)
    found = execute(
        graph, mapping, values, labels, backend=backend, timeout_s=timeout_s, on_progress=progress
    )
    return found.as_row()


def random_values(graph: Graph, samples: int, steps: int | None, seed: int) -> Array:
    """Seeded input values: spikes at rate 0.1, or graded values where the input is graded.

    Returns:
        (samples, T, C, H, W) for spikes, (samples, C, H, W) for graded values.
    """
    source = graph.inputs[0]
    bits = source.neuron.bits if isinstance(source.neuron, Input) else 1
    rng = np.random.default_rng(seed)
    window = graph.timesteps or steps
    if window is None:
        raise InputError(f"{graph.name} has no window of its own; say how many --steps to run")
    if bits > 1 and graph.timesteps is not None:
        return rng.integers(0, 2**bits, (samples, *source.shape)).astype(np.uint8)
    return (rng.random((samples, window, *source.shape)) < RANDOM_RATE).astype(np.uint8)


def _read_values(path: Path, graph: Graph) -> Array:
    """Input values from a file: (steps, …) is one sample, (samples, steps, …) several."""
    try:
        values: Array = np.load(path, allow_pickle=False)
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except (OSError, ValueError, EOFError) as fault:
        raise InputError(f"{path}: not a readable .npy array ({fault})") from fault
    if not isinstance(values, np.ndarray):
        raise InputError(f"{path}: holds several arrays; save one with numpy.save")
    shape = graph.inputs[0].shape
    size = int(np.prod(shape))
    for lead in (1, 2):
        if values.ndim > lead and int(np.prod(values.shape[lead:])) == size:
            per_step = values.reshape(*values.shape[:lead], *shape)
            return per_step[None] if lead == 1 else per_step
    raise InputError(
        f"{path}: shaped {values.shape}, expected (steps, …) or (samples, steps, …) "
        f"with steps of {shape}"
    )
