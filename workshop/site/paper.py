"""A page that is printed is light, and nothing on it is folded; on screen it then is as it was."""

SCRIPT = """(() => {
    const root = document.documentElement;
    let theme, folded;
    addEventListener("beforeprint", () => {
        theme = root.dataset.theme;
        root.dataset.theme = "light";
        folded = [...document.querySelectorAll("details:not([open])")];
        folded.forEach(e => { e.open = true; });
    });
    addEventListener("afterprint", () => {
        root.dataset.theme = theme;
        folded.forEach(e => { e.open = false; });
    });
})();"""


def setup(app):
    app.add_js_file(None, body=SCRIPT)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
