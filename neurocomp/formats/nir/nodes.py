"""NIR nodes as plain values, whether they came from a file or from a graph in memory.

Every value is checked before it is used: shapes and types here, meaning where it is needed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np

from neurocomp.errors import InputError
from neurocomp.ir import Array

Value: TypeAlias = "Array | str"

PORT = "Port"  # our kind for a subgraph's own inputs and outputs: what comes in goes out
OUR_NOTES = "neurocomp"  # the metadata of ours
MAX_NODES = 2**12
MAX_EDGES = 2**16
MAX_EXTENT = 2**16  # of kernels, strides and paddings
MAX_NESTING = 16  # subgraphs within subgraphs
MAX_NAME = 200
_NAME = re.compile(r"[^./\\\x00-\x1f\x7f][^/\\\x00-\x1f\x7f]*")

_NEURON = ("r", "v_leak", "v_threshold", "v_reset")
_CONV = ("weight", "bias", "stride", "padding", "dilation", "groups")
FIELDS: dict[str, tuple[str, ...]] = {
    "Input": ("shape",),
    "Output": ("shape",),
    "Linear": ("weight",),
    "Affine": ("weight", "bias"),
    "Conv1d": _CONV,
    "Conv2d": _CONV,
    "SumPool2d": ("kernel_size", "stride", "padding"),
    "AvgPool2d": ("kernel_size", "stride", "padding"),
    "Flatten": (),
    "Scale": ("scale",),
    "Delay": ("delay",),
    "Threshold": ("threshold",),
    "I": ("r",),
    "IF": ("r", "v_threshold", "v_reset"),
    "LI": ("tau", "r", "v_leak"),
    "LIF": ("tau", *_NEURON),
    "CubaLI": ("tau_syn", "tau_mem", "r", "v_leak", "w_in"),
    "CubaLIF": ("tau_syn", "tau_mem", "w_in", *_NEURON),
}
"""What is read of each kind of node; whatever else a file holds is left alone."""


@dataclass(frozen=True, eq=False)
class Node:
    """One node.

    Attributes:
        name: of the node; behind the names of its subgraphs, with dots between.
        where: its place, for messages.
        fields: its parameters, arrays as they were stored; absent ones are left out.
        notes: the metadata of ours.
    """

    name: str
    kind: str
    where: str
    fields: Mapping[str, Value] = field(default_factory=dict)
    notes: Mapping[str, Value] = field(default_factory=dict)

    def fault(self, text: str) -> InputError:
        """An error about this node."""
        return InputError(f"{self.where}: {text}")

    def array(self, key: str) -> Array:
        """A parameter of finite numbers."""
        value = self.fields.get(key)
        if value is None:
            raise self.fault(f"'{key}' is missing")
        return checked(self, key, value)

    def integers(self, key: str, count: int, most: int = MAX_EXTENT) -> tuple[int, ...]:
        """``count`` whole numbers; a single one stands for all of them."""
        value = self.array(key).reshape(-1)
        if value.size not in (1, count) or (value != np.rint(value)).any():
            raise self.fault(f"{key}: must be one whole number or {count}, got {value.tolist()}")
        if np.abs(value).max() > most:
            raise self.fault(f"{key}: must lie within ±{most:,}, got {value.tolist()}")
        return tuple(int(v) for v in np.broadcast_to(value, count))

    def text(self, key: str) -> str | None:
        """A parameter that is a string, None where it is none."""
        value = self.fields.get(key)
        return value if isinstance(value, str) else None

    def number(self, key: str, default: float) -> float:
        """A number of our metadata."""
        if key not in self.notes:
            return default
        value = checked(self, f"metadata: {key}", self.notes[key])
        if value.size != 1:
            raise self.fault(f"metadata: {key}: must be one number, is shaped {value.shape}")
        return float(value.reshape(-1)[0])

    def count(self, key: str, default: int) -> int:
        """A whole number of our metadata."""
        value = self.number(key, default)
        if value != int(value):
            raise self.fault(f"metadata: {key}: must be a whole number, got {value}")
        return int(value)

    def string(self, key: str) -> str | None:
        """A string of our metadata, None where there is none."""
        value = self.notes.get(key)
        return value if isinstance(value, str) else None


def checked(node: Node, key: str, value: Value) -> Array:
    """A value that is an array of finite numbers, and not empty."""
    if isinstance(value, str) or value.dtype.kind not in "biuf":
        what = f"'{value}'" if isinstance(value, str) else str(value.dtype)
        raise node.fault(f"{key}: must be numbers, is {what}")
    if value.size == 0:
        raise node.fault(f"{key}: is empty, of shape {value.shape}")
    if value.dtype.kind == "f" and not np.isfinite(value).all():
        raise node.fault(f"{key}: {int((~np.isfinite(value)).sum())} values are not finite")
    return value


def require_name(name: str, where: str) -> str:
    """A node's name that can also name a population, a file or a page element."""
    if len(name) > MAX_NAME or not _NAME.fullmatch(name):
        raise InputError(
            f"{where}: node name {name[:MAX_NAME]!r} is not usable: it must not be empty, start "
            f"with a dot, hold slashes or control characters, or exceed {MAX_NAME} letters"
        )
    return name
