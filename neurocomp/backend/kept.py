"""Results of batches, kept in a folder as they come, so that a second call goes on."""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from neurocomp.atomic import PARTIAL, write_json, writing
from neurocomp.backend.counts import Counts
from neurocomp.errors import InputError
from neurocomp.ir import Array, Graph
from neurocomp.mapping.model import Mapping

IDENTITY = "simulation.json"
BATCH = "batch-{:06d}.npz"


def identity(
    graph: Graph, mapping: Mapping | None, values: Array, **options: Any
) -> dict[str, Any]:
    """What a simulation is about: equal identities give equal batches."""
    placed = None if mapping is None else json.dumps(asdict(mapping), sort_keys=True)
    return {
        "network": graph.digest(),
        "mapping": None if placed is None else hashlib.sha256(placed.encode()).hexdigest(),
        "values": hashlib.sha256(np.ascontiguousarray(values).data).hexdigest(),
        "shape": list(values.shape),
        **options,
    }


class Kept:
    """The folder of one simulation: a file for each batch that is done.

    Raises:
        InputError: the folder holds another simulation, or cannot be written.
    """

    def __init__(self, folder: Path, about: dict[str, Any]) -> None:
        self._folder = folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as fault:
            raise InputError(f"{folder}: cannot be written ({fault.strerror})") from fault
        for partial in folder.glob(f"*{PARTIAL}"):  # of a process that was killed
            partial.unlink()
        known = folder / IDENTITY
        if not known.is_file():
            write_json(known, about)
        elif json.loads(known.read_text(encoding="utf-8")) != json.loads(json.dumps(about)):
            raise InputError(
                f"{folder}: holds batches of another simulation (network, mapping, values or "
                "options differ); name another folder or delete it"
            )

    def save(self, number: int, counts: Counts) -> None:
        """Keep a batch; the file appears whole or not at all."""
        arrays: dict[str, Any] = {f"fired.{name}": x for name, x in counts.fired.items()}
        arrays |= {f"in_time.{d}.{name}": x for (name, d), x in counts.in_time.items()}
        arrays |= {f"differing.{name}": np.int64(n) for name, n in counts.differing.items()}
        rest = {"steps": counts.steps, "cpu_s": counts.cpu_s, "window": counts.window}
        with writing(self._folder / BATCH.format(number)) as file:
            np.savez_compressed(file, predictions=counts.predictions, **rest, **arrays)

    def load(self, number: int) -> Counts | None:
        """A batch that is there, or None.

        Raises:
            InputError: its file is damaged.
        """
        path = self._folder / BATCH.format(number)
        if not path.is_file():
            return None
        try:
            with np.load(path, allow_pickle=False) as held:
                return _counts({key: held[key] for key in held})
        except (OSError, ValueError, KeyError, BadZipFile) as fault:
            raise InputError(f"{path}: a damaged file ({fault!r}); delete it") from fault

    def clear(self) -> None:
        """All is done: the batches are part of a result, the folder goes if nothing else is in."""
        for path in self._folder.glob("batch-*.npz"):
            path.unlink()
        (self._folder / IDENTITY).unlink(missing_ok=True)
        with suppress(OSError):
            self._folder.rmdir()


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
