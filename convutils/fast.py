"""The functions of the chapters, about as fast as torch's own, under the same names and contracts.

They take the arguments of the plain ones, give the same values and gradients, and raise the same errors. What makes
them quick is the subject of the page "How fast is it".
"""

from copy import deepcopy
from functools import reduce

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.parameter import is_lazy

from convutils import _arguments as require
from convutils import channels, pooling
from convutils._layers import is_one_of
from convutils._windows import Pair, count_windows, window_pairs


def corr2d(
    X: Tensor,
    K: Tensor,
    *,
    padding: int | tuple[int, int] = 0,
    stride: int | tuple[int, int] = 1,
    dilation: int | tuple[int, int] = 1,
) -> Tensor:
    """Cross-correlate an image with a kernel, as `convutils.corr2d` does, by half an unfold.

    One matrix product of all kernel rows with all row windows; then the kernel rows' answers, shifted, are added.
    A pixel is written k_w times instead of k_h · k_w times.

    Example:
        >>> corr2d(torch.arange(9.).reshape(3, 3), torch.arange(4.).reshape(2, 2))
        tensor([[19., 25.],
                [37., 43.]])
    """
    require.image_and_kernel(X, K)
    k, p, s, d = window_pairs(tuple(K.shape), padding, stride, dilation)
    h_out, w_out = count_windows("K", X.shape, k, p, s, d)
    X = _pad(X, p)
    windows = X.unfold(1, d[1] * (k[1] - 1) + 1, s[1])[..., :: d[1]].permute(2, 0, 1).reshape(k[1], -1)
    rows = (K @ windows).view(k[0], X.shape[0], w_out)
    last = (h_out - 1) * s[0]
    return reduce(torch.add, (rows[i, i * d[0] : i * d[0] + last + 1 : s[0]] for i in range(k[0])))


def corr2d_multi_in_out(
    X: Tensor,
    K: Tensor,
    bias: Tensor | None = None,
    *,
    padding: int | tuple[int, int] = 0,
    stride: int | tuple[int, int] = 1,
) -> Tensor:
    """Cross-correlate images with a kernel bank, as `convutils.corr2d_multi_in_out` does, by half an unfold.

    Kernel row i of all channels meets image rows i, i + s_h, … in one product, which is added to the sum in place.

    Example:
        >>> corr2d_multi_in_out(torch.ones(2, 3, 3), torch.ones(3, 2, 2, 2)).shape
        torch.Size([3, 2, 2])
    """
    require.images_and_bank(X, K, bias)
    (k_h, k_w), p, (s_h, s_w), _ = geometry = window_pairs(tuple(K.shape[2:]), padding, stride)
    size = count_windows("K", X.shape[-2:], *geometry)
    images = _pad(X if X.ndim == 4 else X[None], p)
    windows = images.unfold(3, k_w, s_w).movedim(4, 2).flatten(1, 2).contiguous()
    last = (size[0] - 1) * s_h
    rows = (windows[:, :, i : i + last + 1 : s_h].flatten(2) for i in range(k_h))
    kernel_rows = K.movedim(2, 0).flatten(2)[:, None].expand(-1, len(images), -1, -1)
    Y = torch.baddbmm(K.new_zeros(1, 1) if bias is None else bias[:, None], kernel_rows[0], next(rows))
    for i in range(1, k_h):
        Y.baddbmm_(kernel_rows[i], next(rows))
    return Y.view(*X.shape[:-3], len(K), *size)


def pool2d(
    X: Tensor,
    pool_size: int | tuple[int, int],
    mode: str = "max",
    *,
    padding: int | tuple[int, int] = 0,
    stride: int | tuple[int, int] = 1,
) -> Tensor:
    """Pool images, as `convutils.pool2d` does, the columns of each window first and then the rows.

    These are k_h + k_w slices of the whole batch instead of k_h · k_w.

    Example:
        >>> pool2d(torch.arange(9.).reshape(3, 3), 2).tolist()
        [[4.0, 5.0], [7.0, 8.0]]
    """
    k, p, s = pooling.check_pooling(X, pool_size, mode, padding, stride)
    count_windows("pool_size", X.shape[-2:], k, p, s)
    X = _pad(X, p, pooling.padding_value(mode, X.dtype))
    keep = X.requires_grad  # under vmap this is false even where a gradient is wanted: then it is made up for
    for axis in (-1, -2):
        X = _Slide.apply(X, axis, k[axis], s[axis], mode, keep)[0]
    return X / (k[0] * k[1]) if mode == "avg" else X


def _pad(X: Tensor, p: Pair, value: float = 0) -> Tensor:
    """Return X with p = (rows, columns) of `value` on every side; X itself, not a copy, where p is 0."""
    return F.pad(X, (p[1], p[1], p[0], p[0]), value=value) if any(p) else X


