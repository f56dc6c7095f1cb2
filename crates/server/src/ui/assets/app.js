// What pages do by themselves in a browser: the theme, the search key, times that stay true, the graph by keyboard.
// Everything on the pages works without it.
(() => {
    "use strict";

    const root = document.documentElement;
    const stored = (() => { try { return localStorage.getItem("theme"); } catch { return null; } })();
    if (stored === "light" || stored === "dark") root.dataset.theme = stored;

    const isDark = () => root.dataset.theme
        ? root.dataset.theme === "dark"
        : matchMedia("(prefers-color-scheme: dark)").matches;

    function toggleTheme() {
        root.dataset.theme = isDark() ? "light" : "dark";
        try { localStorage.setItem("theme", root.dataset.theme); } catch { /* It lasts as long as the page. */ }
    }

    // As the server says it: see moments.rs.
    function rough(seconds) {
        if (seconds < 60) return `${seconds} s`;
        if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
        if (seconds < 172800) return `${Math.floor(seconds / 3600)} h`;
        return `${Math.floor(seconds / 86400)} d`;
    }

    function elapsed(seconds) {
        if (seconds < 60) return `${seconds.toFixed(1)} s`;
        if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${Math.floor(seconds % 60)} s`;
        return `${Math.floor(seconds / 3600)} h ${Math.floor(seconds % 3600 / 60)} min`;
    }

    function say(element, text) {
        if (element.textContent !== text) element.textContent = text;
    }

    // The clocks of two machines differ: what the server said when the page came is what counts.
    const loaded = performance.now();
    const started = new WeakMap();

    function keepTimesTrue() {
        const now = Date.now();
        for (const time of document.querySelectorAll("time[data-ago]")) {
            const seconds = Math.floor((now - Date.parse(time.dateTime)) / 1000);
            const gone = Math.abs(seconds);
            say(time, seconds < 0 ? `in ${rough(gone)}` : gone < 5 ? "just now" : `${rough(gone)} ago`);
        }
        for (const time of document.querySelectorAll("time[data-elapsed]")) {
            say(time, elapsed(Math.max(0, (now - Date.parse(time.dateTime)) / 1000)));
        }
        for (const bar of document.querySelectorAll("svg[data-progress]")) {
            const begun = bar.dataset.elapsedAtLoad;
            const known = started.get(bar);
            if (!known || known.begun !== begun) started.set(bar, { begun, at: performance.now() });
            const since = started.get(bar).at ?? loaded;
            const seconds = Number(begun) + (performance.now() - since) / 1000;
            const share = Math.min(0.97, seconds / Number(bar.dataset.progress));
            bar.querySelector(".done").setAttribute("width", (share * 100).toFixed(1));
        }
    }

    // Nodes of a graph, by the arrows: the nearest one in that direction.
    const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

    function step(from, [dx, dy]) {
        const middle = (node) => {
            const box = node.getBoundingClientRect();
            return [box.left + box.width / 2, box.top + box.height / 2];
        };
        const [x, y] = middle(from);
        let best = null, least = Infinity;
        for (const node of from.closest("svg").querySelectorAll("a.node")) {
            const [ox, oy] = middle(node);
            const along = (ox - x) * dx + (oy - y) * dy;
            const beside = Math.abs((ox - x) * dy) + Math.abs((oy - y) * dx);
            if (node === from || along < 8) continue;
            const far = along + 2.5 * beside;
            if (far < least) { best = node; least = far; }
        }
        best?.focus();
    }

    // Titles of nodes are shown at once, and also to those who come by keyboard.
    let tip = null;

    function showTip(node) {
        const title = node.querySelector("title");
        if (title) {
            node.dataset.title = title.textContent;
            node.setAttribute("aria-label", title.textContent);
            title.remove();
        }
        if (!node.dataset.title) return;
        if (!tip) {
            tip = document.createElement("div");
            tip.className = "tip";
            tip.setAttribute("aria-hidden", "true");
            document.body.append(tip);
        }
        tip.textContent = node.dataset.title;
        tip.hidden = false;
        const box = node.getBoundingClientRect();
        const left = Math.min(Math.max(8, box.left), Math.max(8, innerWidth - tip.offsetWidth - 8));
        const below = box.bottom + 8 + tip.offsetHeight < innerHeight;
        tip.style.left = `${left + scrollX}px`;
        tip.style.top = `${(below ? box.bottom + 8 : box.top - tip.offsetHeight - 8) + scrollY}px`;
    }

    function hideTip() {
        if (tip) tip.hidden = true;
    }

    // A log that grows is followed as long as one looks at its end.
    function follow(log) {
        let atEnd = true;
        log.addEventListener("scroll", () => {
            atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 40;
        });
        new MutationObserver(() => { if (atEnd) log.scrollTop = log.scrollHeight; })
            .observe(log, { childList: true });
        log.scrollTop = log.scrollHeight;
    }

    document.addEventListener("keydown", (event) => {
        const typing = event.target.closest?.("input, textarea, select, [contenteditable]");
        if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
            event.preventDefault();
            document.getElementById("q")?.focus();
        }
        const node = event.target.closest?.("svg.picture a.node");
        if (node && ARROWS[event.key]) {
            event.preventDefault();
            step(node, ARROWS[event.key]);
        }
        if (event.key === "Escape") hideTip();
    });

    for (const [enter, leave] of [["mouseover", "mouseout"], ["focusin", "focusout"]]) {
        document.addEventListener(enter, (event) => {
            const node = event.target.closest?.("svg.picture a.node");
            if (node) showTip(node);
        });
        document.addEventListener(leave, (event) => {
            if (event.target.closest?.("svg.picture a.node")) hideTip();
        });
    }

    document.addEventListener("DOMContentLoaded", () => {
        const button = document.querySelector("[data-theme-toggle]");
        if (button) {
            button.hidden = false;
            button.addEventListener("click", toggleTheme);
        }
        document.querySelectorAll(".log[data-follow]").forEach(follow);
        document.querySelector(".log [aria-current]")?.scrollIntoView({ block: "center" });
        setInterval(keepTimesTrue, 1000);
    });
})();
