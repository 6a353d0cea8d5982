"""Training in two phases, with Lightning, to an integer graph whose accuracy is the chip's."""

from neurocomp.train.short import train_short
from neurocomp.train.training import Trained, train

__all__ = ["Trained", "train", "train_short"]
