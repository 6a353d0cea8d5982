"""Data sets by name, offline first: embedded, a folder, or a named download."""

from neurocomp.data.catalogue import Known, known, load
from neurocomp.data.dataset import Dataset

__all__ = ["Dataset", "Known", "known", "load"]
