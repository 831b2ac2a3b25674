"""Handwritten digits and clothes as tensors: images N×1×28×28 in [0, 1], labels N, split into training and test set."""

import os
from contextlib import suppress
from http.client import HTTPException
from pathlib import Path

import torch
from torch.nn import functional as F

TEST_SIZE = 360  # of scikit-learn's 1797 digits, about a fifth


def load_digits():
    """Return (train_set, test_set) of scikit-learn's 1 797 handwritten digits; needs no network.

    Each set is a pair: images n×1×28×28, float32 in [0, 1], and labels 0…9, int64. The originals are 8×8 with
    17 grey levels, here enlarged bilinearly. 360 images, drawn with a fixed seed, are the test set.
    """
    from sklearn import datasets

    digits = datasets.load_digits()
    # in 64 bits and rounded last: the pixels are then the same on every processor
    images = F.interpolate(torch.from_numpy(digits.images)[:, None] / 16, size=28, mode="bilinear").float()
    labels = torch.from_numpy(digits.target).long()
    order = torch.randperm(len(labels), generator=torch.Generator("cpu").manual_seed(0), device="cpu")
    return tuple((images[part], labels[part]) for part in (order[TEST_SIZE:], order[:TEST_SIZE]))


def load_mnist(folder=None):
    """Return (train_set, test_set) of MNIST's 60 000 + 10 000 handwritten digits, shaped as in `load_digits`.

    The files are downloaded once into `folder` (default: the environment variable CONVUTILS_DATA, else
    ~/.cache/convutils) and checked against torchvision's checksums at every call; one that fails is removed.

    Raises:
        OSError: if the files are neither there nor can be downloaded, or the folder cannot be written.
    """
    return _load_torchvision("MNIST", folder)


def load_fashion_mnist(folder=None):
    """Return (train_set, test_set) of Fashion-MNIST's 60 000 + 10 000 clothes; all else as in `load_mnist`."""
    return _load_torchvision("FashionMNIST", folder)


def _load_torchvision(name, folder):
    """Return the train and test set of a torchvision dataset, downloading it when needed."""
    if folder is not None and not isinstance(folder, (str, os.PathLike)):
        raise TypeError(f"folder: got {folder!r}, wanted a path")
    from torchvision import datasets

    # old versions of torchvision kept unchecked .pt files, which its class would still prefer
    dataset = type(name, (getattr(datasets, name),), {"_check_legacy_exist": lambda self: False})
    folder = Path(folder or os.environ.get("CONVUTILS_DATA") or Path.home() / ".cache" / "convutils").expanduser()
    raw = folder / name / "raw"
    try:
        _remove_unchecked(dataset, raw)
        parts = [dataset(folder, train=train, download=True) for train in (True, False)]
    except (OSError, RuntimeError, HTTPException) as error:
        with suppress(OSError):
            _remove_unchecked(dataset, raw)
        raise OSError(_explain(dataset, raw, error)) from error
    return tuple((part.data[:, None].float() / 255, part.targets) for part in parts)


def _remove_unchecked(dataset, raw):
    """Delete archives that fail their checksum, and the unpacked files, which have none and are unpacked anew."""
    from torchvision.datasets.utils import check_integrity

    for archive, md5 in dataset.resources:
        (raw / archive).with_suffix("").unlink(missing_ok=True)
        if not check_integrity(raw / archive, md5):
            (raw / archive).unlink(missing_ok=True)


def _explain(dataset, raw, error):
    """Say what was tried, where the files can be put by hand, and what works without them."""
    archives = ", ".join(archive for archive, _ in dataset.resources)
    reason = " ".join(str(error).split()).rstrip(" .")  # torchvision's has several lines
    return (
        f"{dataset.__name__} could not be loaded: {reason}. Tried the archives in {raw} and a download from "
        f"{', '.join(dataset.mirrors)}. Without a network, put {archives} into {raw} by hand; "
        "load_digits() needs no files at all"
    )
