"""How a window lies on an image: pairs of rows and columns, how many places it has, and what it shows at each."""

from torch import Tensor
from torch.nn import functional as F

from convutils import _arguments as require

Pair = tuple[int, int]


def window_pairs(kernel_size, padding, stride, dilation=1) -> tuple[Pair, Pair, Pair, Pair]:
    """Return kernel size, padding, stride and dilation, checked, as four (rows, columns) pairs."""
    return (
        require.pair("kernel_size", kernel_size, 1),
        require.pair("padding", padding, 0),
        require.pair("stride", stride, 1),
        require.pair("dilation", dilation, 1),
    )


def fits(name: str, n: Pair, k: Pair, p: Pair, d: Pair) -> None:
    """Check that the dilated kernel, given as the argument `name`, is at most as large as the padded input."""
    padded = [n[a] + 2 * p[a] for a in (0, 1)]
    span = [d[a] * (k[a] - 1) + 1 for a in (0, 1)]
    if span[0] > padded[0] or span[1] > padded[1]:
        raise ValueError(
            f"{name}: the window spans {span[0]}×{span[1]}, wanted at most the padded input's {padded[0]}×{padded[1]}"
        )


def count_windows(name: str, n: Pair, k: Pair, p: Pair = (0, 0), s: Pair = (1, 1), d: Pair = (1, 1)) -> Pair:
    """Return the (rows, columns) of window positions for checked pairs; `name` is the argument that gave the window."""
    fits(name, n, k, p, d)
    return tuple((n[a] + 2 * p[a] - d[a] * (k[a] - 1) - 1) // s[a] + 1 for a in (0, 1))


def slide(name: str, X: Tensor, k: Pair, p: Pair = (0, 0), s: Pair = (1, 1), d: Pair = (1, 1), fill=0) -> Tensor:
    """Return the windows of … × h × w images as … × h_out × w_out × k_h × k_w; `name` is as in `count_windows`.

    They are views of one padded copy of the images.
    """
    fits(name, X.shape[-2:], k, p, d)
    padded = F.pad(X, (p[1], p[1], p[0], p[0]), value=fill)
    windows = padded.unfold(-2, d[0] * (k[0] - 1) + 1, s[0]).unfold(-2, d[1] * (k[1] - 1) + 1, s[1])
    return windows[..., :: d[0], :: d[1]]
