"""Prices of networks: parameters, bits, synaptic operations, cores."""

from neurocomp.cost.price import Price, price
from neurocomp.cost.pricer import Pricer
from neurocomp.cost.size import model_bits, parameters, snasnet_parameters
from neurocomp.cost.synops import synops

__all__ = [
    "Price",
    "Pricer",
    "model_bits",
    "parameters",
    "price",
    "snasnet_parameters",
    "synops",
]
