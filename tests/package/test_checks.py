"""Every checker is itself tested: it accepts the truth, refuses nothing-at-all, and tells its mistakes apart."""

import numpy as np
import pytest
import torch

from convutils.checks import Exercise, check, engine, find_exercise, load_exercises, verdict

CHECKERS = [
    pytest.param(number, exercise, id=number)
    for chapter in engine.chapters()
    for number, exercise in load_exercises(chapter).items()
]


@pytest.mark.parametrize(("number", "exercise"), CHECKERS)
def test_reference_passes_and_nothing_does_not(number, exercise):
    assert verdict(exercise, exercise.reference) == "correct"
    assert verdict(exercise, None) == "not tried yet"
    if callable(exercise.reference):
        assert verdict(exercise, lambda *arguments: None) == "not tried yet"
        assert verdict(exercise, lambda *arguments: torch.zeros(0)).startswith("not yet")
        assert verdict(exercise, lambda *arguments: 1 / 0).startswith("not yet")
    else:
        assert verdict(exercise, object()).startswith("not yet")


@pytest.mark.parametrize(("number", "exercise"), CHECKERS)
def test_each_mistake_gets_its_own_diagnosis(number, exercise):
    for diagnosis, mistake in exercise.mistakes.items():
        assert verdict(exercise, mistake) == f"not yet: {diagnosis}"


@pytest.mark.parametrize(("number", "exercise"), CHECKERS)
def test_verdicts_repeat_and_leave_the_inputs_alone(number, exercise):
    before = [[a.clone() for a in arguments if isinstance(a, torch.Tensor)] for arguments in exercise.inputs]
    assert verdict(exercise, exercise.reference) == verdict(exercise, exercise.reference)
    after = [[a for a in arguments if isinstance(a, torch.Tensor)] for arguments in exercise.inputs]
    assert all(torch.equal(x, y) for old, new in zip(before, after) for x, y in zip(old, new))


def test_numbers_of_checkers_belong_to_their_chapter():
    """A chapter's begin with its number, and no two chapters have the same."""
    found = [{number.partition(".")[0] for number in load_exercises(name)} for name in engine.chapters()]
    assert sorted(found, key=min) == [{str(n)} for n in range(1, 1 + len(found))]


# The engine, on a small exercise of its own

X, K = torch.arange(12.0).reshape(3, 4), torch.tensor([[1.0, 2], [3, 4]])


def _rows_sum(X, K):
    return X.sum(1) * K.sum()


SMALL = Exercise(
    reference=_rows_sum,
    inputs=[(X, K), (2 * X, K)],
    mistakes={"the columns are summed": lambda X, K: X.sum(0) * K.sum()},
)


def endless(X, K):
    while True:
        pass


def chatty(X, K):
    while True:
        print("." * 1000)


def impatient(X, K):
    raise SystemExit(3)


def overwriting(X, K):
    result = _rows_sum(X, K)
    X.zero_()
    return result


def stubborn(X, K):
    while True:
        try:
            endless(X, K)
        except Exception:
            pass


def wrong_then_broken(X, K):
    if X.max() > 12:
        raise RuntimeError("only the second input is that large")
    return X.sum(0) * K.sum()


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (_rows_sum, "correct"),
        (lambda X, K: _rows_sum(X, K).double().requires_grad_(), "correct"),
        (lambda X, K: _rows_sum(X, K) * 1j, "a tensor of a special kind"),
        (lambda X, K: _rows_sum(X, K).to_sparse(), "a tensor of a special kind"),
        (wrong_then_broken, "the columns are summed"),
        (stubborn, "it did not end within"),
        (lambda X, K: _rows_sum(X, K).numpy(), "a value of type ndarray, wanted a tensor"),
        (lambda X, K: _rows_sum(X, K)[1:], "got shape 2, wanted 3"),
        (
            lambda X, K: _rows_sum(X, K) + torch.tensor([0, 0.5, 0]),
            "on the input 3×4, 2×2: the entry at [1] is 220.5, which is off by 0.5",
        ),
        (lambda X, K: _rows_sum(X, K) * torch.nan, "got nan at [0]"),
        (lambda X, K: (x for x in X), "a value of type generator"),
        (lambda X: X, "it stopped with TypeError"),
        (lambda X, K: {}["X"], "it stopped with KeyError"),
        (impatient, "it stopped with SystemExit"),
        (endless, "it did not end within"),
        (chatty, "it printed more than"),
        (X, "a function is wanted"),
        (overwriting, "correct"),
    ],
)
def test_every_answer_gets_one_plain_sentence(answer, words, monkeypatch, capsys):
    monkeypatch.setattr(engine, "TIME_LIMIT", 0.5)
    sentence = verdict(SMALL, answer)
    assert words in sentence
    assert "\n" not in sentence and "Traceback" not in sentence
    capsys.readouterr()


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((3, 4), "correct"),
        ([3, 4], "correct"),
        (torch.Size([3, 4]), "correct"),
        ((torch.tensor(3), 4.0), "correct"),
        ((4, 3), "rows and columns are swapped"),
        ((3, 5), "entry 1: got 5, which is off by 1"),
        ((3, True), "entry 1: got True, wanted a number"),
        ((3, float("nan")), "entry 1: got nan, wanted a number"),
        ((3,), "got 1 entries, wanted 2"),
        ("3, 4", "a value of type str, wanted a tuple of 2"),
    ],
)
def test_values_are_compared_entry_by_entry(answer, words):
    assert words in verdict(Exercise(reference=(3, 4), mistakes={"rows and columns are swapped": (4, 3)}), answer)


def test_large_counts_must_be_exact():
    assert verdict(Exercise(reference=25_920), 25_921) == "not yet: got 25921, which is off by 1"
    assert verdict(Exercise(reference=25_920), 25_920.0) == "correct"


def test_words_and_truth_values():
    assert verdict(Exercise(reference="edges"), " Edges ") == "correct"
    assert verdict(Exercise(reference=True), 1).startswith("not yet")
    assert verdict(Exercise(reference=True), True) == "correct"
    assert verdict(Exercise(reference=True), np.bool_(True)) == "correct"
    assert verdict(Exercise(reference=True), np.bool_(False)).startswith("not yet")


def test_a_view_that_cannot_read_the_answer_says_so():
    sentence = verdict(Exercise(reference=[1.0, 2.0], view=lambda result: result[1]), 3)
    assert sentence.startswith("not yet: got 3, which is not of the form that is asked")


def test_check_prints_the_verdict(capsys):
    number = CHECKERS[0].values[0]
    check(number, None)
    assert capsys.readouterr().out == f"Exercise {number}: not tried yet\n"


@pytest.mark.parametrize("number", ["9.1", "2.99", "", 2.3, None])
def test_unknown_numbers_are_refused(number):
    with pytest.raises(ValueError, match="exercise: got"):
        find_exercise(number)
