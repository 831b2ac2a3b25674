"""Checkers of the exercises on chapter 3, padding and stride."""

from itertools import product

import torch
from torch.nn import functional as F

from convutils.checks.engine import Exercise
from convutils.convolution import corr2d
from convutils.padding_and_stride import output_size

_random = torch.Generator().manual_seed(3)


def _shape(n, k, p, s):
    return output_size(n, k, padding=p, stride=s)


def _shape_by(axis_formula):
    """Return a shape function that applies a formula of one axis to rows and columns."""
    return lambda n, k, p, s: tuple(axis_formula(n[a], k[a], p[a], s[a]) for a in (0, 1))


def _combinations(n, n_out, per_side=2):
    return [
        (k, p, s)
        for k, p, s in product(range(1, 6), range(3), range(1, 5))
        if n + per_side * p >= k and (n + per_side * p - k) // s + 1 == n_out
    ]


def _heard(frequency, rate):
    folded = frequency % (rate / 2)
    return min(folded, rate / 2 - folded)


def _mirror(X, p):
    return F.pad(X[None, None], (p, p, p, p), mode="reflect")[0, 0]


def _cost_ratio(n, k, p, s):
    (rows, columns), (few_rows, few_columns) = (output_size(n, k, padding=p, stride=t) for t in (1, s))
    return rows * columns / (few_rows * few_columns)


def _spread_out(X, last=1):
    """Put a zero row and column after each pixel; `last` of them are dropped at the end."""
    Z = X.new_zeros(2 * X.shape[0], 2 * X.shape[1])
    Z[::2, ::2] = X
    return Z[: 2 * X.shape[0] - last, : 2 * X.shape[1] - last]


def _upsample(Z, K):
    return corr2d(Z, K.flip(0, 1), padding=(K.shape[0] - 1, K.shape[1] - 1))


