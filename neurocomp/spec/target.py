"""Targets: what a chip or a board holds and costs, every figure with where it is from.

A value that nobody published is null; a null limit limits nothing. ``extends`` names a shipped
target or a file beside this one; what a file says replaces what it extends.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import cached_property
from typing import NamedTuple

from pydantic import Field, model_validator

from neurocomp import shipped
from neurocomp.spec.core import WORD_BITS, Core, CoreKind, Flags, Rules, Shapes
from neurocomp.spec.extend import read_extended
from neurocomp.spec.figure import Confidence, Count, CountKey, Fact, Figure, Limit, Power, Quantity
from neurocomp.spec.read import Name, Spec, parse

KIND = "mappings/targets"
MAX_PLACES = 10**6  # for cores on a board, seven Hala Points: placers look at every one of them
EVERY: Figure[int | None] = Figure(
    value=None, source="every place of the mesh has its cores", confidence="high"
)
NO_BUFFER: Figure[int | None] = Figure(value=None, source="not published")
NO_POWER: Figure[float | None] = Figure(value=None, source="not published")


class Limits(NamedTuple):
    """What one core holds of each resource; None = no known limit.

    Words have 64 bits, synapse words `Core.word_bits`.
    """

    neurons: int | None
    neuron_groups: int | None
    synapse_words: int | None
    in_axons: int | None
    out_axons: int | None
    axon_map: int | None
    axon_mem: int | None
    total_words: int | None


class DeadCore(Spec):
    """A core that must not be used."""

    chip: int = Field(ge=0)
    core: int = Field(ge=0)


class Mesh(Spec):
    """Tiles of a chip, ``tile = core // cores_per_tile``, ``x, y = divmod(tile, rows)``.

    Attributes:
        cores: that a chip has, where they do not fill the mesh; the last places stay empty.
        link_buffer: messages that a link between tiles holds; only SANA-FE's model asks for it.
    """

    columns: Count
    rows: Count
    cores_per_tile: Count
    cores: Limit = EVERY
    link_buffer: Limit = NO_BUFFER

    @property
    def places(self) -> int:
        """Cores that the mesh has room for."""
        return self.columns.value * self.rows.value * self.cores_per_tile.value


class Board(Spec):
    """Chips in a grid, numbered along its columns first, tile edges touching."""

    columns: Count
    rows: Count


class EventCost(Spec):
    """Energy and time of one event on one basis; null = not published."""

    pj: Quantity = None
    ns: Quantity = None
    source: str
    confidence: Confidence = "medium"
    inferred: bool = False


class Costs(Spec):
    """Energy and latency on one basis; two bases are never mixed.

    Attributes:
        barrier: by number of active tiles, the barrier that ends a step.
    """

    summary: str
    synapse: EventCost | None = None
    synapse_dense: EventCost | None = None
    synapse_sparse: EventCost | None = None
    synapse_conv: EventCost | None = None
    neuron_active: EventCost | None = None
    neuron_inactive: EventCost | None = None
    neuron_access: EventCost | None = None
    neuron_update: EventCost | None = None
    neuron_spike: EventCost | None = None
    hop_east_west: EventCost | None = None
    hop_north_south: EventCost | None = None
    within_tile: EventCost | None = None
    message_out: EventCost | None = None
    message_in: EventCost | None = None
    barrier: dict[CountKey, EventCost] = Field(default_factory=dict)


class Target(Spec):
    """A chip or board that networks are mapped onto.

    Attributes:
        core_kinds: cores of every chip that hold less than ``core`` says.
        static_mw_per_chip: power of an idle chip in milliwatts.
        costs_like: a shipped target at whose prices this one is quoted while it has none.
        facts: published figures that nothing here computes with; units stand in their names.
    """

    name: Name
    summary: str
    extends: str | None = None
    core: Core
    core_kinds: tuple[CoreKind, ...] = Field(default=(), strict=False)
    shapes: Shapes = Shapes()
    rules: Rules = Rules()
    mesh: Mesh
    board: Board
    dead_cores: tuple[DeadCore, ...] = Field(default=(), strict=False)
    static_mw_per_chip: Power = NO_POWER
    costs: dict[str, Costs] = Field(default_factory=dict)
    costs_like: str | None = None
    facts: dict[str, Fact] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _parts_agree(self) -> Target:
        faults = [*_word_faults(self.core), *_index_faults(self.core), *_core_faults(self)]
        if faults:
            raise ValueError("; ".join(faults))
        return self

    @cached_property
    def _hash(self) -> int:
        return hash((self.name, self.core.format, self.limits, self.flags))

    def __hash__(self) -> int:
        return self._hash

    @property
    def n_chips(self) -> int:
        """Chips of the board."""
        return self.board.columns.value * self.board.rows.value

    @property
    def cores_per_chip(self) -> int:
        """Cores of a chip, dead ones included."""
        return self.mesh.cores.value or self.mesh.places

    @cached_property
    def limits(self) -> Limits:
        """The core's limits as plain numbers."""
        return Limits(*(getattr(self.core, name).value for name in Limits._fields))

    @cached_property
    def _own_limits(self) -> dict[int, Limits]:
        own = {}
        for kind in self.core_kinds:
            given = {"neurons": kind.neurons, "synapse_words": kind.synapse_words}
            lower = {name: limit.value for name, limit in given.items() if limit is not None}
            own.update(dict.fromkeys(kind.cores, self.limits._replace(**lower)))
        return own

    @cached_property
    def shaped(self) -> bool:
        """Whether cores can only be configured for layers of some shapes."""
        return self.shapes != Shapes()

    def limits_of(self, core: int) -> Limits:
        """The limits of a core by its number on its chip."""
        return self._own_limits.get(core, self.limits)

    @cached_property
    def flags(self) -> Flags:
        """The chip's rules as plain booleans."""
        return Flags(*(getattr(self.rules, name).value for name in Flags._fields))


