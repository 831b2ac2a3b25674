"""The shared module of "Convolutional Networks, Executed": what the chapters build, kept to be imported.

`figures` is imported by name (`from convutils import figures`), so that the module itself needs torch alone.

A NaN or an infinity is no bad input: it spreads to every output whose window sees it, as in torch.
"""

from convutils import kernels
from convutils.channels import (
    Conv2D,
    ConvCost,
    compose_kernels,
    conv_cost,
    corr2d_multi_in,
    corr2d_multi_in_out,
    corr2d_multi_in_out_1x1,
)
from convutils.checks import check
from convutils.convolution import convolve2d, corr2d, im2col
from convutils.data import load_digits, load_fashion_mnist, load_mnist
from convutils.dense_to_convolution import corr1d, corr3d, toeplitz2d
from convutils.layer_table import LayerTable, layer_table
from convutils.lenet import LeNet, ModernLeNet, Standardise
from convutils.padding_and_stride import (
    ReceptiveField,
    comp_conv2d,
    output_size,
    padding_amounts,
    receptive_field,
    same_padding,
    split_padding,
)
from convutils.pooling import Pool2D, pool2d
from convutils.training import evaluate, train

__all__ = [
    "Conv2D",
    "ConvCost",
    "LayerTable",
    "LeNet",
    "ModernLeNet",
    "Pool2D",
    "ReceptiveField",
    "Standardise",
    "check",
    "comp_conv2d",
    "compose_kernels",
    "conv_cost",
    "convolve2d",
    "corr1d",
    "corr2d",
    "corr2d_multi_in",
    "corr2d_multi_in_out",
    "corr2d_multi_in_out_1x1",
    "corr3d",
    "evaluate",
    "im2col",
    "kernels",
    "layer_table",
    "load_digits",
    "load_fashion_mnist",
    "load_mnist",
    "output_size",
    "padding_amounts",
    "pool2d",
    "receptive_field",
    "same_padding",
    "split_padding",
    "toeplitz2d",
    "train",
]
