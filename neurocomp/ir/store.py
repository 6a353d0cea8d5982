"""Our own graph file: one ``.npz`` of plain arrays with a JSON header, nothing ever unpickled."""

from __future__ import annotations

import json
import math
import zipfile
import zlib
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import numpy as np
import numpy.lib.format as _npy
from pydantic import TypeAdapter, ValidationError

from neurocomp.atomic import writing
from neurocomp.errors import InputError
from neurocomp.ir.graph import (
    Array,
    Conv,
    CubaLif,
    Delta,
    Dense,
    Graph,
    Input,
    LoihiLif,
    Population,
    Projection,
    Shape,
    Sigma,
    SigmaDelta,
)
from neurocomp.ir.verify import verify
from neurocomp.spec.read import Spec, faults_of, parse

FORMAT = "neurocomp-graph/1"
MAX_BYTES = 2**32  # unpacked; a larger graph file is a bomb, not a network
npy: Any = _npy  # its functions carry no types
_NEURONS = {
    "input": Input,
    "cuba": CubaLif,
    "loihi": LoihiLif,
    "delta": Delta,
    "sigma-delta": SigmaDelta,
    "sigma": Sigma,
}
_OPS = {"conv": Conv, "dense": Dense}


class _PopulationHeader(Spec):
    name: str
    shape: list[int]
    neuron: dict[str, Any]


class _ProjectionHeader(Spec):
    name: str
    source: str
    target: str
    op: dict[str, Any]
    weight_bits: int
    exponent: int
    delay: int


class _Header(Spec):
    format: str
    name: str
    output: str
    timesteps: int | None
    readout: str
    populations: list[_PopulationHeader]
    projections: list[_ProjectionHeader]


def save(graph: Graph, path: Path) -> None:
    """Write a graph; the file appears whole or not at all. `load` gives the same digest."""
    arrays: dict[str, Any] = {}
    header = {
        "format": FORMAT,
        "name": graph.name,
        "output": graph.output,
        "timesteps": graph.timesteps,
        "readout": graph.readout,
        "populations": [
            {"name": p.name, "shape": p.shape, "neuron": _tagged(p.neuron, _NEURONS)}
            for p in graph.populations
        ],
        "projections": [
            {
                "name": e.name,
                "source": e.source,
                "target": e.target,
                "op": _tagged(e.op, _OPS),
                "weight_bits": e.weight_bits,
                "exponent": e.exponent,
                "delay": e.delay,
            }
            for e in graph.projections
        ],
    }
    for i, p in enumerate(graph.populations):
        if p.bias is not None:
            arrays[f"p{i}.bias"] = p.bias
    for i, e in enumerate(graph.projections):
        if e.weight is not None:
            arrays[f"e{i}.weight"] = e.weight
        if e.mask is not None:
            arrays[f"e{i}.mask"] = e.mask
        if e.delays is not None:
            arrays[f"e{i}.delays"] = e.delays
    arrays["header"] = np.frombuffer(json.dumps(header).encode(), dtype=np.uint8)
    with writing(path) as file:
        np.savez_compressed(file, **arrays)


def load(path: Path) -> Graph:
    """Read a graph file and verify it.

    Raises:
        InputError: the file is missing, damaged, larger than `MAX_BYTES` when unpacked, not a
            graph file, or its graph is malformed.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            arrays = _arrays(archive)
        header = json.loads(arrays.pop("header").tobytes())
        if header["format"] != FORMAT:
            raise InputError(f"{path}: format is '{header['format']}', expected '{FORMAT}'")
        graph = _graph(parse(header, _Header, path), arrays)
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except ValidationError as error:
        raise InputError.from_faults(str(path), faults_of(error)) from None
    except (
        OSError,
        ValueError,
        KeyError,
        TypeError,
        EOFError,
        RuntimeError,  # encrypted, an unknown compression, or nested too deeply
        zipfile.BadZipFile,
        zlib.error,
    ) as fault:
        raise InputError(f"{path}: not a readable neurocomp graph file ({fault})") from fault
    return verify(graph)


def _arrays(archive: zipfile.ZipFile) -> dict[str, Array]:
    """Every array of the archive; nothing is allocated that the archive does not hold."""
    entries = archive.infolist()
    size = sum(entry.file_size for entry in entries)
    if size > MAX_BYTES:
        raise ValueError(f"holds {size:,} bytes, at most {MAX_BYTES:,} are read")
    arrays = {}
    for entry in entries:
        name = entry.filename.removesuffix(".npy")
        with archive.open(entry) as file:
            npy.read_magic(file)
            shape, _, dtype = npy.read_array_header_1_0(file)
        if math.prod(shape) * dtype.itemsize > entry.file_size:
            raise ValueError(f"array '{name}' declares the shape {shape} and holds less")
        with archive.open(entry) as file:
            arrays[name] = npy.read_array(file, allow_pickle=False)
    return arrays


def _graph(header: _Header, arrays: dict[str, Array]) -> Graph:
    return Graph(
        name=header.name,
        populations=tuple(
            Population(
                p.name,
                _shape(p.shape),
                _untagged(p.neuron, _NEURONS),
                bias=arrays.get(f"p{i}.bias"),
            )
            for i, p in enumerate(header.populations)
        ),
        projections=tuple(
            Projection(
                **{**dict(e), "op": _untagged(e.op, _OPS)},
                weight=arrays.get(f"e{i}.weight"),
                mask=arrays.get(f"e{i}.mask"),
                delays=arrays.get(f"e{i}.delays"),
            )
            for i, e in enumerate(header.projections)
        ),
        output=header.output,
        timesteps=header.timesteps,
        readout=header.readout,
    )


def _shape(sizes: list[int]) -> Shape:
    channels, height, width = sizes
    return (channels, height, width)


def _tagged(value: Any, kinds: dict[str, Any]) -> dict[str, Any]:
    kind = next(name for name, cls in kinds.items() if type(value) is cls)
    return {"kind": kind, **asdict(value)}


def _untagged(tagged: dict[str, Any], kinds: dict[str, Any]) -> Any:
    kind = tagged.get("kind")
    if kind not in kinds:
        raise ValueError(f"unknown kind {kind!r} (known: {', '.join(kinds)})")
    cls = kinds[kind]
    values = {key: value for key, value in tagged.items() if key != "kind"}
    unknown = values.keys() - {field.name for field in fields(cls)}
    if unknown:
        raise ValueError(f"{kind} has no {', '.join(sorted(unknown))}")
    return TypeAdapter(cls).validate_json(json.dumps(values), strict=True)
