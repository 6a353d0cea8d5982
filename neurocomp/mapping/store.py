"""Mapping files: JSON, written whole or not at all."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from neurocomp.atomic import write_json
from neurocomp.errors import InputError
from neurocomp.ir import Slice
from neurocomp.mapping.model import CoreAddress, Mapping, Partition, Placement, Route
from neurocomp.readable import TEXT, FileKind, read_object

FORMAT = "neurocomp-mapping/1"
MAPPING_FILE = FileKind("a mapping file (JSON text)", TEXT, "write one with `neurocomp map --out`")


def save(mapping: Mapping, path: Path) -> None:
    """Write a mapping; `load` gives an equal one, and equal mappings give equal bytes."""
    write_json(path, {"format": FORMAT, **asdict(mapping)})


def load(path: Path) -> Mapping:
    """Read a mapping file. Whether it is legal is `check`'s say.

    Raises:
        InputError: the file is missing, unreadable or no mapping file.
    """
    value = read_object(path, MAPPING_FILE)
    if value.get("format") != FORMAT:
        raise InputError(f"{path}: not a mapping file (format is not '{FORMAT}')")
    try:
        return _mapping(value)
    except (KeyError, TypeError, ValueError) as fault:
        raise InputError(f"{path}: a damaged mapping file ({fault!r})") from fault


def _mapping(value: dict[str, Any]) -> Mapping:
    return Mapping(
        network=_text(value["network"]),
        graph_digest=_text(value["graph_digest"]),
        target=_text(value["target"]),
        policy=_text(value["policy"]),
        seed=_int(value["seed"]),
        partition=Partition(
            tuple(tuple(_slice(s) for s in core) for core in value["partition"]["cores"])
        ),
        placement=Placement(
            tuple(CoreAddress(*map(_int, a)) for a in value["placement"]["addresses"])
        ),
        routes=tuple(
            Route(
                _text(r["population"]),
                None if r["source"] is None else _int(r["source"]),
                tuple(map(_int, r["targets"])),
            )
            for r in value["routes"]
        ),
    )


def _slice(value: dict[str, Any]) -> Slice:
    start, stop = (tuple(map(_int, value[end])) for end in ("start", "stop"))
    if len(start) != 3 or len(stop) != 3:
        raise ValueError(f"a slice needs three axes, got {start} to {stop}")
    return Slice(_text(value["population"]), start, stop)


def _int(value: object) -> int:
    if type(value) is not int:
        raise TypeError(f"an integer is expected, got {value!r}")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"a text is expected, got {value!r}")
    return value
