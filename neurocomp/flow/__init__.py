"""What a user asks for, as functions: the main job and its parts. The command line prints these."""

from neurocomp.flow.export import export_network
from neurocomp.flow.listing import data_sets, recipes, targets
from neurocomp.flow.map_one import map_network
from neurocomp.flow.options import Options, make_options
from neurocomp.flow.parity import parity
from neurocomp.flow.run import run_search, search, write_reports
from neurocomp.flow.side_by_side import side_by_side
from neurocomp.flow.simulate_one import simulate
from neurocomp.flow.train_one import train

__all__ = [
    "Options",
    "data_sets",
    "export_network",
    "make_options",
    "map_network",
    "parity",
    "recipes",
    "run_search",
    "search",
    "side_by_side",
    "simulate",
    "targets",
    "train",
    "write_reports",
]
