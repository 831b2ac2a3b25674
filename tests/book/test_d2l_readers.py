"""The two pages for readers of Dive into Deep Learning say the same as the rest of the book, and as each other."""

from __future__ import annotations

import re
import warnings
from pathlib import Path

import nbformat
import pytest

import convutils
from workshop import course
from workshop.course import slug
from workshop.notebooks import exercises

ROOT = Path(__file__).resolve().parents[2]
ENGLISH = ROOT / "reference" / "for_d2l_readers.ipynb"
CHINESE = ROOT / "reference" / "for_d2l_readers_zh.md"
LETTER = "[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef“”]"

needs_site = pytest.mark.usefixtures("site")


def text(page: Path) -> str:
    """The Markdown of a page or a notebook."""
    if page.suffix == ".md":
        return page.read_text(encoding="utf-8")
    cells = nbformat.read(page, as_version=4).cells
    return "\n\n".join(c.source for c in cells if c.cell_type == "markdown")


in_both = pytest.mark.parametrize("page", [ENGLISH, CHINESE], ids=["english", "chinese"])


# ---------------------------------------------------------------- sections, questions, lectures


def questions(page: Path) -> dict[str, str]:
    """Which exercise answers a question, by the question's key, as the page's table says."""
    found = {}
    for edition, chapter in (("zh", 6), ("en", 7)):
        for section, groups in re.findall(rf"\| ({chapter}\.\d)[:：] ?([^|]+) \|", text(page)):
            for number, parts, exercise in re.findall(r"(\d)([a-z]*)→(\d\.\d)", groups):
                keys = [f"{edition} {section}.{number}{part}" for part in parts or [""]]
                assert not found.keys() & keys
                found |= dict.fromkeys(keys, exercise)
    return found


@in_both
def test_questions_lead_to_the_exercises_that_answer_them(page):
    notebooks = [nbformat.read(path, as_version=4) for path in sorted(ROOT.glob("exercises/0*.ipynb"))]
    answers = {key: e["number"] for n in notebooks for e in exercises(n) for key in e["keys"].split(", ")}
    assert questions(page) == answers


@in_both
def test_sections_lead_to_their_chapters(page):
    row = re.compile(r"^\| 6\.(\d) \| 7\.(\d) \|.*\(\.\./chapters/0(\d)_\w+\.ipynb\) \|$", flags=re.MULTILINE)
    assert row.findall(text(page)) == [(n, n, n) for n in "123456"]


def test_both_pages_name_the_same_five_lectures():
    lecture = re.compile(r"\[(BV\w{10})\]\(https://www\.bilibili\.com/video/\1\)")
    english, chinese = (lecture.findall(text(page)) for page in (ENGLISH, CHINESE))
    assert english == chinese and len(set(english)) == 5


# ---------------------------------------------------------------- names and versions


def names(page: Path) -> list[tuple[list[str], bool, list[str]]]:
    """The rows of the table of names: those of d2l, whether its package lacks them, those of this course."""
    rows = re.findall(r"^\| ([(（]?`\w+`[^|]*) \| ([^|]*`[^|]*) \| [^|]+ \|$", text(page), flags=re.MULTILINE)
    code = re.compile("`([^`]+)`")
    return [
        (code.findall(there), not re.fullmatch(r"`\w+`( ?[(（].*)?", there), code.findall(here)) for there, here in rows
    ]


def test_both_pages_pair_the_same_names():
    assert len(names(ENGLISH)) == 15 and names(ENGLISH) == names(CHINESE)


def test_names_are_in_d2l_where_the_table_says():
    """Those with a † and those of the English edition are not; of two names the second is the English edition's."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from d2l import torch as d2l
    assert [there[0] for there, missing, _ in names(ENGLISH) if hasattr(d2l, there[0]) == missing] == []


def test_names_of_this_course_are_public():
    ours = [name.removesuffix("()") for _, _, here in names(ENGLISH) for name in here if name != ".to(device)"]
    assert [name for name in ours if name not in convutils.__all__] == []


@in_both
def test_versions_are_those_of_the_installation(page):
    project = course.project()
    pins = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    wanted = {
        "Python": project["requires-python"].removeprefix(">="),
        "torch": next(d for d in project["dependencies"] if d.startswith("torch>=")).removeprefix("torch>="),
        "d2l": re.search(r"^d2l==([\d.]+)", pins, flags=re.MULTILINE)[1],
    }
    assert {
        name: v for name, v in wanted.items() if not re.search(rf"{name} {re.escape(v)}(?![.\d])", text(page))
    } == {}


# ---------------------------------------------------------------- the Chinese page

MISTAKES = ROOT / "reference" / "common_mistakes.ipynb"
MISTAKE = re.compile(r"- \*\*“(.+)”\*\* (.+)（\[例\]\(common_mistakes\.ipynb#([\w-]+)\)）")


def test_each_common_mistake_is_one_line_of_chinese():
    """The claim stands in quotation marks, what is true behind it, then the link; in the order of the English page."""
    lines = [line for line in text(CHINESE).splitlines() if "(common_mistakes.ipynb#" in line]
    found = [MISTAKE.fullmatch(line) for line in lines]
    assert [line for line, match in zip(lines, found, strict=True) if not match] == []
    headings = re.findall(r"^### (.+)$", text(MISTAKES), flags=re.MULTILINE)
    assert [match[3] for match in found] == [slug(heading) for heading in headings]
    assert [m[3] for m in found if len(re.findall(LETTER, m[2])) < 8 or not re.search(LETTER, m[1])] == []


def test_chinese_lines_are_not_broken():
    """A browser would show a line's end between two Chinese characters as a blank."""
    assert re.findall(rf".{{,9}}{LETTER}\n(?=[^\W\d_a-zA-Z]).{{,9}}", text(CHINESE)) == []


@pytest.mark.parametrize("page", ["intro.md", "README.md"])
def test_front_pages_name_the_chinese_page_in_chinese(page):
    assert re.search(r"\[给《动手学深度学习》读者\]\(reference/for_d2l_readers_zh\.md\)", text(ROOT / page))


def site_page(name: str) -> str:
    return (ROOT / "_build" / "html" / f"{name}.html").read_text(encoding="utf-8")


@needs_site
def test_the_page_says_its_language_and_its_title_does_so_elsewhere():
    article = re.compile(r'<article class="bd-article">\s*<section [^>]*lang="zh-CN">')
    assert article.search(site_page("reference/for_d2l_readers_zh"))
    assert not article.search(site_page("reference/for_d2l_readers"))
    assert '<span lang="zh-CN">给《动手学深度学习》读者</span></a>' in site_page("reference/glossary")
