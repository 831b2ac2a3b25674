"""The table of bad inputs: each gives the error that names the argument, what came and what was wanted.

One row is a function, its arguments, the error and the words its message must contain.
"""

import inspect
import re
from copy import copy

import matplotlib.pyplot as plt
import pytest
import torch
from torch import nn

import convutils
from convutils import (
    Conv2D,
    LeNet,
    ModernLeNet,
    Pool2D,
    Standardise,
    check,
    comp_conv2d,
    compose_kernels,
    conv_cost,
    convolve2d,
    corr1d,
    corr2d,
    corr2d_multi_in,
    corr2d_multi_in_out,
    corr2d_multi_in_out_1x1,
    corr3d,
    evaluate,
    fast,
    figures,
    im2col,
    kernels,
    layer_table,
    load_mnist,
    output_size,
    padding_amounts,
    pool2d,
    receptive_field,
    same_padding,
    split_padding,
    toeplitz2d,
    train,
)
from convutils.fast import with_own_layers


def t(*shape, dtype=torch.float32):
    return torch.ones(shape, dtype=dtype)


def small_net():
    return nn.Sequential(Standardise(), nn.Flatten(), nn.Linear(16, 3))


DATA = (t(5, 1, 4, 4), torch.tensor([0, 1, 2, 0, 1]))


def normalising_net():
    return nn.Sequential(nn.Flatten(), nn.Linear(16, 3), nn.BatchNorm1d(3))


class Doubling(nn.Conv2d):
    def forward(self, X):
        return 2 * super().forward(X)


NAN, INF = float("nan"), float("inf")
BOOL, DOUBLE, LONG = torch.bool, torch.float64, torch.int64

# What every argument that is an int or a pair refuses; `least` is its smallest value.
PAIRS = [
    ("3", TypeError, "'3'"),
    ("same", TypeError, "'same'"),
    (1.0, TypeError, "1.0"),
    (True, TypeError, "True"),
    (None, TypeError, "None"),
    ((1, 1.5), TypeError, "(1, 1.5)"),
    (torch.tensor(1), TypeError, "tensor(1)"),
    ((1, 1, 1), ValueError, "(1, 1, 1)"),
    ((), ValueError, "()"),
    ([1], ValueError, "[1]"),
]


def pairs(function, name, least, skip=(), **arguments):
    """Return the rows for an argument that is an int or a pair."""
    below = [(least - 1, ValueError, str(least - 1)), ((5, least - 1), ValueError, f"(5, {least - 1})")]
    wanted = "wanted an int or a (rows, columns) pair"
    return [
        (function, {**arguments, name: value}, error, (f"{name}: got {came}", wanted))
        for value, error, came in PAIRS + below
        if value not in skip
    ]


def windows(function, names="psd", **arguments):
    """Return the rows for padding, stride and dilation."""
    least = {"p": ("padding", 0), "s": ("stride", 1), "d": ("dilation", 1)}
    return [row for letter in names for row in pairs(function, *least[letter], **arguments)]


def tensors(function, name, *ndims, **arguments):
    """Return the rows for an argument that is a tensor with one of the numbers of dimensions."""
    wrong, fewer = max(ndims) + 1, min(ndims) - 1
    return [
        (function, {**arguments, name: [[1.0]]}, TypeError, (f"{name}: got list", "torch.Tensor")),
        (function, {**arguments, name: t(2, 2).numpy()}, TypeError, (f"{name}: got ndarray", "torch.Tensor")),
        (
            function,
            {**arguments, name: t(*wrong * [2])},
            ValueError,
            (f"{name}: got {wrong} dimensions", str(tuple(wrong * [2])), "wanted " + " or ".join(map(str, ndims))),
        ),
        (function, {**arguments, name: t(*fewer * [2])}, ValueError, (f"{name}: got {fewer} dimensions",)),
        (function, {**arguments, name: t(*fewer * [2], 0)}, ValueError, (f"{name}: got an empty tensor",)),
    ]


def flags(function, name, **arguments):
    """Return the rows for an argument that is True or False."""
    return [
        (function, {**arguments, name: value}, TypeError, (f"{name}: got {value!r}", "wanted True or False"))
        for value in ("False", 1, None, 0.5)
    ]


def integers(function, name, least, **arguments):
    """Return the rows for an argument that is one int."""
    return [
        (function, {**arguments, name: value}, error, (f"{name}: got {value!r}", "wanted an int"))
        for value, error in (
            ("a", TypeError),
            (1.5, TypeError),
            (True, TypeError),
            (None, TypeError),
            ((1, 2), TypeError),
            (least - 1, ValueError),
        )
    ]


def positives(function, name, **arguments):
    """Return the rows for an argument that is a positive number."""
    return [
        (function, {**arguments, name: value}, error, (f"{name}: got {value!r}", "wanted a positive number"))
        for value, error in (
            ("a", TypeError),
            (None, TypeError),
            (True, TypeError),
            (0, ValueError),
            (-1.0, ValueError),
            (NAN, ValueError),
            (INF, ValueError),
        )
    ]


