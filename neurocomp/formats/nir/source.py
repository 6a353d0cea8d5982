"""Where NIR graphs come from: HDF5 files, read without the nir package, and graphs in memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from neurocomp.errors import InputError
from neurocomp.formats import hdf5
from neurocomp.formats.nir.nodes import (
    FIELDS,
    MAX_EDGES,
    MAX_NESTING,
    MAX_NODES,
    OUR_NOTES,
    Node,
    Value,
    require_name,
)
from neurocomp.formats.nir.subgraphs import Net, Tree, flattened
from neurocomp.readable import HDF5, FileKind

if TYPE_CHECKING:
    import nir

    NirGraph: TypeAlias = nir.NIRGraph

SUBGRAPH = "NIRGraph"
NIR_FILE = FileKind("a NIR network (.nir, HDF5)", HDF5, "write it again with nir.write")


class _Count:
    """How many nodes may still come: subgraphs that hold one another end here."""

    def __init__(self) -> None:
        self._left = MAX_NODES

    def take(self, where: str, depth: int) -> None:
        """One more node, that many subgraphs down."""
        self._left -= 1
        if self._left < 0 or depth > MAX_NESTING:
            raise InputError(
                f"{where}: at most {MAX_NODES:,} nodes are read, {MAX_NESTING} subgraphs deep"
            )


def load(source: Path | str | NirGraph) -> Net:
    """A file or a graph in memory as plain values, its subgraphs flattened.

    Raises:
        InputError: no such file, no HDF5, damaged, or no NIR graph; or a node that is unknown.
    """
    if isinstance(source, (Path, str)):
        path = Path(source)
        with hdf5.opened(path, NIR_FILE) as root:
            if "node" not in root:
                raise NIR_FILE.other(path, "an HDF5 file without NIR's group 'node'")
            return flattened(_stored(root.child("node"), str(path), "", _Count(), 0))
    return flattened(_held(source, "NIR graph", "", _Count(), 0))


def _require_kind(kind: str, where: str) -> None:
    if kind not in FIELDS:
        raise InputError(
            f"{where}: NIR node '{kind}' is not supported (known: {', '.join(sorted(FIELDS))})"
        )


def _stored(group: hdf5.Node, file: str, inside: str, count: _Count, depth: int) -> Tree:
    """A graph of a file."""
    here = f"{file}: subgraph '{inside[:-1]}'" if inside else file
    if group.text("type") != SUBGRAPH:
        raise group.fault(f"must be a {SUBGRAPH}, is '{group.text('type')}'")
    nodes: dict[str, Node | Tree] = {}
    children = group.child("nodes")
    for name in children.names(MAX_NODES):
        require_name(name, here)
        where = f"{file}: node '{inside}{name}'"
        count.take(where, depth)
        child = children.child(name)
        kind = child.text("type")
        if kind == SUBGRAPH:
            nodes[name] = _stored(child, file, f"{inside}{name}.", count, depth + 1)
        else:
            _require_kind(kind, where)
            fields = {key: _stored_value(child, key) for key in FIELDS[kind] if key in child}
            nodes[name] = Node(name, kind, where, fields, _stored_notes(child))
    own = Node("", SUBGRAPH, here, {}, _stored_notes(group))
    return Tree(own, nodes, group.pairs("edges", MAX_EDGES))


def _stored_value(group: hdf5.Node, key: str) -> Value:
    return group.text(key) if group.is_text(key) else group.numbers(key)


def _stored_notes(group: hdf5.Node) -> dict[str, Value]:
    for key in ("metadata", OUR_NOTES):
        if key not in group or not group.is_group(key):
            return {}
        group = group.child(key)
    return {key: _stored_value(group, key) for key in group.names(MAX_NODES)}


def _held(graph: Any, where: str, inside: str, count: _Count, depth: int) -> Tree:
    """A graph in memory, made with the nir package."""
    import nir

    here = f"{where}: subgraph '{inside[:-1]}'" if inside else where
    if not isinstance(graph, nir.NIRGraph):
        raise InputError(f"{here}: must be a nir.NIRGraph or a file, got {type(graph).__name__}")
    nodes: dict[str, Node | Tree] = {}
    for name, child in graph.nodes.items():
        require_name(str(name), here)
        place = f"{where}: node '{inside}{name}'"
        count.take(place, depth)
        if isinstance(child, nir.NIRGraph):
            nodes[str(name)] = _held(child, where, f"{inside}{name}.", count, depth + 1)
            continue
        kind = type(child).__name__
        _require_kind(kind, place)
        values = {
            key: child.input_type["input"] if key == "shape" else getattr(child, key, None)
            for key in FIELDS[kind]
        }
        notes = dict(_held_values(_our_notes(child), place))
        nodes[str(name)] = Node(
            str(name), kind, place, dict(_held_values(values.items(), place)), notes
        )
    own = Node("", SUBGRAPH, here, {}, dict(_held_values(_our_notes(graph), here)))
    return Tree(own, nodes, tuple((str(a), str(b)) for a, b in graph.edges))


def _our_notes(node: Any) -> Iterable[tuple[str, Any]]:
    notes = node.metadata.get(OUR_NOTES) if isinstance(node.metadata, dict) else None
    return notes.items() if isinstance(notes, dict) else ()


def _held_values(items: Iterable[tuple[str, Any]], where: str) -> Iterator[tuple[str, Value]]:
    """Strings as they are, all else as arrays (also torch's tensors); None is left out."""
    for key, value in items:
        if isinstance(value, str):
            yield key, value
        elif value is not None:
            try:
                yield key, np.asarray(value)
            except (TypeError, ValueError, RuntimeError) as fault:
                raise InputError(f"{where}: {key}: cannot be read as numbers ({fault})") from fault
