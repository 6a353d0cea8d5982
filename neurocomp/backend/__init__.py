"""Execution of a mapped integer network in Lava, exact and without hanging; see `run`."""

from neurocomp.backend.execution import Executed
from neurocomp.backend.outcome import Layer, Simulation
from neurocomp.backend.run import BACKENDS, run, stream
from neurocomp.backend.simulation import simulate

__all__ = ["BACKENDS", "Executed", "Layer", "Simulation", "run", "simulate", "stream"]
