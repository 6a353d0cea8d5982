"""Results of batches, kept in a folder as they come, so that a second call goes on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np

from neurocomp.atomic import locked, write_json, writing
from neurocomp.backend.counts import Counts
from neurocomp.backend.execution import Samples
from neurocomp.errors import InputError
from neurocomp.ir import Array, Graph
from neurocomp.ir.archive import archived
from neurocomp.mapping.model import Mapping
from neurocomp.readable import TEXT, ZIP, FileKind, read_object

BLOCK = 64  # samples that are read at once
VERSION = 2  # of what backends make of a network; batches of another one are not gone on with
IDENTITY = "simulation.json"
RESULT = "result.json"
TOTAL = "total.npz"
BATCH = "batch-{:06d}.npz"
REMEDY = "delete it, and the same command makes it again"
KEPT_FILE = FileKind("a file of this simulation (JSON text)", TEXT, REMEDY)
KEPT_BATCH = FileKind("counts of this simulation (.npz)", ZIP, REMEDY)


def identity(
    graph: Graph, mapping: Mapping | None, values: Samples, **options: Any
) -> dict[str, Any]:
    """What a simulation is about: equal identities give equal batches.

    Values that are drawn, by a dataclass, are known by its fields, others by all that they hold.
    """
    placed = None if mapping is None else json.dumps(asdict(mapping), sort_keys=True)
    digest = hashlib.sha256()
    if is_dataclass(values) and not isinstance(values, type):
        for field in fields(values):
            held = getattr(values, field.name)
            digest.update(f"{type(values).__name__}.{field.name} ".encode())
            if isinstance(held, np.ndarray):
                digest.update(np.ascontiguousarray(held).data)
            else:
                digest.update(json.dumps(held).encode())
    else:
        for start in range(0, len(values), BLOCK):
            digest.update(np.ascontiguousarray(values[start : start + BLOCK]).data)
    return {
        "version": VERSION,
        "network": graph.digest(),
        "mapping": None if placed is None else hashlib.sha256(placed.encode()).hexdigest(),
        "values": digest.hexdigest(),
        "shape": list(values.shape),
        **options,
    }


class Kept:
    """The folder of one simulation: a file for each batch that is done, at last one for all."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @classmethod
    @contextmanager
    def locked(cls, folder: Path, about: dict[str, Any]) -> Iterator[Kept]:
        """Start a simulation's folder or go on with it, and keep other processes out meanwhile.

        Args:
            about: see `identity`.

        Raises:
            InputError: the folder holds another simulation or something else, is in use, damaged,
                or cannot be written.
        """
        with locked(folder, "simulation", IDENTITY):
            known = folder / IDENTITY
            if not known.is_file():
                write_json(known, about)
            elif read_object(known, KEPT_FILE) != json.loads(json.dumps(about)):
                raise InputError(
                    f"{folder}: holds batches of another simulation (network, mapping, values or "
                    "options differ); name another folder or delete it"
                )
            yield cls(folder)

    def save(self, number: int, counts: Counts) -> None:
        """Keep a batch; the file appears whole or not at all."""
        self._save(BATCH.format(number), counts)

    def load(self, number: int) -> Counts | None:
        """A batch that is there, or None; `InputError` if its file is damaged."""
        return self._load(BATCH.format(number))

    def total(self) -> Counts | None:
        """The sum of all batches, where all is done, or None; errors as `load`."""
        return self._load(TOTAL)

    def finish(self, total: Counts, row: dict[str, Any], batches: int) -> None:
        """All is done: keep the sum and the result, and let so many batches go."""
        self._save(TOTAL, total)
        write_json(self._folder / RESULT, row)
        for number in range(batches):
            (self._folder / BATCH.format(number)).unlink(missing_ok=True)

    def _save(self, name: str, counts: Counts) -> None:
        arrays: dict[str, Any] = {f"fired.{name}": x for name, x in counts.fired.items()}
        arrays |= {f"in_time.{d}.{name}": x for (name, d), x in counts.in_time.items()}
        arrays |= {f"differing.{name}": np.int64(n) for name, n in counts.differing.items()}
        rest = {"steps": counts.steps, "cpu_s": counts.cpu_s, "window": counts.window}
        with writing(self._folder / name) as file:
            np.savez_compressed(file, predictions=counts.predictions, **rest, **arrays)

    def _load(self, name: str) -> Counts | None:
        path = self._folder / name
        if not path.exists():
            return None
        with archived(path, KEPT_BATCH) as archive:
            arrays = archive.read_all()
        try:
            return _counts(arrays)
        except (KeyError, TypeError, ValueError) as fault:
            raise KEPT_BATCH.other(path, "arrays, but no counts") from fault


def _counts(arrays: dict[str, Array]) -> Counts:
    found = Counts(
        predictions=arrays["predictions"],
        steps=int(arrays["steps"]),
        cpu_s=float(arrays["cpu_s"]),
        window=int(arrays["window"]),
    )
    for key, value in arrays.items():
        kind, _, name = key.partition(".")
        if kind == "fired":
            found.fired[name] = value
        elif kind == "in_time":
            delay, _, population = name.partition(".")
            found.in_time[population, int(delay)] = value
        elif kind == "differing":
            found.differing[name] = int(value)
    return found
