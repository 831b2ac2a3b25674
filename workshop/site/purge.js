// Leaves in the style sheets of a site the rules that can match a page or a name in a script.
const fs = require("fs");
const [library, site] = process.argv.slice(2);
const {PurgeCSS} = require(library);
const content = ["/**/*.html", "/_static/*.js", "/_static/scripts/pydata*.js", "/_static/scripts/sphinx*.js"];
// all but our own: PurgeCSS takes no notice of attributes, such as the address of a link
const css = fs.globSync(site + "/_static/**/*.css").filter(name => !name.endsWith("course.css"));
const options = {
    content: content.map(name => site + name),
    css,
    // bootstrap.js has the names of all of Bootstrap; these parts are used here
    safelist: [/^(bs-)?tooltip/, /^dropdown/, /^(show|fade)$/],
};
new PurgeCSS().purge(options).then(sheets => sheets.forEach(({file, css}) => fs.writeFileSync(file, css)));
