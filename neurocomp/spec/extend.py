"""YAML files that build on others: ``extends`` names a shipped file or one beside the file."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from neurocomp import shipped
from neurocomp.errors import InputError
from neurocomp.spec.read import Key, read_yaml

FIGURE_KEYS = {"value", "pj", "ns"}  # a mapping with one of these is a figure, not a section


class Extended(NamedTuple):
    """What a file and all it extends add up to.

    Attributes:
        files: each with its own mapping, the file itself first.
    """

    value: dict[str, Any]
    files: tuple[tuple[Path, dict[str, Any]], ...]

    def origin(self, key: Key) -> str:
        """``in FILE: `` for a key that another file than the first one says, else nothing."""
        depths = [_depth(own, key) for _, own in self.files]
        nearest = depths.index(max(depths))
        return f"in {self.files[nearest][0]}: " if nearest else ""


def read_extended(path: Path, kind: str, what: str) -> Extended:
    """The mapping that a file and all it extends add up to.

    Sections are merged key by key; numbers, lists and figures are replaced whole. A file that
    extends another and has no name is called as the file is, and its summary says that it changes
    the other one's. Nothing is validated here.

    Args:
        kind, what: folder and name of the shipped files, as `neurocomp.shipped.find` takes them.

    Raises:
        InputError: a file is missing or no YAML, or the chain goes in a circle.
    """
    return _read(path, kind, what, ())


def _read(path: Path, kind: str, what: str, children: tuple[Path, ...]) -> Extended:
    if path.resolve() in children:
        names = [p.name for p in (*children, path)]
        raise InputError(f"{path}: extends: goes in a circle: {' → '.join(names)}")
    own = read_yaml(path)
    name = own.get("extends")
    if not isinstance(name, str):
        return Extended(own, ((path, own),))
    base = _read(_base(path, name, kind, what), kind, what, (*children, path.resolve()))
    said = {"name": path.stem, "summary": f"{base.value.get('summary')}; changed by {path.name}"}
    value = _overlaid(base.value, {**said, **own})
    return Extended(value, ((path, own), *base.files))


def _depth(value: Any, key: Key) -> int:
    """How many leading parts of a key a mapping has."""
    for depth, part in enumerate(key):
        if isinstance(value, dict) and part in value:
            value = value[part]
        elif isinstance(value, list) and isinstance(part, int) and part < len(value):
            value = value[part]
        else:
            return depth
    return len(key)


def _base(path: Path, name: str, kind: str, what: str) -> Path:
    if not name.endswith((".yaml", ".yml")):
        return shipped.find(kind, what, name)
    beside = path.parent / name
    if not beside.is_file():
        raise InputError(f"{path}: extends: there is no file {name} beside it")
    return beside


def _overlaid(base: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in own.items():
        old = base.get(key)
        if isinstance(old, dict) and isinstance(value, dict) and not FIGURE_KEYS & value.keys():
            merged[key] = _overlaid(old, value)
        else:
            merged[key] = value
    return merged
