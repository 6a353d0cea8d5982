r"""Networks made in snnTorch, exported by its own NIR export, against neurocomp's spikes.

    python3.10 -m venv .peers/snntorch
    .peers/snntorch/bin/pip install snntorch==1.0.0 nirtorch==2.6 nir==1.0.8 \
        torch==2.3.1 'numpy<2'
    python benchmarks/nir_parity.py [--snntorch .peers/snntorch/bin/python]
        [--norse .peers/norse/bin/python]

snnTorch runs in its own environment, where this file is called with ``--make FOLDER``: it makes
each network from a seed (one of them trained on scikit-learn's digits), records every layer's
spikes, and exports it. Then the parity report of neurocomp is printed per network: the share of
neuron-steps that differ from snnTorch's, of the worst population, in float and at 8, 6, 4 and 2
bits, and the share of samples whose most active output agrees. Nothing is expected of networks
that NIR cannot tell: the reset "subtract", and "late", where snnTorch's reset_delay makes Synaptic
and recurrent neurons lose their input in the step after a spike (RSynaptic fails without it).

Networks made in Norse follow where ``--norse`` names its environment (see `nir_norse.py`).

The way back: neurocomp writes the 8-bit integer networks, snnTorch imports them, and its output
spikes are compared with the integer reference's. Exit code 1 where one differs that must not.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np

SAMPLES, STEPS, RATE = 64, 50, 0.3
BACK = ("zero-dense", "zero-dense-trained-digits")
# snnTorch 1.0 cannot import its own networks with pooling or recurrent layers
EXACT = "zero"  # names of the networks that must not differ in float start with this
DIGITS = "digits.npz"


def main() -> int:
    """Make the networks there, or compare them here."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--snntorch", default=".peers/snntorch/bin/python")
    parser.add_argument("--norse", help="python of Norse's environment; default: leave it out")
    parser.add_argument("--make", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--run", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.make is not None:
        make_all(options.make)
        return 0
    if options.run is not None:
        return run_all(options.run)
    if not Path(options.snntorch).is_file():
        print(f"{options.snntorch} is not there; make snnTorch's environment as this file says")
        return 2
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_digits(folder)
        command = [options.snntorch, __file__, "--make", str(folder)]
        subprocess.run(command, check=True, stdout=sys.stderr)
        differ = compare_all(folder)
        write_back(folder)
        command = [options.snntorch, __file__, "--run", str(folder / "back")]
        differ += subprocess.run(command, check=False).returncode
    if options.norse is not None:
        differ += compare_norse(options.norse)
    return 1 if differ else 0


# ---- here, in neurocomp's environment


def write_digits(folder: Path) -> None:
    """The digits as spikes: each of the first steps shows a pixel with a probability."""
    from neurocomp.data.digits import digits

    data = digits()
    arrays = {}
    for part, values, labels in (
        ("train", data.train_values, data.train_labels),
        ("test", data.test_values[:SAMPLES], data.test_labels[:SAMPLES]),
    ):
        rng = np.random.default_rng(0)
        rates = values.reshape(len(values), 1, -1) / 16
        spikes = rng.random((len(values), STEPS // 2, rates.shape[2])) < rates
        arrays |= {part: spikes.astype(np.uint8), f"{part}_labels": labels}
    np.savez_compressed(folder / DIGITS, **arrays)


def compare_norse(python: str) -> int:
    """The same for Norse's networks, at Norse's time step."""
    with tempfile.TemporaryDirectory() as name:
        script = Path(__file__).with_name("nir_norse.py")
        subprocess.run([python, str(script), name], check=True, stdout=sys.stderr)
        return compare_all(Path(name), dt=1e-3)


def compare_all(folder: Path, dt: float | None = None) -> int:
    """A line per network; 1 if one that must not differ does."""
    from neurocomp.errors import InputError
    from neurocomp.flow import parity

    print(f"{'network':28} {'rate':>6}  {'float':>9}" + "".join(f"{b:>9} b" for b in (8, 6, 4, 2)))
    differ = 0
    for file in sorted(folder.glob("*.nir")):
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            try:
                row = parity(file, file.with_suffix(".npy"), file.with_suffix(".npz"), dt=dt)
            except InputError as fault:
                print(f"{file.stem:28} refused: {fault}")
                differ += file.stem.startswith(EXACT)
                continue
        compared = row["rows"][0]["against"]["expected"]["populations"]
        rate = max(row["rates"][p["name"]] for p in compared)
        cells = [cell(network) for network in row["rows"]]
        print(f"{file.stem:28} {rate:6.1%}  " + "  ".join(f"{worst:>9}" for worst, _ in cells))
        print(f"{'  readouts that agree':37}" + "  ".join(f"{same:>9}" for _, same in cells))
        assert told, "the warning of the reset is missing"
        differ += file.stem.startswith(EXACT) and cells[0][0] != "0.000%"
    print(f"{differ} networks differ in float that must not")
    return 1 if differ else 0


def cell(network: dict[str, Any]) -> tuple[str, str]:
    """Greatest share of differing neuron-steps, and the share of agreeing readouts."""
    if "fault" in network:
        return "refused", "-"
    found = network["against"]["expected"]
    worst = max(p["share"] for p in found["populations"])
    return f"{worst:.3%}", f"{found['readout_agreement']:.1%}"


def write_back(folder: Path) -> None:
    """Our integer networks as NIR files, with their input and the reference's output spikes."""
    from dataclasses import replace

    from neurocomp.formats.nir import read_nir, write_nir
    from neurocomp.quant import reference
    from neurocomp.quant.discretize import discretize

    (folder / "back").mkdir()
    for name in BACK:
        values = np.load(folder / f"{name}.npy")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            graph = read_nir(folder / f"{name}.nir")
        integer = discretize(replace(graph, timesteps=STEPS if name == BACK[0] else STEPS // 2))
        shaped = values.reshape(*values.shape[:2], *graph.inputs[0].shape)
        fired = reference.run(integer, shaped).spikes[graph.output]
        write_nir(integer, folder / "back" / f"{name}.nir")
        np.save(folder / "back" / f"{name}.npy", values)
        np.savez(folder / "back" / f"{name}.npz", spikes=fired.reshape(*fired.shape[:2], -1))


# ---- there, in snnTorch's environment


def run_all(folder: Path) -> int:
    """Import our files and count the output spikes that differ; 1 if one does."""
    import contextlib

    import nir
    import torch
    from snntorch.import_nir import import_from_nir

    differ = 0
    for file in sorted(folder.glob("*.nir")):
        with contextlib.redirect_stdout(sys.stderr):
            net = import_from_nir(nir.read(file))
        values = torch.tensor(np.load(file.with_suffix(".npy"))).float()
        outputs, state = [], None
        with torch.no_grad():
            for t in range(values.shape[1]):
                made = net(values[:, t]) if state is None else net(values[:, t], state)
                output, state = made if isinstance(made, tuple) else (made, None)
                outputs.append(output)
        expected = np.load(file.with_suffix(".npz"))["spikes"]
        count = int((torch.stack(outputs, 1).numpy() != expected).sum())
        print(f"{file.stem:28} in snnTorch: {count} of {expected.sum()} output spikes differ")
        differ += count > 0
    return 1 if differ else 0


def make_all(folder: Path) -> None:
    """Make, run and export every network."""
    import torch

    torch.set_num_threads(1)
    for name, (shape, build) in networks().items():
        torch.manual_seed(0)
        net = build()
        values = (torch.rand(SAMPLES, STEPS, *shape) < RATE).float()
        write(folder / name, net, values)
    data = np.load(folder / DIGITS)
    torch.manual_seed(0)
    net = trained(torch.tensor(data["train"]).float(), torch.tensor(data["train_labels"]))
    write(folder / "zero-dense-trained-digits", net, torch.tensor(data["test"]).float())


def networks() -> dict[str, Any]:
    """Input shape and builder of each network."""
    import snntorch as snn
    from torch import full, nn, ones

    def leaky(*shape: int, **how: Any) -> Any:
        return snn.Leaky(full(shape, 0.9), threshold=ones(shape), init_hidden=True, **how)

    def synaptic(n: int, **how: Any) -> Any:
        decays = {"alpha": full((n,), 0.8), "beta": full((n,), 0.9)}
        return snn.Synaptic(**decays, threshold=ones(n), init_hidden=True, **how)

    def dense(**how: Any) -> Any:
        layers = (linear(40, 60), leaky(60, **how), linear(60, 10), leaky(10, **how))
        return nn.Sequential(*layers)

    def linear(n: int, m: int, gain: float = 2.0, bias: bool = True) -> Any:
        layer = nn.Linear(n, m, bias=bias)
        layer.weight.data *= gain
        return layer

    def conv(**how: Any) -> Any:
        first, second = nn.Conv2d(2, 6, 3, padding=1), nn.Conv2d(6, 8, 3, stride=2, bias=False)
        second.weight.data *= 3
        layers = (first, leaky(6, 12, 12, **how), nn.AvgPool2d(2), second, leaky(8, 2, 2, **how))
        return nn.Sequential(*layers, nn.Flatten(), linear(32, 10), leaky(10, **how))

    def cuba(bias: bool, **how: Any) -> Any:
        layers = (linear(40, 60, 0.6, bias), synaptic(60, **how))
        return nn.Sequential(*layers, linear(60, 10, 1.0, bias), synaptic(10, **how))

    def recurrent(kind: Any, **how: Any) -> Any:
        ring = kind(linear_features=60, init_hidden=True, **how)
        return nn.Sequential(linear(40, 60), ring, linear(60, 10), leaky(10, **zero))

    zero = {"reset_mechanism": "zero", "reset_delay": False}
    late = {"reset_mechanism": "zero", "reset_delay": True}
    subtract = {"reset_mechanism": "subtract", "reset_delay": False}
    ring = {"beta": 0.9, "threshold": 1.0}
    return {
        "zero-dense": ((40,), lambda: dense(**zero)),
        "zero-dense-delayed": ((40,), lambda: dense(**late)),
        "zero-conv": ((2, 12, 12), lambda: conv(**zero)),
        "zero-synaptic": ((40,), lambda: cuba(False, **zero)),
        "zero-synaptic-bias": ((40,), lambda: cuba(True, **zero)),
        "zero-rleaky": ((40,), lambda: recurrent(snn.RLeaky, **ring, **zero)),
        "late-synaptic": ((40,), lambda: cuba(False, **late)),
        "late-rsynaptic": ((40,), lambda: recurrent(snn.RSynaptic, alpha=0.5, **ring, **late)),
        "late-rleaky": ((40,), lambda: recurrent(snn.RLeaky, **ring, **late)),
        "subtract-dense": ((40,), lambda: dense(**subtract)),
        "subtract-dense-delayed": ((40,), lambda: dense(**{**subtract, "reset_delay": True})),
        "subtract-conv": ((2, 12, 12), lambda: conv(**subtract)),
    }


def trained(spikes: Any, labels: Any, epochs: int = 8) -> Any:
    """A dense network that tells digits by the spike counts of its ten outputs."""
    import snntorch as snn
    import torch
    from torch import full, nn, ones

    zero = {"init_hidden": True, "reset_mechanism": "zero", "reset_delay": False}
    net = nn.Sequential(
        nn.Linear(64, 100),
        snn.Leaky(full((100,), 0.9), threshold=ones(100), **zero),
        nn.Linear(100, 10),
        snn.Leaky(full((10,), 0.9), threshold=ones(10), **zero),
    )
    optimiser = torch.optim.Adam(net.parameters(), 2e-3)
    for _ in range(epochs):
        for rows in torch.randperm(len(spikes)).split(64):
            reset(net)
            counts = sum(net(spikes[rows, t]) for t in range(spikes.shape[1]))
            loss = nn.functional.cross_entropy(counts, labels[rows])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    return net


def reset(net: Any) -> None:
    """Forget all states."""
    for module in net.modules():
        if hasattr(module, "reset_mem"):
            module.reset_mem()
            for state in ("mem", "syn", "spk"):
                if hasattr(module, state):
                    setattr(module, state, getattr(module, state)[:0].detach())


def write(path: Path, net: Any, values: Any) -> None:
    """Export a network, run it, and keep its input and spikes under the populations' names."""
    import nir
    import snntorch as snn
    import torch
    from snntorch.export_nir import export_to_nir

    reset(net)
    graph = export_to_nir(net, values[:1, 0], ignore_dims=[0])
    nir.write(path.with_suffix(".nir"), graph)
    reset(net)
    spikes: dict[str, list[Any]] = {}
    for name, module in net.named_children():
        if isinstance(module, snn.SpikingNeuron):
            inside = ".lif" if isinstance(module, (snn.RLeaky, snn.RSynaptic)) else ""
            kept = spikes.setdefault(name + inside, [])
            module.register_forward_hook(lambda *io, kept=kept: kept.append(io[2].detach()))
    with torch.no_grad():
        for t in range(values.shape[1]):
            net(values[:, t])
    np.save(path.with_suffix(".npy"), values.numpy().astype(np.uint8))
    arrays = {name: torch.stack(kept, 1).numpy() for name, kept in spikes.items()}
    np.savez_compressed(path.with_suffix(".npz"), **arrays)


if __name__ == "__main__":
    sys.exit(main())
