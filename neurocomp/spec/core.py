"""What one core of a target holds, and the rules of the chip's tool chain."""

from __future__ import annotations

from typing import Literal, NamedTuple

from pydantic import Field

from neurocomp.spec.figure import Count, Figure, Flag, Limit, Widths
from neurocomp.spec.read import Spec

UNKNOWN: Figure[int | None] = Figure(value=None, source="not published", confidence="low")
NO_LIMIT: Figure[int | None] = Figure(
    value=None, source="not limited by this format", confidence="high"
)
OFF = Figure(value=False, source="not known for this chip", confidence="low")
ONE = Figure(value=1, source="a neuron is one unit of what core.neurons counts", confidence="high")
WORD = Figure(value=64, source="the words in which Loihi's memory is counted", confidence="high")
NO_INDEX: Figure[tuple[int, ...]] = Figure(
    value=(0,), source="this format has no index bits", confidence="high"
)
WORD_BITS = {"dynap-cnn": 8, "loihi1": 64, "loihi2": 64, "truenorth": 64}  # of each memory format


class Core(Spec):
    """Limits of one core; `Target.limits` has the plain numbers.

    Attributes:
        format: memory format of the synapses and axons, a name in `neurocomp.hw`.
        weight_bits, index_bits: widths in which a synapse's weight and index are stored.
        word_bits: bits of a word of synapse memory, which the format fixes.
        neuron_units: what one neuron takes of ``neurons``: compartments on Loihi 1 (two where the
            neuron resets softly), words on Loihi 2 (more than one for microcoded models).
        delay: most steps that a single synapse can delay.
    """

    format: Literal["dynap-cnn", "loihi1", "loihi2", "truenorth"]
    weight_bits: Widths
    index_bits: Widths = NO_INDEX
    word_bits: Count = WORD
    neuron_units: Count = ONE
    delay: Limit = UNKNOWN
    neurons: Limit = UNKNOWN
    neuron_groups: Limit = UNKNOWN
    synapse_words: Limit = UNKNOWN
    in_axons: Limit = UNKNOWN
    out_axons: Limit = UNKNOWN
    axon_map: Limit = UNKNOWN
    axon_mem: Limit = UNKNOWN
    total_words: Limit = UNKNOWN


class CoreKind(Spec):
    """Cores of a chip that hold less than `Core` says; a limit that is left out is as there."""

    cores: tuple[int, ...] = Field(strict=False, min_length=1)
    neurons: Limit | None = None
    synapse_words: Limit | None = None


class Shapes(Spec):
    """Layers that a core can be configured for; null = no known limit.

    Attributes:
        channels: most channels of a layer or of what feeds it.
        input_size, output_size: most rows and most columns of a convolution's two ends.
        kernel, padding, dilation: the greatest, along either axis.
        strides: those that exist.
        square: kernels have as many rows as columns.
    """

    channels: Limit = NO_LIMIT
    input_size: Limit = NO_LIMIT
    output_size: Limit = NO_LIMIT
    kernel: Limit = NO_LIMIT
    padding: Limit = NO_LIMIT
    dilation: Limit = NO_LIMIT
    strides: Widths | None = None
    square: Flag = OFF


class Flags(NamedTuple):
    """Plain values of `Rules`."""

    padded_x: bool
    channel_chunks: bool
    group_per_chunk: bool
    split_rows: bool


class Rules(Spec):
    """Rules of the chip's own tool chain that hold for every mapping policy.

    Attributes:
        padded_x: x tiles are counted padded to a power of two.
        channel_chunks: channels of a convolution are stored in power-of-two chunks.
        group_per_chunk: each such chunk is a neuron group of its own.
        split_rows: policy ``compiler`` cuts large layers by rows as well as by columns.
    """

    padded_x: Flag = OFF
    channel_chunks: Flag = OFF
    group_per_chunk: Flag = OFF
    split_rows: Flag = OFF
