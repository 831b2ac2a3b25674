"""What the unit tests draw at random: tensors of every layout and dtype, and windows that just fit or fit with room."""

from typing import NamedTuple

import pytest
import torch
from hypothesis import strategies as st

import convutils
from convutils import fast

LAYOUTS = ("plain", "transposed", "strided", "middle", "expanded")
DTYPES = (torch.float32, torch.float64, torch.int64)
layouts, dtypes = st.sampled_from(LAYOUTS), st.sampled_from(DTYPES)
seeds = st.integers(0, 10_000)


def plain_and_fast(name):
    """Run a test with the function or layer of the chapters, and with the quick one of the same name."""
    return pytest.mark.parametrize(name, [getattr(convutils, name), getattr(fast, name)], ids=["plain", "fast"])


class Windows(NamedTuple):
    """Sizes of an input and of a kernel that fits it, and how the kernel is moved."""

    input_size: tuple
    kernel_size: tuple
    padding: object  # an int or a (rows, columns) pair, as the others
    stride: object
    dilation: object


@st.composite
def windows(draw, *, padded=True, strided=True, dilated=True, max_kernel=4, max_room=6):
    """Draw `Windows`; the kernel is often exactly as large as the padded input, and the padding larger than it."""
    k = draw(st.tuples(*2 * [st.integers(1, max_kernel)]))
    p = draw(st.tuples(*2 * [st.integers(0, 5 if padded else 0)]))
    s = draw(st.tuples(*2 * [st.integers(1, 4 if strided else 1)]))
    d = draw(st.tuples(*2 * [st.integers(1, 3 if dilated else 1)]))
    smallest = [max(1, d[a] * (k[a] - 1) + 1 - 2 * p[a]) for a in (0, 1)]
    n = tuple(least + draw(st.integers(0, max_room)) for least in smallest)
    return Windows(n, k, *(draw(st.sampled_from((v[0], v))) if v[0] == v[1] else v for v in (p, s, d)))


def pair(value):
    """Return an int or a pair as a pair."""
    return value if isinstance(value, tuple) else (value, value)


def random_tensor(shape, seed=0, dtype=torch.float64, layout="plain"):
    """Return random numbers (whole ones for integer dtypes) of this shape, laid out in memory as `layout` says."""
    generator = torch.Generator().manual_seed(seed)

    def draw(shape):
        if dtype.is_floating_point:
            return torch.randn(shape, generator=generator, dtype=dtype)
        return torch.randint(-9, 10, shape, generator=generator).to(dtype)

    if layout == "transposed":
        return draw(shape[::-1]).permute(*reversed(range(len(shape))))
    if layout == "strided":
        return draw([2 * n for n in shape])[tuple(slice(1, None, 2) for _ in shape)]
    if layout == "middle":  # a view into the middle of something larger
        return draw([n + 3 for n in shape])[tuple(slice(2, n + 2) for n in shape)]
    if layout == "expanded":  # all rows are the same memory
        return draw([1, *shape[1:]]).expand(*shape)
    return draw(shape)


def assert_close(got, wanted, **tolerance):
    """Assert equal shapes, dtypes and values: whole numbers exactly, others up to rounding."""
    if not wanted.dtype.is_floating_point:
        tolerance = {"rtol": 0, "atol": 0}
    elif not tolerance:
        tolerance = {"rtol": 1e-4, "atol": 1e-4} if wanted.dtype == torch.float32 else {"rtol": 1e-10, "atol": 1e-10}
    torch.testing.assert_close(got, wanted, **tolerance)


def in_double(function, *tensors, **arguments):
    """Run a torch function that knows no integers in float64 and return the result in the tensors' own dtype."""
    return function(*(t.double() for t in tensors), **arguments).to(tensors[0].dtype)
