"""The course's own changes to the theme: no dead links, no scripts nobody uses, names a screen reader can say.

The site follows pyproject.toml: its version, and the repository its buttons lead to. While no repository is named
there, no page has a button or a link to one. What each page's foot and head say is in the folder _templates.
"""

import json
import os
import re
import subprocess
import textwrap
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.config import Config

from workshop import course

# What the theme can make links for; any other host gets the plain link in the page's foot.
HOSTS = ("github.com", "gitlab.com", "bitbucket.org")
COLAB = "https://colab.research.google.com"  # opens notebooks from GitHub only
BINDER = "https://mybinder.org"

# Themes and extensions put these on every page; nothing here uses them.
UNUSED = re.compile(
    "thebe|design-tabs|sphinx-design|graphviz|togglebutton|toggleHint|toggleOpenOnPrint|fontawesome|styles/theme[.]css",
    re.IGNORECASE,
)
# Names for assistive technology; what has visible text is named by it.
MENDS = {
    re.compile(r'(<button class="btn search-button-field[^>]*?) aria-label="[^"]*"'): r"\1",
    re.compile('<summary aria-label="Toggle hidden content">'): "<summary>",
    re.compile('<summary>(?=<span class="toctree-toggle")'): '<summary aria-label="Pages of this part">',
    re.compile('(<div id="pst-primary-sidebar"[^>]*sidebar")>'): r'\1 role="complementary" aria-label="Sidebar">',
}
LONGEST = 200  # characters of a page's description; more is cut off wherever it is shown


def commit(folder: Path) -> str:
    """The commit that is checked out, in words; without a Git repository or without Git, that."""
    command = ["git", "describe", "--always", "--exclude=*", "--abbrev=12", "--dirty"]
    # a copy unpacked inside someone else's repository must not name that one's commit
    alone = {**os.environ, "GIT_CEILING_DIRECTORIES": str(folder.parent)}
    try:
        found = subprocess.run(command, cwd=folder, env=alone, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return "a copy without its Git history"
    name, _, changed = found.strip().partition("-")
    return f"commit {name}" + (" with local changes" if changed else "")


def buttons(address: str) -> dict[str, object]:
    """The theme's options for a repository at this address; Jupyter Book's own default is its own repository."""
    host = address.split("/")[2] if address else ""
    known = host in HOSTS
    colab = {"colab_url": COLAB} if host == "github.com" else {}
    return {
        "repository_url": address if known else "",
        "launch_buttons": {"notebook_interface": "jupyterlab", "binderhub_url": BINDER, **colab} if known else {},
        "use_repository_button": known,
        "use_edit_page_button": known,
        "use_issues_button": known and host != "bitbucket.org",
        "use_source_button": False,
    }


def follow_pyproject(app: Sphinx, config: Config) -> None:
    """Take over version and address, and what the templates say on every page: Sphinx then writes all of them anew."""
    config.version = config.release = course.version()
    config.html_theme_options.update(buttons(course.repository()))
    config.html_context |= {
        "source": course.repository(),
        "built_from": commit(course.ROOT),
        "site_address": config.html_baseurl,
    }


def launch_the_release(app: Sphinx) -> None:
    """Edits go to the branch, but a launched notebook is the release's: its bootstrap cell installs that release."""
    app.config.html_theme_options["repository_branch"] = course.release_tag()


def fill_page(app: Sphinx, name: str, template: str, context: dict, doctree: nodes.document | None) -> None:
    """Give the templates what is the page's own, and leave out assets that nothing uses."""
    for kind in ("script_files", "css_files"):
        context[kind] = [a for a in context[kind] if not UNUSED.search(f"{a.filename} {a.attributes.get('body')}")]
    if doctree is not None:
        first = next(doctree.findall(nodes.paragraph), nodes.paragraph())
        context["description"] = textwrap.shorten(first.astext(), LONGEST, placeholder=" …")
        context["made_with"] = json.loads(context["meta"].get("made_with", "{}"))  # MyST-NB hands a mapping on as JSON


def finish(app: Sphinx, exception: Exception | None) -> None:
    """Mend the pages and delete what was left out of them."""
    if exception or app.builder.format != "html":
        return
    site = Path(app.outdir)
    for page in site.rglob("*.html"):
        html = page.read_text(encoding="utf-8")
        for wrong, right in MENDS.items():
            html = wrong.sub(right, html)
        page.write_text(html, encoding="utf-8")
    for path in [*(site / "_static").rglob("*.js"), *(site / "_static").rglob("*.css")]:
        if UNUSED.search(path.relative_to(site).as_posix()):
            path.unlink()


def setup(app: Sphinx) -> None:
    """Come after Jupyter Book and before the theme, or after it where it would have the last word."""
    app.connect("config-inited", follow_pyproject, priority=400)
    app.connect("builder-inited", launch_the_release, priority=900)
    app.connect("html-page-context", fill_page, priority=900)
    app.connect("build-finished", finish)
