"""How fast the functions are: ratios to other ways of computing the same, measured side by side.

    python -m workshop.benchmark            # measure on this machine and print the ratios
    python -m workshop.benchmark --store    # also write the times into the page "How fast is it"

The ways to compute and the words for a time are the page's own: its cells with the tag "measured" are run here.
d2l is compared with where it is installed.
"""

import ast
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from contextlib import redirect_stderr, redirect_stdout
from copy import deepcopy
from functools import partial
from importlib.metadata import version
from importlib.util import find_spec
from io import StringIO
from pathlib import Path
from pprint import pformat
from types import SimpleNamespace
from typing import NamedTuple

import torch
from torch import nn
from torch.nn import functional as F

import convutils
from convutils import LeNet, fast, train
from workshop import notebooks
from workshop.course import ROOT

PAGE = ROOT / "making" / "how_fast_is_it.ipynb"
TIMES = "times"  # the id of the page's cell that holds what was stored
ROUNDS = 9  # the median of so many times, taken in turn
SECONDS = 0.05  # how long one time is taken at least, by repeating what is quicker


def from_page(tag: str = "measured") -> SimpleNamespace:
    """Return what the page's cells with this tag define: their code is measured as it is printed there."""
    names = {"torch": torch, "F": F}
    for cell in notebooks.read(PAGE).cells:
        if tag in cell.metadata.get("tags", []):
            exec(cell.source, names)
    return SimpleNamespace(**names)


def stored() -> dict:
    """Return the stored results, as `measure_all` gave them."""
    return ast.literal_eval(times_cell(notebooks.read(PAGE)).source.partition("results = ")[2])


def store(results: dict) -> None:
    """Write the results into the page's cell of times."""
    page = notebooks.read(PAGE)
    comment = "# Written by `python -m workshop.benchmark --store`: median seconds of each function.\n"
    times_cell(page).source = comment + "results = " + pformat(results, width=110, sort_dicts=False)
    notebooks.store(PAGE, notebooks.as_text(page))


def times_cell(page):
    """Return the cell of a notebook that holds the times."""
    return next(cell for cell in page.cells if cell.id == TIMES)


# ------------------------------------------------------------ what is measured


class Case(NamedTuple):
    """One task and the functions that do it; all take the same inputs and give the same result."""

    title: str
    inputs: tuple
    functions: dict
    gradients: bool = False  #: whether the gradients of all inputs are computed too


def cases():
    """Return all cases; their inputs are drawn with a fixed seed."""
    torch.manual_seed(0)
    return [*one_channel(), *many_channels(), *pooling(), *products()]


def one_channel():
    """An image and a kernel of three sizes: every way of the page, forward and with gradients."""
    page = from_page()
    slow = {"loop": page.loop, **({"d2l": _d2l().corr2d} if find_spec("d2l") else {})}
    quick = {
        "native": page.native,
        "fast": fast.corr2d,
        "plain": convutils.corr2d,
        "shifted adds": page.shifted_adds,
        "einsum": page.einsum,
    }
    for n, k in ((28, 5), (224, 3), (512, 7)):
        inputs = torch.rand(n, n), torch.rand(k, k)
        yield Case(f"{n}×{n} with {k}×{k}", inputs, quick | slow)
        yield Case(f"{n}×{n} with {k}×{k}, with gradients", inputs, quick, gradients=True)


def many_channels():
    """Batches with bias: LeNet's two convolutions and a layer of a larger network."""
    for name, X, K, p in (
        ("LeNet's first layer", (32, 1, 28, 28), (6, 1, 5, 5), 2),
        ("LeNet's second layer", (32, 6, 14, 14), (16, 6, 5, 5), 0),
        ("8×64×56×56 with 64 3×3", (8, 64, 56, 56), (64, 64, 3, 3), 1),
    ):
        inputs = torch.rand(X), torch.rand(K), torch.rand(K[0])
        functions = {
            "native": partial(F.conv2d, padding=p),
            "fast": partial(fast.corr2d_multi_in_out, padding=p),
            "plain": partial(convutils.corr2d_multi_in_out, padding=p),
        }
        yield Case(name, inputs, functions)
        yield Case(f"{name}, with gradients", inputs, functions, gradients=True)


