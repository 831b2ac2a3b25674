"""How an answer is compared with its reference and with the plausible mistakes, and said in one sentence."""

import signal
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field
from importlib import import_module
from math import isclose
from numbers import Number, Real
from pkgutil import iter_modules

import torch

from convutils._settings import plain_settings

TIME_LIMIT = 20  # seconds an answer may take on one input
PRINT_LIMIT = 10_000  # characters an answer may print on one input
HUGE = 1e300  # what is larger is no answer, and might not fit into a float


@dataclass(frozen=True)
class Exercise:
    """What makes an exercise checkable.

    For a function to be written, `reference` and every mistake are functions too, and `inputs` lists the argument
    tuples they are tried on. For a value, `reference` and the mistakes are values and `inputs` stays as it is.
    A result is a tensor, number, truth value, string, or a tuple or list of these.
    """

    reference: object
    mistakes: Mapping[str, object] = field(default_factory=dict)  #: diagnosis → what leads to it
    inputs: Sequence[tuple] = ((),)  #: argument tuples, seeded where random
    view: Callable = lambda result, *arguments: result  #: what of a result is compared, where several
    #: results are right


class _Trouble(BaseException):
    """A reason, worded for the learner, why a result cannot be compared.

    No `Exception`, so that an answer's own `except Exception` does not swallow the alarm.
    """


def check(exercise, answer):
    """Print what is to be said of the answer to an exercise, such as `check("2.3", my_corr2d)`.

    Raises:
        ValueError: if there is no checker of this number.
    """
    print(f"Exercise {exercise}: {verdict(find_exercise(exercise), answer)}")


def find_exercise(number):
    """Return the `Exercise` of a number such as "2.3"."""
    known = {n: exercise for chapter in chapters() for n, exercise in load_exercises(chapter).items()}
    if number in known:
        return known[number]
    chapter = str(number).partition(".")[0]
    if siblings := [n for n in known if n.partition(".")[0] == chapter]:
        raise ValueError(f"exercise: got {number!r}, wanted one of {', '.join(siblings)}")
    last = max(int(n.partition(".")[0]) for n in known)
    raise ValueError(f"exercise: got {number!r}, wanted a string such as '2.3', chapters 1 to {last}")


def chapters():
    """Return the names of the chapters that have checkers: those of the modules beside this one."""
    beside = import_module("convutils.checks").__path__
    return [module.name for module in iter_modules(beside) if module.name != "engine"]


def load_exercises(chapter):
    """Return the checkers of one chapter, by number."""
    with plain_settings():  # a chapter draws its inputs when it is first asked for
        return import_module(f"convutils.checks.{chapter}").EXERCISES


def verdict(exercise, answer):
    """Return the sentence on an answer: "not tried yet", "correct", or "not yet: …"."""
    if answer is None:
        return "not tried yet"
    results, trouble = _results(exercise, answer)
    if not trouble and all(result is None for result in results):
        return "not tried yet"
    inputs = exercise.inputs[: len(results)]  # those before the trouble, which may come after a recognisable mistake
    wanted = [_result(exercise, exercise.reference, arguments) for arguments in inputs]
    differences = [_difference(got, want) for got, want in zip(results, wanted, strict=True)]
    if any(differences):
        where, what = next((a, d) for a, d in zip(inputs, differences, strict=True) if d)
        return f"not yet: {_diagnose(exercise, results) or _describe(where) + what}"
    return f"not yet: {trouble}" if trouble else "correct"


def _results(exercise, answer):
    """Return an answer's results on the inputs, up to the first trouble, and that trouble in words or ""."""
    results = []
    # an answer made under set_default_dtype(float64) may hold tensors of float64: it gets the inputs in float64
    dtype = torch.float64 if torch.get_default_dtype() == torch.float64 else torch.float32
    try:
        for arguments in exercise.inputs:
            results.append(_result(exercise, answer, arguments, dtype))
    except _Trouble as trouble:
        return results, str(trouble)
    return results, ""


def _diagnose(exercise, results):
    """Return the diagnosis of the mistake that gives the same results, if there is one."""
    for diagnosis, mistake in exercise.mistakes.items():
        wrong = [_result(exercise, mistake, arguments) for arguments in exercise.inputs[: len(results)]]
        if not any(_difference(got, bad) for got, bad in zip(results, wrong, strict=True)):
            return diagnosis
    return None


