"""Checkers of the exercises: each is data, an `Exercise` in the module named after its chapter.

`check("2.3", answer)` compares an answer with the reference on a few inputs and prints one sentence: *not tried
yet*, *correct*, the diagnosis of a mistake it recognises, or where the answer first differs and by how much.
"""

from convutils.checks.engine import Exercise, check, find_exercise, load_exercises, verdict

__all__ = ["Exercise", "check", "find_exercise", "load_exercises", "verdict"]