def pooling():
    """Batches of feature maps, both modes; the pooling of LeNet's two blocks and of a larger network."""
    torch_pooling = {"max": F.max_pool2d, "avg": F.avg_pool2d}
    for shape, k, s in (
        ((32, 6, 28, 28), 2, 2),
        ((32, 16, 10, 10), 2, 2),
        ((256, 6, 28, 28), 2, 2),
        ((8, 64, 56, 56), 2, 2),
        ((8, 64, 56, 56), 3, 2),
        ((8, 64, 56, 56), 3, 1),
    ):
        X = torch.rand(shape)
        for mode, function in torch_pooling.items():
            functions = {
                "native": partial(function, kernel_size=k, stride=s),
                "fast": partial(fast.pool2d, pool_size=k, mode=mode, stride=s),
                "plain": partial(convutils.pool2d, pool_size=k, mode=mode, stride=s),
            }
            title = f"{mode} {k}×{k} / {s}, " + "×".join(map(str, shape))
            yield Case(title, (X,), functions)
            yield Case(f"{title}, with gradients", (X,), functions, gradients=True)


def products():
    """What the machine can do at best: the large layer's product alone, a large square one, and copying."""
    kernels, columns, square = torch.rand(64, 576), torch.rand(8, 576, 56 * 56), torch.rand(2048, 2048)
    yield Case("the product of 8×64×56×56 with 64 3×3", (kernels, columns), {"matmul": torch.matmul})
    yield Case("2048×2048 times 2048×2048", (square, square), {"matmul": torch.matmul})
    yield Case("copy of 64 million numbers", (torch.rand(64_000_000),), {"copy": torch.clone})


# ------------------------------------------------------------ measuring


def measure(case):
    """Return the median seconds of each function of a case; the functions take turns."""
    inputs = [x.clone().requires_grad_(case.gradients) for x in case.inputs]
    return interleaved(
        {name: partial(_run, function, inputs, case.gradients) for name, function in case.functions.items()}
    )


def _run(function, inputs, gradients):
    result = function(*inputs)
    if gradients:
        torch.autograd.grad(result, inputs, torch.ones_like(result))


def interleaved(functions, rounds=ROUNDS, seconds=SECONDS):
    """Return the median seconds of each function without arguments; each round takes one time of every one."""
    from torch.utils import benchmark  # late: it looks for a GPU's compiler, and says so where there is none

    timers = {
        name: benchmark.Timer("f()", globals={"f": f}, num_threads=torch.get_num_threads())
        for name, f in functions.items()
    }
    numbers = {name: max(1, int(seconds / timer.timeit(1).mean)) for name, timer in timers.items()}
    times = {name: [] for name in timers}
    for _ in range(rounds):
        for name, timer in timers.items():
            times[name].append(timer.timeit(numbers[name]).mean)
    return {name: statistics.median(values) for name, values in times.items()}


def training_steps():
    """Measure one step of LeNet, with torch's layers, with our own, and compiled; both recipes, batches of 64."""
    X, y = torch.rand(64, 1, 28, 28), torch.arange(64) % 10
    classic = LeNet()
    times = {}
    for title, net in (
        ("a step, sigmoid and average", classic),
        ("a step, ReLU and maximum", with_relu_and_maximum(classic)),
    ):
        nets = {"native": net, "fast": fast.with_own_layers(net), "plain": fast.with_own_layers(net, plain=True)}
        if shutil.which("c++"):
            nets["native, compiled"] = torch.compile(deepcopy(net))
        times[title] = interleaved(
            {
                name: partial(_step, model, torch.optim.SGD(model.parameters(), 0.1), X, y)
                for name, model in nets.items()
            },
            rounds=3 * ROUNDS,
        )
    return times


def with_relu_and_maximum(net: nn.Sequential) -> nn.Sequential:
    """Return a copy of the network with ReLU for its sigmoids and maximum pooling for its averages."""
    other = {nn.Sigmoid: nn.ReLU(), nn.AvgPool2d: nn.MaxPool2d(2)}
    return nn.Sequential(*(other.get(type(layer), deepcopy(layer)) for layer in net))


