"""A netx file → an integer graph, with netx's own conventions.

A network runs freely: every projection takes one step, nothing is reset. What netx does with a
layer decides, also where the file says more: a convolution's delay is dropped, a dense layer's
weights are clipped, the type of activation is not looked at.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from neurocomp.errors import InputError
from neurocomp.formats.hdf5 import Node, opened
from neurocomp.formats.netx.chain import Chain
from neurocomp.formats.netx.dense import dense
from neurocomp.formats.netx.layers import conv, flatten, input_layer
from neurocomp.formats.netx.neurons import NEVER
from neurocomp.ir import Graph, LoihiLif, Sigma, verify
from neurocomp.readable import HDF5, FileKind

LAYERS: dict[str, Callable[[Chain, Node], None]] = {
    "input": input_layer,
    "conv": conv,
    "flatten": flatten,
    "dense": dense,
    "dense_rec": dense,
}
REFUSED = ("pool", "convT", "unpool", "average", "concat", "dense_comp")
MAX_LAYERS = 4096
NETX_FILE = FileKind(
    "a netx network (.net, HDF5)", HDF5, "write it again with export_hdf5 of the trained network"
)


def read_netx(path: Path, *, skip_layers: int = 0) -> Graph:
    """Read a netx file as an integer graph that runs freely.

    Populations are "in" for the values from outside and layer type and number for the rest
    ("conv1", "dense3"). The readout is the spike count, or the membrane where the output layer
    decodes (sigma) or cannot fire (threshold 131071 and above).

    Args:
        skip_layers: leave out the file's first layers, as lava-dl's option of that name does; the
            input then stands for the messages of the last layer left out.

    Raises:
        InputError: no readable HDF5 file, a layer or neuron that netx does not read either, sizes
            that do not fit together or are absurd, missing or non-finite weights, or weights that
            no synapse holds.
    """
    path = Path(path)
    with opened(path, NETX_FILE) as root:
        if "layer" not in root:
            raise NETX_FILE.other(path, "an HDF5 file without netx's group 'layer'")
        layers = root.child("layer")
        count = len(layers)
        if count > MAX_LAYERS:
            raise layers.fault(f"at most {MAX_LAYERS:,} layers are read, has {count:,}")
        if not 0 <= skip_layers < count:
            raise InputError(
                f"{path}: skip_layers must be 0 to {count - 1}, got {skip_layers}: "
                f"the file has {count} layers"
            )
        chain = Chain(skip_layers)
        for i in range(count):
            layer = layers.child(str(i))
            kind = layer.text("type")
            if kind not in LAYERS:
                known = ", ".join(LAYERS)
                why = "netx cannot load it" if kind in REFUSED else "unknown to netx"
                raise layer.fault(f"layer type '{kind}' is not supported, {why} (known: {known})")
            chain.begin(i, kind)
            LAYERS[kind](chain, layer)
    if not chain.projections:
        raise InputError(f"{path}: no layer with neurons is left; skip fewer layers")
    output = chain.populations[-1]
    silent = isinstance(output.neuron, LoihiLif) and output.neuron.vth == NEVER
    graph = Graph(
        name=path.stem,
        populations=tuple(chain.populations),
        projections=tuple(chain.projections),
        output=output.name,
        readout="membrane" if silent or isinstance(output.neuron, Sigma) else "spikes",
    )
    return verify(graph, integer=True)
