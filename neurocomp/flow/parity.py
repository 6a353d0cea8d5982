"""Does an imported network fire its framework's spikes, in float and at fewer weight bits?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from neurocomp.errors import InputError
from neurocomp.flow.loading import integers_of, load_network
from neurocomp.flow.simulate_values import read_values, whole
from neurocomp.ir import Array, CubaLif, Graph, Input
from neurocomp.ir.archive import Declared, archived
from neurocomp.readable import ZIP, FileKind

BITS = (8, 6, 4, 2)
READOUT = "readout"  # the expected file's name for what a membrane shows at the end
FLOAT = "float"
SPIKES_FILE = FileKind(
    "spikes of populations (.npz)", ZIP, "save them as NAME=array with numpy.savez"
)


@dataclass(frozen=True, eq=False)
class _Activity:
    """Spikes per population, (samples, steps, C, H, W), and the readout if there is one."""

    spikes: dict[str, Array]
    readout: Array | None


def parity(
    network: Graph | Path | str,
    input_file: Path,
    expected_file: Path,
    *,
    bits: Sequence[int] = BITS,
    dt: float | None = None,
) -> dict[str, Any]:
    """Compare a float network, and its integer versions, with spikes that were recorded elsewhere.

    Args:
        network: a NIR file, or another float network with weights.
        input_file: whole numbers (.npy), (steps, …) or (samples, steps, …).
        expected_file: spikes (.npz), an array per population under its name, shaped as the input;
            further "readout", (samples, values), of an output that is read as a membrane.
        bits: weight bits of the integer versions.
        dt: time step of a NIR file, as `neurocomp.formats.nir.read_nir` says.

    Returns:
        The row that ``neurocomp parity --json`` prints. ``rows`` has "float" and each number of
        bits against "expected" and "float": per population the share of neuron-steps that differ
        and the first step that does, and the share of samples whose greatest readout agrees; or
        ``fault``, why the network cannot be made integer at these bits.

    Raises:
        InputError: unreadable files, shapes that do not fit, unknown populations, no float network.
    """
    from neurocomp.snn.stepping import run_float

    graph, _ = load_network(network, dt=dt)
    if not all(isinstance(p.neuron, CubaLif) for p in graph.neurons):
        raise InputError(f"{network}: is no float network, so nothing is lost at fewer bits")
    values = whole(read_values(input_file, graph), input_file).astype(np.int64)
    graph = _fitted(graph, values)
    expected = _expected(expected_file, graph, values)
    trace = run_float(graph, values)
    own = _Activity(trace.spikes, trace.readout)
    rows = [{"network": FLOAT, "against": {"expected": _difference(own, expected)}}]
    rows += [_row(graph, values, b, {"expected": expected, FLOAT: own}) for b in bits]
    return {
        "network": graph.name,
        "samples": len(values),
        "steps": values.shape[1],
        "rates": {name: float(fired.mean()) for name, fired in own.spikes.items()},
        "rows": rows,
    }


def _row(graph: Graph, values: Array, bits: int, others: dict[str, _Activity]) -> dict[str, Any]:
    """The integer version at some bits against the others."""
    from neurocomp.quant import reference

    projections = tuple(replace(e, weight_bits=bits) for e in graph.projections)
    try:
        integer = integers_of(graph.with_parts(graph.populations, projections), values.shape[1])
    except InputError as fault:
        return {"network": bits, "fault": str(fault)}
    trace = reference.run(integer, values)
    mine = _Activity(trace.spikes, trace.readout)
    return {
        "network": bits,
        "against": {name: _difference(mine, other) for name, other in others.items()},
    }


def _difference(mine: _Activity, other: _Activity) -> dict[str, Any]:
    """Where two activities differ, in the populations that both have."""
    populations = []
    for name, fired in mine.spikes.items():
        if name in other.spikes:
            differs = fired != other.spikes[name]
            steps = np.flatnonzero(differs.any(axis=(0, 2, 3, 4)))
            populations.append(
                {
                    "name": name,
                    "share": float(differs.mean()),
                    "first_step": int(steps[0]) if steps.size else None,
                }
            )
    agreement = None
    if mine.readout is not None and other.readout is not None:
        same = mine.readout.argmax(axis=1) == other.readout.argmax(axis=1)
        agreement = float(same.mean())
    return {"populations": populations, "readout_agreement": agreement}


def _fitted(graph: Graph, values: Array) -> Graph:
    """The network with the input's own window and bits."""
    low, high = int(values.min(initial=0)), int(values.max(initial=1))
    bits = max(high, -low - 1).bit_length() + (low < 0)
    populations = tuple(
        replace(p, neuron=Input(bits, signed=low < 0)) if isinstance(p.neuron, Input) else p
        for p in graph.populations
    )
    return replace(graph, populations=populations, timesteps=values.shape[1])


def _expected(path: Path, graph: Graph, values: Array) -> _Activity:
    """The recorded spikes; names and shapes are checked before anything is read."""
    known = [p.name for p in graph.neurons]
    with archived(path, SPIKES_FILE) as archive:
        if not archive.declared:
            raise InputError(
                f"{path}: holds no array; save spikes as NAME=array with numpy.savez, the names "
                f"being populations ({', '.join(known)}) or '{READOUT}'"
            )
        spikes, readout = {}, None
        for name, declared in archive.declared.items():
            if name == READOUT:
                _require_readout(path, declared, (len(values), graph.population(graph.output).size))
                readout = archive.read(name)
            elif name not in known:
                raise InputError.unknown("population", name, known)
            else:
                shape = (*values.shape[:2], *graph.population(name).shape)
                _require_size(path, name, declared, shape)
                spikes[name] = _spikes(path, name, archive.read(name), shape)
    if readout is None and graph.readout == "spikes" and graph.output in spikes:
        readout = spikes[graph.output].sum(axis=1).reshape(len(values), -1)
    return _Activity(spikes, readout)


def _require_size(path: Path, name: str, declared: Declared, shape: tuple[int, ...]) -> None:
    if prod(declared.shape) != prod(shape):
        raise InputError(
            f"{path}: '{name}' is {declared.dtype} of shape {declared.shape}, expected {shape}: "
            "as many samples and steps as the input, and the population's neurons"
        )


def _spikes(path: Path, name: str, array: Array, shape: tuple[int, ...]) -> Array:
    if not np.isin(array, (0, 1)).all():
        raise InputError(f"{path}: '{name}' must hold spikes, zeros and ones")
    return np.asarray(array.reshape(shape) != 0)


def _require_readout(path: Path, declared: Declared, shape: tuple[int, int]) -> None:
    if declared.shape != shape or declared.dtype.kind not in "uif":
        raise InputError(
            f"{path}: '{READOUT}' must be numbers shaped {shape}, is {declared.dtype} of shape "
            f"{declared.shape}"
        )