def _step(model, optimizer, X, y):
    optimizer.zero_grad()
    F.cross_entropy(model(X), y).backward()
    optimizer.step()


def epochs():
    """Measure an epoch on 8 000 training and 1 000 test images: our loop, and d2l's with its loader."""
    pixels, labels = torch.randint(256, (9000, 28, 28), dtype=torch.uint8), torch.arange(9000) % 10
    data = [(pixels[part, None].float() / 255, labels[part]) for part in (slice(8000), slice(8000, None))]
    functions = {"convutils": lambda: train(LeNet(), *data, epochs=1, lr=0.9, batch_size=256, standardise=False)}
    hushed = redirect_stdout(StringIO()), redirect_stderr(StringIO())  # progress, and a warning of the loader's
    with tempfile.TemporaryDirectory() as folder, hushed[0], hushed[1]:
        if find_spec("d2l"):
            loaders = _d2l_loaders(Path(folder), pixels, labels)
            functions["d2l"] = lambda: _d2l_epoch(*loaders)
        return {"an epoch of 8 000 images": interleaved(functions, rounds=5)}


def _d2l():
    from d2l import torch as d2l

    return d2l


def _d2l_loaders(folder, pixels, labels):
    """Return d2l's own loaders of files in Fashion-MNIST's format that hold these images."""
    raw = folder / "data" / "FashionMNIST" / "raw"
    raw.mkdir(parents=True)
    for name, part in (("train", slice(8000)), ("t10k", slice(8000, None))):
        for kind, numbers in (("images-idx3", pixels[part]), ("labels-idx1", labels[part].to(torch.uint8))):
            head = bytes([0, 0, 8, numbers.ndim]) + b"".join(n.to_bytes(4, "big") for n in numbers.shape)
            (raw / f"{name}-{kind}-ubyte").write_bytes(head + numbers.numpy().tobytes())
    here = Path.cwd()
    try:
        os.chdir(raw)
        (folder / "data" / "FashionMNIST" / "data").symlink_to(folder / "data")  # d2l reads ../data
        return _d2l().load_data_fashion_mnist(256)
    finally:
        os.chdir(here)


def _d2l_epoch(train_loader, test_loader):
    """Train LeNet one epoch by d2l's recipe, without its drawing, which would take longest."""
    d2l = _d2l()
    d2l.Animator = lambda **_: type("Silent", (), {"add": lambda *_: None})()
    net = nn.Sequential(*list(LeNet())[1:])
    d2l.train_ch6(net, train_loader, test_loader, 1, 0.9, torch.device("cpu"))


def starts():
    """Measure the imports in fresh processes, and what a chapter's first cell waits for."""
    chapter = "import torch, matplotlib.pyplot\nfrom convutils import load_digits\nload_digits()"
    programs = {"torch": "import torch", "convutils": "import convutils", "a chapter": chapter}
    return {"start": interleaved({name: partial(_python, code) for name, code in programs.items()})}


def _python(code):
    subprocess.run([sys.executable, "-c", code], check=True)


def all_times():
    """Yield the title and the median seconds of everything."""
    for case in cases():
        yield case.title, measure(case)
    for part in (training_steps, epochs, starts):
        yield from part().items()


def measure_all() -> dict:
    """Measure everything; returns what is stored: the machine and the median seconds of each function."""
    machine = {
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "instructions": torch.backends.cpu.get_cpu_capability(),
        "python": sys.version.split()[0],
        "torch": torch.__version__,
        "d2l": version("d2l") if find_spec("d2l") else None,
    }
    seconds, page = {}, from_page()
    for title, times in all_times():
        seconds[title] = {name: float(f"{time:.3g}") for name, time in times.items()}
        print(page.report(title, times), flush=True)
    return {"machine": machine, "seconds": seconds}


if __name__ == "__main__":
    results = measure_all()
    if "--store" in sys.argv[1:]:
        store(results)
