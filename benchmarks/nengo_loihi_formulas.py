"""Loihi 1's core memory: neurocomp's counts against nengo-loihi 1.1's own code, case by case.

nengo-loihi needs an older numpy and runs in an environment of its own (Python 3.10):

    python3.10 -m venv PEER && PEER/bin/pip install nengo==3.1.0 nengo-loihi==1.1.0 "numpy<1.24"
    python benchmarks/nengo_loihi_formulas.py --peer PEER/bin/python

The cases go to that interpreter as JSON, which answers with what nengo-loihi says of synapse lists
(every width of weights, indices, delays and tags), of dense and convolutional synapses, of axon
slots and of a core's limits. A line per kind of case says how many there are and how many differ.
nengo-loihi counts an input axon for every source position, also for those that reach no target;
we leave these out, and the line for convolutions says how many cases have any. Exit code 1 where
anything differs.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

WEIGHT_BITS, INDEX_BITS = (1, 2, 3, 4, 5, 6, 8), (0, 6, 7, 8, 9, 10, 11, 12)
Case = dict[str, Any]


def main() -> int:
    """Ask both, print a line per kind of case."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peer", type=Path, help="the Python with nengo-loihi 1.1.0")
    parser.add_argument("--answer", action="store_true", help="answer cases from stdin (the peer)")
    options = parser.parse_args()
    if options.answer:
        json.dump([ANSWERS[case["kind"]](case) for case in json.load(sys.stdin)], sys.stdout)
        return 0
    if options.peer is None or not options.peer.is_file():
        print("nengo-loihi is not there: give its Python with --peer (see this file's head)")
        return 0
    cases = [*lists(), *dense(), *conv(), *slots(), {"kind": "limits"}]
    asked = subprocess.run(
        [options.peer, __file__, "--answer"],
        input=json.dumps(cases),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return compared(cases, json.loads(asked.stdout))


def compared(cases: list[Case], answers: list[Any]) -> int:
    """Print how many cases there are of each kind, and those that differ; 1 where one does."""
    from collections import Counter

    counts, differ, unused = Counter[str](), Counter[str](), 0
    for case, theirs in zip(cases, answers, strict=True):
        if case["kind"] == "conv":
            unused += theirs.pop() > 0
        ours = OURS[case["kind"]](case)
        counts[case["kind"]] += 1
        if ours != theirs:
            differ[case["kind"]] += 1
            if differ[case["kind"]] <= 3:
                print(f"  {case}: ours {ours}, nengo-loihi {theirs}")
    for kind, n in counts.items():
        note = f"; {unused} have positions that reach nothing" if kind == "conv" else ""
        print(f"{kind:7} {n:6,} cases, {differ[kind]} differ{note}")
    print(f"{sum(counts.values()):,} cases, {sum(differ.values())} differ")
    return 1 if differ else 0


# ---- the cases


def lists() -> Iterator[Case]:
    """Every width there is, at lengths around whole blocks."""
    lengths = (0, 1, 2, 3, 5, 7, 8, 31, 32, 33, 63, 64, 65, 127, 128, 129, 500, 640, 1000, 4096)
    for weight, index, delay, tag in product(WEIGHT_BITS, INDEX_BITS, range(8), range(4)):
        yield {"kind": "list", "bits": [weight, index, delay, tag], "lengths": lengths}


def dense() -> Iterator[Case]:
    """Dense synapses of sources × targets."""
    for sources, targets in product((1, 3, 16, 100), (1, 2, 13, 63, 64, 65, 200, 1000)):
        for bits in WEIGHT_BITS[1:]:
            yield {"kind": "dense", "sources": sources, "targets": targets, "bits": bits}


def conv() -> Iterator[Case]:
    """Convolutions: valid at every stride, and same at stride 1 (elsewhere nengo pads unevenly)."""
    shapes = product(((5, 5), (8, 6), (9, 12), (16, 16)), (1, 3, 16, 40), (1, 4, 8, 33))
    for (size, channels, filters), kernel, stride in product(
        shapes, ((1, 1), (3, 3), (5, 3), (4, 4)), ((1, 1), (2, 2), (2, 1), (3, 3))
    ):
        n_out = [(n - k) // s + 1 for n, k, s in zip(size, kernel, stride, strict=True)]
        same = stride == (1, 1) and kernel[0] % 2 == kernel[1] % 2 == 1
        for padding in ("valid", "same") if same else ("valid",):
            neurons = filters * (size[0] * size[1] if padding == "same" else n_out[0] * n_out[1])
            if 0 < min(n_out) and neurons <= 1024:
                yield {
                    "kind": "conv", "size": size, "channels": channels, "filters": filters,
                    "kernel": kernel, "stride": stride, "padding": padding, "bits": 8,
                }  # fmt: skip


def slots() -> Iterator[Case]:
    """Output axons: discrete, and population axons of either kind."""
    for n, atoms in product((1, 10, 100, 1024), (0, 1, 16, 32, 33, 64)):
        yield {"kind": "slots", "axons": n, "atoms": atoms}


# ---- ours


@cache
def loihi1() -> Any:
    """The shipped target."""
    from neurocomp.spec.target import load_target

    return load_target("loihi1")


def our_list(case: Case) -> list[int]:
    """Bits of a list of each length."""
    from neurocomp.hw.words import WORD_BITS, list_words

    weight, index, delay, tag = case["bits"]
    return [WORD_BITS * list_words(n, weight + delay + tag, index) for n in case["lengths"]]


def our_dense(case: Case) -> list[int]:
    """Compartments, input axons and bits."""
    from neurocomp.ir import Dense

    return _needs(Dense(), (case["sources"], 1, 1), (case["targets"], 1, 1), case["bits"])


def our_conv(case: Case) -> list[int]:
    """Compartments, input axons and bits."""
    from neurocomp.ir import Conv
    from neurocomp.ir.shapes import conv_output

    kernel, stride = tuple(case["kernel"]), tuple(case["stride"])
    half = (kernel[0] // 2, kernel[1] // 2) if case["padding"] == "same" else (0, 0)
    op, source = Conv(kernel, stride, half), (case["channels"], *case["size"])
    return _needs(op, source, conv_output(op, source, case["filters"]), case["bits"])


def _needs(op: Any, source: Any, shape: Any, bits: int) -> list[int]:
    from neurocomp.hw.demand import need
    from neurocomp.hw.layer import Incoming, Layer
    from neurocomp.hw.words import WORD_BITS

    layer = Layer("l", shape, (Incoming("p", op, source, bits),), ())
    counts = need(layer, [((0, 0, 0), shape)], loihi1())
    return [counts.neurons, counts.in_axons, WORD_BITS * counts.synapse_words]


def our_slots(case: Case) -> int:
    """Slots of that many axons: of neurons, or of positions with so many channels."""
    from neurocomp.hw.layer import Layer, Outgoing
    from neurocomp.hw.loihi1 import entries
    from neurocomp.ir import Conv, Dense

    atoms = case["atoms"] or 1
    op = Conv((1, 1)) if case["atoms"] else Dense()
    layer = Layer("l", (atoms, case["axons"], 1), (), ())
    end = Outgoing("p", op, (1, case["axons"], 1))
    return entries(layer, end, loihi1(), 0, atoms, case["axons"])


def our_limits(case: Case) -> list[int]:
    """What the target file says of a core: compartments, input axons, output axons, bits."""
    from neurocomp.hw.words import WORD_BITS

    most = loihi1().limits
    words = most.synapse_words or 0
    return [most.neurons or 0, most.in_axons or 0, most.out_axons or 0, WORD_BITS * words]


OURS: dict[str, Callable[[Case], Any]] = {
    "list": our_list,
    "dense": our_dense,
    "conv": our_conv,
    "slots": our_slots,
    "limits": our_limits,
}


# ---- nengo-loihi's, in the peer's environment


def their_list(case: Case) -> list[int]:
    """Bits of a list of each length."""
    from nengo_loihi.block import SynapseConfig

    weight, index, delay, tag = case["bits"]
    config = SynapseConfig(
        weight_bits=SynapseConfig.WEIGHT_BITS_MAP.index(weight),
        idx_bits=SynapseConfig.INDEX_BITS_MAP.index(index),
        delay_bits=delay,
        tag_bits=tag,
        n_synapses=63,
    )
    return [config.bits_per_axon(n) for n in case["lengths"]]


def their_dense(case: Case) -> list[int]:
    """Compartments, input axons and bits."""
    import numpy as np
    from nengo_loihi.block import Synapse

    synapse = Synapse(case["sources"])
    synapse.set_weights(np.ones((case["sources"], case["targets"])))
    return _utilization(synapse, case["targets"], case["bits"])


def their_conv(case: Case) -> list[int]:
    """Compartments, input axons that reach something, bits; then the axons that reach nothing."""
    import nengo
    import numpy as np
    from nengo_loihi.block import Synapse
    from nengo_loihi.conv import conv2d_loihi_weights

    shape = nengo.transforms.ChannelShape((*case["size"], case["channels"]))
    kernel = np.ones((*case["kernel"], case["channels"], case["filters"]))
    transform = nengo.Convolution(
        case["filters"], shape, strides=case["stride"], padding=case["padding"],
        kernel_size=case["kernel"], init=kernel,
    )  # fmt: skip
    weights, indices, axon_map, offsets = conv2d_loihi_weights(transform)
    synapse = Synapse(len(offsets))
    synapse.set_population_weights(weights, indices, axon_map, offsets)
    neurons, axons, bits = _utilization(synapse, transform.output_shape.size, case["bits"])
    unused = int((offsets < 0).sum())
    return [neurons, axons - unused, bits, unused]


def _utilization(synapse: Any, neurons: int, bits: int) -> list[int]:
    from nengo_loihi.block import LoihiBlock, SynapseConfig

    synapse.format(weight_bits=SynapseConfig.WEIGHT_BITS_MAP.index(bits))
    block = LoihiBlock(neurons)
    block.add_synapse(synapse)
    used = block.utilization()
    return [int(used[name][0]) for name in ("compartments", "in-axons", "synapses")]


def their_slots(case: Case) -> int:
    """Slots of that many axons."""
    from nengo_loihi.block import Axon, Synapse

    axon = Axon(case["axons"])
    axon.target = Synapse(1)
    axon.target.pop_type = 0 if case["atoms"] == 0 else 16 if case["atoms"] <= 32 else 32
    return int(axon.axon_slots())


def their_limits(case: Case) -> list[int]:
    """nengo-loihi's own limits of a block."""
    from nengo_loihi import block

    return [
        block.MAX_COMPARTMENTS, block.MAX_IN_AXONS, block.MAX_OUT_AXONS, block.MAX_SYNAPSE_BITS,
    ]  # fmt: skip


ANSWERS: dict[str, Callable[[Case], Any]] = {
    "list": their_list,
    "dense": their_dense,
    "conv": their_conv,
    "slots": their_slots,
    "limits": their_limits,
}


if __name__ == "__main__":
    sys.exit(main())
