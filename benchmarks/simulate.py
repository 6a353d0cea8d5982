"""Execution in Lava, measured: CPU time per network step, on the same run and the same spikes.

    python benchmarks/simulate.py [PART …] [--networks FOLDER] [--peers FOLDER] [--steps N]
        [--images N]

CPU time is that of all processes that the backend starts, and of this one while it hands values
over and reads spikes; starting the processes and comparing with the reference do not count. Every
figure is the mean of at least two runs and two seconds. Stock netx is lava-dl's loader in our
runtime; its processes, channels and service are Lava's own. On both sides the messages of all
populations are read out in every step, and no state. What is asked for and missed makes the command
fail: ratios, bounds, a message or state that differs, a layer that never fires.

Parts:

- pilotnet: a convolutional LIF network of PilotNet's shape, with weights made here.
- netx: the files tiny_conv_lif.net, mnist_dense.net, oxford_dense.net, pilotnet_sdnn.net in FOLDER,
  in blocks and step by step.
- equal: on these files and the PilotNet-shaped network, what differs from stock netx in the
  messages of each population in every step and in its states at the end.
- cores: the PilotNet-shaped network cut for 1 and for 128 cores.
- memory: the greatest proportional set size of all processes of ``neurocomp simulate``, mapping
  and comparison with the reference included, on the PilotNet-shaped network and pilotnet_sdnn.net.
- vgg: 1,000 images through a VGG-9-like network, T = 4, on two workers, against a plain torch
  forward pass of the same integer network on one and two threads.
- crossover: dense and event form of convolutions and dense layers by share of neurons that send.
- nengo: nengo-loihi's emulator on the same integer network and spikes; its environment is made by
  ``python3.10 -m venv .peers/nengo-sim && .peers/nengo-sim/bin/pip install "numpy<1.24"
  nengo==3.2.0 nengo-loihi==1.1.0``.
- sanafe: SANA-FE on a network that we export; its environment is made by
  ``python3.10 -m venv .peers/sanafe && .peers/sanafe/bin/pip install sanafe==2.2.9``.

What is not there is named and left out.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from simulate_parts.crossover import crossover
from simulate_parts.lava import cores, equal, memory, netx, pilotnet
from simulate_parts.measure import MISSED
from simulate_parts.peers import nengo, sanafe
from simulate_parts.vgg import vgg

PARTS: dict[str, Callable[[argparse.Namespace], None]] = {
    part.__name__: part
    for part in (pilotnet, netx, equal, cores, memory, vgg, crossover, nengo, sanafe)
}


def main() -> None:
    """Run what was asked for and print a row for each figure."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("parts", nargs="*", default=["pilotnet"], metavar="PART")
    parser.add_argument("--networks", type=Path, help="folder of the netx files")
    parser.add_argument("--peers", type=Path, help="folder of the peers' environments, .peers")
    parser.add_argument("--steps", type=int, default=32, help="steps of the PilotNet-shaped run")
    parser.add_argument("--images", type=int, default=1000, help="images through the VGG")
    options = parser.parse_args()
    for part in options.parts:
        if part not in PARTS:
            parser.error(f"unknown part {part!r}; the parts are {', '.join(PARTS)}")
    for part in options.parts:
        PARTS[part](options)
    if MISSED:
        raise SystemExit("does not hold:\n" + "\n".join(MISSED))


if __name__ == "__main__":
    main()
