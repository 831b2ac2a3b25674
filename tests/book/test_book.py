"""The book holds together: notebooks in order, links that lead somewhere, nothing from other hosts, exact pins."""

from __future__ import annotations

import html
import json
import re
import runpy
import subprocess
import sys
from functools import cache
from pathlib import Path
from urllib.parse import unquote

import nbformat
import pytest

from workshop import course
from workshop.course import slug
from workshop.notebooks import check
from workshop.offline import remote_references
from workshop.site.words import keep_punctuation

ROOT = Path(__file__).resolve().parents[2]
SITE = ROOT / "_build" / "html"
NOTEBOOKS = course.notebooks()
CHAPTERS = [path for path in NOTEBOOKS if path.parent.name == "chapters"]
SOURCES = [*NOTEBOOKS, *(path for folder in course.folders() for path in sorted(folder.glob("*.md")))]

every_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: f"{p.parent.name}-{p.stem}")
every_chapter = pytest.mark.parametrize("path", CHAPTERS, ids=lambda p: p.stem)
every_source = pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))


needs_site = pytest.mark.usefixtures("site")


def built(path: Path) -> str:
    """The page that the site makes of a source."""
    return (SITE / path.relative_to(ROOT)).with_suffix(".html").read_text(encoding="utf-8")


@cache
def cells(path: Path):
    return nbformat.read(path, as_version=4).cells


@cache
def markdown(path: Path) -> str:
    """The Markdown of a page or a notebook, without fenced code and inline code."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".ipynb":
        text = "\n\n".join(c.source for c in cells(path) if c.cell_type == "markdown")
    return re.sub(r"^```.*?^```|`[^`\n]+`", "", text, flags=re.DOTALL | re.MULTILINE)


def headings(path: Path, level: str = "#{1,6}") -> list[str]:
    return re.findall(rf"^{level} +(.+?)\s*$", markdown(path), flags=re.MULTILINE)


# ---------------------------------------------------------------- notebooks


@every_notebook
def test_notebook_is_in_order(path):
    assert check(path) == "in order"


@every_notebook
def test_every_code_cell_was_run(path):
    assert [c.id for c in cells(path) if c.cell_type == "code" and c.execution_count is None] == []


def pictures(cell) -> int:
    return sum(kind.startswith("image/") for o in cell.get("outputs", []) for kind in o.get("data", {}))


def shows_animation(cell) -> bool:
    return any('class="slide"' in o.get("data", {}).get("text/html", "") for o in cell.get("outputs", []))


def alt_text(cell) -> str:
    """What each picture of the cell shows, in a paragraph each."""
    return cell.metadata.get("mystnb", {}).get("image", {}).get("alt", "")


def caption(cell) -> str:
    return cell.metadata.get("mystnb", {}).get("figure", {}).get("caption", "")


@every_notebook
def test_every_picture_has_words(path):
    """A cell that shows pictures says in its metadata what each shows, in a paragraph of at least five words each."""
    found = []
    for cell in filter(pictures, cells(path)):
        words = alt_text(cell).split("\n\n")
        assert len(words) == pictures(cell) and min(len(w.split()) for w in words) >= 5, f"{cell.id}: {words}"
        found += words
    assert len(found) == len(set(found)), f"twice: {[w for w in found if found.count(w) > 1]}"


@every_notebook
def test_every_picture_has_a_caption(path):
    """A caption says what the picture means, in whole sentences that are not the alt text; no other cell has one."""
    shown = [c for c in cells(path) if pictures(c) or shows_animation(c)]
    assert [c.id for c in cells(path) if caption(c)] == [c.id for c in shown]
    assert [c.id for c in shown if not re.search(r"\w.{15,}[.]$", caption(c)) or caption(c) == alt_text(c)] == []


@every_notebook
def test_cells_stay_short(path):
    """At most 20 lines a cell; only a folded plotting cell and the bootstrap may be longer."""
    exempt = {"hide-input", "remove-cell"}
    code = [c for c in cells(path) if c.cell_type == "code" and not exempt & set(c.metadata.get("tags", []))]
    assert {c.id: len(c.source.splitlines()) for c in code if len(c.source.splitlines()) > 20} == {}


@every_notebook
def test_no_cell_is_exempt_from_comparison(path):
    """Each exempt cell would have to be named here, with its reason."""
    tags = {c.id: [t for t in c.metadata.get("tags", []) if t.startswith("nbval-")] for c in cells(path)}
    assert {name: found for name, found in tags.items() if found} == {}


# ---------------------------------------------------------------- the head and the foot of a page


@every_notebook
def test_page_says_what_it_needs_and_takes(path):
    """Each notebook tells what it presupposes and how long it runs; a chapter also what one will learn."""
    first = cells(path)[0].source
    is_exercise = path.parent.name == "exercises"
    wanted = ["You need", "Run time"] if is_exercise else ["You will learn", "You need", "Run time"]
    assert re.findall(r"^\*\*([^*]+)\*\*", first, flags=re.MULTILINE) == wanted
    assert is_exercise or len(re.findall(r"^- .+", first, flags=re.MULTILINE)) >= 3


def test_landing_page_states_the_run_times():
    text = (ROOT / "intro.md").read_text(encoding="utf-8")
    stated = re.findall(r"\(chapters/(\w+)\.ipynb\)\*\* \((\d+) s\)", text)
    measured = {p.stem: str(nbformat.read(p, as_version=4).metadata.run_time_s) for p in CHAPTERS}
    assert dict(stated) == measured


@needs_site
@every_notebook
def test_page_leads_on_and_back(path):
    """The links at the bottom follow the order of the contents."""
    order = [page for _, pages in course.contents() for page in pages]
    place = order.index(str(path.relative_to(ROOT).with_suffix("")))
    links = re.findall(r'class="(left-prev|right-next)"\s+href="([^"]+)"', built(path))
    targets = {kind: str((path.parent / link).resolve().relative_to(ROOT))[: -len(".html")] for kind, link in links}
    neighbours = {"left-prev": order[place - 1], "right-next": (order + [None])[place + 1]}  # nothing follows the last
    assert targets == {kind: page for kind, page in neighbours.items() if page}


# ---------------------------------------------------------------- numbers of figures and formulas


@needs_site
@every_notebook
def test_figures_are_numbered_through(path):
    """The captions of a page count from 1, after the number of its chapter if it has one."""
    found = re.findall(r'<span class="figure-number">Figure ([^<]+)\.</span>', built(path))
    number = path.stem[1:2] + "."
    chapter = {"chapters": number, "deeper": f"D{number}", "exercises": f"E{number}"}.get(path.parent.name, "")
    count = sum(bool(caption(c)) for c in cells(path))
    assert found == [f"{chapter}{n}" for n in range(1, 1 + count)]


@every_notebook
def test_formulas_are_numbered_through(path):
    """The numbers count from 1 after the page's, D2 for deeper 2; every "(4.2)" of the text names one that is there."""
    numbers = re.findall(r"\\tag\{([^}]*)\}", markdown(path))
    letter = "D" if path.parent.name == "deeper" else ""
    assert numbers == [f"{letter}{int(path.stem[:2])}.{n}" for n in range(1, 1 + len(numbers))] if numbers else True
    formulas = {n for p in NOTEBOOKS for n in re.findall(r"\\tag\{([^}]*)\}", markdown(p))}
    assert set(re.findall(r"\((D?\d\.\d)\)", markdown(path))) <= formulas


