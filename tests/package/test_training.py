"""The training loop: the same on every run, at any number of threads, and it learns real digits."""

from functools import cache, partial
from io import StringIO

import pytest
import torch
from torch import nn
from tqdm import tqdm

from convutils import LeNet, ModernLeNet, Standardise, evaluate, load_digits, train
from convutils.training import _shift


@cache
def small_digits():
    """Return 300 digits for training and 100 for the test, halved in size so that a step is cheap."""
    (X, y), (X_test, y_test) = load_digits()
    return (X[:300, :, ::2, ::2].contiguous(), y[:300]), (X_test[:100, :, ::2, ::2].contiguous(), y_test[:100])


def small_net(seed=0, dtype=torch.float32):
    torch.manual_seed(seed)
    return nn.Sequential(
        Standardise(),
        nn.Conv2d(1, 4, 3),
        nn.BatchNorm2d(4),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(4 * 6 * 6, 10),
    ).to(dtype)


def run(seed=0, dtype=torch.float32, **arguments):
    """Train the small net on the small digits; return it and its history."""
    net = small_net(dtype=dtype)
    history = train(net, *small_digits(), **{"epochs": 3, "lr": 0.1, "seed": seed, **arguments})
    return net, history


def same(one, other):
    return all(torch.equal(a, b) for a, b in zip(one.state_dict().values(), other.state_dict().values(), strict=True))


def test_the_same_seed_gives_the_same_bits():
    options = {"max_shift": 2, "one_cycle": True}
    torch.manual_seed(1)
    one, history = run(**options)
    torch.manual_seed(2)  # the global generator plays no part in order and shifts
    other, again = run(**options)
    assert same(one, other) and history == again


def test_another_seed_gives_another_order_and_other_shifts():
    assert not same(run(seed=0)[0], run(seed=1)[0])
    whole = {"batch_size": 300, "epochs": 1}  # the order of one whole batch plays no part, the shifts do
    assert not same(run(seed=0, max_shift=1, **whole)[0], run(seed=1, max_shift=1, **whole)[0])


def test_the_global_generator_is_left_alone():
    torch.manual_seed(5)
    wanted = torch.rand(1)
    net = small_net()
    torch.manual_seed(5)
    train(net, *small_digits(), epochs=1, lr=0.1, max_shift=1)
    assert torch.equal(torch.rand(1), wanted)


def test_one_and_two_threads_agree_in_float64():
    results = []
    for threads in (1, 2):
        torch.set_num_threads(threads)
        net, history = run(dtype=torch.float64, max_shift=1)
        results.append((net.state_dict()["6.weight"], torch.tensor(history["train_loss"], dtype=torch.float64)))
    torch.testing.assert_close(*(weights for weights, _ in results), rtol=1e-8, atol=1e-8)
    torch.testing.assert_close(*(losses for _, losses in results), rtol=1e-8, atol=1e-8)


def test_digits_are_learned():
    torch.manual_seed(1)
    train_set, test_set = load_digits()
    net = ModernLeNet()
    history = train(net, train_set, test_set, epochs=4, lr=0.1, batch_size=32, one_cycle=True)
    assert history["test_accuracy"][-1] >= 0.98
    assert history["train_loss"][-1] < 0.1 * history["train_loss"][0]
    assert evaluate(net, test_set) == history["test_accuracy"][-1]


def test_history_has_one_entry_an_epoch():
    history = run(epochs=2)[1]
    assert list(history) == ["train_loss", "train_accuracy", "test_accuracy"]
    assert all(len(values) == 2 and all(type(v) is float for v in values) for values in history.values())
    assert all(0 <= v <= 1 for name in ("train_accuracy", "test_accuracy") for v in history[name])


def test_one_step_is_a_step_of_gradient_descent():
    # one batch, no shifts, no standardising: the loop must do what the textbook does
    (X, y), test_set = small_digits()
    torch.manual_seed(0)
    net = nn.Sequential(nn.Flatten(), nn.Linear(14 * 14, 10)).double()
    W, b = (p.detach().clone().requires_grad_() for p in net.parameters())
    loss = nn.functional.cross_entropy(X.double().flatten(1) @ W.T + b, y)
    gradients = torch.autograd.grad(loss, (W, b))
    accuracy = ((X.double().flatten(1) @ W.T + b).argmax(1) == y).double().mean()
    history = train(net, (X, y), test_set, epochs=1, lr=0.3, batch_size=300)
    assert history["train_loss"] == [pytest.approx(loss.item())]
    assert history["train_accuracy"] == [pytest.approx(accuracy.item())]
    for p, start, gradient in zip(net.parameters(), (W, b), gradients, strict=True):
        torch.testing.assert_close(p, start - 0.3 * gradient)


