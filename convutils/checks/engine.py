"""How an answer is compared with its reference and with the plausible mistakes, and said in one sentence."""

import signal
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field
from importlib import import_module
from math import isclose, isnan
from numbers import Number

import torch

CHAPTERS = ("dense_to_convolution", "convolution", "padding_and_stride", "channels", "pooling", "lenet")
TIME_LIMIT = 20          # seconds an answer may take on one input
PRINT_LIMIT = 10_000     # characters an answer may print on one input


@dataclass(frozen=True)
class Exercise:
    """What makes an exercise checkable.

    For a function to be written, `reference` and every mistake are functions too, and `inputs` lists the argument
    tuples they are tried on. For a value, `reference` and the mistakes are values and `inputs` stays as it is.
    A result is a tensor, number, truth value, string, or a tuple or list of these.
    """

    reference: object
    mistakes: Mapping[str, object] = field(default_factory=dict)  #: diagnosis → what leads to it
    inputs: Sequence[tuple] = ((),)                               #: argument tuples, seeded where random
    view: Callable = lambda result, *arguments: result            #: what of a result is compared, where several
    #: results are right


class _Trouble(Exception):
    """A reason, worded for the learner, why a result cannot be compared."""


def check(exercise, answer):
    """Print what is to be said of the answer to an exercise, such as `check("2.3", my_corr2d)`.

    Raises:
        ValueError: if there is no checker of this number.
    """
    print(f"Exercise {exercise}: {verdict(find_exercise(exercise), answer)}")


def find_exercise(number):
    """Return the `Exercise` of a number such as "2.3"."""
    chapter = str(number).split(".")[0]
    if chapter.isdigit() and 1 <= int(chapter) <= len(CHAPTERS):
        exercises = load_exercises(CHAPTERS[int(chapter) - 1])
        if number in exercises:
            return exercises[number]
        raise ValueError(f"exercise: got {number!r}, wanted one of {', '.join(exercises)}")
    raise ValueError(f"exercise: got {number!r}, wanted a string such as '2.3', chapters 1 to {len(CHAPTERS)}")


def load_exercises(chapter):
    """Return the checkers of one chapter, by number."""
    return import_module(f"convutils.checks.{chapter}").EXERCISES


def verdict(exercise, answer):
    """Return the sentence on an answer: "not tried yet", "correct", or "not yet: …"."""
    if answer is None:
        return "not tried yet"
    try:
        results = [_result(exercise, answer, arguments) for arguments in exercise.inputs]
    except _Trouble as trouble:
        return f"not yet: {trouble}"
    if all(result is None for result in results):
        return "not tried yet"
    wanted = [_result(exercise, exercise.reference, arguments) for arguments in exercise.inputs]
    differences = [_difference(got, want) for got, want in zip(results, wanted, strict=True)]
    if not any(differences):
        return "correct"
    diagnosis = _diagnose(exercise, results)
    if diagnosis:
        return f"not yet: {diagnosis}"
    where, what = next((a, d) for a, d in zip(exercise.inputs, differences, strict=True) if d)
    return f"not yet: {_describe(where)}{what}"


def _diagnose(exercise, results):
    """Return the diagnosis of the mistake that gives the same results on all inputs, if there is one."""
    for diagnosis, mistake in exercise.mistakes.items():
        wrong = [_result(exercise, mistake, arguments) for arguments in exercise.inputs]
        if not any(_difference(got, bad) for got, bad in zip(results, wrong, strict=True)):
            return diagnosis
    return None


def _result(exercise, answer, arguments):
    """Return what is compared of an answer on one input; whatever goes wrong becomes a `_Trouble`."""
    function = callable(exercise.reference)
    if function and not callable(answer):
        raise _Trouble(f"a function is wanted, the answer is {_kind(answer)}")
    if not function and not exercise.inputs == ((),):
        raise ValueError("inputs: an exercise whose reference is a value takes none")
    copies = [a.clone() if isinstance(a, torch.Tensor) else a for a in arguments]
    with _limits(arguments):
        result = answer(*copies) if function else answer
        return None if result is None else exercise.view(result, *arguments)


