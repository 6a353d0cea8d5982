"""NIR, the Neuromorphic Intermediate Representation: other frameworks' networks in, ours out."""

from neurocomp.formats.nir.neurons import DEFAULT_DT
from neurocomp.formats.nir.read import read_nir
from neurocomp.formats.nir.write import write_nir

__all__ = ["DEFAULT_DT", "read_nir", "write_nir"]