def _word_faults(core: Core) -> Iterator[str]:
    fixed, given = WORD_BITS[core.format], core.word_bits.value
    if given != fixed:
        yield (
            f"core.word_bits: the format {core.format} is made of words of {fixed} bits, not of "
            f"{given}; say {fixed} and give the limits in such words"
        )


def _index_faults(core: Core) -> Iterator[str]:
    most, neurons = 2 ** core.index_bits.value[-1], core.neurons.value
    if core.format == "loihi1" and (neurons is None or neurons > most):
        yield (
            f"core.neurons: the longest index of core.index_bits tells {most} apart, "
            f"a core has {neurons}"
        )


def _core_faults(target: Target) -> Iterator[str]:
    mesh, n_cores = target.mesh, target.cores_per_chip
    if target.n_chips * mesh.places > MAX_PLACES:
        yield (
            f"mesh, board: {target.n_chips:,} × {mesh.places:,} places for cores, at most "
            f"{MAX_PLACES:,} are possible; use fewer chips or a smaller mesh"
        )
    if n_cores > mesh.places:
        yield f"mesh.cores: {n_cores} do not fit a mesh with room for {mesh.places}"
    for dead in target.dead_cores:
        if dead.chip >= target.n_chips or dead.core >= n_cores:
            yield (
                f"dead core {dead.core} of chip {dead.chip} does not exist: there "
                f"{'is 1 chip' if target.n_chips == 1 else f'are {target.n_chips} chips'} "
                f"of {n_cores} cores"
            )
    named = Counter(core for kind in target.core_kinds for core in kind.cores)
    for core, times in sorted(named.items()):
        if times > 1:
            yield f"core_kinds: core {core} stands in {times} kinds"
        if not 0 <= core < n_cores:
            yield f"core_kinds: core {core} does not exist: a chip has {n_cores}"


def load_target(name: str) -> Target:
    """A shipped target by name, or the user's own file by path (ending in .yaml).

    Raises:
        InputError: unknown name, or a faulty file: every fault with its key path.
    """
    path = shipped.find(KIND, "target", name)
    file = read_extended(path, KIND, "target")
    return parse(file.value, Target, path, file.origin)
