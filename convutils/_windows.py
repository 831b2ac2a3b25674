"""How a window lies on an image: pairs of rows and columns, padding, and how many places a window has."""

from torch.nn import functional as F

from convutils import _arguments as require


def window_pairs(kernel_size, padding, stride, dilation=1):
    """Return kernel size, padding, stride and dilation, checked, as four (rows, columns) pairs."""
    return (
        require.pair("kernel_size", kernel_size, 1),
        require.pair("padding", padding, 0),
        require.pair("stride", stride, 1),
        require.pair("dilation", dilation, 1),
    )


def fits(name, n, k, p, d):
    """Check that the dilated kernel, given as the argument `name`, is at most as large as the padded input."""
    padded = [n[a] + 2 * p[a] for a in (0, 1)]
    span = [d[a] * (k[a] - 1) + 1 for a in (0, 1)]
    if span[0] > padded[0] or span[1] > padded[1]:
        raise ValueError(
            f"{name}: the window spans {span[0]}×{span[1]}, wanted at most the padded input's {padded[0]}×{padded[1]}"
        )


def count_windows(name, n, k, p=(0, 0), s=(1, 1), d=(1, 1)):
    """Return the (rows, columns) of window positions for checked pairs; `name` is the argument that gave the window."""
    fits(name, n, k, p, d)
    return tuple((n[a] + 2 * p[a] - d[a] * (k[a] - 1) - 1) // s[a] + 1 for a in (0, 1))


def pad(X, p, value=0):
    """Return X with p = (rows, columns) of `value` on every side; X itself, not a copy, where p is 0."""
    return F.pad(X, (p[1], p[1], p[0], p[0]), value=value) if any(p) else X
