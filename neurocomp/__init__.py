"""A compiler for neuromorphic chips: search, train, map and run spiking networks, exactly.

Each command has its function here, which returns the object that the command prints with
``--json``: `search`, `experiment`, `train_network`, `map_network`, `simulate`, `parity`,
`export_network`, `write_reports`, `compare`, `targets`, `recipes`, `data_sets` and
`check_installation`. They are
imported when first used, so that ``import neurocomp`` is light.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from neurocomp.doctor import check_installation
    from neurocomp.flow import (
        data_sets,
        export_network,
        map_network,
        recipes,
        search,
        simulate,
        targets,
        write_reports,
    )
    from neurocomp.flow import train as train_network  # neurocomp.train is the package
    from neurocomp.flow.experiment import experiment
    from neurocomp.flow.parity import parity
    from neurocomp.flow.side_by_side import side_by_side as compare

__version__ = "0.1.0"
_FLOW = "neurocomp.flow"
_PLACES = {
    "check_installation": ("neurocomp.doctor", "check_installation"),
    "compare": (_FLOW, "side_by_side"),
    "data_sets": (_FLOW, "data_sets"),
    "experiment": ("neurocomp.flow.experiment", "experiment"),
    "export_network": (_FLOW, "export_network"),
    "map_network": (_FLOW, "map_network"),
    "parity": (_FLOW, "parity"),
    "recipes": (_FLOW, "recipes"),
    "search": (_FLOW, "search"),
    "simulate": (_FLOW, "simulate"),
    "targets": (_FLOW, "targets"),
    "train_network": (_FLOW, "train"),
    "write_reports": (_FLOW, "write_reports"),
}
__all__ = [
    "__version__",
    "check_installation",
    "compare",
    "data_sets",
    "experiment",
    "export_network",
    "map_network",
    "parity",
    "recipes",
    "search",
    "simulate",
    "targets",
    "train_network",
    "write_reports",
]


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module 'neurocomp' has no attribute '{name}'")
    module, function = _PLACES[name]
    return getattr(import_module(module), function)
