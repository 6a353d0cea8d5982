"""The hardware model: what slices need of a core, the mesh, and nothing that places or routes."""

from neurocomp.hw.demand import Demand, Use, demand
from neurocomp.hw.least import least_cores
from neurocomp.hw.price import LayerCores, layer_cores
from neurocomp.hw.words import stored_width

__all__ = ["Demand", "LayerCores", "Use", "demand", "layer_cores", "least_cores", "stored_width"]
