"""Nothing depends on what is set globally: torch's default dtype and device, its modes of gradients, its threads.

One table has a small call of everything the package offers. Its tensors and networks are made beforehand; the same
call must then give the same, whatever is set. Only a new layer, network or kernel is made as torch makes its own.
"""

import io
import subprocess
import sys
from contextlib import contextmanager, redirect_stdout
from copy import deepcopy

import matplotlib.pyplot as plt
import pytest
import torch
from public import offered
from test_checks import CHECKERS
from test_data import World
from torch import Tensor, nn

import convutils
from convutils import fast, figures, kernels
from convutils.checks import Exercise, find_exercise, load_exercises, verdict


@contextmanager
def default_dtype(dtype):
    torch.set_default_dtype(dtype)
    yield
    torch.set_default_dtype(torch.float32)


@contextmanager
def default_device(device):
    torch.set_default_device(device)
    yield
    torch.set_default_device(None)


@contextmanager
def threads(count):
    torch.set_num_threads(count)
    yield
    torch.set_num_threads(1)


SETTINGS = {
    "float64": lambda: default_dtype(torch.float64),
    "meta": lambda: default_device("meta"),
    "no_grad": torch.no_grad,
    "inference_mode": torch.inference_mode,
    "two threads": lambda: threads(2),
}
each_setting = pytest.mark.parametrize("setting", SETTINGS)


def draw(*shape):
    return torch.rand(shape, generator=torch.Generator().manual_seed(len(shape)))


X, K, IMAGES, BANK, BIAS = draw(5, 6), draw(2, 3), draw(2, 3, 5, 6), draw(4, 3, 2, 3), draw(4)
LABELS = torch.tensor([0, 1, 2, 1])
LAYER = nn.Conv2d(1, 1, 3)
OWN = convutils.Conv2D(2, 3, 4, padding=1)
QUICK = fast.Conv2D(2, 3, 4, padding=1)
NET, MODERN = convutils.LeNet(), convutils.ModernLeNet()
DIGITS = draw(4, 1, 28, 28), LABELS
CURVES = {"loss": [3.0, 2.0], "two runs": [[1.0, 2.0], [2.0, 2.0]]}
AXES = {"xlabel": "epoch", "ylabel": "loss"}


class Unknown(nn.Module):
    """A network whose fields must be measured."""

    def forward(self, x):
        return x.mean((2, 3))


def fitted():
    layer = deepcopy(NET[0])
    layer.fit(IMAGES)
    return layer, layer(IMAGES)


def trained():
    with torch.inference_mode(False):
        net = deepcopy(MODERN)
    return convutils.train(net, DIGITS, DIGITS, epochs=1, lr=0.1, batch_size=2, max_shift=1), net


def printed(function, *arguments):
    with redirect_stdout(io.StringIO()) as text:
        function(*arguments)
    return text.getvalue()


def told(exercise):
    return [verdict(exercise, answer) for answer in (exercise.reference, *exercise.mistakes.values(), None)]


