"""Figures kept in a folder, each with what made it, so that a second call goes on from there."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import neurocomp
from mapping_peers import hypergraph
from neurocomp import shipped
from neurocomp.atomic import write_json
from neurocomp.mapping.effort import EFFORTS

CODE = ("arch", "hw", "ir", "mapping", "spec")  # packages that a mapping depends on
CHIPS = ("hw", "ir", "spec")
PLACER = ("hw", "mapping/place")
DATA = ("mappings/policies", "mappings/targets", "search/spaces")


@cache
def mapper() -> str:
    """Our mapper: a digest of its code and YAML, and the library that quality mode uses."""
    yaml = [file for kind in DATA for file in sorted(shipped.folder(kind).glob("*.yaml"))]
    helper = hypergraph.version() if hypergraph.available() else "no mtkahypar"
    return f"neurocomp {_digest(CODE, yaml)}, {helper}"


@cache
def chips() -> str:
    """Our model of what a core holds, which baselines are built with."""
    return f"chips {_digest(CHIPS, [])}"


@cache
def placer() -> str:
    """Our placer, in quality mode."""
    effort = EFFORTS["quality"]
    return f"placer {_digest(PLACER, [])}, {effort.runs} runs of {effort.swaps} swaps"


def _digest(folders: tuple[str, ...], files: list[Path]) -> str:
    root = Path(neurocomp.__file__).parent
    code = [file for name in folders for file in sorted((root / name).rglob("*.py"))]
    digest = hashlib.sha256()
    for file in code + files:
        digest.update(f"{file.name}\0".encode() + file.read_bytes())
    return digest.hexdigest()[:12]


class Kept:
    """A folder of figures, a JSON file each.

    Attributes:
        folder: where they lie; it is made when the first one comes.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def value(self, name: str, make: Callable[[], Any], by: str | None = None) -> Any:
        """A JSON value by name: what is kept, or what is made and kept now.

        Args:
            name: path of its file in the folder, without ``.json``.
            by: what makes it, its version with it; `mapper` where none is named. What something
                else made is made anew.
        """
        by = mapper() if by is None else by
        path = self.folder / f"{name}.json"
        if path.is_file():
            found = json.loads(path.read_text())
            if found["by"] == by:
                return found["value"]
        made = make()
        path.parent.mkdir(parents=True, exist_ok=True)
        write_json(path, {"name": name, "by": by, "value": made})
        return made
