// Runs before anything of a page. The first paint is noted with how many formulas were there and rendered.
(() => {
    const seen = window.measured = {shift: 0, paint: null, formulas: 0, rendered: 0};
    const observe = (type, f) => new PerformanceObserver(list => list.getEntries().forEach(f))
        .observe({type, buffered: true});
    observe("layout-shift", entry => { seen.shift += entry.value; });
    observe("paint", entry => {
        if (entry.name !== "first-contentful-paint") return;
        const formulas = [...document.querySelectorAll(".math")];
        if (document.readyState === "loading") formulas.pop();  // the browser may be in the middle of reading it
        seen.paint = entry.startTime;
        seen.formulas = formulas.length;
        seen.rendered = formulas.filter(e => e.querySelector(".katex-html")).length;
    });
})()
