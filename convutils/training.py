"""A visible, short training loop for image classifiers, used from chapter 6 on."""

from copy import deepcopy

import torch
from torch.nn import functional as F
from tqdm import tqdm

from convutils import _arguments as require
from convutils._layers import evaluation_mode
from convutils._settings import recording
from convutils.lenet import Standardise


@recording()
def train(
    model, train_set, test_set, *, epochs, lr, batch_size=64, one_cycle=False, max_shift=0, standardise=True, seed=0
):
    """Train a classifier by stochastic gradient descent on the cross-entropy and return its history.

    The sets are pairs of images n×c×h×w and labels n; they are converted to the model's dtype and device.
    With `standardise`, the model's `Standardise` layers first learn the mean and standard deviation of the
    training images. `one_cycle` raises the rate to `lr` and lowers it to 0 in one cycle; `max_shift` moves each
    training image by up to so many pixels in both directions; `seed` fixes order and shifts.
    A progress bar is shown unless the environment variable TQDM_DISABLE is 1.

    Returns:
        dict of lists with one entry an epoch: "train_loss", "train_accuracy" (both averages over the epoch, while
        the model learns) and "test_accuracy".

    Raises:
        ValueError: before anything is learned, if an argument is out of range, images and labels differ in number,
            the model cannot take the images or has no score for a label, a batch holds a single image and the
            model's batch normalisation cannot learn from one, or the model was made under `torch.inference_mode`.
    """
    for name, value, minimum in (
        ("epochs", epochs, 1),
        ("batch_size", batch_size, 1),
        ("max_shift", max_shift, 0),
        ("seed", seed, 0),
    ):
        require.integer(name, value, minimum)
    require.positive("lr", lr)
    require.flag("one_cycle", one_cycle)
    require.flag("standardise", standardise)
    (X, y), test_set = (_like(model, name, data) for name, data in (("train_set", train_set), ("test_set", test_set)))
    _check_weights(model)
    _check_smallest_batch(model, X, batch_size)
    if standardise:
        for layer in model.modules():
            if isinstance(layer, Standardise):
                layer.fit(X)
    optimizer = torch.optim.SGD(model.parameters(), lr)
    steps = epochs * -(-len(X) // batch_size)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, lr, steps, cycle_momentum=False) if one_cycle else None
    generator = torch.Generator("cpu").manual_seed(seed)
    history = {"train_loss": [], "train_accuracy": [], "test_accuracy": []}
    for _ in (bar := tqdm(range(epochs), unit="epoch", leave=False)):
        loss, accuracy = _epoch(model, X, y, optimizer, schedule, batch_size, max_shift, generator)
        for values, value in zip(history.values(), (loss, accuracy, evaluate(model, test_set)), strict=True):
            values.append(value)
        bar.set_postfix(loss=f"{loss:.3f}", test=f"{history['test_accuracy'][-1]:.1%}")
    return history


def evaluate(model, data):
    """Return the share of images n×c×h×w that the model classifies as their labels n say; `data` is the pair."""
    X, y = _like(model, "data", data)
    with evaluation_mode(model):
        right = sum((model(x).argmax(1) == t).sum().item() for x, t in zip(X.split(1000), y.split(1000), strict=True))
    return right / len(y)


def _epoch(model, X, y, optimizer, schedule, batch_size, max_shift, generator):
    """Take one step for each batch of the shuffled set; return average loss and accuracy."""
    model.train()
    loss_sum = right = 0
    for batch in torch.randperm(len(X), generator=generator, device="cpu").split(batch_size):
        images, labels = _shift(X[batch.to(X.device)], max_shift, generator), y[batch.to(y.device)]
        scores = model(images)
        loss = F.cross_entropy(scores, labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if schedule:
            schedule.step()
        loss_sum += loss.item() * len(batch)
        right += (scores.argmax(1) == labels).sum().item()
    return loss_sum / len(X), right / len(X)


def _shift(X, max_shift, generator):
    """Move each image by its own random number of rows and columns, up to `max_shift`; zeros come in."""
    if max_shift == 0:
        return X
    h, w = X.shape[-2:]
    windows = F.pad(X, (max_shift,) * 4).unfold(2, h, 1).unfold(3, w, 1)
    rows, columns = torch.randint(2 * max_shift + 1, (2, len(X)), generator=generator, device="cpu")
    return windows[torch.arange(len(X), device="cpu"), :, rows, columns]


def _like(model, name, data):
    """Return images and labels, checked, on the model's device, the images in its dtype."""
    require.module("model", model)
    if not isinstance(data, (tuple, list)) or len(data) != 2:
        raise TypeError(f"{name}: got {type(data).__name__}, wanted a pair of images and labels")
    X, y = data
    require.tensor(f"{name} images", X, 4)
    require.tensor(f"{name} labels", y, 1)
    require.equal(f"{name} labels", len(y), "the number of images", len(X))
    require.whole(f"{name} labels", y)
    if y.min() < 0:
        raise ValueError(f"{name} labels: got {y.min()}, wanted numbers from 0")
    parameter = next(model.parameters(), X)
    X, y = (t.clone() if t.is_inference() else t for t in (X, y))  # one of inference mode takes part in no gradient
    X, y = X.to(parameter), y.to(parameter.device).long()
    _check_scores(model, name, X, y)
    return X, y


def _check_scores(model, name, X, y):
    """Check that the model takes the images and has a score for every label."""
    try:
        with evaluation_mode(model):
            scores, several = model(X[:1]), model(X[:2])  # one alone would not show that images are mixed
    except (RuntimeError, ValueError) as error:
        raise ValueError(f"{name} images: got shape {tuple(X.shape)}, which the model cannot take: {error}") from error
    require.tensor("scores of the model", scores, 2)
    for rows, images in ((scores, X[:1]), (several, X[:2])):
        require.equal("rows of scores of the model", len(rows), "the number of images", len(images))
    if y.max() >= scores.shape[1]:
        raise ValueError(
            f"{name} labels: got {y.max()}, wanted at most {scores.shape[1] - 1}, because the model gives "
            f"{scores.shape[1]} scores"
        )


def _check_weights(model):
    """Check that the model's numbers can be changed: torch forbids it for those made under `torch.inference_mode`."""
    if any(t.is_inference() for t in (*model.parameters(), *model.buffers())):
        raise ValueError("model: got weights made under torch.inference_mode, wanted a network made outside of it")


def _check_smallest_batch(model, X, batch_size):
    """Check that the model can learn from a batch of one image if there is one; tried on a copy, which is dropped."""
    if batch_size > 1 and len(X) % batch_size != 1:
        return
    devices = [X.device] if X.is_cuda else []
    try:
        with torch.no_grad(), torch.random.fork_rng(devices):  # dropout draws here what training must not miss
            deepcopy(model).train()(X[:1])
    except ValueError as error:  # batch normalisation: one value has no variance
        raise ValueError(
            f"batch_size: got {batch_size}, which makes a batch of one of the {len(X)} images, wanted "
            f"another size for this model: {error}"
        ) from error
