"""Checkers of the exercises on chapter 6, LeNet."""

from math import ceil, sqrt
from statistics import mean, pstdev, stdev

import torch
from torch import nn

from convutils.checks.engine import Exercise
from convutils.lenet import LeNet

_random = torch.Generator().manual_seed(6)


def _images(n):
    return torch.rand(n, 1, 28, 28, generator=_random, dtype=torch.float64)


def _exchanged(*pairs, last=()):
    """LeNet with layers of one class replaced by others: pairs of (class, function that makes the new layer)."""
    with torch.random.fork_rng(devices=[]):  # what is checked must not move the learner's random numbers
        layers = list(LeNet())
    for kind, make in pairs:
        layers = [make() if isinstance(layer, kind) else layer for layer in layers]
    return nn.Sequential(*layers, *last)


_RELU, _MAX = (nn.Sigmoid, nn.ReLU), (nn.AvgPool2d, lambda: nn.MaxPool2d(2))


def _only_convolutions_modern():
    layers = list(_exchanged(_RELU, _MAX))
    return nn.Sequential(*layers[:8], *(nn.Sigmoid() if isinstance(layer, nn.ReLU) else layer for layer in layers[8:]))


_trial_images = _images(3)


def _behaviour(model):
    """Return the number of learned numbers and the scores of three images, with weights set to fixed numbers."""
    if not isinstance(model, nn.Module):
        raise TypeError(f"a network is wanted, got a value of type {type(model).__name__}")
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for p in model.double().eval().parameters():
            size = (2 / p[0].numel()) ** 0.5 if p.ndim > 1 else 0.1
            p.copy_(size * torch.randn(p.shape, generator=generator, dtype=torch.float64))
        return sum(p.numel() for p in model.parameters()), model(_trial_images)


def _in_standard_errors(a, b, spread=stdev):
    return (mean(b) - mean(a)) / sqrt(spread(a) ** 2 / len(a) + spread(b) ** 2 / len(b))


def _parameters(window, channels, dense, pools=2, bias=1, size=14):
    """Count the learned numbers of the small net for images of `size` rows."""
    count, before = 0, 1
    for depth, after in enumerate(channels):
        count += after * (before * window**2 + bias)
        before, size = after, size // 2 if depth < pools else size
    before *= size**2
    for after in (*dense, 10):
        count, before = count + after * (before + bias), after
    return count


def _init_std(c_in, c_out, k):
    fan_in, fan_out = c_in * k**2, c_out * k**2
    return sqrt(2 / (fan_in + fan_out)), sqrt(2 / fan_in)


class _Named(nn.Sequential):
    """A network that is named in one short line."""

    def __repr__(self):
        return f"a LeNet with {type(self[2]).__name__}"


def _named(*pairs):
    model = _Named(*_exchanged(*pairs)).double()
    model[0].fit(_trial_images)
    for p in model.parameters():
        p.data = 0.3 * torch.randn(p.shape, generator=_random, dtype=torch.float64)
    return model


def _outputs(model, X, kinds=(nn.Sigmoid, nn.ReLU)):
    """Return the outputs of all layers of some classes."""
    found = []
    for layer in model:
        X = layer(X)
        if isinstance(layer, kinds):
            found.append(X)
    return tuple(found)


def _confidence(scores):
    probability, number = scores.softmax(1).max(1)
    return number, probability