def test_loss_and_accuracy_of_an_epoch_are_averages_over_its_images():
    (X, y), test_set = small_digits()
    net = nn.Sequential(nn.Flatten(), nn.Linear(14 * 14, 10)).double()
    history = train(net, (X, y), test_set, epochs=1, lr=1e-12)  # 300 images in batches of 64; the net stays as it is
    loss = nn.functional.cross_entropy(net(X.double()), y)
    assert history["train_loss"] == [pytest.approx(loss.item())]
    assert history["train_accuracy"] == [evaluate(net, (X, y))] and history["train_accuracy"] != [0]


def test_every_image_counts_once_an_epoch():
    (X, y), test_set = small_digits()
    seen = []
    net = small_net()
    net.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]) if module.training else None)
    train(net, (X, y), test_set, epochs=2, lr=0.1)  # batches of 64 unless said otherwise
    assert [len(batch) for batch in seen] == 2 * [64, 64, 64, 64, 44]
    for epoch in (seen[:5], seen[5:]):
        rows = torch.cat(epoch).flatten(1).tolist()
        assert sorted(rows) == sorted(X.flatten(1).tolist()) and rows != X.flatten(1).tolist()
    assert not torch.equal(seen[0], seen[5])


def test_standardise_is_fitted_on_the_training_images():
    (X, y), test_set = small_digits()
    net, _ = run(epochs=1)
    torch.testing.assert_close(net[0].mean, X.mean())
    torch.testing.assert_close(net[0].std, X.std())
    untouched, _ = run(epochs=1, standardise=False)
    assert untouched[0].mean == 0 and untouched[0].std == 1


def test_one_cycle_raises_and_lowers_the_rate(monkeypatch):
    groups = []
    step = torch.optim.SGD.step
    monkeypatch.setattr(torch.optim.SGD, "step", lambda self: groups.append(dict(self.param_groups[0])) or step(self))
    run(one_cycle=True, epochs=4)
    rates = [group["lr"] for group in groups]
    top = rates.index(max(rates))
    assert len(rates) == 20 and max(rates) == pytest.approx(0.1, rel=0.02)
    assert rates[: top + 1] == sorted(rates[: top + 1]) and rates[top:] == sorted(rates[top:], reverse=True)
    assert rates[0] < 0.01 and rates[-1] < 0.001
    assert not any(group["momentum"] for group in groups)  # torch's schedule would set one unless told not to
    groups.clear()
    run(epochs=1)
    assert {group["lr"] for group in groups} == {0.1}


def test_images_are_shifted_with_zeros_coming_in():
    X = torch.zeros(200, 2, 5, 6)
    X[:, 0, 2, 3], X[:, 1, 2, 3] = 1, 2  # both channels move together
    Y = _shift(X, 2, torch.Generator().manual_seed(0))
    places = Y[:, 0].flatten(1).argmax(1)
    assert Y.shape == X.shape and torch.equal(Y[:, 1], 2 * Y[:, 0]) and Y[:, 0].flatten(1).sum(1).eq(1).all()
    assert set((places // 6).tolist()) == {0, 1, 2, 3, 4} and set((places % 6).tolist()) == {1, 2, 3, 4, 5}
    assert len(set(places.tolist())) == 25  # rows and columns are drawn independently
    assert _shift(X, 0, None) is X
    moved = _shift(torch.ones(50, 1, 3, 3), 1, torch.Generator().manual_seed(0))
    assert set(moved.sum((1, 2, 3)).tolist()) == {4, 6, 9}


def test_a_network_in_evaluation_mode_is_trained_all_the_same():
    wanted, history = run(epochs=1)
    net = small_net().eval()
    assert train(net, *small_digits(), epochs=1, lr=0.1) == history and same(net, wanted)


def test_labels_and_images_of_other_dtypes():
    (X, y), test_set = small_digits()
    wanted = run(epochs=1)[1]
    net = small_net()
    assert train(net, (X.double(), y.int()), [test_set[0], test_set[1].to(torch.uint8)], epochs=1, lr=0.1) == wanted


def test_the_progress_bar_tells_loss_and_accuracy_and_then_goes_away(monkeypatch):
    shown = StringIO()
    monkeypatch.setattr("convutils.training.tqdm", partial(tqdm, file=shown, disable=False, ascii=True, mininterval=0))
    history = run(epochs=2)[1]
    last = f"loss={history['train_loss'][-1]:.3f}, test={history['test_accuracy'][-1]:.1%}"
    text = shown.getvalue()
    assert "2/2" in text and ("epoch/s" in text or "s/epoch" in text) and last in text
    assert not text.split("\r")[-1].strip()


def test_data_are_left_alone():
    (X, y), _ = small_digits()
    before = X.clone(), y.clone()
    run(epochs=1, max_shift=2)
    assert torch.equal(X, before[0]) and torch.equal(y, before[1])


def test_a_bad_argument_leaves_the_network_as_it_was():
    net, (train_set, test_set) = small_net(), small_digits()
    before = small_net()
    for bad in ({"lr": -1}, {"max_shift": -1}, {"seed": "a"}, {"epochs": 0}, {"batch_size": 0}):
        with pytest.raises((ValueError, TypeError)):
            train(net, train_set, test_set, **{"epochs": 1, "lr": 0.1, **bad})
    (X, y), (X_test, y_test) = train_set, test_set
    for sets in (
        (train_set, (X_test, y_test[1:])),
        (train_set, (X_test, y_test + 1)),
        ((X, y + 1), test_set),
        (train_set, (X_test[:, :, 3:], y_test)),
        ((X.repeat(1, 3, 1, 1), y), test_set),
    ):
        with pytest.raises(ValueError):
            train(net, *sets, epochs=1, lr=0.1)
    assert same(net, before) and net.training


def test_a_batch_of_one_image_is_refused_only_where_the_net_cannot_learn_from_it():
    (X, y), test_set = small_digits()
    dense = nn.Sequential(nn.Flatten(), nn.Linear(14 * 14, 10), nn.BatchNorm1d(10))
    before = {name: value.clone() for name, value in dense.state_dict().items()}
    for n, size in ((5, 4), (1, 64), (3, 1)):
        with pytest.raises(ValueError, match=f"^batch_size: got {size}, which makes a batch of one of the {n} images"):
            train(dense, (X[:n], y[:n]), test_set, epochs=1, lr=0.1, batch_size=size)
    assert all(torch.equal(value, before[name]) for name, value in dense.state_dict().items())
    for net in (small_net(), nn.Sequential(nn.Flatten(), nn.Linear(14 * 14, 10))):  # many values a channel, or no norm
        for size in (4, 1):
            train(net, (X[:5], y[:5]), test_set, epochs=1, lr=0.1, batch_size=size)
    for n, size in ((6, 4), (4, 2)):
        train(dense, (X[:n], y[:n]), test_set, epochs=1, lr=0.1, batch_size=size)


def test_one_image_is_tried_on_a_copy():  # in training mode, the net's own running averages would change
    (X, y), test_set = small_digits()
    results = []
    for n in (16, 17):  # 17 leaves a batch of one, so one image is tried in training mode
        net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2, momentum=1.0), nn.Flatten(), nn.Linear(288, 10))
        seen = []
        net.register_forward_pre_hook(lambda module, _, seen=seen: seen.append(module) if module.training else None)
        train(net, (X[:n], y[:n]), test_set, epochs=1, lr=0.1, batch_size=16)
        results.append([module is net for module in seen])
    assert results == [[True], [False, True, True]]


