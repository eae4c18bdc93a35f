"use strict";
// The search. Its index is loaded when the field gets the focus. Without this script the form stays hidden.
(() => {
    const root = document.documentElement.dataset.root;
    const form = document.querySelector("form[role=search]");
    const field = form.querySelector("input");
    const found = document.getElementById("Found");
    const list = document.getElementById("Results");
    const status = found.querySelector("[role=status]");
    const shown = 12;
    let sections = null;
    let isLoading = false;
    let chosen = -1;

    function load() {
        if (isLoading) return;
        isLoading = true;
        const script = document.createElement("script");
        script.src = `${root}search-index.js`;
        script.onload = () => {
            sections = window.searchIndex.map(([path, anchor, title, heading, text]) => ({
                link: `${root}${path}#${anchor}`, title, heading, text,
                inTitle: title.toLowerCase(), inHeading: heading.toLowerCase(), inText: text.toLowerCase(),
            }));
            search();
        };
        document.head.append(script);
    }

    // A word counts most in the heading, then in the page's title, then in the text. 0: a word is missing.
    function score(section, words, phrase) {
        let sum = section.inHeading.includes(phrase) ? 30 : section.inText.includes(phrase) ? 10 : 0;
        for (const word of words) {
            const inHeading = section.inHeading.includes(word), inTitle = section.inTitle.includes(word);
            const times = section.inText.split(word).length - 1;
            if (!inHeading && !inTitle && times === 0) return 0;
            sum += (inHeading ? 20 : 0) + (inTitle ? 8 : 0) + Math.min(times, 5);
        }
        return sum;
    }

    // Adds the text with each word marked. `words` are lower case.
    function addMarked(element, text, words) {
        const pattern = new RegExp(`(${words.map((word) => word.replace(/[^\w]/g, "\\$&")).join("|")})`, "i");
        for (const [number, part] of text.split(pattern).entries()) {
            if (number % 2 === 0) { element.append(part); continue; }
            element.append(Object.assign(document.createElement("mark"), { textContent: part }));
        }
    }

    function row(section, words, number) {
        const item = document.createElement("li"), link = document.createElement("a");
        const heading = document.createElement("b"), page = document.createElement("small");
        const first = Math.max(0, Math.min(...words.map((word) => section.inText.indexOf(word)).filter((at) => at >= 0), section.text.length) - 40);
        item.id = `Result${number}`;
        item.setAttribute("role", "option");
        link.href = section.link;
        link.tabIndex = -1;
        link.onclick = close;
        addMarked(heading, section.heading, words);
        page.textContent = section.title;
        link.append(heading, page);
        addMarked(link, section.text.slice(first, first + 140), words);
        item.append(link);
        return item;
    }

    function search() {
        const phrase = field.value.trim().toLowerCase(), words = phrase.split(/\s+/).filter(Boolean);
        if (sections === null || words.length === 0) { close(); return; }
        const hits = sections.map((section) => [score(section, words, phrase), section]).filter(([sum]) => sum > 0);
        hits.sort(([one], [other]) => other - one);
        list.replaceChildren(...hits.slice(0, shown).map(([, section], number) => row(section, words, number)));
        status.textContent = hits.length === 0 ? "No section has all these words." : `${hits.length} sections`;
        found.hidden = false;
        field.setAttribute("aria-expanded", "true");
        choose(0);
    }

    function choose(number) {
        const rows = [...list.children];
        chosen = rows.length === 0 ? -1 : (number + rows.length) % rows.length;
        rows.forEach((item, at) => item.setAttribute("aria-selected", String(at === chosen)));
        field.setAttribute("aria-activedescendant", chosen < 0 ? "" : rows[chosen].id);
        rows[chosen]?.scrollIntoView({ block: "nearest" });
    }

    function close() {
        found.hidden = true;
        field.setAttribute("aria-expanded", "false");
        field.setAttribute("aria-activedescendant", "");
        chosen = -1;
    }

    field.onfocus = load;
    field.oninput = search;
    field.onkeydown = (event) => {
        if (event.key === "ArrowDown") choose(chosen + 1);
        else if (event.key === "ArrowUp") choose(chosen - 1);
        else if (event.key === "Escape") { close(); field.blur(); } else return;
        event.preventDefault();
    };
    form.onsubmit = (event) => {
        event.preventDefault();
        list.children[chosen]?.firstChild.click();
    };
    document.addEventListener("keydown", (event) => {
        if (event.key !== "/" || event.ctrlKey || event.altKey || event.metaKey || event.target === field) return;
        event.preventDefault();
        field.focus();
        field.select();
    });
    document.addEventListener("click", (event) => { if (!form.contains(event.target)) close(); });
    form.hidden = false;
})();