# ---------------------------------------------------------------- what the site adds to the Markdown


@needs_site
@every_notebook
def test_code_can_be_copied_from_the_page(path):
    """The spans and breaks that let a line wrap change nothing of its text."""
    shown = re.findall(r'<div class="cell_input.*?<pre>(.*?)</pre>', built(path), flags=re.DOTALL)
    texts = [html.unescape(re.sub(r"<[^>]+>", "", code)).strip() for code in shown]
    hidden = {"remove-cell", "remove-input"}
    code = [c for c in cells(path) if c.cell_type == "code" and not hidden & set(c.metadata.get("tags", []))]
    assert texts == [c.source.strip() for c in code]


@needs_site
@every_notebook
def test_head_and_questions_are_boxes(path):
    questions = len(re.findall(r"^\*\*(?:Predict first|Two questions)\.\*\*", markdown(path), flags=re.MULTILINE))
    boxes = re.findall(r'<div class="(page-head|predict) docutils container">', built(path))
    assert boxes == ["page-head"] + ["predict"] * questions


def test_punctuation_stays_with_its_formula_and_in_its_place():
    from docutils import nodes, utils

    document = utils.new_document("page")
    parts = [nodes.Text(". "), nodes.math("", "a"), nodes.Text(". "), nodes.math("", "b"), nodes.Text(" and")]
    document += nodes.paragraph("", "", *parts)
    keep_punctuation(document)
    assert document.astext() == ". a. b and"
    assert [kept.astext() for kept in document.findall(nodes.inline)] == ["a."]


# ---------------------------------------------------------------- traps


