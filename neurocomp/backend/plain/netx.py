"""Backend "netx": lava-dl's own loader of a netx file, one Lava start per sample."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Generator, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from neurocomp.backend.execution import Executed
from neurocomp.backend.plain.network import PlainNetwork
from neurocomp.backend.plain.samples import sample_by_sample
from neurocomp.backend.processes.source import PySourceModel, Source
from neurocomp.backend.runtime.ends import Feed, Harvest
from neurocomp.backend.runtime.launch import Models
from neurocomp.errors import InputError
from neurocomp.ir import GRADED, Array, Graph, Input, LoihiLif, Population
from neurocomp.ir.schedule import split_delays
from neurocomp.quant.check import check
from neurocomp.quant.reference import Watch
from neurocomp.quant.sums import words_of
from neurocomp.snn.parts import slayer


def stream(
    graph: Graph,
    file: Path,
    skip_layers: int,
    batches: Iterable[Array],
    *,
    watch: Watch,
    timeout_s: float,
) -> Generator[Executed, None, None]:
    """Run batches of values through the network that lava-dl makes of a file.

    Args:
        graph: what `formats.netx.read_netx` makes of the file; only names and shapes, and how its
            input layer takes values, come from it.
        skip_layers: first layers of the file to leave out.

    Raises:
        InputError: the graph fails `quant.check.check`; values do not suit it; its input layer
            has a current that lava-dl would let decay; or sums wrap otherwise than a Dense's or a
            Conv's (see `_require_alike`).
        RunError: a Lava process failed, or a sample took longer than ``timeout_s``.
    """
    check(graph)
    yield from sample_by_sample(
        graph,
        batches,
        partial(NetxNetwork, graph, file=file, skip_layers=skip_layers),
        watch=watch,
        timeout_s=timeout_s,
        resets=False,
    )


@dataclass(frozen=True, slots=True)
class NetxNetwork(PlainNetwork):
    """Source, lava-dl's network, and sink."""

    file: Path
    skip_layers: int

    @property
    def _encoder(self) -> Population | None:
        """The population that the file's input layer is, if it has neurons."""
        first = self.graph.neurons[0]
        return first if first.name.startswith("input") else None

    def processes(self, feed: Feed, harvest: Harvest) -> Models:
        """Make all Lava processes, connected; the models inside of lava-dl's are its own."""
        values = self.graph.inputs[0].neuron
        assert isinstance(values, Input)
        graded = self._encoder is None and values.limits != (0, 1)
        network = _loaded(self.file, self.skip_layers, values.bits if graded else 0)
        layers = {p.name: x for p, x in zip(self.graph.neurons, network.layers, strict=True)}
        self._require_alike(layers)
        into = network.inp
        if self._encoder is not None:
            into = self._driven(self._encoder, network.in_layer.neuron)
        source = Source(shape=into.shape, feed=feed)
        source.out.connect(into)
        neurons = {name: layer.neuron for name, layer in layers.items()}
        outs = {name: layer.out for name, layer in layers.items()}
        outlets = self.outlets.connect(neurons, outs, harvest)
        return {source: PySourceModel, **outlets}

    def _require_alike(self, layers: dict[str, Any]) -> None:
        """Refuse sums beyond Lava's words where other processes than Dense and Conv make them.

        Lava's DelayDense wraps each product of a weight and a message, and an input layer none.
        """
        encoder = None if self._encoder is None else self._encoder.name
        for e in split_delays(self.graph).projections:
            made_otherwise = e.target == encoder or hasattr(layers[e.target].synapse, "delays")
            if made_otherwise and words_of(self.graph, e) is not None:
                raise InputError(
                    f"{self.file}: layer '{e.target}': sums that Lava's words do not hold come out "
                    "otherwise of lava-dl's input layers, and of its dense layers with delays; use "
                    "backend 'lava' or 'stock'"
                )

    def _driven(self, encoder: Population, neuron: Any) -> Any:
        """The port of an input layer's neurons that takes their weighted values.

        lava-dl drives such a layer by writing its bias, which a stream of values cannot do.
        """
        if isinstance(encoder.neuron, LoihiLif):
            if neuron.proc_params["du"] != encoder.neuron.du:
                raise InputError(
                    f"{self.file}: input layer: with iDecay other than 4096 its neurons would make "
                    "other spikes of values than of the bias that lava-dl drives them with; use "
                    "backend 'lava' or 'stock'"
                )
            neuron.bias_mant.init = np.full(neuron.v.shape, _bias(encoder), np.int32)
        return neuron.a_in

    def encode(self, frames: Array) -> npt.NDArray[np.int32]:
        """(F, W, H, C); an encoder's weighted values come one step later."""
        shown = frames[0].transpose(0, 3, 2, 1).astype(np.int32)
        if self._encoder is not None:
            (e,) = self.graph.incoming(self._encoder.name)
            assert e.weight is not None  # a checked integer graph
            late = np.concatenate([np.zeros_like(shown[:1]), shown[:-1]])
            shown = late * int(e.weight.flat[0])
            if isinstance(self._encoder.neuron, GRADED):  # which have no bias of their own
                shown = shown + _bias(self._encoder)
        return np.ascontiguousarray(shown)


def _bias(p: Population) -> int:
    """The bias of an input layer, the same for all its neurons."""
    return 0 if p.bias is None else int(p.bias[0])


def _loaded(file: Path, skip_layers: int, message_bits: int) -> Any:
    """lava-dl's network; importing it takes seconds."""
    slayer()  # which netx imports, and which prints: swallowed there
    from lava.lib.dl.netx.hdf5 import Network

    with contextlib.redirect_stdout(sys.stderr):
        return Network(
            net_config=str(file), skip_layers=skip_layers, input_message_bits=message_bits
        )
