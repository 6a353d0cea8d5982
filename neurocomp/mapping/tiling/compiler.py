"""The tile that Intel's Loihi 2 compiler gives a layer.

The rule was read off the resource tables and violation messages that the compiler prints in
lava-dl's tutorials. It is inference, not documentation.
"""

from __future__ import annotations

from neurocomp.hw.demand import need
from neurocomp.hw.layer import Layer
from neurocomp.hw.tiles import Reach, cuts, tile_fits
from neurocomp.ir import Dense, Shape
from neurocomp.spec.target import Target


def compiler_tile(layer: Layer, target: Target, reach: Reach) -> Shape | None:
    """The compiler's tile of one layer; None where not even one neuron fits."""
    if tile_fits(layer, target, layer.shape, reach):
        return layer.shape
    if layer.shape[1:] == (1, 1) and any(isinstance(e.op, Dense) for e in layer.incoming):
        return _dense_tile(layer, target, reach)
    return _grid_tile(layer, target, reach)


def _dense_tile(layer: Layer, target: Target, reach: Reach) -> Shape | None:
    """Neurons per core of a flat layer.

    The limit on neurons per core is divided by the rounded-up ratio of the worst violation until
    nothing is violated: 784→128 at 8 bits needs 32144 of 16000 words, ratio 3, so the limit goes
    4095, 1365, 455, 151, 50.
    """
    most = target.limits.neurons or layer.shape[0]
    while most:
        tile = (min(most, layer.shape[0]), 1, 1)
        ratio = _ratio(layer, tile, target, reach)
        if ratio == 1 and tile_fits(layer, target, tile, reach):
            return tile
        most //= max(ratio, 2)
    return None


def _ratio(layer: Layer, tile: Shape, target: Target, reach: Reach) -> int:
    """Greatest used/limit of the first tile, rounded up."""
    counts = need(layer, [((0, 0, 0), tile)], target, reach(tile))
    pairs = zip(counts, target.limits, strict=True)
    return max(cuts(used, limit) for used, limit in pairs if limit and used)


def _grid_tile(layer: Layer, target: Target, reach: Reach) -> Shape | None:
    """Tile of a layer with rows and columns.

    Channels are halved until the kernels fit. Where the target's tables say so, rows are cut into
    2^floor(log2(R)/2) bands, R being the cores that the neurons need. Then columns are halved,
    from the padded width on; rows and channels again only when single columns do not fit.
    """
    channels, height, width = layer.shape
    c, y = channels, height
    while c > 1 and not tile_fits(layer, target, (c, 1, 1), reach):
        c = cuts(c, 2)
    if target.flags.split_rows and target.limits.neurons:
        n_cores = cuts(c * height * width, target.limits.neurons)
        y = cuts(height, 1 << (n_cores.bit_length() - 1) // 2)
    while True:
        x = 1 << (width - 1).bit_length()
        while x:
            tile = (c, y, min(x, width))
            if tile_fits(layer, target, tile, reach):
                return tile
            x //= 2
        if y == 1 and c == 1:
            return None
        y, c = (cuts(y, 2), c) if y > 1 else (y, cuts(c, 2))
