"use strict";
// The page is complete without this: it sorts and filters tables and shows what a cell of a heat map holds.
(() => {
  const tip = document.createElement("div");
  tip.className = "tip";
  tip.id = "tip";
  tip.setAttribute("role", "tooltip");
  tip.hidden = true;
  document.body.append(tip);
  let shown = null;

  function hide() {
    if (shown) shown.removeAttribute("aria-describedby");
    shown = null;
    tip.hidden = true;
  }

  function show(cell) {
    hide();
    shown = cell;
    tip.textContent = cell.dataset.tip;
    tip.hidden = false;
    cell.setAttribute("aria-describedby", "tip");
    const box = cell.getBoundingClientRect();
    const width = document.documentElement.clientWidth;
    const left = Math.max(8, Math.min(box.left + box.width / 2 - tip.offsetWidth / 2, width - tip.offsetWidth - 8));
    const above = box.top - tip.offsetHeight - 8;
    const top = above > 0 ? above : box.bottom + 8;
    tip.style.left = left + window.scrollX + "px";
    tip.style.top = top + window.scrollY + "px";
  }

  // A heat map is one stop of the tab key; the arrow keys move inside it.
  for (const table of document.querySelectorAll("table[data-tips]")) {
    table.setAttribute("role", "grid");
    for (const cell of table.querySelectorAll("tbody td")) {
      cell.dataset.tip = cell.title;
      cell.removeAttribute("title");
      cell.tabIndex = -1;
    }
    const first = table.querySelector("tbody td");
    if (first) first.tabIndex = 0;
    const cellOf = (event) => event.target.closest("td[data-tip]");
    table.addEventListener("mouseover", (event) => { const cell = cellOf(event); if (cell) show(cell); else hide(); });
    table.addEventListener("mouseleave", hide);
    table.addEventListener("focusin", (event) => { const cell = cellOf(event); if (cell) show(cell); });
    table.addEventListener("focusout", hide);
    table.addEventListener("click", (event) => { const cell = cellOf(event); if (cell) move(cell); });
    table.addEventListener("keydown", (event) => {
      const cell = cellOf(event);
      if (!cell) return;
      const row = cell.parentElement;
      const rows = row.parentElement.rows;
      const column = cell.cellIndex;
      const next = {
        ArrowLeft: () => row.cells[Math.max(1, column - 1)],
        ArrowRight: () => row.cells[Math.min(row.cells.length - 1, column + 1)],
        ArrowUp: () => (rows[row.sectionRowIndex - 1] || row).cells[column],
        ArrowDown: () => (rows[row.sectionRowIndex + 1] || row).cells[column],
        Home: () => row.cells[1],
        End: () => row.cells[row.cells.length - 1],
      }[event.key];
      if (!next) return;
      event.preventDefault();
      move(next());
    });
    function move(cell) {
      const active = table.querySelector('td[tabindex="0"]');
      if (active) active.tabIndex = -1;
      cell.tabIndex = 0;
      cell.focus();
      cell.scrollIntoView({ block: "nearest", inline: "nearest" });
      show(cell);
    }
  }
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") hide(); });

  for (const table of document.querySelectorAll("table.sortable")) {
    const body = table.tBodies[0];
    if (body.rows.length < 2) continue;
    for (const head of table.querySelectorAll("thead th")) {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => sort(table, body, head));
    }
    if (table.hasAttribute("data-filter")) addFilter(table, body);
  }

  function sort(table, body, head) {
    const numeric = head.classList.contains("num");
    const before = head.getAttribute("aria-sort");
    const descending = before ? before === "ascending" : numeric;
    for (const other of table.querySelectorAll("thead th")) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", descending ? "descending" : "ascending");
    const key = (row) => {
      const cell = row.cells[head.cellIndex];
      if (!numeric) return cell.textContent.trim();
      return "v" in cell.dataset ? Number(cell.dataset.v) : null;
    };
    const sign = descending ? -1 : 1;
    const keyed = Array.from(body.rows, (row) => [key(row), row]);
    keyed.sort(([a], [b]) => {
      if (a === null || b === null) return (a === null) - (b === null);
      return sign * (numeric ? a - b : a.localeCompare(b));
    });
    body.append(...keyed.map(([, row]) => row));
  }

  function addFilter(table, body) {
    const label = document.createElement("label");
    label.className = "filter";
    label.textContent = "Filter";
    const input = document.createElement("input");
    input.type = "search";
    label.append(input);
    table.parentElement.before(label);
    input.addEventListener("input", () => {
      const wanted = input.value.trim().toLowerCase();
      for (const row of body.rows) row.hidden = !row.textContent.toLowerCase().includes(wanted);
    });
  }

  // Only containers that do scroll are stops of the tab key.
  const regions = document.querySelectorAll(".scroll");
  const settle = () => {
    for (const region of regions) {
      if (region.scrollWidth > region.clientWidth) region.tabIndex = 0;
      else region.removeAttribute("tabindex");
    }
  };
  settle();
  window.addEventListener("resize", settle);
  for (const details of document.querySelectorAll("details")) details.addEventListener("toggle", settle);
})();