CALLS = {
    "corr1d": lambda: convutils.corr1d(X[0], K[0]),
    "corr2d": lambda: convutils.corr2d(X, K, padding=1, stride=2),
    "corr3d": lambda: convutils.corr3d(IMAGES[0], BANK[0]),
    "convolve2d": lambda: convutils.convolve2d(X, K, "same"),
    "im2col": lambda: convutils.im2col(IMAGES, 2, padding=1),
    "toeplitz2d": lambda: convutils.toeplitz2d(K, (3, 4)),
    "Conv2D": lambda: OWN(IMAGES),
    "corr2d_multi_in": lambda: convutils.corr2d_multi_in(IMAGES[0], BANK[0]),
    "corr2d_multi_in_out": lambda: convutils.corr2d_multi_in_out(IMAGES, BANK, BIAS, padding=1),
    "corr2d_multi_in_out_1x1": lambda: convutils.corr2d_multi_in_out_1x1(IMAGES[0], BANK[:, :, :1, :1]),
    "compose_kernels": lambda: convutils.compose_kernels(BANK.transpose(0, 1), BANK),
    "conv_cost": lambda: convutils.conv_cost((3, 5, 6), (4, 3, 2, 3), padding=1),
    "ConvCost": lambda: convutils.conv_cost((3, 5, 6), (4, 3, 2, 3)),
    "pool2d": lambda: [convutils.pool2d(IMAGES, 2, mode, padding=1) for mode in ("max", "avg")],
    "Pool2D": lambda: convutils.Pool2D(2, padding=1)(IMAGES),
    "output_size": lambda: convutils.output_size(8, 3, stride=2),
    "split_padding": lambda: convutils.split_padding(3, extra="after"),
    "same_padding": lambda: convutils.same_padding(8, 3, stride=2),
    "padding_amounts": lambda: convutils.padding_amounts(3, "d2l", 8, 4),
    "comp_conv2d": lambda: convutils.comp_conv2d(LAYER, X),
    "receptive_field": lambda: convutils.receptive_field([LAYER, nn.MaxPool2d(2)]),
    "ReceptiveField": lambda: convutils.receptive_field([LAYER]),
    "layer_table": lambda: [convutils.layer_table(net, (1, 28, 28)) for net in (NET, MODERN, Unknown())],
    "LayerTable": lambda: repr(convutils.layer_table(nn.Sequential(LAYER, Unknown()), (1, 8, 9))),
    "Standardise": fitted,
    "LeNet": lambda: NET(DIGITS[0]),
    "ModernLeNet": lambda: deepcopy(MODERN).eval()(DIGITS[0]),
    "load_digits": convutils.load_digits,
    "load_mnist": convutils.load_mnist,
    "load_fashion_mnist": convutils.load_fashion_mnist,
    "train": trained,
    "evaluate": lambda: convutils.evaluate(NET, DIGITS),
    "check": lambda: printed(convutils.check, "2.7", kernels.edge((0, 1))),
    "checks.verdict": lambda: told(find_exercise("2.1b")),
    "checks.find_exercise": lambda: told(find_exercise("2.7")),
    "checks.load_exercises": lambda: list(load_exercises("pooling")),
    "checks.Exercise": lambda: told(Exercise(reference=X, mistakes={"the signs are swapped": -X})),
    "kernels.finite_difference": lambda: kernels.finite_difference(2),
    "kernels.laplacian": kernels.laplacian,
    "kernels.box": lambda: kernels.box((2, 3)),
    "kernels.gaussian": lambda: kernels.gaussian(5, 0.8),
    "kernels.edge": lambda: kernels.edge((1, 2)),
    "fast.corr2d": lambda: fast.corr2d(X, K, padding=1, stride=2),
    "fast.corr2d_multi_in_out": lambda: fast.corr2d_multi_in_out(IMAGES, BANK, padding=1),
    "fast.pool2d": lambda: [fast.pool2d(IMAGES, 2, mode, padding=1) for mode in ("max", "avg")],
    "fast.Conv2D": lambda: QUICK(IMAGES),
    "fast.Pool2D": lambda: fast.Pool2D(2, padding=1)(IMAGES),
    "fast.with_own_layers": lambda: fast.with_own_layers(NET),
    "figures.show_matrices": lambda: figures.show_matrices({"X": X, "K": K}, "⋆"),
    "figures.show_images": lambda: figures.show_images(IMAGES[0], ["a", "b", "c"], signed=True),
    "figures.plot_curves": lambda: figures.plot_curves(CURVES, **AXES),
    "figures.show_confusion": lambda: figures.show_confusion(LABELS, LABELS.flip(0), 3),
    "figures.draw_network": lambda: figures.draw_network(NET, (1, 28, 28)),
    "figures.animate_corr2d": lambda: figures.animate_corr2d(X, K, alt="a"),
    "figures.animate_pool2d": lambda: figures.animate_pool2d(X, 2, alt="a"),
}


def plain(value):
    """Return a result as numbers and words that can be compared; a tensor with its dtype and its device."""
    if isinstance(value, Tensor):
        return str(value.dtype), str(value.device), value.tolist()
    if isinstance(value, nn.Module):
        return plain(list(value.state_dict().items()))
    if isinstance(value, dict):
        return plain(list(value.items()))
    if isinstance(value, (tuple, list)):
        return [plain(part) for part in value]
    return getattr(value, "data", value)


def result(name):
    """Return what a call gives, and the pixels of the figure that it draws, if it does."""
    got = CALLS[name]()
    pixels = []
    for number in plt.get_fignums():
        canvas = plt.figure(number).canvas
        canvas.draw()
        pixels.append(bytes(canvas.buffer_rgba()))
    plt.close("all")
    return plain(got), pixels


@pytest.fixture
def small_sets(tmp_path, monkeypatch):
    """Two tiny data sets in torchvision's form, and a home for them."""
    worlds = []
    for name in ("MNIST", "FashionMNIST"):
        (tmp_path / name).mkdir()
        worlds.append(World(name, tmp_path / name, monkeypatch))
        for file, data in worlds[-1].files.items():
            target = tmp_path / "cache" / name / "raw" / file
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
    monkeypatch.setenv("CONVUTILS_DATA", str(tmp_path / "cache"))
    yield
    for world in worlds:
        world.server.close()


def test_everything_offered_has_its_call():
    assert set(CALLS) == set(offered())


# in float32, two threads add in another order: test_training.py compares them in float64
OTHERS = [("train", "two threads"), *((name, "float64") for name in CALLS if name.startswith("kernels."))]
PAIRS = [(name, setting) for name in CALLS for setting in SETTINGS if (name, setting) not in OTHERS]


