(() => {
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
})();
