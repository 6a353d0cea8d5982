"""A candidate whose network is worked out by hand."""

from neurocomp.arch import Candidate, Task
from neurocomp.arch.cell import AVGPOOL3, SKIP, ZEROIZE, conv
from neurocomp.ir import CubaLif

LIF = CubaLif()
DIGITS = Task((1, 8, 8), input_bits=4, classes=10)
CANDIDATE = Candidate(
    (conv(5, 4), AVGPOOL3, SKIP, ZEROIZE, conv(3, 2), SKIP), 16, 2, 64, 8, 4, 1.0, 0.5
)
# Trained projections of the candidate's network on digits, worked out by hand: weights, filters,
# bits. Cell 1 has 16 channels, cell 2 has 32; the classifier sees 32·2·2 = 128 neurons.
LAYERS = {
    "stem.conv3": (9 * 1 * 16, 16, 8),
    "cell1.n0-n2.conv5": (25 * 16 * 16, 16, 4),
    "cell1.n2-n3.conv3": (9 * 16 * 16, 16, 2),
    "reduce.conv3": (9 * 16 * 32, 32, 8),
    "cell2.n0-n2.conv5": (25 * 32 * 32, 32, 4),
    "cell2.n2-n3.conv3": (9 * 32 * 32, 32, 2),
    "fc.dense": (128 * 64, 0, 8),
    "out.dense": (64 * 10, 0, 8),
}
