"""Networks and targets for the tests of the hardware model and the mapper, made here."""

from __future__ import annotations

from typing import Any

from neurocomp.ir import (
    Conv,
    Dense,
    Graph,
    Input,
    LoihiLif,
    Op,
    Population,
    Projection,
    Shape,
    average_pool,
    skip,
    verify,
)
from neurocomp.spec.read import parse
from neurocomp.spec.target import Target

NEURON = LoihiLif(vth=6)
CONV = Conv((3, 3), padding=(1, 1))


def chain(name: str, source: Shape, *layers: tuple[Shape, Op, int], bits: int = 1) -> Graph:
    """Layers one after the other: (shape, op, weight bits); populations are l1, l2, …"""
    populations = [Population("in", source, Input(bits))]
    projections = []
    for i, (shape, op, width) in enumerate(layers, start=1):
        projections.append(Projection(f"p{i}", populations[-1].name, f"l{i}", op, width))
        populations.append(Population(f"l{i}", shape, NEURON))
    graph = Graph(name, tuple(populations), tuple(projections), populations[-1].name)
    return verify(graph)


def mlp(name: str, *sizes: int, bits: int | tuple[int, ...] = 8) -> Graph:
    """Dense layers; the first size is the input."""
    widths = (bits,) * (len(sizes) - 1) if isinstance(bits, int) else bits
    layers = [((n, 1, 1), Dense(), b) for n, b in zip(sizes[1:], widths, strict=True)]
    return chain(name, (sizes[0], 1, 1), *layers)


def pilotnet() -> Graph:
    """lava-dl's sigma-delta PilotNet; its input layer is left out, as in the printed tables."""
    two = Conv((3, 3), stride=(2, 2))
    return chain(
        "pilotnet", (3, 66, 200),
        ((24, 32, 99), two, 6),
        ((36, 15, 49), two, 5),
        ((48, 7, 24), two, 4),
        ((64, 4, 22), Conv((3, 3), stride=(2, 1), padding=(1, 0)), 5),
        ((64, 2, 20), Conv((3, 3)), 4),
        ((100, 1, 1), Dense(), 4),
        ((50, 1, 1), Dense(), 6),
        ((10, 1, 1), Dense(), 5),
        ((1, 1, 1), Dense(), 4),
        bits=8,
    )  # fmt: skip


def spiking_pilotnet() -> Graph:
    """lava-dl's spiking PilotNet with its input layer; bits follow from the printed words."""
    layers = [
        (p.shape, e.op, e.weight_bits)
        for p, e in zip(pilotnet().neurons, pilotnet().projections, strict=True)
    ]
    bits = {3: 4, 5: 3, 6: 4}
    changed = [(shape, op, bits.get(i, width)) for i, (shape, op, width) in enumerate(layers)]
    return chain("snn", (3, 66, 200), ((3, 66, 200), skip(3), 8), *changed, bits=8)


def yolo() -> Graph:
    """lava-dl's yolo_kp; its weight bits follow from the printed synapse words."""

    def conv(kernel: int, stride: int) -> Conv:
        return Conv((kernel, kernel), (stride, stride), (kernel // 2, kernel // 2))

    return chain(
        "yolo", (3, 448, 448),
        ((16, 224, 224), conv(3, 2), 5),
        ((32, 112, 112), conv(3, 2), 6),
        ((64, 56, 56), conv(3, 2), 5),
        ((128, 28, 28), conv(3, 2), 5),
        ((256, 28, 28), conv(3, 1), 5),
        ((256, 14, 14), conv(3, 2), 4),
        ((512, 14, 14), conv(3, 1), 5),
        ((256, 14, 14), conv(1, 1), 5),
        ((512, 14, 14), conv(3, 1), 5),
        ((48, 14, 14), conv(1, 1), 6),
        bits=8,
    )  # fmt: skip


def cell() -> Graph:
    """A DAG: a node that sums a convolution and a skip, pooling, two consumers, a dense readout."""
    shape = (4, 6, 6)
    populations = (
        Population("in", (2, 6, 6), Input(4)),
        Population("a", shape, NEURON),
        Population("b", shape, NEURON),
        Population("c", (8, 3, 3), NEURON),
        Population("out", (5, 1, 1), NEURON),
    )
    projections = (
        Projection("in-a", "in", "a", CONV, 8),
        Projection("a-b", "a", "b", CONV, 4),
        Projection("a-b.skip", "a", "b", skip(4), 8),
        Projection("a-c", "a", "c", Conv((3, 3), (2, 2), (1, 1)), 2),
        Projection("b-c", "b", "c", Conv((1, 1), (2, 2)), 1),
        Projection("c-out", "c", "out", Dense(), 8),
    )
    return verify(Graph("cell", populations, projections, "out"))


def target(**changes: Any) -> Target:
    """A small Loihi 2 chip: 3 × 2 tiles of one core; keys of `core`, or a section to replace."""
    core: dict[str, Any] = {
        "format": "loihi2",
        "weight_bits": [1, 2, 3, 4, 5, 6, 8],
        "neurons": 64,
        "neuron_groups": 8,
        "synapse_words": 1000,
        "in_axons": 1000,
        "axon_map": 500,
        "axon_mem": 500,
        "total_words": 1500,
    }
    rules = {"padded_x": True, "channel_chunks": True}
    raw: dict[str, Any] = {
        "name": "small",
        "summary": "for tests",
        "core": core,
        "rules": rules,
        "mesh": {"columns": 3, "rows": 2, "cores_per_tile": 1},
        "board": {"columns": 1, "rows": 1},
    }
    for key, value in changes.items():
        if key in raw or key in ("dead_cores", "costs", "static_mw_per_chip"):
            raw[key] = value
        else:
            core[key] = value
    return parse(raw, Target, "small")


def board(columns: int, rows: int = 1) -> dict[str, int]:
    """The `board` section."""
    return {"columns": columns, "rows": rows}


def mesh(columns: int, rows: int, cores_per_tile: int = 1) -> dict[str, int]:
    """The `mesh` section."""
    return {"columns": columns, "rows": rows, "cores_per_tile": cores_per_tile}


def pooled(channels: int, size: int) -> Graph:
    """One average-pooling population behind the input."""
    half = (channels, size // 2, size // 2)
    return chain("pooled", (channels, size, size), (half, average_pool(channels, 2, 2), 8))


CHIPS = target(neurons=24, mesh=mesh(2, 2), board=board(2, 2))  # four chips of four small cores