def traps_and_their_code(path: Path) -> dict[str, bool]:
    """Each `### Trap: …` heading of a chapter, and whether a code cell follows before the next heading."""
    found, current = {}, None
    for cell in cells(path):
        if cell.cell_type == "code":
            if current is not None:
                found[current] = True
            continue
        for heading in re.findall(r"^#{1,6} +(.+?)\s*$", cell.source, flags=re.MULTILINE):
            current = heading if heading.startswith("Trap: ") else None
            if current is not None:
                found[current] = False
    return found


@every_chapter
def test_every_trap_is_shown_by_a_cell(path):
    assert [trap for trap, shown in traps_and_their_code(path).items() if not shown] == []


# ---------------------------------------------------------------- common mistakes

MISTAKES = ROOT / "reference" / "common_mistakes.ipynb"
# Traps of the chapters that are no entries: slips that nobody makes, or that no cell can show.
NO_MISTAKES = {
    "trap-numpy-can-concatenate-tensors-as-well",
    "trap-doubling-the-padding-makes-it-cost-a-little-more",
    "trap-a-misspelt-mode-makes-itself-known",
    "trap-pooling-lowers-the-sensitivity-to-down-sampling",
    "trap-cutting-the-images-from-32-to-28-pixels-saves-30-percent",
    "trap-relu-and-max-pooling-were-unknown-in-1998",
}
# Fragments of addresses that were given out once; links to them must still find their place.
OLD_ANCHORS = {
    MISTAKES: [
        "common-mistakes",
        "chapter-1-from-dense-layers-to-convolutions",
        "chapter-2-image-convolution",
        "chapter-3-padding-and-stride",
        "chapter-4-multiple-input-and-output-channels",
        "chapter-5-pooling",
        "chapter-6-lenet",
    ],
}


def mistakes() -> dict[str, list]:
    """The entries of the page: the cells from each heading of level 3 up to the next heading."""
    found, entry = {}, []
    for cell in cells(MISTAKES):
        if heading := re.search(r"^(#+) (.+)$", cell.source if cell.cell_type == "markdown" else "", re.MULTILINE):
            entry = found.setdefault(heading[2], []) if heading[1] == "###" else []
        entry.append(cell)
    return found


@pytest.mark.parametrize("heading", mistakes())
def test_a_mistake_is_a_claim_a_cell_and_a_link(heading):
    """The claim is quoted first; a cell of at most six lines shows something; a page that teaches it is named."""
    claim, code, seen = mistakes()[heading]
    assert re.match(r'### .+\n\n\*".{10,}?[.]"\*\n', claim.source)
    assert code.cell_type == "code" and len(code.source.splitlines()) <= 6 and code.outputs
    assert re.search(r"\]\((?:\.\./(?:chapters|deeper)/\w+|before_you_begin)\.ipynb", seen.source)


@pytest.mark.parametrize("path", CHAPTERS[3:], ids=lambda p: p.stem)
def test_every_trap_is_on_common_mistakes(path):
    traps = {slug(trap) for trap in traps_and_their_code(path)} - NO_MISTAKES
    assert {trap for trap in traps if f"(../chapters/{path.name}#{trap})" not in markdown(MISTAKES)} == set()


@needs_site
@pytest.mark.parametrize("path", OLD_ANCHORS, ids=lambda p: p.stem)
def test_old_addresses_still_lead_to_their_place(path):
    ids = set(re.findall(r'\bid="([^"]+)"', built(path)))
    assert [anchor for anchor in OLD_ANCHORS[path] if anchor not in ids] == []


# ---------------------------------------------------------------- links


def local_links(path: Path) -> list[str]:
    links = re.findall(r"\]\(([^)\s]+)\)|(?:src|href)=\"([^\"]+)\"", markdown(path))
    flat = [a or b for a, b in links]
    return [link for link in flat if not re.match(r"[a-z]+:", link)]


def is_broken(path: Path, link: str) -> bool:
    file, _, fragment = unquote(link).partition("#")
    target = (path.parent / file).resolve() if file else path
    if not target.exists():
        return True
    return bool(fragment) and fragment not in {slug(h) for h in headings(target)}


@every_source
def test_links_between_pages_lead_somewhere(path):
    assert [link for link in local_links(path) if is_broken(path, link)] == []


@needs_site
def test_built_site_takes_nothing_from_other_hosts():
    assert remote_references(SITE) == []


