"""The benchmark compares like with like, and what it stored keeps what the course promises. Nothing is timed here."""

import nbformat
import pytest
import torch
from torch import nn

from workshop import benchmark

SECONDS = benchmark.stored()["seconds"]
CASES = {case.title: case for case in benchmark.cases()}
QUICK = [title for title in CASES if "512" not in title and "224" not in title and "2048" not in title]
PAGE = benchmark.from_page()

# The most that a task may take, as a multiple of another function's time in the same run.
LIMITS = {
    ("28×28 with 5×5", "fast", "native"): 1,
    ("28×28 with 5×5, with gradients", "fast", "native"): 1,
    ("224×224 with 3×3", "fast", "native"): 1,
    ("224×224 with 3×3, with gradients", "fast", "native"): 1,
    ("512×512 with 7×7", "fast", "native"): 1,
    ("512×512 with 7×7, with gradients", "fast", "native"): 1,
    ("28×28 with 5×5", "fast", "d2l"): 1 / 100,
    ("224×224 with 3×3", "fast", "d2l"): 1 / 1000,
    ("512×512 with 7×7", "fast", "d2l"): 1 / 1000,
    ("28×28 with 5×5", "plain", "loop"): 1 / 50,
    ("224×224 with 3×3", "plain", "loop"): 1 / 200,
    ("LeNet's first layer", "fast", "native"): 1.6,
    ("LeNet's second layer", "fast", "native"): 3.0,
    ("8×64×56×56 with 64 3×3", "fast", "native"): 2.6,
    ("a step, sigmoid and average", "fast", "native"): 1.45,
    ("a step, ReLU and maximum", "fast", "native"): 1.65,
    ("an epoch of 8 000 images", "convutils", "d2l"): 1 / 2.5,
    ("start", "convutils", "torch"): 1.05,
    **{
        (f"{mode} {window}, {shape}{gradients}", "fast", "native"): limit
        for window, shape in (("2×2 / 2", "256×6×28×28"), ("2×2 / 2", "8×64×56×56"), ("3×3 / 2", "8×64×56×56"))
        for mode, gradients, limit in (
            ("max", "", 0.4),
            ("avg", "", 0.7),
            ("max", ", with gradients", 1.2),
            ("avg", ", with gradients", 1),
        )
    },
}


@pytest.mark.parametrize(("title", "name", "base"), LIMITS)
def test_stored_results_keep_the_limits(title, name, base):
    """`python -m workshop.benchmark --store` on a machine with nothing else to do is how they come about."""
    assert SECONDS[title][name] / SECONDS[title][base] <= LIMITS[title, name, base]


def test_stored_results_are_those_of_the_present_cases():
    others = {"a step, sigmoid and average", "a step, ReLU and maximum", "an epoch of 8 000 images", "start"}
    assert set(SECONDS) == set(CASES) | others
    assert all(set(SECONDS[title]) == set(case.functions) for title, case in CASES.items())


@pytest.mark.parametrize("title", QUICK)
def test_functions_of_a_case_give_the_same(title):
    case = CASES[title]
    results = []
    for function in case.functions.values():
        inputs = [x.clone().requires_grad_(case.gradients) for x in case.inputs]
        results.append([function(*inputs)])
        if case.gradients:
            results[-1] += torch.autograd.grad(results[-1][0].square().sum(), inputs)
    for other in results[1:]:
        for ours, theirs in zip(other, results[0], strict=True):
            torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-3)


def test_the_other_recipe_of_a_step_is_the_same_network_but_for_its_layers():
    other = benchmark.with_relu_and_maximum(benchmark.LeNet())
    kinds = {type(layer) for layer in other}
    assert {nn.ReLU, nn.MaxPool2d} < kinds and not kinds & {nn.Sigmoid, nn.AvgPool2d}
    assert other(torch.rand(2, 1, 28, 28)).shape == (2, 10)


def test_results_are_stored_in_the_page_and_read_from_it(tmp_path, monkeypatch):
    copy = tmp_path / "page.ipynb"
    copy.write_bytes(benchmark.PAGE.read_bytes())
    monkeypatch.setattr(benchmark, "PAGE", copy)
    results = {"machine": {"cores": 2, "d2l": None}, "seconds": {"a task": {"native": 1.5e-05, "it's": 0.25}}}
    benchmark.store(results)
    assert benchmark.stored() == results
    nbformat.validate(nbformat.read(copy, 4))


def test_rounds_take_turns_and_the_median_counts():
    calls = []
    times = benchmark.interleaved({name: lambda name=name: calls.append(name) for name in "ab"}, rounds=3, seconds=0)
    turns = [name for name, before in zip(calls, [None, *calls]) if name != before]  # each warms up first
    assert turns == ["a", "b"] * 4  # once to see how long one call takes, then three rounds
    assert set(times) == {"a", "b"} and min(times.values()) > 0


def test_measuring_a_case_and_reporting_it(monkeypatch):
    monkeypatch.setattr(benchmark, "interleaved", lambda functions: {name: f() or 2.0 for name, f in functions.items()})
    case = CASES["28×28 with 5×5, with gradients"]
    times = benchmark.measure(case)
    assert times == dict.fromkeys(case.functions, 2.0)
    assert PAGE.report("t", {"native": 2.0, "other": 3.0}) == "t: native 2,000 ms, other 1.50 ×"


def test_milliseconds_have_three_digits_and_no_exponent():
    assert [PAGE.milliseconds(t) for t in (5.44e-5, 0.006, 0.0379, 0.099, 0.512, 1.8195)] == [
        "0.0544",
        "6.00",
        "37.9",
        "99.0",
        "512",
        "1,820",
    ]


def test_d2l_reads_our_images_from_files(tmp_path):
    pixels, labels = torch.randint(256, (9000, 28, 28), dtype=torch.uint8), torch.arange(9000) % 10
    loaders = benchmark._d2l_loaders(tmp_path, pixels, labels)
    for loader, part in zip(loaders, (slice(8000), slice(8000, None)), strict=True):
        assert torch.equal(loader.dataset.data, pixels[part]) and torch.equal(loader.dataset.targets, labels[part])
