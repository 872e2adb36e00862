"""The one loop behind every protection and every optimising purifier: Objective x Constraint x Stepper.

    for step in optimise(start, objective, constraint, stepper, steps):
        ...                                   # step.index, step.losses, step.image
    result = step.result                      # set on the last step only

Pixels, losses and optimiser state are float32 whatever the model's precision. Images of a batch do not
influence each other: the summed loss has, for each image, the gradient that it would have alone.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

import torch
from torch import Tensor

from impress_ui.errors import UserError
from impress_ui.methods.purifiers.purifier import never as never

Terms = dict[str, Tensor]
Constraint = Callable[[Tensor], Tensor]
ShouldStop = Callable[[], bool]
NO_NUMBER = "Choose a smaller learning rate or step size, or the precision float32."
logger = logging.getLogger(__name__)


class Objective(Protocol):
    """Named loss terms of a batch, each (B,); their weighted sum is minimised."""

    weights: Mapping[str, float]

    def __call__(self, x: Tensor) -> Terms: ...


class Stepper(Protocol):
    """Moves x (B, 3, H, W) along -gradient for step ``index`` of ``steps``; may keep state between calls."""

    def __call__(self, x: Tensor, gradient: Tensor, index: int, steps: int) -> Tensor: ...


@dataclass
class Step:
    """One iterate. ``losses`` holds (B,) tensors, still on their device, ``total`` among them.

    ``fault``: why the run ended here though nobody stopped it; it is then ``stopped``, and this is the last good step.
    ``points``: of how many losses a whole run has, where that is not one a step; the steps between have none.
    ``note``: a sentence about the result, on the last step, where there is one to be told.
    """

    index: int
    steps: int
    losses: Terms
    picture: Tensor
    result: Tensor | None = None
    stopped: bool = False
    fault: str = ""
    points: int = 0
    note: str = ""

    @property
    def image(self) -> Tensor:
        """A copy of the current picture (B, 3, H, W) in [-1, 1]; made only when asked for."""
        return self.picture.detach().clamp(-1, 1)

    def loss_values(self, image: int = 0) -> dict[str, float]:
        """The losses of one image as plain numbers; this waits for the device."""
        return {name: values[image].item() for name, values in self.losses.items()}


class LossHistory:
    """Loss curves of a run, one list a term, for the first image unless told otherwise.

    Losses stay on their device until somebody looks at ``curves``: fetching them at every step would make each wait
    for the device.
    """

    def __init__(self, image: int = 0) -> None:
        self.image = image
        self._curves: dict[str, list[float]] = {}
        self._waiting: list[Terms] = []

    def add(self, step: Step) -> None:
        """Note a step's losses; this does not wait for the device."""
        if step.fault:  # told before, as a good step
            return
        self._waiting.append({name: values[self.image] for name, values in step.losses.items()})

    @property
    def curves(self) -> dict[str, list[float]]:
        """The curves so far, as plain numbers; this waits for the device."""
        waiting, self._waiting = self._waiting, []
        if values := [value.float() for losses in waiting for value in losses.values()]:
            numbers = iter(torch.stack(values).tolist())
            for losses in waiting:
                for name in losses:
                    self._curves.setdefault(name, []).append(next(numbers))
        return self._curves


def run_to_end(steps: Iterator[Step], history: LossHistory | None = None) -> Step:
    """Exhaust a run and return its last step, whose ``result`` is set.

    Raises:
        UserError: the run ended by a fault; nobody sees that its result is partial.
    """
    last: Step | None = None
    for last in steps:
        if history is not None:
            history.add(last)
    assert last is not None and last.result is not None
    if last.fault:
        raise UserError(last.fault)
    return last


# --- constraints -------------------------------------------------------------------------------------------


def identity(x: Tensor) -> Tensor:
    """No constraint; and the rendering of a variable that is itself the picture."""
    return x


def pixel_range(x: Tensor) -> Tensor:
    """Clamp to the valid range [-1, 1]."""
    return x.clamp(-1, 1)


def linf_ball(centre: Tensor, radius: float | Tensor) -> Constraint:
    """Projection on the L-infinity ball about the centre, and on [-1, 1]; its radius may be another in each pixel.

    Both are in [-1, 1] units.
    """
    low, high = (centre - radius).clamp(min=-1), (centre + radius).clamp(max=1)
    return lambda x: torch.minimum(torch.maximum(x, low), high)


def l2_ball(centre: Tensor, radius: float) -> Constraint:
    """Projection of each picture on the L2 ball of the radius (in [-1, 1] units) about its centre, and on [-1, 1]."""

    def project(x: Tensor) -> Tensor:
        change = x - centre
        length = change.flatten(1).norm(dim=1).view(-1, 1, 1, 1)
        return (centre + change * (radius / length.clamp(min=1e-12)).clamp(max=1)).clamp(-1, 1)

    return project


def within_mask(constraint: Constraint, fixed: Tensor, mask: Tensor | None) -> Constraint:
    """The constraint, with every pixel outside the mask (1 = may change) put back to ``fixed``."""
    if mask is None:
        return constraint
    return lambda x: torch.where(mask.bool(), constraint(x), fixed)


# --- steppers ----------------------------------------------------------------------------------------------


