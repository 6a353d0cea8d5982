"""Every picture of the report by name; a picture whose data the run has not made is None."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final
from xml.etree.ElementTree import Element

from neurocomp.report.charts import accuracy_chart, candidates_chart, training_chart
from neurocomp.report.coremap import core_map
from neurocomp.report.front import cells_picture, growth_chart
from neurocomp.report.joint_chart import joint_chart
from neurocomp.report.links import links_picture
from neurocomp.report.network import network_picture
from neurocomp.report.raster import raster_chart
from neurocomp.report.results import RunResults

FIGURES: Final[dict[str, Callable[[RunResults], Element | None]]] = {
    "network": network_picture,
    "candidates": candidates_chart,
    "growth": growth_chart,
    "cells": cells_picture,
    "joint": joint_chart,
    "accuracy": accuracy_chart,
    "training": training_chart,
    "cores": core_map,
    "traffic": links_picture,
    "raster": raster_chart,
}