EXERCISES = {
    "6.1a": Exercise(
        reference=lambda: _exchanged(_RELU, _MAX),
        view=_behaviour,
        mistakes={
            "there are still sigmoids where ReLU should stand": lambda: _exchanged(_MAX),
            "the pooling still averages": lambda: _exchanged(_RELU),
            "the dense layers still have their sigmoids": _only_convolutions_modern,
            "a ReLU stands after the last layer; scores may be negative": lambda: _exchanged(
                _RELU, _MAX, last=[nn.ReLU()]
            ),
            "a softmax stands at the end; the cross-entropy has its own": lambda: _exchanged(
                _RELU, _MAX, last=[nn.Softmax(1)]
            ),
            "this is LeNet as it was": lambda: _exchanged(),
        },
    ),
    "6.1b": Exercise(
        reference=(False, False, True, False),
        mistakes={
            "the classic net does learn at 0.9, but its plateau is longer than these 96 steps": (
                False,
                True,
                True,
                False,
            ),
            "0.9 suits the sigmoids; for ReLU, whose slope is 1 and not at most 1/4, it is too much": (
                False,
                False,
                True,
                True,
            ),
            "one of the nets learns at the other rate: each has its own": (False, False, False, True),
            "the sigmoids keep the gradients small; in 96 steps that net does not leave its plateau at 0.1": (
                True,
                False,
                True,
                False,
            ),
        },
    ),
    "6.2a": Exercise(
        reference=lambda runs: (mean(runs), stdev(runs)),
        inputs=[([93.3, 92.8, 93.1, 92.0, 93.6],), ([25.0, 75.0, 9.5],)],
        mistakes={
            "the squares are divided by n; the mean comes from the same runs, which costs one: n − 1": lambda runs: (
                mean(runs),
                pstdev(runs),
            ),
            "that is the variance; its root is missing": lambda runs: (mean(runs), stdev(runs) ** 2),
            "that is the standard error of the mean, smaller by √n than the spread of the runs": lambda runs: (
                mean(runs),
                stdev(runs) / sqrt(len(runs)),
            ),
            "that is the range, which grows with the number of runs": lambda runs: (mean(runs), max(runs) - min(runs)),
            "the two are swapped: first the mean": lambda runs: (stdev(runs), mean(runs)),
        },
    ),
    "6.2b": Exercise(
        reference=_in_standard_errors,
        inputs=[([93.3, 92.8, 93.1, 92.0, 93.6], [90.1, 89.7, 89.2]), ([91.0, 92.0, 94.0], [92.5, 95.5, 93.0, 95.0])],
        mistakes={
            "the sign is turned: positive should mean that b is better": lambda a, b: _in_standard_errors(b, a),
            "that is in standard deviations of single runs; a mean of n runs spreads less": lambda a, b: (
                (mean(b) - mean(a)) / sqrt(stdev(a) ** 2 + stdev(b) ** 2)
            ),
            "standard errors do not add up; their squares do": lambda a, b: (
                (mean(b) - mean(a)) / (stdev(a) / sqrt(len(a)) + stdev(b) / sqrt(len(b)))
            ),
            "the spread is computed with n instead of n − 1": lambda a, b: _in_standard_errors(a, b, pstdev),
            "that is the difference itself, not yet in standard errors": lambda a, b: mean(b) - mean(a),
            "the mean of b varies, too": lambda a, b: (mean(b) - mean(a)) / (stdev(a) / sqrt(len(a))),
        },
    ),
    "6.2c": Exercise(
        reference=_parameters,
        inputs=[(5, (6, 16), (120, 84)), (3, (4,), ()), (7, (3, 8, 5), (20,))],
        mistakes={
            "the biases are left out": lambda window, channels, dense: _parameters(window, channels, dense, bias=0),
            "the pooling is left out: each of the first two halves the maps": lambda window, channels, dense: (
                _parameters(window, channels, dense, pools=0)
            ),
            "there are two poolings at most; the third convolution has none": lambda window, channels, dense: (
                _parameters(window, channels, dense, pools=3)
            ),
            "the images have 14 rows, not 28": lambda window, channels, dense: _parameters(
                window, channels, dense, size=28
            ),
            "the last layer, to the ten scores, is left out": lambda window, channels, dense: (
                _parameters(window, channels, dense) - 10 * (dense[-1] + 1 if dense else channels[-1] * 49 + 1)
            ),
        },
    ),
    "6.3a": Exercise(
        reference=_init_std,
        inputs=[(1, 6, 5), (6, 16, 5), (32, 8, 3)],
        mistakes={
            "those are variances": lambda c_in, c_out, k: tuple(std**2 for std in _init_std(c_in, c_out, k)),
            "the window is left out: a unit has c_in · k² inputs": lambda c_in, c_out, k: _init_std(c_in, c_out, 1),
            "the two are swapped: first Xavier's": lambda c_in, c_out, k: _init_std(c_in, c_out, k)[::-1],
            "fan in and fan out are swapped: He's rule counts the inputs of a unit": lambda c_in, c_out, k: _init_std(
                c_out, c_in, k
            ),
            "that is the bound of the uniform distribution, √3 times its standard deviation": lambda c_in, c_out, k: (
                tuple(sqrt(3) * std for std in _init_std(c_in, c_out, k))
            ),
            "He's rule has a 2 for the half that ReLU cuts off": lambda c_in, c_out, k: (
                _init_std(c_in, c_out, k)[0],
                1 / sqrt(c_in * k**2),
            ),
        },
    ),
    "6.3b": Exercise(
        reference=10,
        mistakes={
            "the gradient of a weight has a factor from either side of it; are both nonzero?": _parameters(
                5, (6, 16), (120, 84)
            ),
            "the scores are all equal, but the labels are not: something in the last layer has a gradient": 0,
            "a weight's gradient is multiplied by what comes in, and what comes into the last layer?": 850,
            "the units of the last hidden layer all output 0, so no weight of the last layer changes": 840,
        },
    ),
    "6.4a": Exercise(
        reference=lambda n, batch_size, epochs: epochs * ceil(n / batch_size),
        inputs=[(60_000, 64, 1), (512, 32, 6), (1437, 100, 3)],
        mistakes={
            "the last, smaller batch of an epoch is a step, too": lambda n, batch_size, epochs: (
                epochs * (n // batch_size)
            ),
            "each epoch ends with its own smaller batch; it is not filled up from the next": lambda n, batch_size, epochs: (
                ceil(epochs * n / batch_size)
            ),
            "the epochs are left out": lambda n, batch_size, epochs: ceil(n / batch_size),
            "that is how many images are shown; a step takes a batch": lambda n, batch_size, epochs: epochs * n,
            "one step too many where the batches fit": lambda n, batch_size, epochs: epochs * (n // batch_size + 1),
        },
    ),
    "6.4b": Exercise(
        reference=lambda p, n: sqrt(p * (1 - p) / n),
        inputs=[(0.99, 360), (0.99, 10_000), (0.5, 7)],
        mistakes={
            "that is the variance; its root is missing": lambda p, n: p * (1 - p) / n,
            "that is the spread of a single image's result: right or wrong": lambda p, n: sqrt(p * (1 - p)),
            "the root belongs over p (1 − p), too": lambda p, n: p * (1 - p) / sqrt(n),
            "the error grows with √n when it is a number of images; a share is wanted": lambda p, n: sqrt(
                n * p * (1 - p)
            ),
            "that is in percent; a share between 0 and 1 is wanted": lambda p, n: 100 * sqrt(p * (1 - p) / n),
        },
    ),
    "6.5": Exercise(
        reference=lambda model, X: _outputs(model, X)[:2],
        inputs=[(_named(), _images(2)), (_named(_RELU, _MAX), _images(3))],
        mistakes={
            "those are the convolutions' outputs, before the activation": lambda model, X: _outputs(
                model, X, nn.Conv2d
            ),
            "those are the pooled maps, half as large": lambda model, X: _outputs(
                model, X, (nn.AvgPool2d, nn.MaxPool2d)
            ),
            "the first layer, which standardises the images, seems to be skipped": lambda model, X: _outputs(
                model[1:], X
            )[:2],
            "those are the second and third activation": lambda model, X: _outputs(model, X)[1:3],
            "that is one image's; all are wanted": lambda model, X: tuple(Y[0] for Y in _outputs(model, X)[:2]),
            "there are four activations; the first two are wanted": _outputs,
        },
    ),
    "6.6": Exercise(
        reference=_confidence,
        inputs=[(4 * torch.randn(5, 10, generator=_random),), (torch.randn(3, 4, generator=_random),)],
        mistakes={
            "that is the largest score; a softmax makes probabilities of the scores": lambda scores: (
                scores.argmax(1),
                scores.amax(1),
            ),
            "the softmax runs over the images; it belongs to the scores of one image": lambda scores: (
                scores.softmax(0).argmax(1),
                scores.softmax(0).amax(1),
            ),
            "that is the least likely class": lambda scores: (scores.argmin(1), scores.softmax(1).amin(1)),
            "a sigmoid looks at each score by itself; the classes must share a probability of 1": lambda scores: (
                scores.argmax(1),
                scores.sigmoid().amax(1),
            ),
            "the scores are divided by their sum, without exp": lambda scores: (
                scores.argmax(1),
                scores.amax(1) / scores.sum(1),
            ),
            "the two are swapped: first the class": lambda scores: _confidence(scores)[::-1],
            "one answer for each image, please: rows are images": lambda scores: _confidence(scores.T),
        },
    ),
}
