"""Tables: what somebody else measured on networks that were trained."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from neurocomp.arch import Candidate
from neurocomp.arch.cell import SKIP, ZEROIZE, Cell, canonical, conv, live
from neurocomp.arch.draw import kind_of
from neurocomp.errors import InputError
from neurocomp.explore.outcome import Outcome
from neurocomp.spec.space import Space

BENCH_COLUMNS = ("arch_id", "test_acc")
BENCH_EFFORTS = ((0.1, "val_acc_epoch10"), (0.4, "val_acc_epoch40"), (1.0, "test_acc"))
BENCH_OPS = 5  # zeroize, skip, three thresholds
OWN_COLUMNS = ("candidate", "value")
_Row: TypeAlias = dict[str, str]


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """Measured values by network; of several rows of one network the mean.

    Attributes:
        values: by the network's key (`key`), one per effort: (share of the full effort, value).
        cells: the keys are canonical cells, else ids.
        spikes: per neuron and step, by key, where the table has them.
    """

    name: str
    digest: str
    values: Mapping[str | Cell, tuple[tuple[float, float], ...]]
    cells: bool
    spikes: Mapping[str | Cell, float]

    @property
    def about(self) -> str:
        """The file."""
        return f"table {self.name} {self.digest}"

    def key(self, candidate: Candidate) -> str | Cell:
        """What a candidate's row is found by."""
        return canonical(candidate.cell, candidate.kind) if self.cells else candidate.id

    def knows(self, candidate: Candidate) -> bool:
        """Those that have a row."""
        return self.key(candidate) in self.values

    def __call__(self, candidate: Candidate, share: float) -> Outcome:
        """The value at the least effort that is no less than the share."""
        key = self.key(candidate)
        value = next(v for at, v in self.values[key] if at >= share)
        return Outcome(value, self.spikes.get(key))


def read_table(path: Path, space: Space) -> Table:
    """A table from a CSV file.

    SpikeNAS-Bench's has columns ``arch_id`` (Σ op_k·5^k over the edges (0,1), (0,2), (0,3), (1,2),
    (1,3), (2,3); op 0 zeroize, 1 skip, 2 to 4 convolutions of growing threshold) and ``test_acc``;
    its validation accuracies after 10 and 40 of 100 epochs stand for less effort. Any other table
    has columns ``candidate`` (an id, as a search prints it) and ``value``.

    Args:
        space: that the candidates are from.

    Raises:
        InputError: no such file or columns, a row that cannot be read, or a space whose candidates
            the table does not tell apart.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as fault:
        raise InputError(f"{path}: cannot be read ({fault})") from None
    rows = list(csv.DictReader(text.splitlines()))
    columns = set(rows[0]) if rows else set()
    bench = columns >= set(BENCH_COLUMNS)
    if not bench and not columns >= set(OWN_COLUMNS):
        raise InputError(
            f"{path}: no table: columns {' and '.join(OWN_COLUMNS)} are needed, or "
            f"SpikeNAS-Bench's {' and '.join(BENCH_COLUMNS)}; "
            f"got {', '.join(sorted(columns)) or 'none'}"
        )
    found: dict[str | Cell, list[_Row]] = {}
    for key, row in _bench(path, rows, space) if bench else ((r["candidate"], r) for r in rows):
        found.setdefault(key, []).append(row)
    efforts = [e for e in BENCH_EFFORTS if e[1] in columns] if bench else [(1.0, "value")]
    return Table(
        name=path.name,
        digest=hashlib.sha256(text.encode()).hexdigest()[:10],
        values={
            key: tuple((share, _mean(path, mine, name)) for share, name in efforts)
            for key, mine in found.items()
        },
        cells=bench,
        spikes={key: rate for key, mine in found.items() if (rate := _firing(path, mine))},
    )


def _bench(path: Path, rows: list[_Row], space: Space) -> Iterator[tuple[Cell, _Row]]:
    """Rows of SpikeNAS-Bench by canonical cell; networks without a way to the output are left out.

    Raises:
        InputError: a space of other cells, or in which a cell is several networks.
    """
    kind = kind_of(space)
    if len(space.thresholds) != BENCH_OPS - 2 or not kind.sums or len(space.kernel_sets) != 1:
        raise InputError(f"{path}: is about the space spikenas-bench, not '{space.name}'")
    free = [
        name
        for name in ("channels", "final_pool", "hidden", "cell_bits", "macro_bits", "timesteps")
        if len(getattr(space, name)) > 1
    ]
    if free:
        raise InputError(
            f"{path}: says nothing about {', '.join(free)}; narrow space '{space.name}' to one "
            "value of each"
        )
    (kernel,) = next(iter(space.kernel_sets.values()))
    bits = space.cell_bits[0]
    ops = (ZEROIZE, SKIP, *(conv(kernel, bits, t) for t in sorted(space.thresholds)))
    for row in rows:
        number = _number(path, row, "arch_id")
        digits = [int(number) // BENCH_OPS**k % BENCH_OPS for k in range(6)]
        cell = canonical(tuple(ops[d] for d in digits), kind)
        if set(live(cell, kind)) != {ZEROIZE}:
            yield cell, row


def _mean(path: Path, rows: list[_Row], column: str) -> float:
    return sum(_number(path, row, column) for row in rows) / len(rows)


def _firing(path: Path, rows: list[_Row]) -> float | None:
    """Mean firing rate of the layers that a network has (−1 marks one that it lacks)."""
    columns = [name for name in rows[0] if name.startswith("firing_rate_")]
    rates = [r for row in rows for name in columns if (r := _number(path, row, name)) >= 0]
    return sum(rates) / len(rates) if rates else None


def _number(path: Path, row: _Row, column: str) -> float:
    try:
        return float(row[column])
    except (TypeError, ValueError):
        raise InputError(f"{path}: {column}: a number is needed, got {row[column]!r}") from None
