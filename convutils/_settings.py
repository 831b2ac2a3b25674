"""Torch's global settings as they are in a fresh process, for what must not depend on how somebody set them."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def plain_settings(dtype: torch.dtype = torch.float32) -> Iterator[None]:
    """Let new tensors be of this dtype and on the CPU, and gradients be recorded; in the end all is as before."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        with torch.device("cpu"), recording():
            yield
    finally:
        torch.set_default_dtype(before)


@contextmanager
def recording() -> Iterator[None]:
    """Let gradients be recorded, inside `torch.no_grad` and `torch.inference_mode` too."""
    with torch.inference_mode(False), torch.enable_grad():
        yield
