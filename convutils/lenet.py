"""Chapter 6: LeNet and its modern variant."""

import torch
from torch import nn

from convutils import _arguments as require
from convutils._layers import Pointwise


class Standardise(Pointwise):
    """Subtract a mean and divide by a standard deviation; 0 and 1 until `fit` takes them from images.

    Being a layer, it is applied wherever the network is used, and saved with its weights.
    """

    def __init__(self):
        super().__init__()
        self.register_buffer("mean", torch.zeros(()))
        self.register_buffer("std", torch.ones(()))

    def fit(self, X):
        """Take mean and standard deviation over all pixels of the images X; images all of one grey keep 1."""
        require.tensor("X", X, 2, 3, 4)
        if not X.is_floating_point():
            raise TypeError(f"X: got {X.dtype}, wanted a floating dtype")
        std = X.std()
        self.mean.copy_(X.mean())
        self.std.copy_(torch.where(std > 0, std, torch.ones_like(std)))

    def forward(self, X):
        return (X - self.mean) / self.std


class _Stack(nn.Sequential):
    """A sequential network that can be cut: `net[:4]` is the stack of its first four layers."""

    def __getitem__(self, index):
        return nn.Sequential(*list(self)[index]) if isinstance(index, slice) else super().__getitem__(index)


class LeNet(_Stack):
    """LeNet-5 as the book simplifies it: sigmoid and average pooling, for n×1×28×28 images.

    Weights are drawn by Xavier's rule. Returns n × num_classes scores; the softmax belongs to the cross-entropy.
    """

    def __init__(self, num_classes=10):
        super().__init__(
            Standardise(),
            nn.Conv2d(1, 6, kernel_size=5, padding=2),
            nn.Sigmoid(),
            nn.AvgPool2d(2),
            nn.Conv2d(6, 16, kernel_size=5),
            nn.Sigmoid(),
            nn.AvgPool2d(2),
            nn.Flatten(),
            nn.Linear(16 * 5 * 5, 120),
            nn.Sigmoid(),
            nn.Linear(120, 84),
            nn.Sigmoid(),
            nn.Linear(84, require.integer("num_classes", num_classes, 1)),
        )
        for layer in self:
            if isinstance(layer, (nn.Conv2d, nn.Linear)):
                nn.init.xavier_uniform_(layer.weight)


class ModernLeNet(_Stack):
    """LeNet's shape with what came later: ReLU, maximum pooling and batch normalisation; n×1×28×28 images."""

    def __init__(self, num_classes=10):
        super().__init__(
            Standardise(),
            nn.Conv2d(1, 6, kernel_size=5, padding=2),
            nn.BatchNorm2d(6),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(6, 16, kernel_size=5),
            nn.BatchNorm2d(16),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Flatten(),
            nn.Linear(16 * 5 * 5, 120),
            nn.BatchNorm1d(120),
            nn.ReLU(),
            nn.Linear(120, 84),
            nn.BatchNorm1d(84),
            nn.ReLU(),
            nn.Linear(84, require.integer("num_classes", num_classes, 1)),
        )
