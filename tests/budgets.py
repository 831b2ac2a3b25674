"""What a page of the book may cost its reader. A page that is to keep a budget gets a row here; two tests read it."""

from typing import NamedTuple


class Budget(NamedTuple):
    """The most, or the least and the most, of a page as it is first seen: with all answers and code cells folded."""

    words: tuple[int, int]  # of prose
    code_cells: int  # folded ones too
    median_lines: tuple[int, int]  # of the code cells that are not folded
    longest_cell: int  # lines
    screens: float  # heights of 900 pixels, on a page 1280 wide


BUDGETS = {
    "chapters/01_dense_to_convolution": Budget((2000, 2800), 45, (2, 5), 16, 22),
    "deeper/01_dense_to_convolution": Budget((0, 2800), 45, (2, 8), 16, 25),
    "chapters/02_convolution": Budget((2000, 2800), 45, (2, 5), 16, 22),
    "deeper/02_convolution": Budget((0, 2800), 45, (2, 8), 16, 25),
    "reference/before_you_begin": Budget((1600, 2400), 30, (2, 5), 16, 15),
    "reference/common_mistakes": Budget((1500, 2600), 60, (2, 5), 16, 25),
}
