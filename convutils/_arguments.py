"""Argument checks shared by all modules, so that every error names the argument, what came and what was wanted."""

from numbers import Integral

import torch


def pair(name, value, minimum):
    """Return `value`, an int or two ints of at least `minimum`, as a (rows, columns) tuple."""
    values = tuple(value) if isinstance(value, (tuple, list)) else (value, value)
    if not all(isinstance(v, Integral) and not isinstance(v, bool) for v in values):
        raise TypeError(f"{name}: got {value!r}, wanted an int or a (rows, columns) pair of ints")
    if len(values) != 2 or min(values) < minimum:
        raise ValueError(f"{name}: got {value!r}, wanted an int or a (rows, columns) pair, each at least {minimum}")
    return values


def tensor(name, value, *ndims):
    """Check that `value` is a tensor with one of the numbers of dimensions and at least one element."""
    if not isinstance(value, torch.Tensor):
        raise TypeError(f"{name}: got {type(value).__name__}, wanted a torch.Tensor")
    if value.ndim not in ndims:
        wanted = " or ".join(map(str, ndims))
        raise ValueError(f"{name}: got {value.ndim} dimensions, shape {tuple(value.shape)}, wanted {wanted}")
    if value.numel() == 0:
        raise ValueError(f"{name}: got an empty tensor of shape {tuple(value.shape)}, wanted at least one element")


def same_dtype(**tensors):
    """Check that the named tensors share one dtype: a silent conversion would lose digits."""
    if len({t.dtype for t in tensors.values()}) > 1:
        came = ", ".join(f"{name} is {t.dtype}" for name, t in tensors.items())
        raise TypeError(f"dtype: {came}; wanted the same dtype for all")


def equal(name, got, other, wanted):
    """Check two counts that must agree, such as the channels of an image and of its kernel."""
    if got != wanted:
        raise ValueError(f"{name}: got {got}, wanted {wanted} to match {other}")


def one_of(name, value, allowed):
    """Check that `value` is one of the allowed words or numbers."""
    if value not in allowed:
        raise ValueError(f"{name}: got {value!r}, wanted one of {', '.join(map(repr, allowed))}")
