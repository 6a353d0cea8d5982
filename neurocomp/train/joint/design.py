"""A design: what the joint search has chosen, and nothing about data or channels."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple, TypeAlias


class Kept(NamedTuple):
    """An edge that a node keeps: the state it comes from and its op."""

    state: int
    op: str


Nodes: TypeAlias = tuple[tuple[Kept, ...], ...]  # the kept edges of every node


@dataclass(frozen=True, slots=True)
class Design:
    """One choice of edges, ops, bits and timesteps.

    Attributes:
        nodes: the kept edges of every node, the same in all cells.
        bits: weight bits by cell, then by kept edge in the nodes' order.
        timesteps: length of the window.
    """

    nodes: tuple[tuple[Kept, ...], ...]
    bits: tuple[tuple[int, ...], ...]
    timesteps: int

    @property
    def edges(self) -> tuple[tuple[int, Kept], ...]:
        """(node, edge) of all kept edges, in the order of ``bits``."""
        return tuple((j, kept) for j, node in enumerate(self.nodes) for kept in node)

    @property
    def id(self) -> str:
        """Ops by node and a hash over all choices."""
        code = "_".join("".join(f"{k.state}{_code(k.op)}" for k in node) for node in self.nodes)
        text = json.dumps(asdict(self), sort_keys=True)
        return f"{code}-{hashlib.sha256(text.encode()).hexdigest()[:10]}"

    def as_dict(self) -> dict[str, Any]:
        """The design as plain values for YAML and JSON."""
        nodes = [[{"state": k.state, "op": k.op} for k in node] for node in self.nodes]
        return {
            "nodes": nodes,
            "bits": [list(row) for row in self.bits],
            "timesteps": self.timesteps,
        }


def from_dict(value: dict[str, Any]) -> Design:
    """The design that `Design.as_dict` described."""
    return Design(
        nodes=tuple(tuple(Kept(k["state"], k["op"]) for k in node) for node in value["nodes"]),
        bits=tuple(tuple(row) for row in value["bits"]),
        timesteps=value["timesteps"],
    )


def _code(op: str) -> str:
    return {"skip": "s", "avgpool3": "p"}.get(op, f"c{op[-1]}")
