"""Checkers of the exercises on chapter 1, from dense layers to convolutions."""

import torch
from torch.nn import functional as F

from convutils.checks.engine import Exercise
from convutils.dense_to_convolution import corr1d

_random = torch.Generator().manual_seed(1)


def _draw(*size):
    return torch.randn(*size, generator=_random)


def _each_pixel(X, W):
    return torch.einsum("oc,chw->ohw", W, X)


def _coordinates(X, low=-1.0, high=1.0, swap=False):
    """Append a row and a column coordinate to each image."""
    n, _, h, w = X.shape
    rows = torch.linspace(low, high, h)[:, None].expand(n, 1, h, w)
    columns = torch.linspace(low, high, w).expand(n, 1, h, w)
    return torch.cat([X, columns, rows] if swap else [X, rows, columns], dim=1)


def _uses(n, k, p, missing=0):
    """In how many k×k windows each pixel of an n×n image takes part, with padding p; the last positions may miss."""
    positions = torch.ones(1, 1, n + 2 * p - k + 1, n + 2 * p - k + 1)
    positions[..., positions.shape[2] - missing :, :] = 0
    positions[..., positions.shape[3] - missing :] = 0
    return F.conv_transpose2d(positions, torch.ones(1, 1, k, k), padding=p)[0, 0]


def _text(E, K):
    return F.conv1d(E.T[None], K.T[None])[0, 0]


EXERCISES = {
    "1.1": Exercise(
        reference=_each_pixel,
        inputs=[(_draw(3, 4, 5), _draw(3, 3)), (_draw(2, 3, 3), _draw(4, 2))],
        mistakes={
            "the weights are transposed: their rows belong to the outputs": lambda X, W: _each_pixel(
                X, W.T if W.shape[0] == W.shape[1] else W
            ),
            "only the first input channel is used; each output needs all of them": lambda X, W: _each_pixel(
                X[:1], W[:, :1]
            ),
            "rows and columns of the image are swapped": lambda X, W: _each_pixel(X, W).transpose(1, 2),
            "the channels stand last; torch has them first": lambda X, W: _each_pixel(X, W).permute(1, 2, 0),
        },
    ),
    "1.2": Exercise(
        reference=_coordinates,
        inputs=[(_draw(2, 1, 4, 5),), (_draw(3, 1, 3, 3),)],
        mistakes={
            "the row coordinate should grow downwards, the column coordinate to the right; the two are swapped": lambda X: (
                _coordinates(X, swap=True)
            ),
            "the coordinates run from 0 to 1; −1 to 1 was asked, so that the middle is 0": lambda X: _coordinates(
                X, low=0.0
            ),
            "the row coordinate should grow downwards": lambda X: _coordinates(X.flip(2)).flip(2),
            "the image comes before its coordinates": lambda X: _coordinates(X).roll(-1, 1),
            "the image itself is missing; it comes before the coordinates": lambda X: _coordinates(X)[:, -2:],
            "the coordinates are pixel numbers; they should run from −1 to 1": lambda X: torch.cat(
                [
                    X,
                    torch.arange(X.shape[2]).view(-1, 1).expand(len(X), 1, *X.shape[2:]),
                    torch.arange(X.shape[3]).expand(len(X), 1, *X.shape[2:]),
                ],
                1,
            ),
        },
    ),
    "1.3": Exercise(
        reference=_uses,
        inputs=[(6, 3, 1), (6, 3, 0), (7, 5, 1)],
        mistakes={
            "every pixel is counted as if it stood in the middle": lambda n, k, p: torch.full((n, n), float(k * k)),
            "the padding is left out": lambda n, k, p: _uses(n, k, 0),
            "the padded pixels are counted too; only the image's were asked": lambda n, k, p: F.conv_transpose2d(
                torch.ones(1, 1, n + 2 * p - k + 1, n + 2 * p - k + 1), torch.ones(1, 1, k, k)
            )[0, 0],
            "the last position of the window is missing on both axes": lambda n, k, p: _uses(n, k, p, missing=1),
            "one axis is left out: rows and columns both limit the windows": lambda n, k, p: _uses(n, k, p)[
                n // 2
            ].expand(n, n),
        },
    ),
    "1.4a": Exercise(
        reference=corr1d,
        inputs=[(torch.arange(1.0, 6), torch.tensor([1.0, 10])), (_draw(9), _draw(4))],
        mistakes={
            "the first sample is never used: where does the sum start?": lambda x, k: corr1d(x, k)[1:],
            "the kernel is flipped": lambda x, k: corr1d(x, k.flip(0)),
            "zeros are added so that the length stays; the whole windows were asked": lambda x, k: corr1d(
                F.pad(x, (0, len(k) - 1)), k
            ),
            "the last window is missing": lambda x, k: corr1d(x, k)[:-1],
        },
    ),
    "1.4b": Exercise(
        reference=98,
        mistakes={
            "that would be right if the last windows could run over the end": 100,
            "the first position of the window is missing": 97,
            "that is stride 1": 15_601,
            "a window fits or it does not: round down": 98.5,
        },
    ),
    "1.5a": Exercise(
        reference=_text,
        inputs=[(_draw(7, 4), _draw(3, 4)), (_draw(5, 5), _draw(2, 5))],
        mistakes={
            "the kernel is flipped along the words": lambda E, K: _text(E, K.flip(0)),
            "each dimension of the embedding gives its own output; they are to be added": lambda E, K: (
                F.conv1d(E.T[None], K.T[:, None], groups=E.shape[1])[0].T
            ),
            "the words before the beginning are padded; only whole windows were asked": lambda E, K: _text(
                F.pad(E, (0, 0, len(K) - 1, 0)), K
            ),
            "the last window is missing": lambda E, K: _text(E, K)[:-1],
        },
    ),
    "1.5b": Exercise(
        reference=(500, 9),
        mistakes={
            "each layer adds 2 words, not 3": (334, 9),
            "the first number is one too few: the field is then 999 words": (499, 9),
            "with doubling dilations the field is then 511 words": (500, 8),
            "a window of 3 words with dilation δ spans more than δ further words": (500, 10),
        },
    ),
    "1.6": Exercise(
        reference=lambda Y: Y.flip(0, 1),
        inputs=[(_draw(4, 5),), (_draw(3, 3),)],
        mistakes={
            "cross-correlation does not commute: the result changes": lambda Y: Y,
            "only the columns are turned round": lambda Y: Y.flip(1),
            "only the rows are turned round": lambda Y: Y.flip(0),
            "transposing swaps rows with columns, which changes the shape": lambda Y: Y.T,
        },
    ),
}
