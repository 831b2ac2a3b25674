"""Checkers of the exercises on chapter 5, pooling."""

import torch
from torch.nn import functional as F

from convutils.checks.engine import Exercise
from convutils.padding_and_stride import output_size
from convutils.pooling import pool2d

_random = torch.Generator().manual_seed(5)


def _image(*size):
    return torch.randn(*size, generator=_random)


def _average(X, k):
    return pool2d(X, k, "avg", stride=k)


def _judge_counterexample(pair):
    """Say why a pair of images does or does not show that the maximum is not additive."""
    X, Z = (torch.as_tensor(image, dtype=torch.float64) for image in pair)
    if X.shape != (2, 2) or Z.shape != (2, 2) or not (X + Z).isfinite().all():
        return "another form"
    if (X + Z).max() != X.max() + Z.max():
        return "a counterexample"
    return "one is constant" if len(X.unique()) == 1 or len(Z.unique()) == 1 else "same place"


def _comparisons(c, size, window, p, s):
    rows, columns = output_size(size, window, padding=p, stride=s)
    return c * rows * columns * (window[0] * window[1] - 1)


def _windows(X, k):
    return X.unfold(0, k, k).unfold(1, k, k).flatten(-2)


def _soft(X, k, t):
    windows = _windows(X, k)
    return (torch.softmax(windows / t, -1) * windows).sum(-1)


