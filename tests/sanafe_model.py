"""The rules by which SANA-FE 2.2 executes its two files, as far as our files use them.

Written from its documentation and behaviour, so that the files can be tested without that tool;
``benchmarks/sanafe_check.py`` runs the tool itself. Each step: every neuron takes what its dendrite
has collected, its soma decides on a spike, one packet goes to each core with targets, and the
packets' weights enter the dendrites of the next steps.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import yaml

UNIT_NEURONS = 1024
MAX_DELAY = 5


class Result(NamedTuple):
    """Spikes (group, neuron, step from 0), packets that leave their core, all packets, and hops."""

    spikes: set[tuple[str, int, int]]
    away: int
    packets: int
    hops: int


@dataclass
class Neuron:
    """A neuron with its seat, soma attributes, and outgoing (target, weight, delay)."""

    soma: dict[str, Any]
    tile: int = -1
    core: int = -1
    unit: str = ""
    dendrite: str = ""
    potential: float = 0.0
    collected: list[float] = field(default_factory=lambda: [0.0] * (MAX_DELAY + 2))
    out: list[tuple[Neuron, float, int]] = field(default_factory=list)

    @cached_property
    def cores(self) -> set[tuple[int, int]]:
        """Tile and core of all its targets."""
        return {(target.tile, target.core) for target, _, _ in self.out}

    def fires(self, step: int) -> bool:
        """The soma's update."""
        current, *later = self.collected
        self.collected = [*later, 0.0]
        if self.unit.startswith(("loihi_inputs[", "loihi_given[")):
            assert current == 0, "a told neuron must receive no current"
            train = self.soma["spikes"]
            return step < len(train) and bool(train[step])
        assert self.unit.startswith("loihi_lif[")
        assert self.soma["input_decay"] == 0
        if step:
            self.potential *= self.soma["leak_decay"]
        self.potential = int(self.potential * 64) / 64 + self.soma.get("bias", 0) + current
        if self.potential > self.soma["threshold"]:
            self.potential = 0.0
            return True
        return False


def load(folder: Path) -> tuple[dict[str, list[Neuron]], dict[int, tuple[int, int]]]:
    """The groups of the network file, and (x, y) of every tile of the architecture file."""
    arch = read(folder / "architecture.yaml")["architecture"]
    described = read(folder / "network.yaml")
    network = described["network"]
    groups = {g["name"]: _neurons(g) for g in network["groups"]}
    for edge in network["edges"]:
        for name, value in edge.items():
            source, target = (groups[end] for end in name.split(" -> "))
            delays = value.get("delay", [0] * len(value["weight"]))
            rows = zip(value["source_target_pairs"], value["weight"], delays, strict=True)
            for (a, b), weight, delay in rows:
                assert 0 <= delay <= MAX_DELAY
                source[a].out.append((target[b], weight, delay))
    tiles = {i: tile for i, tile in enumerate(arch["tile"])}
    for seat in described["mappings"]:
        for name, value in seat.items():
            _seat(groups, tiles, name, value)
    _require_seats(groups)
    height = arch["attributes"]["height"]
    assert len(tiles) == arch["attributes"]["width"] * height
    return groups, {i: divmod(i, height) for i in tiles}


def run(folder: Path, steps: int) -> Result:
    """Execute the files."""
    groups, places = load(folder)
    everyone = [(name, i, n) for name, group in groups.items() for i, n in enumerate(group)]
    spikes, away, packets, hops = set(), 0, 0, 0
    for step in range(steps):
        fired = [(name, i, n) for name, i, n in everyone if n.fires(step)]
        for name, i, n in fired:
            spikes.add((name, i, step))
            for tile, core in n.cores:
                packets += 1
                away += (tile, core) != (n.tile, n.core)
                (x, y), (x2, y2) = places[n.tile], places[tile]
                hops += abs(x - x2) + abs(y - y2)
            for target, weight, delay in n.out:
                target.collected[delay] += weight
    return Result(spikes, away, packets, hops)


def read(path: Path) -> Any:
    """A YAML file."""
    return yaml.load(path.read_text(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def _numbers(text: str) -> range:
    first, _, last = text.partition("..")
    return range(int(first), int(last or first) + 1)


def _neurons(group: dict[str, Any]) -> list[Neuron]:
    common = group["attributes"]["soma"]
    entries = [(key, value) for entry in group["neurons"] for key, value in entry.items()]
    made = [Neuron({**common, **value.get("soma", {})}) for key, value in entries
            for _ in _numbers(str(key))]  # fmt: skip
    assert [i for key, _ in entries for i in _numbers(str(key))] == list(range(len(made)))
    return made


def _seat(groups: Any, tiles: Any, name: str, value: dict[str, str]) -> None:
    group, _, numbers = name.partition(".")
    tile, core = map(int, value["core"].split("."))
    cores = {c["name"]: c for c in tiles[tile]["core"]}
    hardware = cores[f"core[{core}..{core}]"]
    for kind in ("soma", "dendrite", "synapse"):
        assert any(_holds(unit["name"], value[kind]) for unit in hardware[kind]), value
    for i in _numbers(numbers):
        n = groups[group][i]
        assert n.tile == -1, f"{name} is seated twice"
        n.tile, n.core, n.unit, n.dendrite = tile, core, value["soma"], value["dendrite"]


def _holds(units: str, unit: str) -> bool:
    """Whether ``units`` (a name or ``name[0..7]``) has a unit of that name."""
    kind, _, numbers = units.rstrip("]").partition("[")
    return any(f"{kind}[{i}]" == unit for i in _numbers(numbers)) if numbers else units == unit


def _require_seats(groups: dict[str, list[Neuron]]) -> None:
    """Every neuron has one; told neurons have a soma each; no unit holds too many."""
    held: dict[tuple[int, int, str], int] = defaultdict(int)
    for group in groups.values():
        for n in group:
            assert n.tile >= 0
            held[n.tile, n.core, n.unit] += 1
            held[n.tile, n.core, n.dendrite] += 1
    for (_, _, unit), count in held.items():
        told = unit.startswith(("loihi_inputs", "loihi_given"))
        assert count <= (1 if told else UNIT_NEURONS), unit