def test_trying_one_image_takes_no_random_numbers_from_dropout():
    class Draw(nn.Module):
        drawn = ()

        def forward(self, X):
            self.drawn += (torch.rand(1),) if self.training else ()
            return X

    draw = Draw()
    net = nn.Sequential(draw, nn.Flatten(), nn.Linear(196, 10))
    (X, y), test_set = small_digits()
    torch.manual_seed(3)
    wanted = torch.rand(1)
    torch.manual_seed(3)
    train(net, (X[:3], y[:3]), test_set, epochs=1, lr=1, batch_size=2)
    assert len(draw.drawn) == 2 and torch.equal(draw.drawn[0], wanted)


# ---- evaluate


class Constant(nn.Module):
    """Takes everything for class 1, and notes the mode and the batches."""

    def __init__(self):
        super().__init__()
        self.calls = []

    def forward(self, X):
        self.calls.append((self.training, torch.is_grad_enabled(), len(X)))
        return torch.tensor([0.0, 1, 0]).expand(len(X), 3)


def test_evaluate_is_the_share_of_right_answers():
    net = Constant()
    labels = torch.cat([torch.ones(600), torch.zeros(1500), torch.full((300,), 2)]).long()
    assert evaluate(net, (torch.zeros(2400, 1, 2, 2), labels)) == 0.25
    assert net.calls[:2] == [(False, False, 1), (False, False, 2)]  # tried: does it take these, which scores come?
    assert net.calls[2:] == [(False, False, 1000), (False, False, 1000), (False, False, 400)] and net.training


@pytest.mark.parametrize("training", [True, False])
def test_evaluate_restores_the_mode_of_every_layer(training):
    net = ModernLeNet().train(training)
    net[2].train(not training)
    before = [layer.training for layer in net.modules()]
    state = {name: value.clone() for name, value in net.state_dict().items()}
    evaluate(net, (torch.rand(5, 1, 28, 28), torch.zeros(5, dtype=torch.long)))
    with pytest.raises(ValueError, match="^data images: "):
        evaluate(net, (torch.rand(5, 3, 28, 28), torch.zeros(5, dtype=torch.long)))
    assert [layer.training for layer in net.modules()] == before and torch.is_grad_enabled()
    assert all(torch.equal(value, state[name]) for name, value in net.state_dict().items())


def test_evaluate_agrees_with_a_loop():
    _, (X, y) = load_digits()
    torch.manual_seed(0)
    net = LeNet()
    with torch.no_grad():
        right = sum(net(X[i : i + 1]).argmax().item() == y[i].item() for i in range(50))
    assert evaluate(net, (X[:50], y[:50])) == right / 50
