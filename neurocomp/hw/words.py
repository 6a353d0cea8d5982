"""Memory words: how many 64-bit words synapses take in each chip's formats.

Loihi 2's formulas were fitted to the resource tables that Intel's compiler prints in lava-dl's
tutorials and reproduce every printed synapse count; they are inference, not documentation.
"""

from __future__ import annotations

from typing import Final

from neurocomp.errors import FitError
from neurocomp.spec.core import WORD_BITS as FORMAT_WORDS

# Field widths, which make up the formats; another chip's would be another format. Those of Loihi 2
# are fitted: together they give the synapse words of every row of lava-dl's printed tables (medium
# confidence). Those of Loihi 1 are nengo-loihi 1.1's, block.py: bits_per_axon (a secondary source).
WORD_BITS: Final = FORMAT_WORDS["loihi2"]  # Loihi 1's and the counted words of TrueNorth are alike
DENSE_INDEX_BITS: Final = 12  # Loihi 2: index of the target neuron, with every dense synapse
LIST_HEADER_BITS: Final = 4  # Loihi 2: per synapse list or kernel row
BLOCK_HEADER_BITS: Final = 4 + 6  # Loihi 1: index of the synapse format, number of synapses
BLOCK_SYNAPSES: Final = 1 << 6  # Loihi 1: synapses that share a block header, as its number says


def stored_width(bits: int, widths: tuple[int, ...]) -> int:
    """Bits in which the chip stores a weight that was designed with ``bits`` bits.

    The next of the chip's widths: 7 is stored at 8. Weights are signed and one bit means ±1, which
    takes two bits in the mixed-sign format.

    Raises:
        FitError: wider than the widest.
    """
    needed = max(2, bits)
    for width in widths:
        if width >= needed:
            return width
    raise FitError(f"weights of {bits} bits: the target stores at most {widths[-1]}; use fewer")


def channel_chunks(channels: int) -> tuple[int, ...]:
    """Power-of-two chunks in which channels are stored, greatest first: 48 = 32 + 16."""
    return tuple(1 << i for i in range(channels.bit_length() - 1, -1, -1) if channels >> i & 1)


def dense_words(sources: int, targets: int, width: int) -> int:
    """Loihi 2, Dense: ``sources · ceil((targets·(width + 12) + 4) / 64)``; zeros are not culled."""
    return sources * -(-(targets * (width + DENSE_INDEX_BITS) + LIST_HEADER_BITS) // WORD_BITS)


def kernel_words(taps: int, chunks: tuple[int, ...], width: int) -> int:
    """Loihi 2, Conv: ``taps · Σ_p ceil((p·width + 4) / 64)``, taps = ky·kx·input channels.

    A kernel is stored once per core, however many positions share it.
    """
    return taps * sum(-(-(p * width + LIST_HEADER_BITS) // WORD_BITS) for p in chunks)


def list_words(synapses: int, width: int, index_bits: int) -> int:
    """Loihi 1: words of one synapse list, blocks of 64 synapses with a 10-bit header each.

    ``ceil((n·(width + index) + 10) / 64)`` per block of n ≤ 64 (nengo-loihi, bits_per_axon).
    """
    full, rest = divmod(synapses, BLOCK_SYNAPSES)
    size = width + index_bits
    words = full * -(-(BLOCK_SYNAPSES * size + BLOCK_HEADER_BITS) // WORD_BITS)
    return words + (-(-(rest * size + BLOCK_HEADER_BITS) // WORD_BITS) if rest else 0)
