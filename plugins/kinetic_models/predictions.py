"""From what a model predicts to the velocity of the line x_t = t x1 + (1 - t) T e: one function each."""

from __future__ import annotations

from torch import Tensor


def of_velocity(answer: Tensor, x: Tensor, t: Tensor, size: Tensor, noise: float, sign: float) -> Tensor:
    """v = +- answer: a model whose time 0 is data says dx/ds with s = 1 - t."""
    return answer * sign


def of_data(answer: Tensor, x: Tensor, t: Tensor, size: Tensor, noise: float, sign: float) -> Tensor:
    """v = (x1 - x) / (1 - t) of a prediction of x1, or of a denoiser E[x1 | x]."""
    return (answer - x) / (1 - t)


def of_noise(answer: Tensor, x: Tensor, t: Tensor, size: Tensor, noise: float, sign: float) -> Tensor:
    """v = (x - T e) / t of a prediction of e."""
    return (x - noise * answer) / t


def of_score(answer: Tensor, x: Tensor, t: Tensor, size: Tensor, noise: float, sign: float) -> Tensor:
    """As of the noise e = -(1 - t) (a + b) T s, of the score s = grad log p of the model's own state (a + b) x."""
    return of_noise(-(1 - t) * size * noise * answer, x, t, size, noise, sign)


def of_v(answer: Tensor, x: Tensor, t: Tensor, size: Tensor, noise: float, sign: float) -> Tensor:
    """x1 - T e of a prediction of v = a e - b x1, at y = a x1 + b T e with a = t size and b = (1 - t) size.

    Source: Salimans & Ho, Progressive Distillation, arXiv 2202.00512, appendix D.
    """
    return ((t - noise * (1 - t)) * x - noise * answer / size) / (t**2 + noise * (1 - t) ** 2)


PREDICTIONS = {
    "velocity": of_velocity,
    "x1": of_data,
    "denoised": of_data,
    "noise": of_noise,
    "score": of_score,
    "v": of_v,
}
"""`{word: function}` of the answer and x `(m, *event)`, t and a + b `(m, 1, ...)`, T, and the sign of a velocity."""
