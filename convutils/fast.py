"""The functions of the chapters, as fast as torch's own or faster, under the same names and contracts."""

from copy import deepcopy

from torch import nn

from convutils import _arguments as require
from convutils.convolution import Conv2D
from convutils.pooling import Pool2D

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


def with_own_layers(model):
    """Return a copy of the network in which `Conv2D` and `Pool2D` do the work of `nn.Conv2d` and torch's poolings.

    The copy has the same weights, so it gives the same scores, up to rounding.

    Raises:
        ValueError: for a layer with an option that ours lack, such as dilation or groups, and for one without bias.

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
    whole = nn.Sequential(deepcopy(model))  # the network may itself be one layer
    own = {}  # a layer used in two places is one layer in the copy too
    for path, layer in list(whole.named_modules(remove_duplicate=False)):
        if isinstance(layer, (nn.Conv2d, nn.MaxPool2d, nn.AvgPool2d)):
            own[layer] = own[layer] if layer in own else _own_layer(layer)
            parent, _, name = path.rpartition(".")
            setattr(whole.get_submodule(parent), name, own[layer])
    return whole[0]


def _own_layer(layer):
    """Return our layer for torch's convolution or pooling."""
    for option, value in PLAIN.items():
        if getattr(layer, option, value) not in (value, (value, value)):
            raise ValueError(f"model: {layer} has {option}={getattr(layer, option)!r}, wanted {value!r}")
    if not isinstance(layer, nn.Conv2d):
        mode = "max" if isinstance(layer, nn.MaxPool2d) else "avg"
        return Pool2D(layer.kernel_size, mode, padding=layer.padding, stride=layer.stride)
    if layer.bias is None or layer.in_channels == layer.out_channels == 1 or isinstance(layer.padding, str):
        raise ValueError(f"model: got {layer}, wanted a bias, more than one channel and a padding in numbers")
    own = Conv2D(layer.kernel_size, layer.in_channels, layer.out_channels, padding=layer.padding, stride=layer.stride)
    own.load_state_dict(layer.state_dict())
    for ours, theirs in zip(own.parameters(), layer.parameters(), strict=True):
        ours.requires_grad_(theirs.requires_grad)
    return own.to(layer.weight)