@needs_site
def test_api_page_names_everything_public():
    import convutils

    page = (SITE / "reference" / "api.html").read_text(encoding="utf-8")
    names = [n for n in convutils.__all__ if n != "kernels"]
    assert [n for n in names if f'id="convutils.{n}"' not in page] == []
    fields = [*convutils.ConvCost._fields, *convutils.ReceptiveField._fields]
    assert [f for f in fields if not re.search(rf"<strong>{f}</strong> – \w", page)] == []


# ---------------------------------------------------------------- glossary

GLOSSARY = ROOT / "reference" / "glossary.md"
# an entry: heading, Chinese names, English sentences, the link to the place that teaches it
TERM = re.compile(
    r"^## (.+)\n\n\*\*(.+?)\*\* · (.+(?:\n.+)*)\n"
    r"In \[[^\]]+\]\(\.\./(?:chapters|deeper|exercises)/\w+\.ipynb[#\w-]*\)\.$",
    flags=re.MULTILINE,
)
CHINESE = re.compile(r"[\u4e00-\u9fff]+")


def chinese_names() -> dict[str, str]:
    """Each Chinese name of a term, and the term; "1×1卷积" and "im2col（…）" are names too."""
    entries = [(m[1], m[2]) for m in TERM.finditer(GLOSSARY.read_text(encoding="utf-8"))]
    names = [(name, term) for term, bold in entries for name in re.split("[（、）]", bold) if name]
    assert len(names) == len(dict(names)), "one word for two terms"
    return dict(names)


def test_glossary_has_the_words_of_the_chinese_book_and_of_its_readers():
    words = """特征映射 特征图 交叉相关 互相关 步长 步幅 偏差 偏移 偏置 迭代周期 轮 滤波器
        过滤器 核函数 核矩阵 最大池化 平均池化 最大汇聚 平均汇聚 池化 汇聚 池化层 汇聚层 卷积层
        张量 权重 激活函数 梯度下降 学习率 损失 收敛 前向传播 反向传播 降采样 锐化 拉普拉斯
        高斯核 均值滤波 过零 展平 批量规范化 词向量 感受野 填充 膨胀 转置卷积 平移不变性 等变性
        通道 全连接层"""
    assert [word for word in words.split() if word not in chinese_names()] == []


@needs_site
def test_search_knows_every_name_of_a_term_and_the_place_of_its_entry():
    text = (SITE / "searchindex.js").read_text(encoding="utf-8")
    objects = json.loads(text[text.index("(") + 1 : text.rindex(")")])["objects"][""]
    places = {name: anchor or name for _, _, _, anchor, name in objects}
    assert {name: places.get(name) for name in chinese_names()} == {n: slug(t) for n, t in chinese_names().items()}
    assert [term for term in glossary_terms() if f'id="{slug(term)}"' not in built(GLOSSARY)] == []


@needs_site
def test_chinese_words_say_their_language():
    """A screen reader changes its voice, a browser takes Chinese rather than Japanese glyphs."""
    said = re.findall(r'<span lang="zh-CN">(.*?)</span>', built(GLOSSARY).partition("<article")[2])
    assert "".join(CHINESE.findall("".join(said))) == "".join(CHINESE.findall(GLOSSARY.read_text(encoding="utf-8")))


# Other words for a term, which count as its use.
OTHER_WORDS = {
    "dense layer": ["fully connected layer"],
    "maximum pooling": ["max pooling", "max-pooling"],
    "multiply-accumulate": ["MAC"],
    "equivariance": ["equivariant"],
    "invariance": ["invariant"],
    "translation invariance": ["translation invariant"],
}
# What is no running text: folded answers, code, formulas, headings, tables, HTML, the texts of links and images.
NOT_PROSE = re.compile(
    r"<details>.*?</details>|^```.*?^```|`[^`\n]+`|\$\$.*?\$\$|\$[^$\n]+\$|^#.*?$|^\|.*?$|<[^>]+>|!?\[[^\]\n]*\]\([^)\n]*\)",
    flags=re.DOTALL | re.MULTILINE,
)
GLOSSARY_LINK = re.compile(r"\[([^\]\n]+)\]\(\.\./reference/glossary\.md#([\w-]+)\)")


def glossary_terms() -> list[str]:
    return [match[1] for match in TERM.finditer(GLOSSARY.read_text(encoding="utf-8"))]


def words_for(term: str) -> str:
    """A pattern of a term's singular and plural, and of its other names."""
    names = [term, *OTHER_WORDS.get(term, [])]
    return "|".join(re.escape(name).replace(r"\ ", r"\s+") + "(?:e?s)?" for name in names)