@pytest.mark.parametrize(("name", "setting"), PAIRS)
def test_what_is_set_globally_changes_no_result(name, setting, small_sets):
    wanted = result(name)
    with SETTINGS[setting]():
        got = result(name)
        dtype, device = torch.get_default_dtype(), torch.empty(0).device  # a call leaves the settings as they are
        modes = torch.is_grad_enabled(), torch.is_inference_mode_enabled()
    assert got == wanted
    assert (dtype == torch.float64, device.type == "meta") == (setting == "float64", setting == "meta")
    assert modes == (setting not in ("no_grad", "inference_mode"), setting == "inference_mode")


@pytest.mark.parametrize("name", [name for name, setting in OTHERS if setting == "float64"])
def test_a_kernel_has_the_default_dtype_as_a_tensor_of_torch_has(name):
    wanted = CALLS[name]()
    with SETTINGS["float64"]():
        got = CALLS[name]()
    assert got.dtype == torch.float64 and wanted.dtype == torch.float32
    torch.testing.assert_close(got.float(), wanted)


@each_setting
def test_data_that_are_loaded_under_a_setting_can_be_learned_from(setting):
    with SETTINGS[setting]():
        images, labels = (part[:8] for part in convutils.load_digits()[0])
    net = deepcopy(MODERN)
    history = convutils.train(net, (images, labels), (images, labels), epochs=1, lr=0.1)
    assert history["train_loss"][0] > 0 and not torch.equal(net[1].weight, MODERN[1].weight)


MAKERS = [
    (lambda: convutils.Conv2D(2), lambda: nn.Conv2d(1, 1, 2)),
    (lambda: fast.Conv2D(2, 3, 4), lambda: nn.Conv2d(3, 4, 2)),
    (convutils.LeNet, lambda: nn.Conv2d(1, 1, 2)),
    (convutils.ModernLeNet, lambda: nn.Conv2d(1, 1, 2)),
]


@each_setting
@pytest.mark.parametrize(("ours", "theirs"), MAKERS)
def test_a_new_layer_is_made_as_torch_makes_its_own(ours, theirs, setting):
    with SETTINGS[setting]():
        own, native = ours(), theirs()
    wanted = {(p.dtype, p.device, p.requires_grad) for p in native.parameters()}
    assert {(p.dtype, p.device, p.requires_grad) for p in own.parameters()} == wanted
    assert {b.device for b in own.buffers()} <= {p.device for p in native.parameters()}


# ---- checkers


def doubled(value):
    """Return an answer as it comes from someone whose default dtype is float64."""
    if isinstance(value, Tensor):
        return value.double() if value.is_floating_point() else value
    if callable(value) and not isinstance(value, nn.Module):
        return lambda *arguments: doubled(value(*arguments))
    return type(value)(map(doubled, value)) if type(value) in (tuple, list) else value


@pytest.mark.parametrize("setting", [name for name in SETTINGS if name != "two threads"])
@pytest.mark.parametrize(("number", "exercise"), CHECKERS)
def test_verdicts_are_the_same_under_every_setting(number, exercise, setting):
    answers = [exercise.reference, *exercise.mistakes.values()]
    wanted = ["correct", *(f"not yet: {diagnosis}" for diagnosis in exercise.mistakes)]
    with SETTINGS[setting]():
        assert [verdict(exercise, answer) for answer in answers] == wanted
        assert [verdict(exercise, doubled(answer)) for answer in answers] == wanted


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_an_answer_may_use_tensors_of_its_authors_dtype(dtype):
    with default_dtype(dtype):
        ones = torch.ones(3, 3)  # in a notebook's cell, outside the function
        exercise = Exercise(reference=lambda X: X @ torch.ones(3, 3), inputs=[(torch.eye(3, dtype=torch.float32),)])
        assert verdict(exercise, lambda X: X @ ones) == "correct"
        assert verdict(exercise, lambda X: X @ torch.ones(3, 3)) == "correct"
        assert verdict(exercise, lambda X: X @ ones + 1).startswith("not yet: on the input 3×3: the entry at [0, 0]")


FRESH = """
import sys
import torch
{setting}
from convutils.checks import engine, verdict
for chapter in engine.chapters():
    for number, exercise in engine.load_exercises(chapter).items():
        assert verdict(exercise, exercise.reference) == "correct", (number, verdict(exercise, exercise.reference))
        for diagnosis, mistake in exercise.mistakes.items():
            assert verdict(exercise, mistake) == "not yet: " + diagnosis, (number, verdict(exercise, mistake))
"""


def test_the_checkers_may_be_loaded_under_a_setting():
    setting = "torch.set_default_dtype(torch.float64); torch.set_default_device('meta'); torch.set_grad_enabled(False)"
    done = subprocess.run([sys.executable, "-c", FRESH.format(setting=setting)], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