def _result(exercise, answer, arguments, dtype=torch.float32):
    """Return what is compared of an answer on one input; whatever goes wrong becomes a `_Trouble`."""
    function = callable(exercise.reference)
    if function and not callable(answer):
        raise _Trouble(f"a function is wanted, the answer is {_kind(answer)}")
    if not function and not exercise.inputs == ((),):
        raise ValueError("inputs: an exercise whose reference is a value takes none")
    with plain_settings(), _limits(arguments):
        copies = [_copy(a, dtype) if isinstance(a, torch.Tensor) else a for a in arguments]
        with plain_settings(dtype):
            result = answer(*copies) if function else answer
        return None if result is None else _viewed(exercise, result, arguments)


def _copy(tensor, dtype):
    """Return a copy of an input that an answer may overwrite, in the answer's dtype where the input has float32."""
    return tensor.to(dtype if tensor.dtype == torch.float32 else tensor.dtype, copy=True)


def _viewed(exercise, result, arguments):
    """Return the view of a result; a result of another form than the view expects is a `_Trouble`."""
    try:
        return exercise.view(result, *arguments)
    except Exception as error:
        raise _Trouble(f"got {_kind(result)}, which is not of the form that is asked ({_first_line(error)})") from None


@contextmanager
def _limits(arguments):
    """Turn exceptions, endless loops and endless printing into a `_Trouble`."""
    try:
        with redirect_stdout(_LimitedOutput(sys.stdout)), _alarm():
            yield
    except _Trouble as trouble:
        raise _Trouble(f"{_describe(arguments)}{trouble}") from None
    except (Exception, SystemExit) as error:
        raise _Trouble(f"{_describe(arguments)}it stopped with {_first_line(error)}") from None


def _first_line(error):
    """Write an exception as its type and the first line of its message, if it has one."""
    message = str(error).strip().split("\n")[0]
    return f"{type(error).__name__}: {message}" if message else type(error).__name__


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
    got, want = _plain(got), _plain(want)
    return _word_difference(got, want) if isinstance(want, (str, bool)) else _number_difference(got, want)


def _plain(value):
    """Return the Python number or truth value in a tensor or NumPy value without dimensions; others as they are."""
    return value.item() if getattr(value, "ndim", None) == 0 else value


def _word_difference(got, want):
    """Compare truth values, and words without regard to case."""
    if not isinstance(got, type(want)):
        return f"got {_kind(got)}, wanted {'True or False' if isinstance(want, bool) else 'a word'}"
    same = str(got).strip().lower() == str(want).strip().lower()
    return "" if same else f"got {got!r}, which is not the answer"


def _number_difference(got, want):
    """Compare numbers: whole ones exactly, but for the rounding of float64, others to four digits."""
    if isinstance(got, bool) or not isinstance(got, Real) or not abs(got) < HUGE:  # nan is not smaller either
        return f"got {_kind(got)}, wanted a number"
    digits = 1e-9 if isinstance(want, int) else 1e-4
    same = isclose(got, want, rel_tol=digits, abs_tol=1e-6)
    return "" if same else f"got {got}, which is off by {float(got - want):g}"


def _sequence_difference(got, want):
    """Compare tuples and lists entry by entry; a tensor or array is as good as its nested list."""
    if getattr(got, "ndim", 0):
        got = got.tolist()
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
    if got.is_complex() or got.is_quantized or got.is_meta or got.layout is not torch.strided:
        return "got a tensor of a special kind (complex, sparse, quantized or without data), wanted a plain one"
    if got.shape != want.shape:
        return f"got shape {_shape(got)}, wanted {_shape(want)}"
    got, want = got.detach().cpu().double(), want.detach().double()
    if got.isnan().any():
        return f"got nan at {got.isnan().nonzero()[0].tolist()}, wanted a number"
    largest = want.nan_to_num(0, 0, 0).abs().max().item()
    wrong = ~torch.isclose(got, want, rtol=1e-4, atol=1e-5 * max(1.0, largest))
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
    return "×".join(map(str, tensor.shape)) or "() (one number)"


def _kind(value):
    """Name a value for a sentence: numbers and truth values as they are, tensors by shape, the rest by type."""
    if isinstance(value, (bool, Number)):
        return repr(value)
    if value is None:
        return "nothing"
    if isinstance(value, torch.Tensor):
        return f"a tensor of shape {_shape(value)}" if value.ndim else "a tensor of one number"
    return f"a value of type {type(value).__name__}"
