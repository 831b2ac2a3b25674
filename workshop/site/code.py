"""How code is written on the pages: lines that wrap, without tags around words that have no colour of their own."""

import re
from collections.abc import Iterator

from pygments.formatters import HtmlFormatter
from pygments.token import Name, Punctuation, Text, Whitespace
from sphinx.application import Sphinx
from sphinx.highlighting import PygmentsBridge

# the styles give these the colour of the text around them: no tag is needed
UNCOLOURED = (Name, Name.Namespace, Name.Other, Punctuation, Text, Whitespace)
LONG_WORD = re.compile(r"\S{36}")  # about what fits on a phone behind some indentation
BREAK_AFTER = re.compile(r"[(\[](?![^<]*>)")

Lines = Iterator[tuple[int, str]]


class CodeLines(HtmlFormatter):
    """Each line an element, so that a long one can wrap and hang below its own indentation."""

    def _get_css_class(self, kind) -> str:
        return "" if kind in UNCOLOURED else super()._get_css_class(kind)  # half of the weight of a page of code

    def wrap(self, source: Lines) -> Lines:
        """Write the lines and what stands around them."""
        return super().wrap(self.lines(source))

    def lines(self, source: Lines) -> Lines:
        """Write each line as an element that knows its indentation and where a long word may break."""
        for kind, line in source:
            text = re.sub(r"<[^>]*>", "", line)
            indent = len(text) - len(text.lstrip(" "))
            style = f' style="--indent:{indent}"' if indent else ""
            if LONG_WORD.search(text):
                line = BREAK_AFTER.sub(r"\g<0><wbr>", line)
            yield kind, f'<span class="line"{style}>{line.rstrip(chr(10))}</span>\n'


def setup(app: Sphinx) -> None:
    """Write all code of the site so."""
    PygmentsBridge.html_formatter = CodeLines