@cache
def linked_terms() -> list[str]:
    """The terms that some chapter links, longest first; everyday words such as "weight" are linked by none."""
    text = "".join(markdown(path) for path in CHAPTERS)
    anchors = {anchor for _, anchor in GLOSSARY_LINK.findall(text)}
    return sorted((term for term in glossary_terms() if slug(term) in anchors), key=len, reverse=True)


def first_uses(path: Path) -> dict[str, str]:
    """The linked terms that a chapter's running text uses, each with the cell of its first use, but not in its head.

    Longer terms are taken out before shorter ones: "average pooling" is no use of "pooling".
    """
    found = {}
    for cell in (c for c in cells(path)[1:] if c.cell_type == "markdown"):
        prose = NOT_PROSE.sub(" ¦ ", GLOSSARY_LINK.sub(r"\1", cell.source))
        for term in linked_terms():
            prose, uses = re.subn(rf"(?<![\w-])(?:{words_for(term)})(?![\w-])", " ¦ ", prose, flags=re.IGNORECASE)
            if uses:
                found.setdefault(term, cell.id)
    return found


def test_glossary_has_both_languages():
    """Every heading is an entry: Chinese names, at least a few words of English, a link to where it is taught."""
    entries = {m[1]: (m[2], m[3]) for m in TERM.finditer(GLOSSARY.read_text(encoding="utf-8"))}
    assert list(entries) == headings(GLOSSARY, "##") == sorted(entries, key=str.lower)
    assert [term for term, (chinese, _) in entries.items() if not re.search("[\u4e00-\u9fff]", chinese)] == []
    assert [term for term, (_, english) in entries.items() if len(english) < 20] == []


@every_chapter
def test_glossary_terms_are_linked_at_their_first_use(path):
    """A term that any chapter links is linked by each chapter, where it first uses it."""
    linked = [(anchor, cell.id) for cell in cells(path) for _, anchor in GLOSSARY_LINK.findall(cell.get("source", ""))]
    assert sorted(linked) == sorted((slug(term), place) for term, place in first_uses(path).items())


# ---------------------------------------------------------------- installation


def test_every_requirement_has_its_constraint():
    """A version stands in both files; they must be the same."""
    text = "\n".join((ROOT / f).read_text(encoding="utf-8") for f in ("requirements.txt", "requirements-book.txt"))
    fixed = (ROOT / "constraints.txt").read_text(encoding="utf-8").lower()
    wanted = re.findall(r"^[A-Za-z0-9._-]+==[\w.]+", text, flags=re.MULTILINE)
    assert [pin for pin in wanted if not re.search(rf"^{re.escape(pin.lower())}( |$)", fixed, re.MULTILINE)] == []


def run_bootstrap(folder: Path, search_path: Path | None):
    """Run the bootstrap cell in a Python that sees no installed package, only what `search_path` holds."""
    isolated = [sys.executable, "-S", "-E", "-c"]
    path = f"import sys; sys.path.insert(0, {str(search_path)!r})\n" if search_path else ""
    source = (ROOT / "workshop" / "bootstrap.py").read_text(encoding="utf-8")
    return subprocess.run([*isolated, path + source], cwd=folder, capture_output=True, text=True, timeout=60)


def test_bootstrap_does_nothing_where_convutils_is_there(tmp_path):
    done = run_bootstrap(tmp_path, ROOT)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_bootstrap_says_what_to_do_where_it_is_not(tmp_path):
    """With no repository address it must not guess: the package index's convutils is another project."""
    done = run_bootstrap(tmp_path, None)
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("ModuleNotFoundError") and "pip install ./FOLDER" in last and "another project" in last


def test_distribution_is_not_called_convutils():
    assert '\nname = "convnet-course"' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")


# ---------------------------------------------------------------- the tests' own tools


def test_figure_comparison_sees_a_moved_line_but_not_rounding():
    import base64
    import io

    import numpy as np
    from PIL import Image

    difference = runpy.run_path(ROOT / "conftest.py")["figure_difference"]

    def encoded(image):
        buffer = io.BytesIO()
        Image.fromarray(image).save(buffer, format="png")
        return base64.b64encode(buffer.getvalue()).decode()

    picture = np.full((200, 300, 3), 255, dtype=np.uint8)
    picture[:, 100] = 0
    rounded = picture.copy()
    rounded[picture == 255] -= 1
    moved = np.roll(picture, 1, axis=1)
    assert difference(encoded(picture), encoded(rounded)) == ""
    assert "RMS difference" in difference(encoded(picture), encoded(moved))
    assert "size" in difference(encoded(picture), encoded(picture[:-1]))
