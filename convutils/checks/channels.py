"""Checkers of the exercises on chapter 4, multiple input and output channels."""

from math import isfinite, prod

import torch
from torch.nn import functional as F

from convutils.channels import compose_kernels, conv_cost, corr2d_multi_in_out
from convutils.checks.engine import Exercise

_random = torch.Generator().manual_seed(4)


def _bank(*size):
    return torch.randn(*size, generator=_random)


def _without_flip(W1, W2):
    return compose_kernels(W1, W2.flip(2, 3))


def _cost(input_shape, weight_shape, p, s):
    cost = conv_cost(input_shape, weight_shape, padding=p, stride=s)
    return cost.multiplications, cost.additions


def _backward(input_shape, weight_shape, p, s):
    cost = conv_cost(input_shape, weight_shape, padding=p, stride=s)
    return cost.saved_elements, cost.backward_macs


def _padding_ratio(n, k, p, s):
    return ((n + 4 * p - k) // s + 1) ** 2 / ((n + 2 * p - k) // s + 1) ** 2


def _judge_order(numbers):
    """Say what three numbers, floats or tensors of any precision, show about the order of additions."""
    a, b, c = (number if isinstance(number, torch.Tensor) else float(number) for number in numbers)
    first, second = float((a + b) + c), float(a + (b + c))
    if not isfinite(first + second):
        return "too large"
    if first != second:
        return "a counterexample"
    return "integers" if all(number == int(number) and abs(number) < 2**24 for number in (a, b, c)) else "no difference"


def _as_product(X, K, p, s):
    return corr2d_multi_in_out(X, K, padding=p, stride=s)


EXERCISES = {
    "4.1a": Exercise(
        reference=(7, 4),
        mistakes={
            "the larger kernel alone is not enough: the second one looks at several outputs of the first": (5, 3),
            "the two windows share one row and one column; the sizes do not simply add up": (8, 5),
            "rows and columns are swapped": (4, 7),
            "one row and one column too few: k − 1 is what each layer adds": (6, 3),
        },
    ),
    "4.1b": Exercise(
        reference=compose_kernels,
        inputs=[(_bank(2, 1, 3, 3), _bank(1, 2, 3, 3)), (_bank(3, 2, 2, 3), _bank(4, 3, 3, 1))],
        mistakes={
            "the kernels are cross-correlated with each other; a flip is missing": _without_flip,
            "the result is turned by 180°: the other kernel is to be flipped": lambda W1, W2: _without_flip(
                W1, W2
            ).flip(2, 3),
            "the channels between are averaged; they are to be summed": lambda W1, W2: (
                compose_kernels(W1, W2) / W1.shape[0]
            ),
            "only the first of the channels between is used": lambda W1, W2: compose_kernels(W1[:1], W2[:, :1]),
            "output and input channels are swapped": lambda W1, W2: compose_kernels(W1, W2).transpose(0, 1),
        },
    ),
    "4.2": Exercise(
        reference=(False, 7, True),
        mistakes={
            "count the free numbers again: a factor can be moved from one kernel to the other": (False, 8, True),
            "two 2×2 kernels cannot reach every 3×3 kernel; count their free numbers": (True, 7, True),
            "a real polynomial of degree 3 always has a real root": (False, 7, False),
        },
    ),
    "4.3a": Exercise(
        reference=_cost,
        inputs=[((3, 8, 8), (4, 3, 3, 3), 1, 1), ((2, 7, 9), (5, 2, 3, 2), 0, 2), ((1, 5, 6), (1, 1, 2, 2), 1, 1)],
        mistakes={
            "as many additions as multiplications: m numbers take m − 1 additions": lambda a, b, p, s: (
                (_cost(a, b, p, s)[0],) * 2
            ),
            "the input channels seem to be left out": lambda a, b, p, s: _cost((1, *a[1:]), (b[0], 1, *b[2:]), p, s),
            "the output channels seem to be left out": lambda a, b, p, s: _cost(a, (1, *b[1:]), p, s),
            "counted over the pixels of the input instead of the positions of the output": lambda a, b, p, s: (
                prod(a[1:]) * prod(b),
                prod(a[1:]) * b[0] * (prod(b[1:]) - 1),
            ),
            "the padding seems to be left out": lambda a, b, p, s: _cost(a, b, 0, s),
            "the padding seems to be counted on one side only": lambda a, b, p, s: _cost(
                (a[0], a[1] + p, a[2] + p), b, 0, s
            ),
        },
    ),
    "4.3b": Exercise(
        reference=_backward,
        inputs=[((3, 15, 17), (4, 3, 3, 5), 1, 2), ((2, 8, 8), (2, 2, 3, 3), 1, 1), ((1, 6, 7), (3, 1, 2, 2), 0, 1)],
        mistakes={
            "the output need not be kept: the gradients are made of input, weights and the output's gradient": lambda a, b, p, s: (
                _backward(a, b, p, s)[0] + conv_cost(a, b, padding=p, stride=s).output_elements,
                _backward(a, b, p, s)[1],
            ),
            "only one of the two gradients is counted": lambda a, b, p, s: (
                _backward(a, b, p, s)[0],
                _backward(a, b, p, s)[1] // 2,
            ),
            "the input gradient is counted over the input's pixels; each forward MAC causes just one": lambda a, b, p, s: (
                _backward(a, b, p, s)[0],
                _backward(a, b, p, s)[1] // 2 + prod(a[1:]) * prod(b),
            ),
            "the weights are needed for the input's gradient, so they are kept too": lambda a, b, p, s: (
                prod(a),
                _backward(a, b, p, s)[1],
            ),
        },
    ),
    "4.4a": Exercise(
        reference=4,
        mistakes={
            "twice as many kernels, but that is not all that doubles": 2,
            "only the two channel counts double; rows and columns of the kernel stay": 16,
            "the two factors of growth multiply; nothing is added": 3,
        },
    ),
    "4.4b": Exercise(
        reference=_padding_ratio,
        inputs=[(8, 3, 1, 1), (28, 5, 2, 1), (8, 5, 1, 4), (9, 3, 1, 2)],
        mistakes={
            "one axis; an image has two": lambda n, k, p, s: _padding_ratio(n, k, p, s) ** 0.5,
            "the padding counts on both sides of each axis": lambda n, k, p, s: (
                (((n + 2 * p - k) // s + 1) / ((n + p - k) // s + 1)) ** 2
            ),
            "the stride lets it grow in jumps only, or not at all; the floor is missing": lambda n, k, p, s: (
                ((n + 4 * p - k + s) / (n + 2 * p - k + s)) ** 2
            ),
            "the stride seems to be left out": lambda n, k, p, s: _padding_ratio(n, k, p, 1),
            "the work does not double with the padding: only the border grows": lambda n, k, p, s: 4.0,
        },
    ),
    "4.5": Exercise(
        reference=lambda c_i, c_o, h, w: c_i * c_o * h * w,
        inputs=[(3, 2, 5, 7), (16, 8, 4, 4)],
        mistakes={
            "the output channels seem to be left out": lambda c_i, c_o, h, w: c_i * h * w,
            "the input channels seem to be left out": lambda c_i, c_o, h, w: c_o * h * w,
            "the input channels are added up, each with a weight of its own": lambda c_i, c_o, h, w: (
                (c_i + c_o) * h * w
            ),
            "that is the number of weights; they are used at every pixel": lambda c_i, c_o, h, w: c_i * c_o,
        },
    ),
    "4.6": Exercise(
        reference=(0.1, 0.2, 0.3),
        view=_judge_order,
        mistakes={
            "integers of this size are added without rounding": (1, 2, 3),
            "sums of this size are no longer finite": (float("inf"), 1.0, 2.0),
            "for these three both orders give the same": (0.5, 0.25, 0.125),
        },
    ),
    "4.7": Exercise(
        reference=_as_product,
        inputs=[
            (_bank(2, 5, 6), _bank(3, 2, 2, 3), 0, 1),
            (_bank(3, 6, 5), _bank(3, 3, 3, 2), 1, 2),
            (_bank(1, 4, 4), _bank(2, 1, 3, 3), 1, 1),
        ],
        mistakes={
            "the kernels are flipped": lambda X, K, p, s: _as_product(X, K.flip(2, 3), p, s),
            "the stride is left out": lambda X, K, p, s: _as_product(X, K, p, 1),
            "the padding is left out": lambda X, K, p, s: _as_product(X, K, 0, s),
            "the result is still a matrix; it wants c_o × rows × columns": lambda X, K, p, s: _as_product(
                X, K, p, s
            ).flatten(1),
            "the order of channels and window differs between kernels and patches": lambda X, K, p, s: _as_product(
                X, K.movedim(1, 3).reshape(K.shape), p, s
            ),
        },
    ),
    "4.8a": Exercise(
        reference=lambda k, delta: delta + 1,
        inputs=[(3, 0), (5, 8), (2, 3)],
        mistakes={
            "one too few: the window also stands at the strip's first column": lambda k, delta: delta,
            "that is the width of the strip, not of the output": lambda k, delta: k + delta,
            "the window needs k columns of the strip": lambda k, delta: delta + k - 1,
        },
    ),
    "4.8b": Exercise(
        reference=lambda k, delta: (k + delta) / (delta + 1),
        inputs=[(5, 8), (2, 3), (7, 100), (3, 0)],
        mistakes={
            "that is how much is read for the whole strip": lambda k, delta: float(k + delta),
            "turned round: columns read go on top": lambda k, delta: (delta + 1) / (k + delta),
            "there is one output column more in each strip": lambda k, delta: (k + delta) / max(delta, 0.5),
        },
    ),
    "4.9a": Exercise(
        reference=lambda c, b: (c**2 // b, c**3 // b**2),
        inputs=[(12, 3), (64, 8), (6, 1)],
        mistakes={
            "only one block is counted": lambda c, b: (c**2 // b**2, c**3 // b**3),
            "that counts the zeros outside the blocks too": lambda c, b: (c**2, c**3),
            "for the product of two matrices both are made of blocks": lambda c, b: (c**2 // b, c**3 // b),
        },
    ),
    "4.9b": Exercise(
        reference=lambda X, b: X.unflatten(0, (b, -1)).transpose(0, 1).flatten(0, 1),
        inputs=[(torch.arange(6.0)[:, None, None].expand(6, 2, 2), 2), (_bank(12, 1, 3), 3)],
        mistakes={
            "the channels stand as before": lambda X, b: X,
            "the order of the channels is turned round; each block still gets channels of one block": lambda X, b: (
                X.flip(0)
            ),
            "that is the inverse order: is a block a row or a column of your table?": lambda X, b: (
                X.unflatten(0, (-1, b)).transpose(0, 1).flatten(0, 1)
            ),
            "the channels are moved on by one": lambda X, b: X.roll(1, 0),
        },
    ),
}
