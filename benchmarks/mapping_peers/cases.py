"""Which network is mapped onto which target."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

from mapping_networks import mlp, spiking_pilotnet

from mapping_peers import networks
from neurocomp.formats.netx import read_netx
from neurocomp.ir import Graph
from neurocomp.spec.target import Target, load_target

OWN_TARGETS = Path(__file__).parent / "targets"
N_SEARCHED = 3


class Case(NamedTuple):
    """A network on a target.

    Attributes:
        network: makes the graph; None where its file is not there.
        plain: the target counts weights without indices, see `networks.plain`.
        ratios: whether the ratios are aimed at; else that it maps at all.
    """

    network: Callable[[], Graph | None]
    target: str
    plain: bool = False
    ratios: bool = True

    def load(self) -> tuple[Graph, Target] | None:
        """The graph and the target, or None where the network's file is not there."""
        graph = self.network()
        if graph is None:
            return None
        return (networks.plain(graph) if self.plain else graph), target_named(self.target)


def target_named(name: str) -> Target:
    """A target of this benchmark, or a shipped one."""
    own = OWN_TARGETS / f"{name}.yaml"
    return load_target(str(own) if own.is_file() else name)


def cases(folder: Path | None) -> dict[str, Case]:
    """All cases by name.

    Args:
        folder: where lava-dl's network files lie.
    """
    made: dict[str, tuple[Callable[[], Graph | None], str]] = {
        "vgg9-8bit": (lambda: networks.vgg9(8), "n8192"),
        "vgg9-4bit": (lambda: networks.vgg9(4), "n8192"),
        "vgg11": (networks.vgg11, "n1024"),
        "cell-dag": (networks.cell_dag, "n8192"),
        "pilotnet": (spiking_pilotnet, "n8192"),
    }
    found = {name: Case(network, target, plain=True) for name, (network, target) in made.items()}
    for i in range(N_SEARCHED):
        found[f"searched-{i}"] = Case(partial(networks.searched, i), "n8192", plain=True)
    for name, (network, _) in made.items():
        board = "loihi2" if name == "pilotnet" else "kapoho-point"
        found[f"{name}@loihi2"] = Case(network, board)
    for i in range(N_SEARCHED):
        found[f"searched-{i}@loihi2"] = Case(partial(networks.searched, i), "kapoho-point")
    for n in (1024, 2048):
        found[f"dense-{n}@loihi1"] = Case(
            partial(mlp, f"dense-{n}", n, n, n), "loihi1", ratios=False
        )
    found["pilotnet_sdnn@loihi2-2023"] = Case(lambda: _sdnn(folder), "loihi2-2023")
    return found


def _sdnn(folder: Path | None) -> Graph | None:
    file = folder / "pilotnet_sdnn.net" if folder is not None else None
    return read_netx(file, skip_layers=1) if file is not None and file.is_file() else None
