"""NIR graphs that cannot be represented, and damaged or hostile files: named, in bounded memory."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import nir
import numpy as np
import pytest
from nir_graphs import DT, chain, conv, cuba, full, lif, linear, network, pool

from neurocomp.errors import InputError
from neurocomp.formats.nir import read_nir

pytestmark = pytest.mark.filterwarnings("ignore:.*snnTorch's default")

MAP = [1, 5, 5]


def weights() -> nir.Linear:
    """One weight."""
    return linear([0.6])


def changed(node: Any, **fields: Any) -> Any:
    """A node with other values, unchecked."""
    for key, value in fields.items():
        setattr(node, key, value)
    return node


def ends() -> dict[str, Any]:
    """An input and an output of one neuron."""
    one = np.array([1])
    return {"in": nir.Input({"input": one}), "out": nir.Output({"output": one})}


def loop() -> nir.NIRGraph:
    """Two nodes without neurons that feed each other."""
    nodes = {**ends(), "a": linear([1.0]), "b": linear([1.0]), "n": lif()}
    return network(nodes, ("in", "a"), ("a", "b"), ("b", "a"), ("b", "n"), ("n", "out"))


def biased_loop() -> nir.NIRGraph:
    """A bias that would go round for ever, behind a node that no input reaches first."""
    nodes = {**ends(), "a": nir.Affine(np.ones((1, 1)), np.ones(1)), "b": linear([1.0]), "n": lif()}
    return network(nodes, ("in", "a"), ("a", "b"), ("b", "a"), ("b", "n"), ("n", "out"))


def two_populations_in_a_circle() -> nir.NIRGraph:
    nodes = {**ends(), "w": weights(), "a": lif(), "v": weights(), "b": lif(), "back": weights()}
    edges = [("in", "w"), ("w", "a"), ("a", "v"), ("v", "b"), ("b", "back"), ("back", "a")]
    return network(nodes, *edges, ("b", "out"))


def two_outputs() -> nir.NIRGraph:
    nodes = {**ends(), "w": weights(), "a": lif(), "v": weights(), "b": lif()}
    edges = [("in", "w"), ("w", "a"), ("a", "v"), ("v", "b"), ("b", "out"), ("a", "out")]
    return network(nodes, *edges)


def two_shapes() -> nir.NIRGraph:
    nodes = {
        "in": nir.Input({"input": np.array(MAP)}), "out": ends()["out"], "n": lif(()),
        "a": conv(np.ones((1, 1, 3, 3))), "b": conv(np.ones((1, 1, 2, 2))),
    }  # fmt: skip
    edges = [("in", "a"), ("in", "b"), ("a", "n"), ("b", "n"), ("n", "out")]
    return network(nodes, *edges)


def unread() -> nir.NIRGraph:
    """A leaky integrator beside the output."""
    integrator = nir.LI(tau=full(1, DT), r=full(1, 1.0), v_leak=full(1, 0.0))
    nodes = {**ends(), "w": weights(), "a": lif(), "b": integrator}
    return network(nodes, ("in", "w"), ("w", "a"), ("w", "b"), ("a", "out"))


def with_subgraph(*kinds: str) -> nir.NIRGraph:
    """A subgraph with these nodes beside its neurons."""
    made = {"Input": ends()["in"], "Output": ends()["out"]}
    inner = {"n": lif(), **{f"x{i}": made[kind] for i, kind in enumerate(kinds)}}
    return chain([1], weights(), network(inner))


def nested(depth: int) -> nir.NIRGraph:
    """Subgraphs within subgraphs."""
    graph = chain([1], lif())
    for _ in range(depth):
        graph = chain([1], graph)
    return graph


def noted(where: str, **notes: Any) -> nir.NIRGraph:
    """A good graph with metadata of ours at a node, or at itself."""
    graph = chain([1], weights(), lif())
    (graph.nodes[where] if where else graph).metadata = {"neurocomp": notes}
    return graph


LI = nir.LI(tau=full(1, DT), r=full(1, 1.0), v_leak=full(1, 0.0))
POOLED = (pool("SumPool2d", 2, 2), conv(np.ones((1, 1, 3, 3)), padding=1), lif(()))
GROUPED = (conv(np.ones((4, 2, 1, 1)), groups=2), conv(np.ones((4, 2, 1, 1)), groups=2), lif(()))
REFUSED: dict[str, tuple[Callable[[], Any], str]] = {
    "tau differs": (
        lambda: chain([2], nir.Linear(np.eye(2)), changed(lif(2), tau=np.array([1e-3, 2e-3]))),
        "node 'n1': tau: must be the same for all neurons of a population, has values from 0.001",
    ),
    "tau_syn differs": (
        lambda: chain([2], nir.Linear(np.eye(2)), changed(cuba(2), tau_syn=np.array([1e-3, 2e-3]))),
        "node 'n1': tau_syn: must be the same for all neurons",
    ),
    "threshold within a channel": (
        lambda: chain(MAP, changed(lif((1, 5, 5)), v_threshold=np.arange(25.0).reshape(1, 5, 5))),
        "node 'n0': v_threshold: must be the same within each channel, has 25 values from 0 to 24",
    ),
    "parameter shape": (
        lambda: chain([1], weights(), lif(3)),
        r"node 'n1': tau: is shaped \(3,\), the signal \(1,\)",
    ),
    "tau below dt": (
        lambda: chain([1], weights(), lif(decay=2.0)),
        "tau: must be at least the time step, is 5e-05 s",
    ),
    "no tau": (
        lambda: chain([1], weights(), changed(lif(), tau=None)),
        "node 'n1': 'tau' is missing",
    ),
    "negative tau": (
        lambda: chain([1], weights(), lif(decay=-1.0)),
        "tau: must be at least the time step",
    ),
    "infinite tau": (
        lambda: chain([1], weights(), changed(lif(), tau=full(1, np.inf))),
        "tau: 1 values are not finite",
    ),
    "threshold below reset": (
        lambda: chain([1], weights(), lif(threshold=0.1, reset=0.3)),
        "v_threshold: must not be below v_reset",
    ),
    "one threshold is zero": (
        lambda: chain(
            [2], nir.Linear(np.eye(2)), changed(lif(2), v_threshold=np.array([0.0, 1.0]))
        ),
        "v_threshold: must not be below v_reset, lies 0 to 1 above it; equal to it only for all",
    ),
    "text": (
        lambda: chain([1], weights(), changed(lif(), r="one")),
        "r: must be numbers, is 'one'",
    ),
    "complex": (lambda: chain([1], nir.Linear(np.ones((1, 1), complex)), lif()), "is complex128"),
    "ragged": (
        lambda: chain([1], changed(linear([1.0]), weight=[[1.0], [2.0, 3.0]]), lif()),
        "weight: cannot be read as numbers",
    ),
    "nan": (
        lambda: chain([1], linear([np.nan]), lif()),
        "node 'n0': weight: 1 values are not finite",
    ),
    "empty": (
        lambda: chain([1], nir.Linear(np.ones((0, 1))), lif()),
        r"weight: is empty, of shape \(0",
    ),
    "weight axes": (
        lambda: chain([1], nir.Linear(np.ones((1, 1, 1))), lif()),
        r"weight: must be shaped \(outputs",
    ),
    "columns": (
        lambda: chain([2], weights(), lif()),
        "weight: has 1 columns, the signal 2 neurons",
    ),
    "bias": (
        lambda: chain([1], nir.Affine(np.ones((1, 1)), np.ones(2)), lif()),
        r"bias: must have 1 values, is shaped \(2,\)",
    ),
    "no flatten": (
        lambda: chain([2, 3, 3], conv(np.ones((2, 2, 2, 2))), linear([1.0] * 8), lif()),
        r"takes a signal \(neurons,\), gets \(2, 2, 2\); put a Flatten node before it",
    ),
    "flat convolution": (
        lambda: chain([4], nir.Linear(np.eye(4)), conv(np.ones((1, 1, 1, 1))), lif(())),
        r"takes a signal \(channels, height, width\), gets \(4,\)",
    ),
    "kernel axes": (lambda: chain(MAP, conv(np.ones((1, 1, 3))), lif(())), "must have 4 axes"),
    "channels": (
        lambda: chain(MAP, conv(np.ones((1, 2, 3, 3))), lif(())),
        "does not suit 1 channels",
    ),
    "groups": (
        lambda: chain(MAP, conv(np.ones((1, 1, 3, 3)), groups=0), lif(())),
        "in 0 groups does not",
    ),
    "large kernel": (
        lambda: chain(MAP, conv(np.ones((1, 1, 6, 6))), lif(())),
        "is larger than the padded signal",
    ),
    "huge kernel": (
        lambda: chain([1, 4000, 4000], pool("SumPool2d", 2000, 2000), lif(())),
        r"kernel_size: at most 16,384 values are read, got \(2000, 2000\)",
    ),
    "wide padding": (
        lambda: chain(MAP, conv(np.ones((1, 1, 1, 1)), padding=60000, stride=60000), lif(())),
        "padded signals of up to 33,554,432",
    ),
    "far padding": (
        lambda: chain(MAP, conv(np.ones((1, 1, 1, 1)), padding=2**40), lif(())),
        "padding: must lie within ±65,536",
    ),
    "padding word": (
        lambda: chain(MAP, changed(conv(np.ones((1, 1, 3, 3))), padding="full"), lif(())),
        "padding: must be numbers, 'same' or 'valid', is 'full'",
    ),
    "even same": (
        lambda: chain(MAP, conv(np.ones((1, 1, 2, 2)), padding="same"), lif(())),
        "padding: 'same' is supported for odd kernels at stride 1",
    ),
    "stride": (
        lambda: chain(MAP, conv(np.ones((1, 1, 3, 3)), stride=0), lif(())),
        r"stride: must be at least 1, got \(0, 0\)",
    ),
    "half a stride": (
        lambda: chain(MAP, conv(np.ones((1, 1, 3, 3)), stride=(1.5, 1.0)), lif(())),
        "stride: must be one whole number or 2",
    ),
    "scale within a channel": (
        lambda: chain(MAP, nir.Scale(np.arange(25.0).reshape(1, 5, 5)), lif(())),
        "scale: must be the same within each channel",
    ),
    "delays": (
        lambda: chain([2], nir.Delay(np.array([DT, 2 * DT])), nir.Linear(np.eye(2)), lif(2)),
        "delay: must be the same for all neurons, has 2 values from 0.0001 to 0.0002; use one",
    ),
    "half a delay": (
        lambda: chain([1], nir.Delay(full(1, 1.5 * DT)), weights(), lif()),
        "delay: must be a multiple of the time step, is 0.00015 s at dt 0.0001 s",
    ),
    "long delay": (
        lambda: chain([1], nir.Delay(full(1, 1e9)), weights(), lif()),
        "delay: must be a multiple",
    ),
    "delayed bias": (
        lambda: chain([1], nir.Affine(np.ones((1, 1)), np.ones(1)), nir.Delay(full(1, DT)), lif()),
        "a bias before a delay is not supported; put it behind",
    ),
    "border": (lambda: chain(MAP, *POOLED), "node 'n1': two convolutions or poolings .* overlap"),
    "two groups": (lambda: chain([4, 5, 5], *GROUPED), "two grouped convolutions without neurons"),
    "scaled flat signal": (
        lambda: chain([1], linear([1.0], [2.0]), nir.Scale(np.ones(3)), lif(2)),
        r"scale: is shaped \(3,\), the signal \(2,\)",
    ),
    "too many weights": (
        lambda: chain(
            [1, 1, 30000],
            nir.Flatten(None, 0, -1),
            nir.Linear(np.ones((1, 30000))),
            nir.Linear(np.ones((2000, 1))),
            lif(2000),
        ),
        r"node 'n2': makes an array of shape \(2000, 30000\), at most 33,554,432 values",
    ),
    "linear output": (
        lambda: chain([1], weights(), lif(), linear([1.0])),
        "what comes out must come from neurons.*'n1'",
    ),
    "nothing but an input": (lambda: chain([1]), "what comes out must come from neurons"),
    "no output": (
        lambda: chain([1], weights(), lif(), output=False),
        "exactly one population must lead to an Output",
    ),
    "two outputs": (
        two_outputs,
        "exactly one population must lead to an Output node, found 'a', 'b'",
    ),
    "no input": (
        lambda: network({"n": lif(), "out": ends()["out"]}, ("n", "out")),
        "no Input node",
    ),
    "lost neurons": (
        lambda: network({**ends(), "a": lif(), "b": lif(())}, ("in", "a"), ("a", "out")),
        "node 'b': no Input node leads to it",
    ),
    "lone neurons": (
        lambda: network({**ends(), "a": lif(), "b": lif()}, ("in", "a"), ("a", "out")),
        "population 'b': no projection leads to it",
    ),
    "input of an input": (
        lambda: network({**ends(), "n": lif()}, ("in", "n"), ("n", "in"), ("n", "out")),
        "an Input node hears nothing, but an edge leads to it from 'n'",
    ),
    "membrane sent on": (
        lambda: chain([1], weights(), LI, weights(), lif()),
        "LI sends its membrane, which no spike",
    ),
    "membrane unread": (unread, "node 'b': LI has a membrane that no Output node reads"),
    "cycle": (loop, "lies on a cycle without neurons, from 'in'"),
    "biased cycle": (biased_loop, "lies on a cycle without neurons"),
    "circle": (two_populations_in_a_circle, "projections without delay form a cycle: a → b"),
    "two shapes": (two_shapes, r"its inputs have different shapes, \(1, 3, 3\) and \(1, 4, 4\)"),
    "edge": (
        lambda: network({**ends(), "n": lif()}, ("in", "x")),
        r"edge \('in', 'x'\): 'x' is no node",
    ),
    "subgraph inputs": (
        lambda: with_subgraph("Input", "Input", "Output"),
        "exactly one Input node, has 2",
    ),
    "subgraph outputs": (lambda: with_subgraph("Input"), "exactly one Output node, has 0"),
    "deep": (lambda: nested(20), "at most 4,096 nodes are read, 16 subgraphs deep"),
    "same names": (
        lambda: network({"a": chain([1], lif()), "a.n0": lif()}),
        "two nodes are named 'a.n0'",
    ),
    "no graph": (lambda: 5, "must be a nir.NIRGraph or a file, got int"),
    "no node": (
        lambda: network({"n": 5}),
        "node 'n': NIR node 'int' is not supported .known: Affine, Avg",
    ),
    "path": (
        lambda: network({"../../etc/passwd": lif()}),
        "node name '../../etc/passwd' is not usable",
    ),
    "dots": (lambda: network({"..": lif()}), "node name '..' is not usable"),
    "control": (lambda: network({"a\nb": lif()}), r"node name 'a\\nb' is not usable"),
    "no name": (lambda: network({"": lif()}), "node name '' is not usable"),
    "absurd": (
        lambda: chain([10**6, 10**6, 9], conv(np.ones((1, 1, 1, 1))), lif(())),
        r"at most 33,554,432 neurons, got \(1000000, 1000000, 9\)",
    ),
    "negative size": (lambda: chain([-3], weights(), lif()), "one to three positive sizes"),
    "no shape": (lambda: chain([], weights(), lif()), "shape: is empty"),
    "input type": (
        lambda: network({**ends(), "in": nir.Input({"input": None}), "n": lif()}, ("in", "n")),
        "node 'in': 'shape' is missing",
    ),
    "note is text": (
        lambda: noted("n0", weight_bits="4"),
        "metadata: weight_bits: must be numbers",
    ),
    "note is a list": (
        lambda: noted("n0", weight_bits=np.ones(2)),
        "metadata: weight_bits: must be one number",
    ),
    "note is a half": (lambda: noted("n0", weight_bits=0.5), "weight_bits: must be a whole number"),
    "note is no width": (lambda: noted("n0", weight_bits=40), "weight bits must be 1 to 8, got 40"),
    "note on the mask": (
        lambda: noted("n0", mask=np.ones(3, bool)),
        r"metadata: mask: is shaped \(3,\), the weights",
    ),
    "note on the name": (lambda: noted("n0", name="../x"), "node name '../x' is not usable"),
    "noted integer": (
        lambda: noted("", integer=1),
        "is marked as an integer network, but the .* is not whole",
    ),
    "noted window": (lambda: noted("", timesteps=-1), "timesteps must be at least 1, got -1"),
    "noted bits": (lambda: noted("in", bits=99), "input bits must be 1 to 16, got 99"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str) -> None:
    build, message = REFUSED[name]
    with pytest.raises(InputError, match=message):
        read_nir(build())


@pytest.mark.parametrize(
    ("notes", "message"),
    [
        ({"groups": 3}, r"groups: 3 does not divide the weights \(2, 2, 1, 1\)"),
        ({"groups": 2}, "groups: the weights connect different groups"),
        ({"dense": 1}, "weight must have shape"),
    ],
)
def test_metadata_that_does_not_suit_a_convolution(notes: dict[str, int], message: str) -> None:
    graph = chain([2, 3, 3], conv(np.ones((2, 2, 1, 1))), lif(()))
    graph.nodes["n0"].metadata = {"neurocomp": notes}
    with pytest.raises(InputError, match=message):
        read_nir(graph)


def test_too_many_ways(tmp_path: Path) -> None:
    """Diamonds of nodes without neurons: 2^20 ways."""
    nodes = {**ends(), "s0": nir.Scale(full(1, 1.0)), "n": lif()}
    edges = [("in", "s0")]
    for i in range(20):
        nodes |= {f"{k}{i + 1}": nir.Scale(full(1, 1.0)) for k in "ab"}
        nodes[f"s{i + 1}"] = nir.Scale(full(1, 1.0))
        edges += [(f"s{i}", f"{k}{i + 1}") for k in "ab"]
        edges += [(f"{k}{i + 1}", f"s{i + 1}") for k in "ab"]
    with pytest.raises(InputError, match="ways between neurons have more than 16,384 steps"):
        read_nir(network(nodes, *edges, ("s20", "n"), ("n", "out")))
