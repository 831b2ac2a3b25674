"""Checkers of the exercises on chapter 2, image convolution."""

from math import comb, hypot

import torch

from convutils import kernels
from convutils.checks.engine import Exercise
from convutils.convolution import corr2d, im2col
from convutils.dense_to_convolution import toeplitz2d

_random = torch.Generator().manual_seed(2)
_DIAGONAL, _EDGE = 1 - torch.eye(6), torch.tensor([[1.0, -1.0]])
_FOUND = corr2d(_DIAGONAL, _EDGE)


def _pairs(*sizes):
    """Return seeded (image, kernel) pairs of the given (image size, kernel size)."""
    return [tuple(torch.randn(*size, generator=_random) for size in pair) for pair in sizes]


def _as_product(X, K):
    return (K.flatten() @ im2col(X[None], tuple(K.shape))).reshape(X.shape[0] - K.shape[0] + 1, -1)


def _circulant(K, input_size):
    """The matrix of a kernel that wraps around the image's end: every pixel gets a row."""
    T, (h, w) = toeplitz2d(K, input_size), input_size
    return torch.stack([T[0].roll(shift) for shift in range(h * w)])


def _scaled(taps):
    """Return taps as numbers, multiplied so that the first one that is not 0 becomes 1 or −1."""
    taps = torch.as_tensor(taps, dtype=torch.float64).flatten()
    return tuple((taps / next((abs(tap) for tap in taps if tap), 1)).tolist())


def _slopes(K, direction):
    """Return a kernel's answers to an even image and two ramps, downwards and to the right, of 1 a pixel."""
    ramp = torch.arange(9, dtype=torch.float32)
    return tuple(
        corr2d(image, torch.as_tensor(K, dtype=torch.float32)).mean().item()
        for image in (torch.ones(9, 9), ramp[:, None].expand(9, 9), ramp[None].expand(9, 9))
    )


def _off_centre(size, sigma, shift):
    K = _sampled_gaussian(size, sigma, shift=shift)
    return K / K.sum()


def _sampled_gaussian(size, sigma, exponent=2.0, shift=0.0):
    taps = torch.exp(-((torch.arange(size) - (size - 1) / 2 - shift).abs() ** 2) / (exponent * sigma**2))
    return taps[:, None] * taps


