"""The section ``train`` of a recipe: how a network is trained, in float and then on its levels."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Field, model_validator

from neurocomp.spec.read import Spec

Count = Annotated[int, Field(gt=0)]
Share = Annotated[float, Field(ge=0.0, lt=1.0)]
Within = Annotated[float, Field(gt=0.0, lt=1.0)]  # neither none nor all
Positive = Annotated[float, Field(gt=0.0)]
NotNegative = Annotated[float, Field(ge=0.0)]
_LIST = Field(strict=False)  # YAML has lists where a frozen spec holds tuples

Learnable: TypeAlias = Literal["threshold", "current_decay", "voltage_decay"]
TWIN = "twin"


class AugmentSpec(Spec):
    """Augmentation of training images; sizes in pixels.

    Attributes:
        rotate: degrees that an image is turned by at most, to either side.
        policy: torchvision's AutoAugment (Cubuk et al. 2019) as it was found for a data set, its
            RandAugment or its TrivialAugment.
        jitter: brightness, contrast and saturation are multiplied by 1 − jitter … 1 + jitter.
        cutout: side of a square that is blackened.
    """

    shift: Annotated[int, Field(ge=0)] = 0
    flip: bool = False
    rotate: Annotated[float, Field(ge=0.0, le=180.0)] = 0.0
    policy: Literal["cifar10", "imagenet", "svhn", "randaugment", "trivial"] | None = None
    jitter: Share = 0.0
    cutout: Annotated[int, Field(ge=0)] = 0

    @property
    def recolours(self) -> bool:
        """Whether more is done to an image than to move its pixels."""
        return self.policy is not None or self.jitter > 0


class DistillSpec(Spec):
    """Knowledge distillation: the network also learns to answer as a teacher does.

    ``(1 − weight)·CE + weight·temperature²·KL(teacher/temperature ‖ network/temperature)``
    (Hinton et al. 2015, Sec. 2).

    Attributes:
        teacher: twin: an ANN of the same populations and projections, ReLU in place of spikes,
            trained first, as the float phase is; or the path of such a twin's ``teacher.ckpt``.
    """

    teacher: str = TWIN
    temperature: Positive = 4.0
    weight: Annotated[float, Field(gt=0.0, le=1.0)] = 0.5


class EarlyStopSpec(Spec):
    """A phase ends when held-out samples say so.

    Attributes:
        patience: epochs that the loss on the held-out samples may fail to fall in a row.
        holdout: share of the training samples that is not trained on.
    """

    patience: Count
    holdout: Within = 0.1


class SynopsSpec(Spec):
    """A target for the synaptic operations of an image.

    ``weight·max(0, SynOps/target − 1)²`` joins the loss; SynOps are those of spikes, mean of the
    batch, as `neurocomp.cost.synops` counts them.
    """

    target: Positive
    weight: Positive = 1.0


class TrainSpec(Spec):
    """Float training with batch-norm, then quantisation-aware training of the folded network.

    Attributes:
        epoch_images: training images per epoch, drawn anew for each; None = all of them.
        schedule: of the rates, step by step: cosine to zero; one-cycle (Smith and Topin 2018, as in
            torch); step: multiplied by ``drop`` at each of ``drops``, shares of the phase.
        precision: of the float phase's synapses; the second phase is always exact.
        prune: share of each trained projection's weights that is masked: by magnitude before the
            second phase, or by scores that the first phase learns (LitE-SNN).
        engine: exact: our own dynamics; slayer: those of SLAYER's cuba neuron, whose surrogate is
            its own, of the width given.
        surrogate: derivative of the spike function; its width is in units of the threshold, its
            temperature is dspike's.
        learn: parameters of neurons that the float phase trains, one of each per population.
        auxiliary: weight of a second cross-entropy, of a classifier that reads the spikes at two
            thirds of the network's depth and is thrown away after training; 0 = none.
        ema: decay per step of the moving average of weights that is kept instead of the last ones.
        mixup, cutmix: α of the share in which two images are mixed, 0 = never; see
            `neurocomp.train.mix.mixed`.
        deterministic: the same numbers on a GPU every time, at a price; a CPU gives them anyway.
    """

    epochs: Count
    qat_epochs: Count
    epoch_images: Count | None = None
    batch: Count
    optimizer: Literal["sgd", "adam"] = "adam"
    learning_rate: Positive
    qat_learning_rate: Positive
    schedule: Literal["cosine", "one-cycle", "step"] = "cosine"
    drops: Annotated[tuple[Within, ...], _LIST] = (0.5, 0.75)
    drop: Within = 0.1
    momentum: Share = 0.9
    weight_decay: NotNegative = 0.0
    label_smoothing: Share = 0.0
    gradient_clip: Positive | None = None
    precision: Literal["float32", "bf16"] = "float32"
    engine: Literal["exact", "slayer"] = "exact"
    surrogate: Literal["triangle", "atan", "slayer", "dspike"] = "triangle"
    surrogate_width: Positive = 1.0
    surrogate_temperature: Positive = 3.0
    learn: Annotated[tuple[Learnable, ...], _LIST] = ()
    prune: Share = 0.0
    prune_by: Literal["magnitude", "scores"] = "magnitude"
    auxiliary: NotNegative = 0.0
    synops: SynopsSpec | None = None
    distill: DistillSpec | None = None
    ema: Within | None = None
    early_stop: EarlyStopSpec | None = None
    deterministic: bool = False
    augment: AugmentSpec = AugmentSpec()
    mixup: NotNegative = 0.0
    cutmix: NotNegative = 0.0

    @model_validator(mode="after")
    def _stock_dynamics_stay(self) -> TrainSpec:
        if self.engine == "slayer" and self.learn:
            raise ValueError("engine slayer has fixed neurons; leave learn out or set engine exact")
        return self
