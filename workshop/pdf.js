// Takes the article of a page and makes it fit to stand in one document with all others: ids that are the book's, not
// the page's, links that lead there, addresses that do not depend on the page's folder.
([site, pages]) => {
    const name = href => decodeURI(href).startsWith(site) ? decodeURI(href).slice(site.length).split("#")[0] : null;
    const here = name(location.href);
    const place = (page, fragment) => page.replace(/[^\w]/g, "-") + (fragment ? "--" + fragment : "");
    const article = document.querySelector("article.bd-article");
    article.querySelectorAll("script, #searchbox, .headerlink, .copybtn").forEach(e => e.remove());
    article.querySelectorAll("img").forEach(e => { e.src = e.src; e.loading = "eager"; });
    article.querySelectorAll("details").forEach(e => { e.open = true; });
    article.querySelectorAll("a[href]").forEach(e => {
        const target = name(e.href);
        if (pages.includes(target)) e.setAttribute("href", "#" + place(target, decodeURIComponent(e.hash.slice(1))));
        else if (target !== null) e.removeAttribute("href");
    });
    article.querySelectorAll("[id]").forEach(e => { e.id = place(here, e.id); });
    article.id = place(here);
    article.setAttribute("style", "page: " + article.id);
    const text = e => e.textContent.trim();
    return {
        id: article.id,
        title: text(article.querySelector("h1")),
        sections: [...article.querySelectorAll("h2")].map(e => ({title: text(e), id: e.closest("section").id})),
        html: article.outerHTML,
    };
}