def dtypes(function, x, k, x_shape, k_shape):
    """Return the rows for two tensors that must share one dtype."""
    return [
        (
            function,
            {x: t(*x_shape), k: t(*k_shape, dtype=DOUBLE)},
            TypeError,
            (f"{x} is torch.float32", f"{k} is torch.float64", "wanted the same dtype"),
        ),
        (function, {x: t(*x_shape, dtype=LONG), k: t(*k_shape)}, TypeError, (f"{x} is torch.int64",)),
        (
            function,
            {x: t(*x_shape, dtype=BOOL), k: t(*k_shape, dtype=BOOL)},
            TypeError,
            (f"{x} is torch.bool", "numbers"),
        ),
    ]


X, K, IMAGE = t(3, 4), t(2, 2), t(2, 3, 4)
BANK = t(5, 2, 2, 2)

TABLE = [
    # ---- chapter 1
    *tensors(corr1d, "x", 1, k=t(2)),
    *tensors(corr1d, "k", 1, x=t(5)),
    *dtypes(corr1d, "x", "k", (5,), (2,)),
    (corr1d, {"x": t(2), "k": t(3)}, ValueError, ("k: got shape (3,)", "wanted at most the input's (2,)")),
    *tensors(corr3d, "V", 3, K=t(1, 1, 1)),
    *tensors(corr3d, "K", 3, V=t(3, 3, 3)),
    *dtypes(corr3d, "V", "K", (3, 3, 3), (2, 2, 2)),
    (corr3d, {"V": t(3, 3, 3), "K": t(1, 1, 4)}, ValueError, ("K: got shape (1, 1, 4)", "(3, 3, 3)")),
    *tensors(toeplitz2d, "K", 2, input_size=5),
    *pairs(toeplitz2d, "input_size", 1, K=t(1, 1)),
    (toeplitz2d, {"K": t(3, 2), "input_size": (2, 9)}, ValueError, ("K: the window spans 3×2", "at most", "2×9")),
    # ---- chapter 2
    *tensors(corr2d, "X", 2, K=K),
    *tensors(corr2d, "K", 2, X=X),
    *dtypes(corr2d, "X", "K", (3, 4), (2, 2)),
    *windows(corr2d, X=t(9, 9), K=K),
    (corr2d, {"X": X, "K": t(1, 5)}, ValueError, ("K: the window spans 1×5", "wanted at most the padded input's 3×4")),
    (corr2d, {"X": X, "K": t(6, 1), "padding": 1}, ValueError, ("K: the window spans 6×1", "5×6")),
    (corr2d, {"X": X, "K": K, "dilation": (3, 1)}, ValueError, ("K: the window spans 4×2", "3×4")),
    *tensors(convolve2d, "X", 2, K=K),
    *tensors(convolve2d, "K", 2, X=X),
    *dtypes(convolve2d, "X", "K", (3, 4), (2, 2)),
    *[
        (convolve2d, {"X": X, "K": K, "mode": mode}, ValueError, (f"mode: got {mode!r}", "'full'", "'same'", "'valid'"))
        for mode in ("Same", "", None, 3)
    ],
    (convolve2d, {"X": X, "K": t(4, 1), "mode": "valid"}, ValueError, ("K: the window spans 4×1", "3×4")),
    *tensors(im2col, "X", 3, 4, kernel_size=2),
    *pairs(im2col, "kernel_size", 1, skip=[(1, 1, 1)], X=t(1, 9, 9)),
    *windows(im2col, X=t(1, 9, 9), kernel_size=2),
    (im2col, {"X": IMAGE, "kernel_size": 4}, ValueError, ("kernel_size: the window spans 4×4", "3×4")),
    (im2col, {"X": IMAGE, "kernel_size": K}, TypeError, ("kernel_size: got tensor",)),
    *pairs(Conv2D, "kernel_size", 1),
    *windows(Conv2D, "ps", kernel_size=2),
    *integers(Conv2D, "in_channels", 1, kernel_size=2),
    *integers(Conv2D, "out_channels", 1, kernel_size=2),
    *tensors(Conv2D(2), "X", 2, 3, 4),
    (Conv2D(2), {"X": t(3, 4, dtype=DOUBLE)}, TypeError, ("X is torch.float64", "K is torch.float32")),
    *tensors(Conv2D(2, 3, 4), "X", 3, 4),
    (Conv2D(2, 3, 4), {"X": t(2, 5, 5)}, ValueError, ("input channels of K: got 3", "wanted 2 to match X")),
    (Conv2D(6), {"X": t(5, 9)}, ValueError, ("K: the window spans 6×6", "5×9")),
    # ---- chapter 3
    *pairs(output_size, "input_size", 1, kernel_size=1),
    *pairs(output_size, "kernel_size", 1, input_size=9),
    *windows(output_size, input_size=9, kernel_size=2),
    (output_size, {"input_size": 3, "kernel_size": (1, 4)}, ValueError, ("kernel_size: the window spans 1×4", "3×3")),
    (output_size, {"input_size": 3, "kernel_size": 2, "dilation": 3}, ValueError, ("kernel_size: the window", "4×4")),
    *integers(split_padding, "total", 0, extra="after"),
    *[
        (split_padding, {"total": 3, "extra": extra}, ValueError, (f"extra: got {extra!r}", "'before', 'after'"))
        for extra in ("top", None, 1)
    ],
    *pairs(same_padding, "input_size", 1, kernel_size=1),
    *pairs(same_padding, "kernel_size", 1, input_size=9),
    *windows(same_padding, "sd", input_size=9, kernel_size=2),
    *pairs(padding_amounts, "padding", 0, convention="d2l", input_size=9, kernel_size=2),
    *pairs(padding_amounts, "input_size", 1, padding=0, convention="torch", kernel_size=1),
    *pairs(padding_amounts, "kernel_size", 1, padding="same", convention="tensorflow", input_size=9),
    *windows(padding_amounts, "sd", padding="valid", convention="torch", input_size=9, kernel_size=2),
    *[
        (
            padding_amounts,
            {"padding": padding, "convention": convention, "input_size": 9, "kernel_size": 2},
            ValueError,
            (f"padding: got {padding!r}, wanted one of 'same', 'valid'",),
        )
        for padding, convention in (("SAME", "torch"), ("full", "torch"), ("half", "tensorflow"), (1, "tensorflow"))
    ],
    *[
        (
            padding_amounts,
            {"padding": 1, "convention": convention, "input_size": 9, "kernel_size": 2},
            ValueError,
            (f"convention: got {convention!r}", "'torch', 'd2l', 'tensorflow'"),
        )
        for convention in ("keras", "Torch", None)
    ],
    (
        padding_amounts,
        {"padding": "same", "convention": "torch", "input_size": 9, "kernel_size": 3, "stride": (1, 2)},
        ValueError,
        ("stride: got (1, 2)", "wanted 1", "torch has no padding 'same' with a stride"),
    ),
    *[
        (receptive_field, {"layers": layers}, TypeError, (f"layers: got {came}, wanted torch.nn modules",))
        for layers, came in (
            (5, "int"),
            (None, "NoneType"),
            ("conv", "str"),
            ([nn.ReLU(), 3.0], "float"),
            ([nn.ReLU], "type"),
            ([(1, 2)], "int"),
        )
    ],
    *[
        (
            receptive_field,
            {"layers": [nn.ReLU(), layer]},
            ValueError,
            (f"layers: got {type(layer).__name__}", "smaller than the image, or that work on each unit alone"),
        )
        for layer in (
            nn.Linear(2, 2),
            nn.AdaptiveAvgPool2d(1),
            nn.AdaptiveMaxPool2d(2),
            nn.LayerNorm(3),
            nn.GroupNorm(1, 1),
            nn.InstanceNorm2d(1),
            nn.ConvTranspose2d(1, 1, 2),
            nn.Upsample(scale_factor=2),
            nn.ZeroPad2d(1),
            nn.ReflectionPad2d(1),
            nn.ModuleList([nn.ReLU()]),
        )
    ],
    *[
        (receptive_field, {"layers": layer}, ValueError, (f"layers: got {type(layer).__name__}", "one by one"))
        for layer in (
            nn.Conv1d(1, 1, 3),
            nn.MaxPool3d(2),
            nn.AdaptiveAvgPool1d(1),
            nn.LSTM(2, 2),
            nn.Fold(4, 2),
            nn.MaxUnpool2d(2),
            nn.FractionalMaxPool2d(2, output_ratio=0.5),
            nn.PixelShuffle(2),
            nn.PixelUnshuffle(2),
            nn.Softmax(dim=-1),
            nn.RMSNorm([24]) if hasattr(nn, "RMSNorm") else nn.LayerNorm(24),
            nn.BatchNorm2d(2, track_running_stats=False),
        )
    ],
    (receptive_field, {"layers": nn.MaxPool2d(2, padding=2)}, ValueError, ("layers: MaxPool2d", "half the window")),
    *tensors(comp_conv2d, "X", 2, layer=nn.Conv2d(1, 1, 1)),
    (comp_conv2d, {"layer": Conv2D(2), "X": X}, TypeError, ("layer: got Conv2D", "torch.nn.Conv2d")),
    (
        comp_conv2d,
        {"layer": nn.Conv2d(2, 1, 2), "X": X},
        ValueError,
        ("layer.in_channels: got 2, wanted 1 to match one image",),
    ),
    (
        comp_conv2d,
        {"layer": nn.Conv2d(1, 3, 2), "X": X},
        ValueError,
        ("layer.out_channels: got 3, wanted 1 to match one output image",),
    ),
    (
        comp_conv2d,
        {"layer": nn.Conv2d(1, 1, 2), "X": X.double()},
        TypeError,
        ("X is torch.float64", "layer.weight is torch.float32"),
    ),
    (comp_conv2d, {"layer": nn.Conv2d(1, 1, 4), "X": X}, ValueError, ("X: got shape (3, 4)", "kernel_size=(4, 4)")),
    # ---- chapter 4
    *tensors(corr2d_multi_in, "X", 3, K=t(2, 1, 1)),
    *tensors(corr2d_multi_in, "K", 3, X=IMAGE),
    *dtypes(corr2d_multi_in, "X", "K", (2, 3, 4), (2, 2, 2)),
    (corr2d_multi_in, {"X": IMAGE, "K": t(3, 2, 2)}, ValueError, ("channels of K: got 3", "wanted 2 to match X")),
    (corr2d_multi_in, {"X": t(3, 3, 4), "K": t(2, 2, 2)}, ValueError, ("channels of K: got 2", "wanted 3")),
    (corr2d_multi_in, {"X": IMAGE, "K": t(2, 4, 2)}, ValueError, ("K: the window spans 4×2", "3×4")),
    *tensors(corr2d_multi_in_out, "X", 3, 4, K=BANK),
    *tensors(corr2d_multi_in_out, "K", 4, X=IMAGE),
    *dtypes(corr2d_multi_in_out, "X", "K", (2, 3, 4), (5, 2, 2, 2)),
    *windows(corr2d_multi_in_out, "ps", X=t(2, 9, 9), K=BANK),
    *tensors(corr2d_multi_in_out, "bias", 1, X=IMAGE, K=BANK)[:3],
    *[
        (corr2d_multi_in_out, {"X": IMAGE, "K": BANK, "bias": bias}, error, words)
        for bias, error, words in (
            (t(4), ValueError, ("length of bias: got 4", "wanted 5 to match the output channels of K")),
            (t(), ValueError, ("bias: got 0 dimensions",)),
            (t(0), ValueError, ("bias: got an empty tensor",)),
            (t(5, dtype=DOUBLE), TypeError, ("dtype: K is torch.float32, bias is torch.float64",)),
        )
    ],
    (
        corr2d_multi_in_out,
        {"X": t(3, 3, 4), "K": BANK},
        ValueError,
        ("input channels of K: got 2", "wanted 3 to match X"),
    ),
    (corr2d_multi_in_out, {"X": IMAGE, "K": t(2, 5, 2, 2)}, ValueError, ("input channels of K: got 5", "wanted 2")),
    (corr2d_multi_in_out, {"X": IMAGE, "K": t(1, 2, 2, 5)}, ValueError, ("K: the window spans 2×5", "3×4")),
    *tensors(corr2d_multi_in_out_1x1, "X", 3, K=t(1, 2, 1, 1)),
    *tensors(corr2d_multi_in_out_1x1, "K", 4, X=IMAGE),
    *dtypes(corr2d_multi_in_out_1x1, "X", "K", (2, 3, 4), (5, 2, 1, 1)),
    (
        corr2d_multi_in_out_1x1,
        {"X": IMAGE, "K": BANK},
        ValueError,
        ("window of K: got (2, 2)", "wanted (1, 1) to match a 1×1 convolution"),
    ),
    (
        corr2d_multi_in_out_1x1,
        {"X": IMAGE, "K": t(2, 3, 1, 1)},
        ValueError,
        ("input channels of K: got 3", "wanted 2 to match X"),
    ),
    *tensors(compose_kernels, "W1", 4, W2=t(1, 1, 1, 1)),
    *tensors(compose_kernels, "W2", 4, W1=t(1, 1, 1, 1)),
    *dtypes(compose_kernels, "W1", "W2", (2, 1, 2, 2), (1, 2, 2, 2)),
    (
        compose_kernels,
        {"W1": t(2, 1, 3, 3), "W2": t(2, 1, 3, 3)},
        ValueError,
        ("input channels of W2: got 1", "wanted 2 to match the output channels of W1"),
    ),
    *windows(conv_cost, input_shape=(1, 9, 9), weight_shape=(1, 1, 2, 2)),
    *integers(conv_cost, "groups", 1, input_shape=(1, 9, 9), weight_shape=(1, 1, 2, 2)),
    *[
        (conv_cost, {"input_shape": shape, "weight_shape": (1, 1, 1, 1)}, error, ("input_shape: got", "(c_i, h, w)"))
        for shape, error in (
            (3, TypeError),
            ("133", TypeError),
            ((1.0, 3, 3), TypeError),
            (t(1, 3, 3), TypeError),
            ((3, 3), ValueError),
            ((2, 1, 1, 3, 3), ValueError),
            ((0, 3, 3), ValueError),
            ((), ValueError),
        )
    ],
    *[
        (
            conv_cost,
            {"input_shape": (1, 3, 3), "weight_shape": shape},
            error,
            ("weight_shape: got", "wanted", "(c_o, c_i / groups, k_h, k_w)"),
        )
        for shape, error in ((3, TypeError), (BANK, TypeError), ((1, 1, 1), ValueError), ((0, 1, 1, 1), ValueError))
    ],
    (
        conv_cost,
        {"input_shape": (3, 9, 9), "weight_shape": (4, 2, 3, 3)},
        ValueError,
        ("weight_shape[1] * groups: got 2", "wanted 3 to match the input channels"),
    ),
    (
        conv_cost,
        {"input_shape": (4, 9, 9), "weight_shape": (3, 2, 3, 3), "groups": 2},
        ValueError,
        ("weight_shape[0] % groups: got 1, wanted 0 to match whole groups of output channels",),
    ),
    (
        conv_cost,
        {"input_shape": (1, 3, 3), "weight_shape": (1, 1, 4, 1)},
        ValueError,
        ("weight_shape: the window spans 4×1", "3×3"),
    ),
    # ---- chapter 5
    *tensors(pool2d, "X", 2, 3, 4, pool_size=1),
    *pairs(pool2d, "pool_size", 1, X=t(9, 9)),
    *windows(pool2d, "ps", X=t(9, 9), pool_size=2),
    *[
        (pool2d, {"X": X, "pool_size": 2, "mode": mode}, ValueError, (f"mode: got {mode!r}", "'max', 'avg'"))
        for mode in ("mean", "MAX", None, 0)
    ],
    (pool2d, {"X": X, "pool_size": (1, 5)}, ValueError, ("pool_size: the window spans 1×5", "3×4")),
    (pool2d, {"X": X, "pool_size": 2, "padding": 2}, ValueError, ("padding: got 2", "at most half the window 2")),
    (pool2d, {"X": X, "pool_size": (2, 3), "padding": (1, 2)}, ValueError, ("padding: got (1, 2)", "(2, 3)")),
    (pool2d, {"X": X.long(), "pool_size": 2, "mode": "avg"}, TypeError, ("X: got torch.int64", "floating dtype")),
    *[
        (
            pool2d,
            {"X": X.to(dtype), "pool_size": 2, "mode": mode},
            TypeError,
            (f"X: got {dtype}", "wanted real numbers"),
        )
        for dtype in (BOOL, torch.complex64)
        for mode in ("max", "avg")
    ],
    *pairs(Pool2D, "pool_size", 1),
    *windows(Pool2D, "p", pool_size=2),
    *pairs(Pool2D, "stride", 1, skip=[None], pool_size=2),
    (Pool2D, {"pool_size": 2, "mode": "min"}, ValueError, ("mode: got 'min'", "'max', 'avg'")),
    (Pool2D(4), {"X": X}, ValueError, ("pool_size: the window spans 4×4", "3×4")),
    *[
        (function, {"X": t(*shape), **arguments}, ValueError, (f"X: got an empty tensor of shape {shape}",))
        for function, arguments in (
            (im2col, {"kernel_size": 1}),
            (corr2d_multi_in_out, {"K": BANK}),
            (Conv2D(2, 2, 3), {}),
            (pool2d, {"pool_size": 1}),
            (Pool2D(1), {}),
        )
        for shape in ((2, 2, 0, 4), (2, 2, 4, 0), (2, 0, 4, 4), (0, 2, 0, 4), (2, 0, 4))
    ],
    (Pool2D(2), {"X": t(4)}, ValueError, ("X: got 1 dimensions", "wanted 2 or 3 or 4")),
    # ---- chapter 6
    *integers(LeNet, "num_classes", 1),
    *integers(ModernLeNet, "num_classes", 1),
    (Standardise().fit, {"X": [1.0]}, TypeError, ("X: got list", "torch.Tensor")),
    (Standardise().fit, {"X": t(2, 2, dtype=LONG)}, TypeError, ("X: got torch.int64", "floating")),
    (layer_table, {"model": 3, "input_shape": (1, 28, 28)}, TypeError, ("model: got int", "torch.nn.Module")),
    *[
        (
            layer_table,
            {"model": LeNet(), "input_shape": shape},
            error,
            ("input_shape: got", "(channels, rows, columns)"),
        )
        for shape, error in (
            (28, TypeError),
            ((1.0, 28, 28), TypeError),
            ("abc", TypeError),
            ((28, 28), ValueError),
            ((1, 1, 28, 28), ValueError),
            ((1, 0, 28), ValueError),
        )
    ],
    (
        layer_table,
        {"model": LeNet(), "input_shape": (3, 28, 28)},
        ValueError,
        ("input_shape: got (3, 28, 28)", "Conv2d(1, 6", "cannot take the 3×28×28"),
    ),
    (
        layer_table,
        {"model": LeNet(), "input_shape": (1, 32, 32)},
        ValueError,
        ("input_shape: got (1, 32, 32)", "Linear(in_features=400", "cannot take the 576"),
    ),
    *flags(with_own_layers, "plain", model=nn.ReLU()),
    (with_own_layers, {"model": [nn.ReLU()]}, TypeError, ("model: got list", "wanted a torch.nn.Module")),
    *[
        (with_own_layers, {"model": nn.Sequential(nn.ReLU(), nn.Sequential(layer))}, ValueError, words)
        for layer, *words in (
            (nn.Conv2d(1, 2, 3, dilation=2), "model: Conv2d(1, 2", "has dilation=(2, 2), wanted 1"),
            (nn.Conv2d(2, 2, 3, groups=2), "model: Conv2d(2, 2", "has groups=2, wanted 1"),
            (nn.Conv2d(1, 2, 3, padding_mode="circular"), "model: Conv2d(1, 2", "has padding_mode='circular', wanted"),
            (nn.Conv2d(1, 2, 3, bias=False), "model: got Conv2d(1, 2", "a bias"),
            (nn.LazyConv2d(2, 3), "model: got LazyConv2d(0, 2", "wanted weights"),
            (Doubling(1, 2, 3), "model: got Doubling(1, 2", "forward of its own"),
            (nn.Conv2d(1, 2, 3, padding="same"), "model: got Conv2d(1, 2", "a padding in numbers"),
            (nn.MaxPool2d(2, ceil_mode=True), "model: MaxPool2d", "has ceil_mode=True, wanted False"),
            (nn.MaxPool2d(2, dilation=2), "model: MaxPool2d", "has dilation=2, wanted 1"),
            (nn.MaxPool2d(2, return_indices=True), "model: MaxPool2d", "has return_indices=True"),
            (nn.AvgPool2d(2, count_include_pad=False), "model: AvgPool2d", "has count_include_pad=False, wanted True"),
            (nn.AvgPool2d(2, divisor_override=3), "model: AvgPool2d", "has divisor_override=3, wanted None"),
        )
    ],
    # ---- training
    *[
        row
        for name, least in (("epochs", 1), ("batch_size", 1), ("max_shift", 0), ("seed", 0))
        for row in integers(
            train, name, least, model=small_net(), train_set=DATA, test_set=DATA, **{"epochs": 1, "lr": 0.1}
        )
    ],
    *positives(train, "lr", model=small_net(), train_set=DATA, test_set=DATA, epochs=1),
    *[
        row
        for name in ("one_cycle", "standardise")
        for row in flags(train, name, model=small_net(), train_set=DATA, test_set=DATA, epochs=1, lr=0.1)
    ],
    *[
        (
            train,
            {
                "model": normalising_net(),
                "train_set": DATA,
                "test_set": DATA,
                "epochs": 1,
                "lr": 0.1,
                "batch_size": size,
            },
            ValueError,
            (f"batch_size: got {size}, which makes a batch of one of the 5 images", "wanted another size"),
        )
        for size in (1, 2, 4)
    ],
    *[
        (function, {"model": small_net(), **arguments, name: data}, error, words)
        for function, name, arguments in (
            (train, "train_set", {"test_set": DATA, "epochs": 1, "lr": 0.1}),
            (train, "test_set", {"train_set": DATA, "epochs": 1, "lr": 0.1}),
            (evaluate, "data", {}),
        )
        for data, error, words in (
            (DATA[0], TypeError, (f"{name}: got Tensor", "wanted a pair of images and labels")),
            ((*DATA, 1), TypeError, (f"{name}: got tuple", "wanted a pair")),
            ((DATA[0].numpy(), DATA[1]), TypeError, (f"{name} images: got ndarray", "torch.Tensor")),
            ((DATA[0][:, 0], DATA[1]), ValueError, (f"{name} images: got 3 dimensions", "wanted 4")),
            ((DATA[0][:0], DATA[1][:0]), ValueError, (f"{name} images: got an empty tensor",)),
            ((DATA[0], DATA[1].tolist()), TypeError, (f"{name} labels: got list", "torch.Tensor")),
            ((DATA[0], DATA[1][:4]), ValueError, (f"{name} labels: got 4", "wanted 5 to match the number of images")),
            ((DATA[0], DATA[1][:, None]), ValueError, (f"{name} labels: got 2 dimensions", "wanted 1")),
            ((DATA[0], DATA[1].float()), TypeError, (f"{name} labels: got torch.float32", "whole numbers")),
            ((DATA[0], DATA[1] > 0), TypeError, (f"{name} labels: got torch.bool", "whole numbers")),
            ((DATA[0], -DATA[1]), ValueError, (f"{name} labels: got -2", "from 0")),
            ((DATA[0], DATA[1] + 1), ValueError, (f"{name} labels: got 3, wanted at most 2", "gives 3 scores")),
            (
                (DATA[0][:, :, 1:], DATA[1]),
                ValueError,
                (f"{name} images: got shape (5, 1, 3, 4), which", "1x12 and 16x3"),
            ),
        )
    ],
    *[
        (train, {"model": model, "train_set": DATA, "test_set": DATA, "epochs": 1, "lr": 0.1}, error, words)
        for model, error, words in (
            (3, TypeError, ("model: got int", "torch.nn.Module")),
            (nn.Sequential(nn.Flatten()), ValueError, ("parameter",)),
            (nn.Conv2d(1, 3, 4), ValueError, ("scores of the model: got 4 dimensions",)),
            (torch.inference_mode()(small_net)(), ValueError, ("model: got weights made under", "outside")),
        )
    ],
    (evaluate, {"model": print, "data": DATA}, TypeError, ("model: got builtin_function_or_method", "torch.nn.Module")),
    # ---- kernels
    *integers(kernels.finite_difference, "order", 0),
    *pairs(kernels.box, "size", 1),
    *[
        (kernels.laplacian, {"neighbours": n}, ValueError, (f"neighbours: got {n!r}", "4, 8"))
        for n in (5, 0, "4", None, [4])
    ],
    *pairs(kernels.gaussian, "size", 1, sigma=1.0),
    *positives(kernels.gaussian, "sigma", size=3),
    *[
        (kernels.edge, {"direction": v}, error, (f"direction: got {v!r}", "wanted two numbers (rows, columns)"))
        for v, error in (
            (5, TypeError),
            ("ab", TypeError),
            (None, TypeError),
            ((1, "b"), TypeError),
            ((1,), ValueError),
            ((1, 0, 0), ValueError),
            ((0, 0), ValueError),
            ((NAN, 1), ValueError),
            ((INF, 1), ValueError),
        )
    ],
    # ---- data (files, checksums and the network: test_data.py)
    (load_mnist, {"folder": 3}, TypeError, ("folder: got 3", "path")),
    # ---- checkers (answers: test_checks.py)
    *[
        (check, {"exercise": number, "answer": 1}, ValueError, (f"exercise: got {number!r}", "wanted"))
        for number in ("2.99", "99.1", "", "two", 2.1, None)
    ],
    # ---- figures
    *[
        (figures.show_matrices, {"matrices": value}, TypeError, ("matrices: got", "wanted a Mapping"))
        for value in (X, [X], "X", None)
    ],
    (figures.show_matrices, {"matrices": {}}, ValueError, ("matrices: got none",)),
    (figures.show_matrices, {"matrices": {"X": t(3)}}, ValueError, ("X: got 1 dimensions", "wanted 2")),
    (figures.show_matrices, {"matrices": {"X": [[1.0]]}}, TypeError, ("X: got list", "torch.Tensor")),
    *[
        (
            figures.show_matrices,
            {"matrices": {"X": X, "K": K}, "symbols": value},
            ValueError,
            (f"symbols: got {value!r}", "wanted at most 1"),
        )
        for value in (("⋆", "="), "⋆=", 1, None)
    ],
    *integers(figures.show_matrices, "decimals", 0, matrices={"X": X})[:3],  # None is the default
    *integers(figures.show_matrices, "decimals", 0, matrices={"X": X})[4:],
    *[
        (figures.show_images, {"images": value}, TypeError, ("images: got", "wanted"))
        for value in (3, None, "ab", [["a"]], [None], {"a": t(2, 2)}, iter([t(2, 2)]))
    ],
    (figures.show_images, {"images": []}, ValueError, ("images: got none",)),
    (figures.show_images, {"images": t(2, 3, 4, 4)}, ValueError, ("images: got 3 dimensions", "wanted 2")),
    (figures.show_images, {"images": t(4, 4)}, ValueError, ("images: got 1 dimensions", "wanted 2")),
    (figures.show_images, {"images": t(2, 4, 4), "titles": ["a"]}, ValueError, ("titles: got 1", "wanted 2")),
    *integers(figures.show_images, "columns", 1, images=t(2, 4, 4)),
    *positives(figures.show_images, "size", images=t(2, 4, 4)),
    *flags(figures.show_images, "signed", images=t(2, 4, 4)),
    *[
        (
            figures.plot_curves,
            {"curves": value, "xlabel": "x", "ylabel": "y"},
            TypeError,
            ("curves: got", "wanted a Mapping"),
        )
        for value in ([1.0], None, "loss", t(3))
    ],
    (figures.plot_curves, {"curves": {}, "xlabel": "x", "ylabel": "y"}, ValueError, ("curves: got none",)),
    (figures.plot_curves, {"curves": {"loss": []}, "xlabel": "x", "ylabel": "y"}, ValueError, ("loss: got none",)),
    (figures.plot_curves, {"curves": {"loss": 3}, "xlabel": "x", "ylabel": "y"}, TypeError, ("loss: got int",)),
    *[
        (
            figures.plot_curves,
            {"curves": {"loss": value}, "xlabel": "x", "ylabel": "y"},
            ValueError,
            ("loss: wanted numbers, or runs of equal length",),
        )
        for value in ([1.0, "a"], [[1.0], [1.0, 2.0]], [None])
    ],
    *[
        (
            figures.plot_curves,
            {"curves": {"loss": [1.0]}, "xlabel": "x", "ylabel": "y", name: value},
            TypeError,
            (f"{name}: got {value!r}", "wanted a string"),
        )
        for name in ("xlabel", "ylabel")
        for value in (3, None)
    ],
    *flags(figures.plot_curves, "log", curves={"loss": [1.0]}, xlabel="x", ylabel="y"),
    (
        figures.plot_curves,
        {"curves": {"loss": [1.0, 2.0]}, "xlabel": "x", "ylabel": "y", "x": [1]},
        ValueError,
        ("x: got 1 places", "wanted as many"),
    ),
    *[
        (
            figures.plot_curves,
            {"curves": {"loss": [1.0]}, "xlabel": "x", "ylabel": "y", "ylim": value},
            TypeError,
            (f"ylim: got {value!r}", "pair"),
        )
        for value in (1, "ab", (1, 2, 3))
    ],
    (figures.show_confusion, {"labels": [0], "predictions": torch.tensor([0])}, TypeError, ("labels: got list",)),
    (
        figures.show_confusion,
        {"labels": torch.tensor([10]), "predictions": torch.tensor([0])},
        ValueError,
        ("labels: got 10", "wanted 0 to 9"),
    ),
    (
        figures.show_confusion,
        {"labels": torch.tensor([0]), "predictions": torch.tensor([-1])},
        ValueError,
        ("predictions: got -1", "wanted 0 to 9"),
    ),
    (
        figures.show_confusion,
        {"labels": torch.tensor([0.5]), "predictions": torch.tensor([0])},
        TypeError,
        ("labels: got torch.float32", "whole numbers"),
    ),
    (
        figures.show_confusion,
        {"labels": torch.tensor([0, 1]), "predictions": torch.tensor([0])},
        ValueError,
        ("predictions: got 1", "wanted 2"),
    ),
    *integers(figures.show_confusion, "num_classes", 1, labels=torch.tensor([0]), predictions=torch.tensor([0])),
    (figures.draw_network, {"model": "LeNet", "input_shape": (1, 28, 28)}, TypeError, ("model: got str",)),
    (figures.draw_network, {"model": LeNet(), "input_shape": (3, 9, 9)}, ValueError, ("input_shape: got (3, 9, 9)",)),
    *tensors(figures.animate_corr2d, "X", 2, K=K, alt="a"),
    *tensors(figures.animate_corr2d, "K", 2, X=X, alt="a"),
    *windows(figures.animate_corr2d, X=t(9, 9), K=K, alt="a"),
    *tensors(figures.animate_pool2d, "X", 2, pool_size=1, alt="a"),
    *pairs(figures.animate_pool2d, "pool_size", 1, X=X, alt="a"),
    *windows(figures.animate_pool2d, "ps", X=t(9, 9), pool_size=2, alt="a"),
    (figures.animate_pool2d, {"X": X, "pool_size": 2, "mode": "min", "alt": "a"}, ValueError, ("mode: got 'min'",)),
    *[
        (function, {"X": X, name: value, "alt": alt}, ValueError, (f"alt: got {alt!r}", "sentence"))
        for function, name, value in ((figures.animate_corr2d, "K", K), (figures.animate_pool2d, "pool_size", 2))
        for alt in ("", " ", None, 3)
    ],
]