EXERCISES = {
    "3.1a": Exercise(
        reference=(2, 2),
        mistakes={
            "the size before dividing by the stride: how far the window can move, plus one": (6, 6),
            "the padding seems to be left out": (2, 1),
            "the + 1 for the first position of the window seems to be missing": (1, 1),
            "rounded up: a window that no longer fits gives no output": (3, 3),
        },
    ),
    "3.1b": Exercise(
        reference=_shape,
        inputs=[
            ((8, 8), (3, 5), (0, 1), (3, 4)),
            ((28, 30), (5, 4), (2, 0), (1, 2)),
            ((7, 9), (2, 3), (1, 1), (2, 3)),
            ((10, 6), (3, 3), (2, 3), (1, 1)),
        ],
        mistakes={
            "the padding seems to be counted once instead of on both sides": _shape_by(
                lambda n, k, p, s: (n + p - k) // s + 1
            ),
            "the floor seems to be forgotten: rounded up": _shape_by(lambda n, k, p, s: -(-(n + 2 * p - k) // s) + 1),
            "a size is a whole number: how many whole steps fit?": _shape_by(
                lambda n, k, p, s: (n + 2 * p - k) / s + 1
            ),
            "one too few on every axis: the + 1 for the first position": _shape_by(
                lambda n, k, p, s: (n + 2 * p - k) // s
            ),
            "the + 1 is divided by the stride too": _shape_by(lambda n, k, p, s: (n + 2 * p - k + 1) // s),
            "the stride seems to be left out": _shape_by(lambda n, k, p, s: n + 2 * p - k + 1),
            "rows and columns are swapped": lambda n, k, p, s: _shape(n, k, p, s)[::-1],
        },
    ),
    "3.2": Exercise(
        reference=_combinations,
        inputs=[(8, 4), (7, 3), (5, 5), (3, 1)],
        view=lambda found, *_: sorted(tuple(entry) for entry in found),
        mistakes={
            "the padding seems to be counted once instead of on both sides": lambda n, out: _combinations(n, out, 1),
            "a kernel larger than the padded axis seems to be let in": lambda n, out: [
                (k, p, s)
                for k, p, s in product(range(1, 6), range(3), range(1, 5))
                if int((n + 2 * p - k) / s) + 1 == out
            ],
            "combinations whose window leaves pixels unused at the end seem to be missing": lambda n, out: [
                (k, p, s) for k, p, s in _combinations(n, out) if (n + 2 * p - k) % s == 0
            ],
            "the combinations with padding seem to be missing": lambda n, out: [
                c for c in _combinations(n, out) if c[1] == 0
            ],
            "stride 1 seems to be left out": lambda n, out: [c for c in _combinations(n, out) if c[2] > 1],
        },
    ),
    "3.3": Exercise(
        reference=_heard,
        inputs=[(3000, 8000), (1500, 8000), (2500, 8000), (7900, 16000), (5000, 44100)],
        mistakes={
            "the frequency itself: that is right only for a tone below the new limit": lambda f, rate: f,
            "half the frequency: the samples are not played slower, there are fewer": lambda f, rate: f / 2,
            "a tone above the new limit is not heard at the limit": lambda f, rate: min(f, rate / 4),
            "that is right only for a tone above the new limit": lambda f, rate: rate / 2 - f,
        },
    ),
    "3.4": Exercise(
        reference=_mirror,
        inputs=[
            (torch.arange(12.0).reshape(3, 4), 1),
            (torch.randn(5, 4, generator=_random), 2),
            (torch.randn(4, 6, generator=_random), 3),
        ],
        mistakes={
            "the edge is repeated: that is NumPy's 'symmetric', a mirror behind the last pixel": lambda X, p: torch.cat(
                [
                    torch.cat([X[:p].flip(0), X, X[-p:].flip(0)])[:, :p].flip(1),
                    torch.cat([X[:p].flip(0), X, X[-p:].flip(0)]),
                    torch.cat([X[:p].flip(0), X, X[-p:].flip(0)])[:, -p:].flip(1),
                ],
                1,
            ),
            "the edge is copied outwards: that is 'replicate'": lambda X, p: F.pad(
                X[None, None], (p, p, p, p), mode="replicate"
            )[0, 0],
            "zeros are added": lambda X, p: F.pad(X, (p, p, p, p)),
            "the opposite side is added: that is 'circular'": lambda X, p: F.pad(
                X[None, None], (p, p, p, p), mode="circular"
            )[0, 0],
            "only the columns are padded": lambda X, p: F.pad(X[None, None], (p, p, 0, 0), mode="reflect")[0, 0],
            "only the rows are padded": lambda X, p: F.pad(X[None, None], (0, 0, p, p), mode="reflect")[0, 0],
        },
    ),
    "3.5": Exercise(
        reference=_cost_ratio,
        inputs=[(7, 3, 1, 2), (8, 3, 1, 2), (9, 3, 1, 2), (28, 5, 0, 3)],
        mistakes={
            "the squared stride is only near: outputs come in whole rows and columns": lambda n, k, p, s: s * s,
            "the stride alone: an image shrinks along two axes": lambda n, k, p, s: s,
            "the ratio of one axis: an image has two": lambda n, k, p, s: _cost_ratio(n, k, p, s) ** 0.5,
            "turned round: the larger cost goes on top": lambda n, k, p, s: 1 / _cost_ratio(n, k, p, s),
        },
    ),
    "3.6a": Exercise(
        reference=(125_440, 31_360),
        mistakes={
            "the ten outputs seem to be left out": (12_544, 3_136),
            "the 16 channels seem to be left out": (7_840, 1_960),
            "stride 2 halves both axes, not one": (125_440, 62_720),
        },
    ),
    "3.6b": Exercise(
        reference=(2 / 3, 1 / 3),
        mistakes={
            "those are the shares that the windows do not have in common": (1 / 3, 2 / 3),
            "windows that share pixels are correlated": (0.0, 0.0),
            "at distance 2 the windows of three still share one pixel": (2 / 3, 0.0),
        },
    ),
    "3.7": Exercise(
        reference=lambda X, K: F.conv_transpose2d(X[None, None], K[None, None], stride=2)[0, 0],
        inputs=[
            (torch.randn(3, 4, generator=_random), torch.randn(3, 3, generator=_random)),
            (torch.randn(4, 2, generator=_random), torch.randn(2, 3, generator=_random)),
        ],
        mistakes={
            "the kernel does not seem to be flipped": lambda X, K: _upsample(_spread_out(X), K.flip(0, 1)),
            "a zero row and column too many: they belong between the pixels, not after the last": lambda X, K: (
                _upsample(_spread_out(X, last=0), K)
            ),
            "the pixels are repeated instead of spread out with zeros between": lambda X, K: _upsample(
                X.repeat_interleave(2, 0).repeat_interleave(2, 1)[:-1, :-1], K
            ),
            "no zeros between the pixels: that is stride 1": lambda X, K: _upsample(X, K),
            "the padding that lets every pixel meet every weight seems to be missing": lambda X, K: corr2d(
                _spread_out(X), K.flip(0, 1)
            ),
        },
    ),
}