@contextmanager
def _limits(arguments):
    """Turn exceptions, endless loops and endless printing into a `_Trouble`."""
    try:
        with redirect_stdout(_LimitedOutput(sys.stdout)), _alarm():
            yield
    except _Trouble as trouble:
        raise _Trouble(f"{_describe(arguments)}{trouble}") from None
    except (Exception, SystemExit) as error:
        message = str(error).strip().split("\n")[0]
        raise _Trouble(f"{_describe(arguments)}it stopped with {type(error).__name__}: {message}") from None


@contextmanager
def _alarm():
    """Stop what takes too long, where the system can: in the main thread of a Unix process."""
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return

    def too_long(*_):
        raise _Trouble(f"it did not end within {TIME_LIMIT} seconds")

    before = signal.signal(signal.SIGALRM, too_long)
    signal.setitimer(signal.ITIMER_REAL, TIME_LIMIT)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


class _LimitedOutput:
    """Pass on what an answer prints, up to a limit."""

    def __init__(self, stream):
        self.stream, self.left = stream, PRINT_LIMIT

    def write(self, text):
        self.left -= len(text)
        if self.left < 0:
            raise _Trouble(f"it printed more than {PRINT_LIMIT} characters")
        return self.stream.write(text)

    def flush(self):
        self.stream.flush()


def _difference(got, want):
    """Return how a result differs from the wanted one, in words, or "" when they agree."""
    if isinstance(want, (tuple, list)):
        return _sequence_difference(got, want)
    if isinstance(want, torch.Tensor) and want.ndim:
        return _tensor_difference(got, want)
    if isinstance(got, torch.Tensor) and got.ndim == 0 and not isinstance(want, str):
        got = got.item()
    if isinstance(want, torch.Tensor):
        want = want.item()
    if isinstance(want, str):
        same = isinstance(got, str) and got.strip().lower() == want.strip().lower()
        return "" if same else f"got {got!r}, which is not the answer"
    if isinstance(want, bool) or isinstance(got, bool) or not isinstance(got, Number):
        wanted = "True or False" if isinstance(want, bool) else "a number"
        return "" if type(got) is type(want) and got == want else f"got {_kind(got)}, wanted {wanted}"
    if isnan(got):
        return "got nan, wanted a number"
    same = got == want if isinstance(want, int) else isclose(got, want, rel_tol=1e-4, abs_tol=1e-6)
    return "" if same else f"got {got}, which is off by {got - want:g}"


def _sequence_difference(got, want):
    """Compare tuples and lists entry by entry."""
    if not isinstance(got, (tuple, list)):
        return f"got {_kind(got)}, wanted a tuple of {len(want)}"
    if len(got) != len(want):
        return f"got {len(got)} entries, wanted {len(want)}"
    for position, pair in enumerate(zip(got, want, strict=True)):
        if what := _difference(*pair):
            return f"entry {position}: {what}"
    return ""


def _tensor_difference(got, want):
    """Compare shapes, then numbers; a rounding error of float32 is no difference."""
    if not isinstance(got, torch.Tensor):
        return f"got {_kind(got)}, wanted a tensor"
    if got.shape != want.shape:
        return f"got shape {_shape(got)}, wanted {_shape(want)}"
    got, want = got.detach().double(), want.detach().double()
    if got.isnan().any() and not want.isnan().any():
        return f"got nan at {got.isnan().nonzero()[0].tolist()}, wanted a number"
    wrong = ~torch.isclose(got, want, rtol=1e-4, atol=1e-5 * max(1.0, want[want.isfinite()].abs().max().item()))
    if not wrong.any():
        return ""
    at = tuple(wrong.nonzero()[0].tolist())
    return f"the entry at {list(at)} is {got[at]:g}, which is off by {got[at] - want[at]:g}"


def _describe(arguments):
    """Name an input by the shapes of its tensors and its other arguments, or "" when there is none."""
    words = [_shape(a) if isinstance(a, torch.Tensor) else repr(a) for a in arguments]
    return f"on the input {', '.join(words)}: " if words else ""


def _shape(tensor):
    """Write a tensor's shape as 3×4."""
    return "×".join(map(str, tensor.shape)) or "of one number"


def _kind(value):
    """Name a value for a sentence: numbers and truth values as they are, the rest by type."""
    if isinstance(value, (bool, Number)):
        return repr(value)
    return f"a value of type {type(value).__name__}"