EXERCISES = {
    "5.1": Exercise(
        reference=_average,
        inputs=[(_image(3, 4, 6), 2), (_image(2, 7, 5), 2), (_image(4, 6, 9), 3)],
        mistakes={
            "the channels are mixed: each output channel averages all input channels": lambda X, k: (
                _average(X, k).mean(0, keepdim=True).expand(len(X), -1, -1)
            ),
            "the channels are added up: each needs a kernel of its own": lambda X, k: (
                _average(X, k).sum(0, keepdim=True).expand(len(X), -1, -1)
            ),
            "that is the sum of each window; the weights of an average add up to 1": lambda X, k: _average(X, k) * k**2,
            "divided by k; a window has k² pixels": lambda X, k: _average(X, k) * k,
            "the window seems to move by 1 instead of by its own size": lambda X, k: pool2d(X, k, "avg"),
        },
    ),
    "5.2": Exercise(
        reference=([[1, 0], [0, 0]], [[0, 1], [0, 0]]),
        view=_judge_counterexample,
        mistakes={
            "the two images have their maximum in the same place, and there it adds up": (
                [[1, 0], [0, 0]],
                [[2, 0], [0, 0]],
            ),
            "a constant image only raises the maximum: here it does add up": ([[1, 0], [0, 0]], [[3, 3], [3, 3]]),
            "two images of 2×2 finite numbers are wanted": ([[1, 0]], [[0, 1]]),
        },
    ),
    "5.3": Exercise(
        reference=torch.maximum,
        inputs=[(_image(5), _image(5)), (-_image(2, 3).abs(), -_image(2, 3).abs())],
        mistakes={
            "right only where a or b is positive: a negative maximum comes out as 0": lambda a, b: F.relu(
                torch.maximum(a, b)
            ),
            "that is by how much b is larger; something to add it to is missing": lambda a, b: F.relu(b - a),
            "the two terms of the difference are swapped": lambda a, b: a + F.relu(a - b),
            "that is the minimum": torch.minimum,
            "that is the sum of the positive parts": lambda a, b: F.relu(a) + F.relu(b),
        },
    ),
    "5.4a": Exercise(
        reference=lambda X, size: pool2d(X, size, stride=1),
        inputs=[
            (torch.randint(-9, 10, (5, 6), generator=_random).float(), 2),
            (torch.randint(-9, 10, (6, 4), generator=_random).float(), 3),
        ],
        mistakes={
            "negative maxima come out as 0: the last step must be a convolution, not a ReLU": lambda X, size: F.relu(
                pool2d(X, size, stride=1)
            ),
            "only the columns are compared": lambda X, size: pool2d(X, (1, size), stride=1),
            "only the rows are compared": lambda X, size: pool2d(X, (size, 1), stride=1),
            "the window moves by its own size; here it moves by 1": lambda X, size: pool2d(X, size, stride=size),
        },
    ),
    "5.4b": Exercise(
        reference=((2, 3), (4, 3)),
        mistakes={
            "two channels hold the difference and the positive part of the other number; its negative part is lost": (
                (2, 2),
                (4, 2),
            ),
            "one ReLU layer compares two numbers; four need two in a row": ((1, 3), (2, 3)),
            "3×3 needs more comparisons in a row than 2×2": ((2, 3), (2, 3)),
            "all pixels one after the other take that many; first rows, then columns takes fewer": ((3, 3), (8, 3)),
        },
    ),
    "5.5": Exercise(
        reference=_comparisons,
        inputs=[(6, (28, 28), (2, 2), 0, 2), (3, (7, 9), (3, 2), 1, 2), (1, (5, 8), (2, 3), 0, 1)],
        mistakes={
            "the largest of m numbers takes m − 1 comparisons": lambda c, size, window, p, s: (
                _comparisons(c, size, window, p, s) * window[0] * window[1] // (window[0] * window[1] - 1)
            ),
            "the padding seems to be left out": lambda c, size, window, p, s: _comparisons(c, size, window, 0, s),
            "the channels seem to be left out": lambda c, size, window, p, s: _comparisons(1, size, window, p, s),
            "the channels count once, since they are not mixed": lambda c, size, window, p, s: (
                c * _comparisons(c, size, window, p, s)
            ),
            "the comparisons within one window are left out: that is the number of outputs": lambda c, size, window, p, s: (
                _comparisons(c, size, window, p, s) // (window[0] * window[1] - 1)
            ),
        },
    ),
    "5.6": Exercise(
        reference=((1.0, 0.25), (1.0, 1.0)),
        mistakes={
            "the two are swapped: the pair is (maximum, average)": ((0.25, 1.0), (1.0, 1.0)),
            "that is the sum of the window, not its average": ((1.0, 1.0), (1.0, 4.0)),
            "the average divides by the two rows; the window has four pixels": ((1.0, 0.5), (1.0, 1.0)),
        },
    ),
    "5.7": Exercise(
        reference=lambda X, k, p: -pool2d(-X, k, padding=p, stride=k),
        inputs=[(_image(4, 6), 2, 0), (_image(5, 5).abs() + 1, 3, 1), (-_image(6, 4).abs() - 1, 2, 1)],
        mistakes={
            "the sign at the end is missing": lambda X, k, p: pool2d(-X, k, padding=p, stride=k),
            "the window moves by 1, as in pool2d without a stride": lambda X, k, p: -pool2d(-X, k, padding=p),
            "that is the maximum": lambda X, k, p: pool2d(X, k, padding=p, stride=k),
            "the padding seems to be zeros, which win against positive pixels": lambda X, k, p: (
                -pool2d(F.pad(-X, (p, p, p, p)), k, stride=k)
            ),
            "the magnitude decides instead of the value": lambda X, k, p: -pool2d(-X.abs(), k, padding=p, stride=k),
        },
    ),
    "5.8": Exercise(
        reference=_soft,
        inputs=[(_image(4, 6), 2, 1.0), (_image(6, 3), 3, 0.5), (_image(2, 4), 2, 4.0)],
        mistakes={
            "the temperature multiplies; it should divide": lambda X, k, t: _soft(X, k, 1 / t),
            "the temperature is left out": lambda X, k, t: _soft(X, k, 1.0),
            "the weights add up to 1 over the whole image; they should in each window": lambda X, k, t: _windows(
                torch.softmax(X.flatten() / t, 0).view_as(X) * X, k
            ).sum(-1),
            "those are the weights, without the pixels they weigh": lambda X, k, t: torch.softmax(
                _windows(X, k) / t, -1
            ).sum(-1),
            "that is the log-sum-exp, another soft maximum": lambda X, k, t: (
                t * torch.logsumexp(_windows(X, k) / t, -1)
            ),
        },
    ),
}
