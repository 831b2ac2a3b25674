"""Argument checks shared by all modules, so that every error names the argument, what came and what was wanted."""

from math import inf
from numbers import Integral, Real

import torch
from torch import nn


def integer(name, value, minimum):
    """Return `value`, an int of at least `minimum`."""
    if not _are_ints(value):
        raise TypeError(f"{name}: got {value!r}, wanted an int")
    if value < minimum:
        raise ValueError(f"{name}: got {value!r}, wanted an int of at least {minimum}")
    return int(value)


def pair(name, value, minimum):
    """Return `value`, an int or two ints of at least `minimum`, as a (rows, columns) tuple."""
    values = tuple(value) if isinstance(value, (tuple, list)) else (value, value)
    if not _are_ints(*values):
        raise TypeError(f"{name}: got {value!r}, wanted an int or a (rows, columns) pair of ints")
    if len(values) != 2 or min(values) < minimum:
        raise ValueError(f"{name}: got {value!r}, wanted an int or a (rows, columns) pair, each at least {minimum}")
    return tuple(map(int, values))


def shape(name, value, wanted, *lengths):
    """Return `value`, a shape of positive ints with one of the lengths, as a tuple; `wanted` is its form in words."""
    if not isinstance(value, (tuple, list)) or not _are_ints(*value):
        raise TypeError(f"{name}: got {value!r}, wanted ints {wanted}")
    if len(value) not in lengths or min(value) < 1:
        raise ValueError(f"{name}: got {tuple(value)}, wanted {wanted}, each at least 1")
    return tuple(map(int, value))


def _are_ints(*values):
    """Tell whether all values are whole numbers; True and False are not."""
    return all(type(v) is int or isinstance(v, Integral) and not isinstance(v, bool) for v in values)


def positive(name, value):
    """Check that `value` is a finite number above 0."""
    if not isinstance(value, Real) or isinstance(value, bool):
        raise TypeError(f"{name}: got {value!r}, wanted a positive number")
    if not 0 < value < inf:
        raise ValueError(f"{name}: got {value!r}, wanted a positive number")


def flag(name, value):
    """Check that `value` is True or False: the string "False" would count as true."""
    if not isinstance(value, bool):
        raise TypeError(f"{name}: got {value!r}, wanted True or False")


def module(name, value):
    """Check that `value` is a torch module."""
    if not isinstance(value, nn.Module):
        raise TypeError(f"{name}: got {type(value).__name__}, wanted a torch.nn.Module")


def tensor(name, value, *ndims, empty_batch=False):
    """Check that `value` is a tensor with one of the numbers of dimensions and at least one element.

    With `empty_batch`, the first of four dimensions may be 0, as torch allows: no images give no outputs.
    """
    if not isinstance(value, torch.Tensor):
        raise TypeError(f"{name}: got {type(value).__name__}, wanted a torch.Tensor")
    if value.ndim not in ndims:
        wanted = " or ".join(map(str, ndims))
        raise ValueError(f"{name}: got {value.ndim} dimensions, shape {tuple(value.shape)}, wanted {wanted}")
    needed = value.shape[1:] if empty_batch and value.ndim == 4 else value.shape
    if 0 in needed:
        raise ValueError(f"{name}: got an empty tensor of shape {tuple(value.shape)}, wanted at least one element")


def whole(name, value):
    """Check that the tensor `value` holds whole numbers."""
    if value.is_floating_point() or value.is_complex() or value.dtype == torch.bool:
        raise TypeError(f"{name}: got {value.dtype}, wanted whole numbers")


def same_dtype(**tensors):
    """Check that the named tensors share one dtype of numbers: a silent conversion would lose digits."""
    dtypes = {t.dtype for t in tensors.values()}
    if len(dtypes) > 1 or torch.bool in dtypes:
        came = ", ".join(f"{name} is {t.dtype}" for name, t in tensors.items())
        raise TypeError(f"dtype: {came}; wanted the same dtype for all, and numbers")


def image_and_kernel(X, K):
    """Check an image and a kernel, both rows × columns."""
    tensor("X", X, 2)
    tensor("K", K, 2)
    same_dtype(X=X, K=K)


def images_and_bank(X, K, bias=None):
    """Check c_i × h × w images or a batch of them, a kernel bank c_o × c_i × k_h × k_w, and a bias of length c_o."""
    tensor("X", X, 3, 4, empty_batch=True)
    tensor("K", K, 4)
    same_dtype(X=X, K=K)
    equal("input channels of K", K.shape[1], "X", X.shape[-3])
    if bias is not None:
        tensor("bias", bias, 1)
        same_dtype(K=K, bias=bias)
        equal("length of bias", len(bias), "the output channels of K", len(K))


def equal(name, got, other, wanted):
    """Check two counts that must agree, such as the channels of an image and of its kernel."""
    if got != wanted:
        raise ValueError(f"{name}: got {got}, wanted {wanted} to match {other}")


def one_of(name, value, allowed):
    """Check that `value` is one of the allowed words or numbers."""
    if value not in allowed:
        raise ValueError(f"{name}: got {value!r}, wanted one of {', '.join(map(repr, allowed))}")
