"""The site follows pyproject.toml: its version, and the repository its buttons and links lead to.

While no repository is named there, no page has a button or a link to one.
"""

from __future__ import annotations

from workshop import course

# What the theme can make links for; any other host gets the plain link in the page's foot.
HOSTS = ("github.com", "gitlab.com", "bitbucket.org")
COLAB = "https://colab.research.google.com"  # opens notebooks from GitHub only
BINDER = "https://mybinder.org"


def theme_options(address: str) -> dict:
    """The theme's options for a repository at this address; Jupyter Book's own default is its own repository."""
    host = address.split("/")[2] if address else ""
    known = host in HOSTS
    launch = {"notebook_interface": "jupyterlab", "binderhub_url": BINDER}
    if host == "github.com":
        launch["colab_url"] = COLAB
    return {
        "repository_url": address if known else "",
        "launch_buttons": launch if known else {},
        "use_repository_button": known,
        "use_edit_page_button": known,
        "use_issues_button": known and host != "bitbucket.org",
        "use_source_button": False,
    }


def follow_pyproject(app, config) -> None:
    config.version = config.release = course.version()
    config.course_repository = course.repository()
    config.html_theme_options.update(theme_options(config.course_repository))


def launch_the_release(app) -> None:
    """Edits go to the branch, but a launched notebook is the release's: its bootstrap cell installs that release."""
    app.config.html_theme_options["repository_branch"] = course.release_tag()


def setup(app):
    app.add_config_value("course_repository", "", "html", str)
    app.connect("config-inited", follow_pyproject, priority=400)
    app.connect("builder-inited", launch_the_release, priority=900)  # after the theme has read the branch
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