def quick(function):
    """Return the function or layer of `convutils.fast` with this one's name; None where there is none."""
    if isinstance(function, (Conv2D, Pool2D)):
        twin = copy(function)
        twin.__class__ = getattr(fast, type(function).__name__)
        return twin
    name = getattr(function, "__name__", "")
    return getattr(fast, name, None) if getattr(convutils, name, None) is function else None


TABLE += [(twin, *rest) for function, *rest in TABLE if (twin := quick(function))]


def name_of_function(function):
    """Return a function's or layer's name, with its module's where that is `fast`."""
    named = function if hasattr(function, "__name__") else type(function)
    return "fast." * (named.__module__ == fast.__name__) + named.__name__


def name_of(row):
    function, arguments, *_ = row
    name = name_of_function(function)
    shown = (f"{k}={v!r}" for k, v in arguments.items() if isinstance(v, (int, float, str, tuple)) and k != "alt")
    return f"{name}({', '.join(shown)})".replace("\n", " ")


@pytest.mark.parametrize("function, arguments, error, words", TABLE, ids=[name_of(row)[:80] for row in TABLE])
def test_bad_input_gives_a_clear_error(function, arguments, error, words):
    with pytest.raises(error) as raised:
        function(**arguments)
    assert raised.type is error
    for word in words:
        assert re.search(rf"(?<!\w){re.escape(word)}(?!\w)", str(raised.value)), (word, str(raised.value))
    assert not plt.get_fignums()  # no half-drawn figure is left