class SignStepper:
    """Sign of the gradient times a size, which decays linearly to a hundredth as in PhotoGuard's encoder attack."""

    def __init__(self, size: float | Tensor, *, decays: bool = True) -> None:
        self.size, self.final = size, size / 100 if decays else size

    def __call__(self, x: Tensor, gradient: Tensor, index: int, steps: int) -> Tensor:
        size = self.size - (self.size - self.final) * index / steps
        return x - size * gradient.sign()


class NormalisedStepper:
    """Steps of a fixed L2 length along each picture's own gradient, as PhotoGuard's diffusion attack does."""

    def __init__(self, length: float) -> None:
        self.length = length

    def __call__(self, x: Tensor, gradient: Tensor, index: int, steps: int) -> Tensor:
        return x - self.length * gradient / gradient.flatten(1).norm(dim=1).clamp(min=1e-12).view(-1, 1, 1, 1)


class AdamStepper:
    """torch's Adam under cosine annealing to ``floor`` (torch's CosineAnnealingLR in closed form)."""

    def __init__(self, learning_rate: float, eps: float = 1e-8, floor: float = 1e-5) -> None:
        self.learning_rate, self.eps, self.floor = learning_rate, eps, min(floor, learning_rate)
        self._adam: torch.optim.Adam | None = None
        self._pixels: Tensor | None = None

    def __call__(self, x: Tensor, gradient: Tensor, index: int, steps: int) -> Tensor:
        if self._adam is None:
            self._pixels = x.clone().requires_grad_()
            self._adam = torch.optim.Adam([self._pixels], lr=self.learning_rate, eps=self.eps)
        assert self._pixels is not None
        cosine = 0.5 * (1 + torch.cos(torch.tensor(torch.pi * index / steps)).item())
        self._adam.param_groups[0]["lr"] = self.floor + (self.learning_rate - self.floor) * cosine
        with torch.no_grad():
            self._pixels.copy_(x)
        self._pixels.grad = gradient
        self._adam.step()
        return self._pixels.detach().clone()


# --- the loop ----------------------------------------------------------------------------------------------


def optimise(
    start: Tensor,
    objective: Objective,
    constraint: Constraint,
    stepper: Stepper,
    steps: int,
    *,
    render: Callable[[Tensor], Tensor] = identity,
    keep_best: bool = False,
    patience: int = 0,
    should_stop: ShouldStop = never,
) -> Iterator[Step]:
    """Minimise the objective from a start and yield every iterate, ``steps + 1`` of them with the start's.

    Args:
        start: first value of the variable, float32: pictures (B, 3, H, W) in [-1, 1], used as given and
            unprojected, or whatever ``render`` turns into such pictures.
        constraint: projects the variable after every step.
        render: differentiable map from the variable to the pictures that the objective judges.
        keep_best: the result is each image's iterate of lowest total loss rather than the last one.
        patience: end once no image has improved by 0.1 % for this many steps; 0 never does.
        should_stop: asked between steps; the iterate reached so far then becomes the result.

    Yields:
        ``Step``; the last one has ``result`` (B, 3, H, W), and ``stopped`` when it came early by request, or because
        a loss was no number any more: then it is the last good step once more, with a ``fault``.

    Raises:
        UserError: a loss is no number at the start already.
    """
    good: Step | None = None
    good_variable = variable = start.detach().clone()
    best, best_loss = variable, torch.full((start.shape[0],), torch.inf, device=start.device)
    reference, stale = best_loss, 0
    for index in range(steps + 1):
        stopped = 0 < index < steps and should_stop()
        last = stopped or index == steps
        with torch.set_grad_enabled(not last):
            variable = variable.detach().requires_grad_(not last)
            picture = render(variable)
            terms = objective(picture)
            total = sum_terms(terms, objective.weights)
        if not bool(total.isfinite().all()):
            if good is None:
                raise UserError(f"The loss of this picture is not a number at the start. {NO_NUMBER}")
            fault = f"The loss was not a number at step {index}; the picture of step {good.index} is kept. {NO_NUMBER}"
            logger.warning(fault)
            with torch.no_grad():
                kept = render(best if keep_best else good_variable).detach().clone()
            yield replace(good, result=kept, stopped=True, fault=fault)
            return
        with torch.no_grad():
            losses = {"total": total.detach(), **{name: value.detach() for name, value in terms.items()}}
            if keep_best:
                better = total < best_loss
                best = torch.where(better.view(-1, *[1] * (variable.dim() - 1)), variable, best)
                best_loss = torch.where(better, total, best_loss)
            if patience:
                improved = bool((total < reference * (1 - 1e-3)).any())
                reference = torch.minimum(reference, total)
                stale = 0 if improved else stale + 1
                last = last or stale >= patience
        result = None
        if last:
            with torch.no_grad():
                result = render(best if keep_best else variable).detach().clone()
        else:
            (gradient,) = torch.autograd.grad(total.sum(), variable)
        good = Step(index, steps, losses, picture.detach(), result, stopped)
        good_variable = variable.detach()
        yield good
        if last:
            return
        with torch.no_grad():
            variable = constraint(stepper(variable.detach(), gradient, index, steps))


def sum_terms(terms: Terms, weights: Mapping[str, float]) -> Tensor:
    """Weighted sum (B,) of the terms; a term without a weight counts once, and one of weight 0 is only looked at.

    Not multiplied by it: what is infinite or no number would be none still, and end the run.
    """
    counted = [weight * value for name, value in terms.items() if (weight := weights.get(name, 1.0))]
    return torch.stack(counted or [0 * value for value in terms.values()]).sum(dim=0)
