"""The run folder: every stage's artefacts, and which stages are done.

A stage is done when its ``result.json`` is there; it is written last and in one piece, so a run
that was interrupted or killed goes on with the stage that it was in.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from neurocomp.atomic import locked, write_json
from neurocomp.errors import InputError
from neurocomp.readable import TEXT, FileKind, read_object

IDENTITY = "run.json"
RESULT = "result.json"
STAGE_FILE = FileKind(
    "a file of this run (JSON text)", TEXT, "delete it, and the same command makes it again"
)


class RunFolder:
    """A folder that belongs to one run: one recipe, target and seed."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def existing(cls, path: Path) -> RunFolder:
        """The folder of a run that was started before; `InputError` if it is none."""
        if not (path / IDENTITY).is_file():
            raise InputError(f"{path}: not a run folder (it has no {IDENTITY})")
        return cls(path)

    @classmethod
    @contextmanager
    def locked(cls, path: Path, identity: dict[str, Any]) -> Iterator[RunFolder]:
        """Create the folder or go on with it, and keep other processes out meanwhile.

        Args:
            identity: what the run is about, as JSON values; a folder of another run is refused.

        Raises:
            InputError: the folder holds another run, something else, or is in use.
        """
        run = cls(path)
        if path.exists() and not path.is_dir():
            raise InputError(f"{path}: is a file; name a folder for the run")
        with locked(path, "run", IDENTITY):
            if not (path / IDENTITY).is_file():
                write_json(path / IDENTITY, identity)
            run._require(identity)
            yield run

    def identity(self) -> dict[str, Any]:
        """What the run is about, as it was started."""
        return read_object(self.path / IDENTITY, STAGE_FILE)

    def stage(self, name: str) -> Path:
        """Folder of a stage, made if it is not there."""
        folder = self.path / name
        folder.mkdir(exist_ok=True)
        return folder

    def result(self, name: str) -> dict[str, Any] | None:
        """The result of a finished stage, or None."""
        path = self.path / name / RESULT
        return read_object(path, STAGE_FILE) if path.is_file() else None

    def files(self) -> list[Path]:
        """What says what the run is about, and all that its stages have left."""
        stages = [path.parent for path in self.path.glob(f"*/{RESULT}")]
        left = [file for stage in stages for file in stage.rglob("*") if file.is_file()]
        return [file for file in (self.path / IDENTITY,) if file.is_file()] + sorted(left)

    def require(self, name: str) -> dict[str, Any]:
        """The result of a stage that must be finished; `InputError` says how to finish it."""
        result = self.result(name)
        if result is None:
            raise InputError(
                f"{self.path}: the run has not reached the stage '{name}'; go on with "
                f"`neurocomp search --out {self.path}` and its first options"
            )
        return result

    def finish(self, name: str, result: dict[str, Any]) -> None:
        """Mark a stage as done."""
        write_json(self.stage(name) / RESULT, result)

    def _require(self, identity: dict[str, Any]) -> None:
        found = self.identity()
        differing = [
            f"{key}: it was started with {old}, now {new}"
            for key, old, new in _differences(found, json.loads(json.dumps(identity)))
        ]
        if differing:
            raise InputError.from_faults(
                f"{self.path}: holds another run; name another folder with --out", differing
            )


def _differences(old: Any, new: Any, key: str = "") -> Iterator[tuple[str, Any, Any]]:
    if isinstance(old, dict) and isinstance(new, dict):
        for k in sorted(old.keys() | new.keys()):
            yield from _differences(old.get(k), new.get(k), f"{key}.{k}" if key else k)
    elif old != new:
        yield key, old, new
