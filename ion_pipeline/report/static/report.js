"use strict";
// Search over all serials and lots of the data. Data is only ever inserted as text, never as markup.
(() => {
  const index = JSON.parse(document.getElementById("index").textContent);
  const set = (open) => () => {
    for (const each of document.querySelectorAll("#units details")) each.open = open;
  };
  const buttons = document.getElementById("expand");
  if (buttons) {
    document.getElementById("expand-all").addEventListener("click", set(true));
    document.getElementById("collapse-all").addEventListener("click", set(false));
    buttons.hidden = false;
  }
  const form = document.getElementById("search");
  if (!form) return;
  const input = document.getElementById("find");
  const found = document.getElementById("found");
  const matches = document.getElementById("matches");
  const most = 50;
  let hit = null;

  const digits = new Map(
    [..."ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"].map((digit, value) => [digit, value]));
  const whole = (names) => {
    let last = "";
    return names.map((name) => { last = last.slice(0, digits.get(name[0])) + name.slice(1); return last; });
  };
  const numbers = (text) => {
    const list = [];
    let at = -1, gap = 0, scale = 1;
    for (const digit of text) {
      const value = digits.get(digit);
      gap += (value & 31) * scale;
      scale *= 32;
      if (value & 32) continue;
      at += gap + 1;
      list.push(at);
      gap = 0;
      scale = 1;
    }
    return list;
  };
  const names = whole(index.names);
  const lowered = names.map((name) => name.toLowerCase());
  const tops = whole(index.tops);
  const short = new Set(index.short);
  const written = (count, one) => count.toLocaleString("en") + " " + one + (count === 1 ? "" : "s");

  const element = (name, text) => {
    const made = document.createElement(name);
    if (text) made.textContent = text;
    return made;
  };

  const show = (number) => {
    const target = document.getElementById("n" + number);
    for (let above = target.parentElement; above; above = above.parentElement) {
      if (above instanceof HTMLDetailsElement) above.open = true;
    }
    if (hit) hit.classList.remove("hit");
    hit = target;
    hit.classList.add("hit");
    const focused = target.querySelector(":scope > details > summary") || target;
    focused.focus({ preventScroll: true });
    target.scrollIntoView({ block: "center" });
  };

  const link = (text, number) => {
    const made = element("a", text);
    made.href = "#n" + number;
    made.addEventListener("click", (event) => { event.preventDefault(); show(number); });
    return made;
  };

  const count = (entry, units) => short.has(entry)
    ? "AT LEAST " + written(units.length, "top-level unit") + ", and units in no tree with it"
    : units.length ? "in " + written(units.length, "top-level unit") : "in no other unit";

  // Everything that the answer counts, and where it is on this page; made when a reader opens it.
  const fill = (list, entry, units) => {
    const places = index.places[entry] || [];
    const line = new Map(places.map(([number, root]) => [root, number]).reverse());
    const rows = units.map((unit) => {
      const root = index.roots[unit];
      const row = element("li");
      row.append(root === undefined ? tops[unit] : link(tops[unit], line.get(root) ?? root));
      return row;
    });
    const counted = new Set(units.map((unit) => index.roots[unit]));
    for (const [number, root] of places) {
      if (counted.has(root)) continue;
      const row = element("li");
      row.append(link(number === root ? "its own tree on this page" : "in another tree on this page", number));
      rows.push(row);
    }
    list.replaceChildren(...(rows.length ? rows : [element("li", "Nothing contains it, and its tree is not here.")]));
  };

  const answer = (entry) => {
    const units = numbers(index.in[entry]);
    const made = element("details");
    const summary = element("summary");
    const said = element("span", count(entry, units));
    if (short.has(entry)) said.className = "open";
    summary.append(element("b", names[entry]), " " + index.parts[index.of[entry]] + ": ", said);
    const list = element("ul");
    made.append(summary, list);
    // A click is handled at once, "toggle" only later: a reader's next Tab could miss the list.
    summary.addEventListener("click", () => { if (!list.firstChild) fill(list, entry, units); });
    const item = element("li");
    item.append(made);
    return item;
  };

  // Exact matches first, then names that begin with the text, then names that contain it.
  const search = () => {
    const sought = input.value.trim().toLowerCase();
    const ranked = [[], [], []];
    if (sought) {
      for (let entry = 0; entry < lowered.length; entry++) {
        const place = lowered[entry].indexOf(sought);
        if (place >= 0) ranked[place > 0 ? 2 : lowered[entry].length > sought.length ? 1 : 0].push(entry);
      }
    }
    const all = ranked.flat();
    matches.replaceChildren(...all.slice(0, most).map(answer));
    if (!sought) {
      found.textContent = "";
    } else if (!all.length) {
      found.textContent = "Not in the data: none of its " + written(names.length, "serial and lot number")
        + " contains this text.";
    } else {
      const [first] = all;
      const only = ranked[0].length === 1 || all.length === 1;
      const others = all.length - 1;
      found.textContent = (only
        ? names[first] + " of " + index.parts[index.of[first]] + ": " + count(first, numbers(index.in[first])) + "."
          + (others ? " " + written(others, "more number") + (others === 1 ? " matches" : " match") + "." : "")
        : written(all.length, "number") + " match; each says in how many units it is.")
        + (all.length > most ? " ONLY THE FIRST " + most + " OF " + all.length.toLocaleString("en") + " ARE LISTED." : "")
        + " Press Enter to open the first.";
    }
  };

  input.addEventListener("input", search);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    search();
    const first = matches.querySelector("details");
    if (!first) return;
    const summary = first.querySelector("summary");
    if (!first.open) summary.click();
    summary.focus();
  });
  form.hidden = false;
})();

// Yield by product: all products as a whole, or one with its steps; or what fell against the month before.
(() => {
  const filter = document.getElementById("yield-filter");
  if (!filter) return;
  const part = document.getElementById("yield-part");
  const fell = document.getElementById("yield-fell");
  const rows = [...document.querySelectorAll("#yield-products tbody tr")];
  const apply = () => {
    const steps = part.value !== "" || fell.checked;
    let count = 0;
    for (const row of rows) {
      const isOf = part.value === "" || row.dataset.part === part.value;
      row.hidden = !isOf || (!steps && row.dataset.step) || (fell.checked && !row.dataset.fell);
      if (!row.hidden) count++;
    }
    document.getElementById("yield-shown").textContent = count + " of " + rows.length + " rows";
  };
  part.addEventListener("change", apply);
  fell.addEventListener("change", apply);
  filter.hidden = false;
  apply();
})();
