// Reads formulas as lines of JSON, [tex, displayMode], and answers each with a line, {html} or {error}.
const katex = require(process.argv[2]);
require("readline").createInterface({input: process.stdin}).on("line", line => {
    const [tex, displayMode] = JSON.parse(line);
    let answer;
    try {
        // screen readers read the MathML; the TeX beside it would be a tenth of a page of formulas
        const html = katex.renderToString(tex, {displayMode, throwOnError: true, strict: "error"});
        answer = {html: html.replace(/<annotation.*?<\/annotation>/gs, "")};
    } catch (error) {
        answer = {error: error.message};
    }
    process.stdout.write(JSON.stringify(answer) + "\n");
});