RESULTS = {"ConvCost", "LayerTable", "ReceptiveField"}  # made by functions, not by callers
ANYTHING = {("check", "answer")}  # whatever is handed in gets a verdict: test_checks.py
ALIASES = {"load_fashion_mnist": "load_mnist"}  # the same function but for a name


def public_functions():
    """Return every public function and class of the package, by name."""
    public = {name: getattr(convutils, name) for name in convutils.__all__}
    for module in (fast, kernels, figures):
        public |= {
            name_of_function(value): value
            for name, value in inspect.getmembers(
                module, lambda value: inspect.isfunction(value) or inspect.isclass(value)
            )
            if name in getattr(module, "__all__", ()) or value.__module__ == module.__name__ and name[0] != "_"
        }
    return {name: value for name, value in public.items() if callable(value) and name not in RESULTS}


@pytest.mark.parametrize("name", public_functions())
def test_every_parameter_of_every_public_function_has_its_rows(name):
    rows = [row for row in TABLE if name_of_function(row[0]) == ALIASES.get(name, name)]
    named = [words[0] for *_, words in rows]
    for parameter in inspect.signature(public_functions()[name]).parameters:
        if (name, parameter) not in ANYTHING:
            assert any(re.search(rf"\b{parameter}\b", word) for word in named), f"no row blames {name}'s {parameter}"


def test_no_row_is_for_something_unknown():
    fitting = {"fit"}  # Standardise's method
    assert {name_of_function(row[0]) for row in TABLE} <= set(public_functions()) | fitting