class _Slide(torch.autograd.Function):
    """The maximum or the sum ("avg") of each window of k numbers along one axis, at stride s.

    Autograd alone would share a maximum's gradient among equal numbers; here the first gets it, which after
    columns and rows is the first in reading order, as in torch's pooling. It would also make one image of zeros
    for each slice, where one is enough.
    """

    generate_vmap_rule = True

    @staticmethod
    def forward(X, axis, k, s, mode, keep):
        Y, wins = _slice(X, 0, axis, k, s), []
        for i in range(1, k):
            x = _slice(X, i, axis, k, s)
            if mode == "max" and keep:
                wins.append(x > Y)  # where number i is larger than all before it
            Y = torch.maximum(Y, x) if mode == "max" else Y + x
        return Y if k > 1 else Y.clone(), *wins  # never a view of X

    @staticmethod
    def setup_context(ctx, inputs, output):
        X, *ctx.window, ctx.mode, ctx.keep = inputs
        ctx.shape = X.shape
        ctx.mark_non_differentiable(*output[1:])
        ctx.save_for_backward(*(output[1:] if ctx.mode == "avg" or ctx.keep else [X]))

    @staticmethod
    def backward(ctx, gradient, *_):
        total, wins = gradient.new_zeros(ctx.shape), ctx.saved_tensors
        if ctx.mode == "max" and not ctx.keep:
            wins = _Slide.forward(*wins, *ctx.window, "max", True)[1:]
        for i in reversed(range(ctx.window[1])):
            share, rest = gradient, gradient  # of a sum, every number gets the whole gradient
            if wins and i:
                share = gradient * wins[i - 1]
                rest = gradient - share
            _slice(total, i, *ctx.window).add_(share)
            gradient = rest
        return total, None, None, None, None, None


def _slice(X, i, axis, k, s):
    """Return the view of X that holds number i of every window along the axis."""
    X, last = X.transpose(axis, -1), X.shape[axis] - k
    return X[..., i : last + i + 1 : s].transpose(axis, -1)


class Conv2D(channels.Conv2D):
    """The convolution layer, `convutils.Conv2D`, with the quick `corr2d_multi_in_out`.

    Example:
        >>> Conv2D(3, 2, 4, padding=1)(torch.ones(2, 6, 8)).shape
        torch.Size([4, 6, 8])
    """

    correlate = staticmethod(corr2d_multi_in_out)


class Pool2D(pooling.Pool2D):
    """The pooling layer, `convutils.Pool2D`, with the quick `pool2d`.

    Example:
        >>> Pool2D(2)(torch.ones(1, 6, 28, 28)).shape
        torch.Size([1, 6, 14, 14])
    """

    pool = staticmethod(pool2d)


# What our layers leave out: options of torch's convolutions and poolings, with the only value that ours have.
PLAIN = {
    "dilation": 1,
    "groups": 1,
    "padding_mode": "zeros",
    "ceil_mode": False,
    "return_indices": False,
    "count_include_pad": True,
    "divisor_override": None,
}


def with_own_layers(model: nn.Module, *, plain: bool = False) -> nn.Module:
    """Return a copy of the network in which our layers do the work of `nn.Conv2d`, `nn.MaxPool2d` and `nn.AvgPool2d`.

    The copy has the same weights, so it gives the same scores, up to rounding. With `plain` its layers are those of
    the chapters, otherwise the quick ones of this module.

    Raises:
        ValueError: for a layer with an option that ours lack, such as dilation or groups, for one without bias,
            without weights yet, or with a `forward` of its own.

    Example:
        >>> from convutils import LeNet
        >>> with_own_layers(LeNet())[1:4]
        Sequential(
          (0): Conv2D(kernel_size=(5, 5), in_channels=1, out_channels=6, padding=(2, 2), stride=(1, 1))
          (1): Sigmoid()
          (2): Pool2D((2, 2), mode='avg', padding=(0, 0), stride=(2, 2))
        )
    """
    require.module("model", model)
    require.flag("plain", plain)
    whole = nn.Sequential(deepcopy(model))  # the network may itself be one layer
    own = {}  # a layer used in two places is one layer in the copy too
    for path, layer in list(whole.named_modules(remove_duplicate=False)):
        if isinstance(layer, REPLACED):
            own[layer] = own[layer] if layer in own else _own_layer(layer, plain)
            parent, _, name = path.rpartition(".")
            setattr(whole.get_submodule(parent), name, own[layer])
    return whole[0]


REPLACED = (nn.Conv2d, nn.MaxPool2d, nn.AvgPool2d)


def _own_layer(layer: nn.Module, plain: bool) -> nn.Module:
    """Return our layer for torch's convolution or pooling."""
    for option, value in PLAIN.items():
        if getattr(layer, option, value) not in (value, (value, value)):
            raise ValueError(f"model: {layer} has {option}={getattr(layer, option)!r}, wanted {value!r}")
    if not is_one_of(layer, REPLACED):
        raise ValueError(f"model: got {layer} with a forward of its own, wanted torch's")
    if not isinstance(layer, nn.Conv2d):
        mode = "max" if isinstance(layer, nn.MaxPool2d) else "avg"
        kind = pooling.Pool2D if plain else Pool2D
        return kind(layer.kernel_size, mode, padding=layer.padding, stride=layer.stride).train(layer.training)
    return _own_convolution(layer, channels.Conv2D if plain else Conv2D)


def _own_convolution(layer: nn.Conv2d, kind: type[channels.Conv2D]) -> channels.Conv2D:
    """Return our convolution with the weights of torch's, on their device, in their dtype, frozen where they are."""
    if layer.bias is None or is_lazy(layer.weight) or isinstance(layer.padding, str):
        raise ValueError(f"model: got {layer}, wanted weights, a bias and a padding in numbers")
    counts = layer.in_channels, layer.out_channels
    with torch.device("meta"):  # no weights are drawn: those of torch's layer come
        own = kind(layer.kernel_size, *counts, padding=layer.padding, stride=layer.stride)
    own = own.to_empty(device=layer.weight.device).to(layer.weight.dtype).train(layer.training)
    own.load_state_dict(layer.state_dict())
    for ours, theirs in zip(own.parameters(), layer.parameters(), strict=True):
        ours.requires_grad_(theirs.requires_grad)
    return own
