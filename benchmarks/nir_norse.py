r"""Networks made in Norse, exported by its own NIR export, with the spikes that Norse fires.

    python3.10 -m venv .peers/norse
    .peers/norse/bin/pip install norse==1.1.0 nirtorch==2.6 nir==1.0.8 torch==2.3.1 'numpy<2'
    .peers/norse/bin/python benchmarks/nir_norse.py FOLDER

`nir_parity.py` calls this and compares. Names that begin with "zero" must not differ in float.

What Norse 1.1 writes: `to_nir(…, dt)` states τ as dt / τ⁻¹, which is the time constant in seconds
for dt = 1 only, whatever the network runs at (1e-3 s); so dt = 1 is given here and the files are
read at 1e-3. `nir.write` cannot write parameters without axes, so every neuron has its own, nor
convolutions without their input's shape, which Norse leaves open, so it is set. LIFCell adds a
spike to its current unscaled, but its node has w_in = 1, which by NIR's equation scales it by
dt/τ_syn: "norse-cuba" is the file as it is, "zero-norse-cuba-w_in" has w_in = τ_syn/dt set. Norse
starts membranes at v_leak, of which NIR says nothing, neurocomp at v_reset: "norse-conv-leak".
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

SAMPLES, STEPS, RATE = 64, 50, 0.3
DT = 1e-3  # Norse's own


def main() -> int:
    """Make, run and export every network."""
    import nir
    import torch
    from norse.torch.utils.export_nir import to_nir

    folder = Path(sys.argv[1])
    torch.set_num_threads(1)
    for name, (shape, build, mend) in networks().items():
        torch.manual_seed(0)
        net = build()
        values = (torch.rand(SAMPLES, STEPS, *shape) < RATE).float()
        graph = to_nir(net, values[:1, 0], dt=1.0)
        mend(graph)
        nir.write(folder / f"{name}.nir", graph)
        np.save(folder / f"{name}.npy", values.numpy().astype(np.uint8))
        np.savez_compressed(folder / f"{name}.npz", **spikes(net, values))
    return 0


def networks() -> dict[str, tuple[tuple[int, ...], Callable[[], Any], Callable[[Any], None]]]:
    """Input shape, builder, and what is set in the exported graph, of each network."""
    return {
        "zero-norse-dense": ((40,), lambda: dense(box, 15.0, 40.0), as_it_is),
        "zero-norse-conv": ((2, 12, 12), lambda: conv(0.0), sized),
        "norse-conv-leak": ((2, 12, 12), lambda: conv(0.25), sized),
        "zero-norse-iaf": ((40,), lambda: dense(iaf, 1.0, 2.0), as_it_is),
        "norse-cuba": ((40,), lambda: dense(cuba, 4.0, 12.0), as_it_is),
        "zero-norse-cuba-w_in": ((40,), lambda: dense(cuba, 4.0, 12.0), scaled),
    }


def each(shape: tuple[int, ...], **values: float) -> dict[str, Any]:
    """Parameters with a value per neuron."""
    from torch import full

    return {key: full(shape, value) for key, value in values.items()}


def box(*shape: int, leak: float = 0.0) -> Any:
    """Neurons without a current of their own."""
    import norse.torch as norse

    values = each(shape, tau_mem_inv=100.0, v_th=1.0, v_leak=leak, v_reset=0.0)
    return norse.LIFBoxCell(norse.LIFBoxParameters(**values))


def cuba(*shape: int) -> Any:
    """Neurons with a current."""
    import norse.torch as norse

    values = each(shape, tau_syn_inv=200.0, tau_mem_inv=100.0, v_th=1.0, v_leak=0.0)
    return norse.LIFCell(norse.LIFParameters(**values))


def iaf(*shape: int) -> Any:
    """Neurons without a leak."""
    import norse.torch as norse

    return norse.IAFCell(norse.IAFParameters(**each(shape, v_th=1.0)))


def dense(cell: Callable[..., Any], *gains: float) -> Any:
    """Two dense layers."""
    import norse.torch as norse
    from torch import nn

    first, second = nn.Linear(40, 60), nn.Linear(60, 10)
    for layer, gain in zip((first, second), gains, strict=True):
        layer.weight.data *= gain
    return norse.SequentialState(first, cell(60), second, cell(10))


def conv(leak: float) -> Any:
    """Two convolutions."""
    import norse.torch as norse
    from torch import nn

    first, second = nn.Conv2d(2, 6, 3, padding=1), nn.Conv2d(6, 8, 3, stride=2)
    first.weight.data *= 20
    second.weight.data *= 30
    return norse.SequentialState(first, box(6, 12, 12), second, box(8, 5, 5, leak=leak))


def scaled(graph: Any) -> None:
    """State that spikes are added to the current as they are."""
    for node in graph.nodes.values():
        if hasattr(node, "tau_syn"):
            node.w_in = np.asarray(node.tau_syn) / DT


def sized(graph: Any) -> None:
    """State the shapes that convolutions take."""
    graph.nodes["0"].input_shape = graph.nodes["2"].input_shape = (12, 12)


def as_it_is(graph: Any) -> None:
    """State nothing more."""


def spikes(net: Any, values: Any) -> dict[str, Any]:
    """Spikes of every layer of neurons under its node's name, (samples, steps, …)."""
    import torch

    fired: dict[str, list[Any]] = {}
    for name, module in net.named_children():
        if hasattr(module, "p"):  # neurons have parameters of their own
            kept = fired.setdefault(name, [])
            module.register_forward_hook(lambda *io, kept=kept: kept.append(io[2][0].detach()))
    state = None
    with torch.no_grad():
        for t in range(values.shape[1]):
            _, state = net(values[:, t], state)
    return {name: torch.stack(kept, 1).numpy() for name, kept in fired.items()}


if __name__ == "__main__":
    sys.exit(main())
