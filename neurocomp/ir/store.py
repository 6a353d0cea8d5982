"""Our own graph file: one ``.npz`` of plain arrays with a JSON header, nothing ever unpickled."""

from __future__ import annotations

import json
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import TypeAdapter, ValidationError

from neurocomp.atomic import writing
from neurocomp.errors import InputError
from neurocomp.ir.archive import archived
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
from neurocomp.readable import ZIP, FileKind
from neurocomp.spec.read import Spec, faults_of, parse

FORMAT = "neurocomp-graph/1"
GRAPH_FILE = FileKind(
    "a neurocomp graph file (.npz)",
    ZIP,
    "write it again; netx files end in .net, NIR files in .nir",
)
_NEURONS = {
    "input": Input,
    "cuba": CubaLif,
    "loihi": LoihiLif,
    "delta": Delta,
    "sigma-delta": SigmaDelta,
    "sigma": Sigma,
}
NAMED = 4  # arrays of a wrong file that a message names
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
        InputError: the file is missing, damaged, too large when unpacked, not a graph file, or its
            graph is malformed.
    """
    with archived(path, GRAPH_FILE) as archive:
        arrays = archive.read_all()
    if "header" not in arrays:
        found = ", ".join(sorted(arrays)[:NAMED]) or "none"
        raise GRAPH_FILE.other(path, f"arrays ({found}) without a graph's 'header'")
    try:
        header = json.loads(arrays.pop("header").tobytes())
    except (ValueError, RecursionError) as fault:
        raise GRAPH_FILE.unreadable(path, "its header is no JSON") from fault
    stated = header.get("format") if isinstance(header, dict) else None
    if stated != FORMAT:
        raise InputError(f"{path}: format is '{stated}', expected '{FORMAT}'; write it again")
    try:
        graph = _graph(parse(header, _Header, path), arrays)
    except ValidationError as error:
        raise InputError.from_faults(str(path), faults_of(error)) from None
    except (ValueError, TypeError) as fault:
        raise GRAPH_FILE.unreadable(path, f"its header is wrong, {fault}") from fault
    return verify(graph)


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
    if len(sizes) != 3:
        raise ValueError(f"a shape has three sizes, got {sizes}")
    return (sizes[0], sizes[1], sizes[2])


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