EXERCISES = {
    "2.1a": Exercise(
        reference=_FOUND,
        mistakes={
            "the signs are swapped: the kernel takes the left pixel minus the right one": -_FOUND,
            "that has a row too few and a column too many: the kernel is one row and two columns": _FOUND.T,
            "the signs are swapped, and so are rows and columns": -_FOUND.T,
            "an edge is found on both of its sides": _FOUND.clamp(min=0),
        },
    ),
    "2.1b": Exercise(
        reference=lambda X, K: corr2d(X, K.T),
        inputs=_pairs(((3, 5), (1, 2)), ((6, 4), (2, 3))),
        mistakes={
            "the numbers are right, but rows and columns of the result are swapped": lambda X, K: corr2d(X.T, K),
            "that is what K itself finds": lambda X, K: corr2d(X, K),
            "that is what K itself finds, turned; it is right for a symmetric image only": lambda X, K: corr2d(X, K).T,
        },
    ),
    "2.2": Exercise(
        reference=(True, 42, (1, 0)),
        mistakes={
            "torch follows assignments into a tensor; no error is raised": (False, 42, (1, 0)),
            "48 is the number of pixels; is there an assignment for each of them?": (True, 48, (1, 0)),
            "a loop over no positions runs, and returns an empty tensor of another shape": (True, 42, (6, 7)),
            "the function takes the last two of the four sizes for rows and columns? It takes the first two": (
                True,
                42,
                (1, 1, 6, 7),
            ),
        },
    ),
    "2.3a": Exercise(
        reference=_as_product,
        inputs=_pairs(((3, 4), (2, 2)), ((5, 6), (2, 3)), ((6, 5), (3, 1))),
        mistakes={
            "the kernel is flipped: that is convolution, not cross-correlation": lambda X, K: corr2d(X, K.flip(0, 1)),
            "the result is transposed": lambda X, K: corr2d(X, K).T,
            "the result is still one row; it wants the shape of the output": lambda X, K: corr2d(X, K).flatten(),
            "the patches are read row by row where the kernel is read column by column": lambda X, K: corr2d(
                X, K.T.reshape(K.shape)
            ),
        },
    ),
    "2.3b": Exercise(
        reference=toeplitz2d,
        inputs=[(torch.tensor([[1.0, 2], [3, 4]]), (3, 4)), (torch.tensor([[1.0, 2, 3]]), (2, 5))],
        mistakes={
            "the matrix is transposed: a row for each output, a column for each pixel": lambda K, n: toeplitz2d(K, n).T,
            "the kernel is flipped": lambda K, n: toeplitz2d(K.flip(0, 1), n),
            "the window runs over the image's edge and comes in on the other side": _circulant,
            "the rows of the kernel stand side by side; they are one image row apart": lambda K, n: toeplitz2d(
                K.reshape(1, -1), (1, n[0] * n[1])
            ),
        },
    ),
    "2.4a": Exercise(
        reference=(1.0, -2.0, 1.0),
        view=_scaled,
        mistakes={
            "that is the first derivative over two pixels": (-1.0, 0.0, 1.0),
            "the sign is turned round: a valley curves upwards, its second derivative is positive": (-1.0, 2.0, -1.0),
            "the weights must add up to 0, or a constant image would have a second derivative": (1.0, -1.0, 1.0),
            "that is the first derivative": (-1.0, 1.0),
            "that is a first difference; the second derivative is the slope of the slope": (1.0, -1.0),
        },
    ),
    "2.4b": Exercise(
        reference=(4, 2, 2, 1, 0),
        mistakes={
            "those are the answers of the 8-neighbour kernel": (8, 6, 5, 3, 0),
            "with their signs, but the strength was asked": (-4, -2, -2, -1, 0),
            "a ramp has a slope, but no curvature": (4, 2, 2, 1, 1),
            "a line's pixel has two neighbours on the line": (4, 3, 2, 1, 0),
        },
    ),
    "2.5": Exercise(
        reference=lambda d: kernels.finite_difference(d)[0],
        inputs=[(1,), (2,), (3,), (5,)],
        mistakes={
            "the signs are swapped for odd orders: the derivative grows to the right": lambda d: (
                (-1.0) ** d * kernels.finite_difference(d)[0]
            ),
            "the signs do not alternate": lambda d: kernels.finite_difference(d)[0].abs(),
            "one weight too few: that is a derivative of an order less": lambda d: kernels.finite_difference(d - 1)[0],
            "all weights are ±1; the binomial coefficients are missing": lambda d: torch.tensor(
                [(-1.0) ** (d - j) for j in range(d + 1)]
            ),
            "the weights are divided by the factorial of the order": lambda d: (
                torch.tensor([(-1.0) ** (d - j) * comb(d, j) for j in range(d + 1)]) / torch.arange(1.0, d + 1).prod()
            ),
        },
    ),
    "2.6a": Exercise(
        reference=lambda size, sigma: kernels.gaussian(size, sigma),
        inputs=[(3, 1.0), (5, 1.4), (4, 0.8)],
        mistakes={
            "the weights do not add up to 1, so the image gets brighter or darker": _sampled_gaussian,
            "the exponent lacks the 2 of 2σ²: that is a Gaussian narrower by √2": lambda size, sigma: (
                _sampled_gaussian(size, sigma, exponent=1.0) / _sampled_gaussian(size, sigma, exponent=1.0).sum()
            ),
            "each row adds up to 1; the whole kernel should": lambda size, sigma: size * kernels.gaussian(size, sigma),
            "an even size has no pixel in its middle: the middle lies between two": lambda size, sigma: _off_centre(
                size, sigma, 0 if size % 2 else 0.5
            ),
            "the middle is half a pixel off: the outermost pixels are to be equally far from it": lambda size, sigma: (
                _off_centre(size, sigma, 0.5)
            ),
        },
    ),
    "2.6b": Exercise(
        reference=([6.0, 9.0], [1.0, 3.0, 6.0, 10.0]),
        mistakes={
            "that is the mean of each window, not its sum": ([2.0, 3.0], [1.0, 3.0, 6.0, 10.0]),
            "the two are swapped": ([1.0, 3.0, 6.0, 10.0], [6.0, 9.0]),
            "a running sum starts with the first number": ([6.0, 9.0], [0.0, 1.0, 3.0, 6.0]),
        },
    ),
    "2.7": Exercise(
        reference=kernels.edge,
        inputs=[((0, 1),), ((1, 0),), ((3, 4),), ((-1, 2),)],
        view=_slopes,
        mistakes={
            "rows and columns of the direction are swapped": lambda v: kernels.edge(v[::-1]),
            "the sign is turned round: an image that grows along the direction should give a positive answer": lambda v: (
                -kernels.edge(v)
            ),
            "the length of the direction matters; only where it points should": lambda v: kernels.edge(v) * hypot(*v),
            "it answers to edges along the direction; those at right angles to it were asked": lambda v: kernels.edge(
                (v[1], -v[0])
            ),
            "a ramp of 1 a pixel gives 8: the weights still have to be divided": lambda v: kernels.edge(v) * 8,
        },
    ),
}
