"use strict";
for (const table of document.querySelectorAll("table:not(.flip)")) {
  const body = table.tBodies[0];
  table.querySelectorAll("th").forEach((head, at) => {
    head.querySelector("button").addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      table.querySelectorAll("th").forEach(other => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const keyed = [...body.rows].map(row => {
        const cell = row.cells[at];
        return {row, text: cell.textContent, number: cell.dataset.v === undefined ? NaN : Number(cell.dataset.v)};
      });
      // What is not known stays below in either direction.
      keyed.sort((a, b) => {
        const lost = Number.isNaN(a.number) - Number.isNaN(b.number);
        if (lost) return lost;
        const order = Number.isNaN(a.number) ? a.text.localeCompare(b.text, "en", {numeric: true}) : a.number - b.number;
        return down ? -order : order;
      });
      body.append(...keyed.map(k => k.row));
    });
  });
}
for (const figure of document.querySelectorAll("figure")) {
  const details = figure.querySelector(".details");
  for (const point of figure.querySelectorAll(".point[data-key]")) {
    const rows = document.querySelectorAll('[data-key="' + point.dataset.key + '"]:not(.point)');
    const show = on => {
      point.classList.toggle("on", on);
      rows.forEach(row => row.classList.toggle("on", on));
      if (on) details.textContent = point.getAttribute("aria-label");
    };
    point.addEventListener("pointerenter", () => show(true));
    point.addEventListener("pointerleave", () => show(false));
    point.addEventListener("focus", () => show(true));
    point.addEventListener("blur", () => show(false));
  }
}
