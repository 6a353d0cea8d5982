"""The joint optimisation as a Lightning module: weights on one half, choices on the other."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, TypeAlias, get_args

import lightning as L
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from neurocomp.errors import InputError
from neurocomp.spec.joint import JointSpec, Term
from neurocomp.spec.train import AugmentSpec
from neurocomp.train.augment import augment
from neurocomp.train.joint.backbone import INPUTS
from neurocomp.train.joint.budgets import Budgets
from neurocomp.train.joint.choices import Choices
from neurocomp.train.joint.costs import Costs, Terms
from neurocomp.train.joint.design import Design
from neurocomp.train.joint.judge import Verdict
from neurocomp.train.joint.supernet import Pass, Supernet
from neurocomp.train.samples import seed_of

METHOD = 2  # to be raised with every change after which epochs mean something else
WEIGHTS, CHOICES = 0, 1  # halves, and the optimisers'
TERMS: tuple[Term, ...] = get_args(Term)
Assess: TypeAlias = Callable[[Design, Mapping[str, float]], Verdict]


@dataclass(frozen=True, slots=True)
class Epoch:
    """What one epoch of the search gave.

    Attributes:
        loss: cross-entropy of the shares on the half that decides, without the costs.
        costs: by term, of the shares. lambdas: by term, per unit of cost.
        design: decoded at the end of the epoch, as `Design.as_dict`.
        accuracy: of the decoded network with the supernet's weights, on the half that decides.
        decoded: by term, of the decoded network; None where it cannot be mapped.
        broken: limits that the decoded network breaks, in words.
        seconds: that the steps and the judging by samples took, without mapping.
    """

    epoch: int
    epochs: int
    loss: float
    costs: dict[Term, float]
    lambdas: dict[Term, float]
    design: dict[str, Any]
    accuracy: float
    decoded: dict[Term, float | None]
    broken: tuple[str, ...]
    seconds: float


class Joint(L.LightningModule):
    """A supernet with its choices, their costs and two optimisers (LitE-SNN, Sec. 3.4).

    Everything random is drawn from (seed, epoch, batch), so that a search that was resumed draws
    the same.

    Attributes:
        history: one entry per finished epoch; kept in the checkpoint.
    """

    def __init__(
        self,
        net: Supernet,
        choices: Choices,
        costs: Costs,
        budgets: Budgets,
        spec: JointSpec,
        augmentation: AugmentSpec,
        assess: Assess,
        seed: int,
        on_epoch: Callable[[Epoch], None],
    ) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.net, self.choices, self.costs, self.budgets = net, choices, costs, budgets
        self.spec, self.augmentation, self.seed = spec, augmentation, seed
        self._peak = 2**net.backbone.task.input_bits - 1
        self.history: list[Epoch] = []
        self._assess, self._on_epoch = assess, on_epoch
        self._sums: dict[str, Tensor] = {}
        self._judged: dict[str, Tensor] = {}
        self._steps, self._started = 0, 0.0

    def configure_optimizers(self) -> Any:
        """SGD under a cosine per epoch for the weights, Adam for the choices and scores."""
        spec = self.spec
        scores = [p for n, p in self.net.named_parameters() if n.endswith(".scores")]
        weights = [p for n, p in self.net.named_parameters() if not n.endswith(".scores")]
        sgd = torch.optim.SGD(
            weights, spec.weight_rate, momentum=spec.momentum, weight_decay=spec.weight_decay
        )
        choices = self.choices
        adam = torch.optim.Adam(
            [
                {"params": [choices.alpha], "lr": spec.alpha_rate},
                {"params": [choices.beta, *scores], "lr": spec.beta_rate},
                {"params": [choices.psi], "lr": spec.psi_rate},
            ],
            weight_decay=spec.choice_decay,
        )
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(
            sgd, T_max=spec.epochs, eta_min=spec.weight_rate_end
        )
        return [sgd, adam], [schedule]

    def training_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> None:
        """First the weights, then the choices with the new weights on the other half."""
        self._steps += 1
        for half in (WEIGHTS, CHOICES):
            values, labels = batch[0][half], batch[1][half]
            generator = torch.Generator(values.device)
            generator.manual_seed(seed_of(self.seed, half, self.current_epoch, batch_idx))
            optimizer = self.optimizers()[half]  # type: ignore[index]
            self.toggle_optimizer(optimizer)
            images = augment(values, self.augmentation, generator, self._peak)
            self._step(half, images, labels, optimizer)
            self.untoggle_optimizer(optimizer)

    def _step(self, half: int, values: Tensor, labels: Tensor, optimizer: Any) -> None:
        entropy, costs, passed = self.losses(values, labels)
        optimizer.zero_grad()
        self.manual_backward(entropy + self.budgets.penalty(costs))
        if half == CHOICES and self.current_epoch < self.spec.psi_warmup:
            self.choices.psi.grad = None
        parameters = [p for group in optimizer.param_groups for p in group["params"]]
        nn.utils.clip_grad_norm_(
            [p for p in parameters if p.grad is not None], self.spec.gradient_clip
        )
        optimizer.step()
        if half == CHOICES:
            self.budgets.ascend(self.costs(self.choices.decided(), passed.rates, passed.top))
            spent = {str(term): cost for term, cost in costs.items()}
            _add(self._sums, {"loss": entropy, "rates": passed.rates, "top": passed.top, **spent})

    def validation_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> None:
        """Right answers and spikes of the network that would be decoded now."""
        values, labels = batch
        steps = self.choices.decode().timesteps
        passed = self.net(values, self.choices.decided())
        right = (passed.outputs[:steps].mean(0).argmax(1) == labels).float().mean()
        _add(self._judged, {"right": right, "rates": passed.rates, "top": passed.top})

    def losses(self, values: Tensor, labels: Tensor) -> tuple[Tensor, Terms, Pass]:
        """Timestep-weighted cross-entropy, costs, and the pass."""
        shares = self.choices()
        passed = self.net(values, shares)
        entropy = cross_entropy(passed.outputs, labels, shares.lengths, self.costs.lengths)
        costs = self.costs(shares, passed.rates, passed.top)
        return entropy, costs, passed

    def on_train_epoch_start(self) -> None:
        """Start the epoch's sums and its clock, and cool the choices."""
        done = self.current_epoch / max(self.spec.epochs - 1, 1)
        self.choices.temperature = self.spec.temperature_end**done
        self._sums, self._judged, self._steps = {}, {}, 0
        self._started = time.perf_counter()

    def on_train_epoch_end(self) -> None:
        """Decode, judge, adapt and report; runs before the checkpoint is written.

        Raises:
            FloatingPointError: the loss is not finite; the checkpoint of the epoch before stays.
        """
        seconds = time.perf_counter() - self._started
        means = {key: value / self._steps for key, value in self._sums.items()}
        loss = float(means["loss"])
        if not math.isfinite(loss):
            raise FloatingPointError(
                f"joint search: the loss of epoch {self.current_epoch + 1} is {loss}; lower "
                "joint.weight_rate"
            )
        costs: Terms = {term: means[term] for term in TERMS}
        design = self.choices.decode()
        judged = {key: value / self._steps for key, value in self._judged.items()}
        verdict = self._assess(design, self._rates(judged, design.timesteps))
        row = Epoch(
            epoch=self.current_epoch + 1,
            epochs=self.spec.epochs,
            loss=loss,
            costs={term: float(cost) for term, cost in costs.items()},
            lambdas=self.budgets.lambdas(),
            design=design.as_dict(),
            accuracy=float(judged["right"]),
            decoded=verdict.costs,
            broken=verdict.broken,
            seconds=seconds,
        )
        decided = self.costs(self.choices.decided(), means["rates"], means["top"])
        self.budgets.correct(decided, verdict.costs)
        self.lr_schedulers().step()  # type: ignore[union-attr]
        self.history.append(row)
        self._on_epoch(row)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Keep the history."""
        checkpoint["history"] = [asdict(row) for row in self.history]
        checkpoint["method"] = METHOD

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Take the history up again.

        Raises:
            InputError: another version of neurocomp began the search in another way.
        """
        if checkpoint.get("method") != METHOD:
            raise InputError(
                "this joint search was begun by another version of neurocomp, whose epochs mean "
                "something else; search in another folder, or remove its joint.ckpt to begin anew"
            )
        self.history = [Epoch(**row) for row in checkpoint["history"]]

    def _rates(self, means: dict[str, Tensor], timesteps: int) -> dict[str, float]:
        """Spikes per neuron and step by population, mean of a window of so many steps."""
        states, top = (means[key][..., :timesteps].mean(-1).tolist() for key in ("rates", "top"))
        backbone = self.net.backbone
        named = {name: states[0][0] for name in backbone.stem.populations}
        for cell, own in zip(backbone.cells, states, strict=True):
            named |= dict(zip(cell.nodes, own[INPUTS:], strict=True))
        return named | {f"pool.{k}": top for k in range(len(backbone.top.populations))}


def _add(sums: dict[str, Tensor], values: Mapping[str, Tensor]) -> None:
    for key, value in values.items():
        sums[key] = sums[key] + value.detach() if key in sums else value.detach()


def cross_entropy(outputs: Tensor, labels: Tensor, shares: Tensor, lengths: Tensor) -> Tensor:
    """``Σ_n ψ_n CE((o_1 + … + o_n)/n, y)`` over the candidate lengths n (LitE-SNN, Eq. 17).

    Args:
        outputs: o, (T, B, classes). shares: ψ, (lengths,).
    """
    means = outputs.cumsum(0)[lengths - 1] / lengths.view(-1, 1, 1)
    return (shares * torch.stack([F.cross_entropy(mean, labels) for mean in means])).sum()
