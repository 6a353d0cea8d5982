"""Spaces, backbones and supernets of the joint search that several tests share."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from neurocomp.arch import Task
from neurocomp.data import Dataset
from neurocomp.snn import Surrogate
from neurocomp.spec.joint import JointSpec, LiteSpace
from neurocomp.spec.space import NeuronSpec
from neurocomp.spec.target import load_target
from neurocomp.spec.train import TrainSpec
from neurocomp.train.joint.backbone import Backbone
from neurocomp.train.joint.choices import Choices, Given
from neurocomp.train.joint.search import Job
from neurocomp.train.joint.supernet import Supernet

LOIHI2 = load_target("loihi2")
TASK = Task((1, 6, 6), 4, 3)


def space(**changes: Any) -> LiteSpace:
    """Two cells, the second with halved maps, of two nodes each."""
    given: dict[str, Any] = {
        "name": "tiny",
        "summary": "",
        "source": "",
        "cells": (1, 2),
        "nodes": 2,
        "ops": ("skip", "avgpool3", "conv1", "conv3"),
        "bits": (1, 2, 4),
        "timesteps": (1, 2, 3),
        "stem_bits": 4,
        "head_bits": 8,
        "neuron": NeuronSpec(threshold=0.5, voltage_decay=0.75),
    }
    return LiteSpace(**{**given, **changes})


def backbone(channels: int = 2, **changes: Any) -> Backbone:
    return Backbone(space(**changes), TASK, channels)


def supernet(
    given: Given | None = None, kept: float = 0.5, channels: int = 2, **changes: Any
) -> tuple[Supernet, Choices]:
    made = backbone(channels, **changes)
    choices = Choices(made.space, given or Given(), 0)
    return Supernet(made, choices.live, kept, Surrogate("dspike"), 0), choices


def spec(**changes: Any) -> JointSpec:
    given: dict[str, Any] = {
        "space": "litesnn-digits",
        "channels": 4,
        "search_channels": 2,
        "epochs": 2,
        "batch": 8,
        "psi_warmup": 1,
    }
    return JointSpec(**{**given, **changes})


def training(**changes: Any) -> TrainSpec:
    given: dict[str, Any] = {
        "epochs": 2,
        "qat_epochs": 1,
        "batch": 16,
        "learning_rate": 0.01,
        "qat_learning_rate": 0.001,
        "surrogate": "dspike",
        "prune": 0.5,
        "prune_by": "scores",
        "auxiliary": 0.4,
    }
    return TrainSpec(**{**given, **changes})


def job(**changes: Any) -> Job:
    """Parts of a `Job` by name; others as in a small search on loihi2."""
    given: dict[str, Any] = {
        "space": space(),
        "spec": spec(),
        "train": training(),
        "target": LOIHI2,
        "policy": "balanced",
    }
    return Job(**{**given, **changes})


def stripes(n: int = 32) -> Dataset:
    """Three classes: the bright pair of rows."""
    rng = np.random.default_rng(0)
    labels = np.arange(n, dtype=np.int64) % 3
    values = rng.integers(0, 6, (n, 1, 6, 6))
    for value, label in zip(values, labels, strict=True):
        value[0, 2 * label : 2 * label + 2] += 9
    values = values.astype(np.uint8)
    return Dataset(
        "stripes", ("a", "b", "c"), (1, 6, 6), 4, values, labels, values[:24], labels[:24]
    )


def pictures(n: int = 5, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, 16, (n, *TASK.shape), generator=generator)
