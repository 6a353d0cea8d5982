"""Subgraphs of a NIR graph, and the flat network that they make together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from neurocomp.formats.nir.nodes import MAX_EDGES, MAX_NODES, PORT, Node


@dataclass(frozen=True, eq=False)
class Tree:
    """A NIR graph as it is stored: nodes and subgraphs by name, and edges in order.

    Attributes:
        node: the graph itself, for its place and metadata.
    """

    node: Node
    nodes: Mapping[str, Node | Tree]
    edges: tuple[tuple[str, str], ...]


@dataclass(frozen=True, eq=False)
class Net:
    """A NIR graph without subgraphs; attributes as of `Tree`."""

    node: Node
    nodes: Mapping[str, Node]
    edges: tuple[tuple[str, str], ...]


def flattened(tree: Tree) -> Net:
    """The same network without subgraphs; their inputs and outputs become ports.

    Nodes of a subgraph have its name and a dot before theirs.

    Raises:
        InputError: an edge that leads to no node, a subgraph with several inputs or outputs, or
            too many nodes.
    """
    nodes: dict[str, Node] = {}
    edges = tuple(_edges(tree, "", nodes))
    return Net(tree.node, nodes, edges)


def _edges(tree: Tree, prefix: str, nodes: dict[str, Node]) -> list[tuple[str, str]]:
    """The edges of a tree under their full names; adds the nodes."""
    ends: dict[str, tuple[str, str]] = {}  # where edges to and from a node go
    edges = []
    for name, child in tree.nodes.items():
        full = f"{prefix}{name}"
        if isinstance(child, Tree):
            edges += _edges(child, f"{full}.", nodes)
            ends[name] = (_port(child, full, "Input"), _port(child, full, "Output"))
            continue
        if full in nodes:
            raise tree.node.fault(f"two nodes are named '{full}'")
        is_port = prefix != "" and child.kind in ("Input", "Output")
        nodes[full] = replace(child, name=full, kind=PORT if is_port else child.kind)
        ends[name] = (full, full)
    for source, target in tree.edges:
        for end in (source, target):
            if end not in ends:
                raise tree.node.fault(f"edge ('{source}', '{target}'): '{end}' is no node")
        edges.append((ends[source][1], ends[target][0]))
    if len(nodes) > MAX_NODES or len(edges) > MAX_EDGES:
        raise tree.node.fault(f"at most {MAX_NODES:,} nodes and {MAX_EDGES:,} edges are read")
    return edges


def _port(tree: Tree, name: str, kind: str) -> str:
    """The one input or output of a subgraph."""
    found = [n for n, child in tree.nodes.items() if isinstance(child, Node) and child.kind == kind]
    if len(found) != 1:
        raise tree.node.fault(f"a subgraph needs exactly one {kind} node, has {len(found)}")
    return f"{name}.{found[0]}"
