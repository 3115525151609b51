"use strict";
// Search over the trees on this page. Data is only ever inserted as text, never as markup.
(() => {
  const index = JSON.parse(document.getElementById("index").textContent);
  const form = document.getElementById("search");
  if (!form) return;
  const input = document.getElementById("find");
  const found = document.getElementById("found");
  const matches = document.getElementById("matches");
  const most = 50;
  let hit = null;

  const element = (name, text) => {
    const made = document.createElement(name);
    if (text) made.textContent = text;
    return made;
  };

  // Exact matches first, then names that begin with the text, then names that contain it.
  const rank = (name, sought) => {
    const place = name.toLowerCase().indexOf(sought);
    return place < 0 ? -1 : place > 0 ? 2 : name.length > sought.length ? 1 : 0;
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

  const search = () => {
    const sought = input.value.trim().toLowerCase();
    const ranked = [];
    if (sought) {
      for (const [name, part, places] of index.entries) {
        const order = rank(name, sought);
        if (order >= 0) ranked.push([order, name, part, places]);
      }
      ranked.sort((one, other) => one[0] - other[0]);
    }
    const all = ranked.flatMap(([, name, part, places]) => places.map(([number, unit]) => [name, part, number, unit]));
    matches.replaceChildren(...all.slice(0, most).map(([name, part, number, unit]) => {
      const link = element("a");
      link.href = "#n" + number;
      link.append(element("b", name), " " + part + ", in " + index.units[unit]);
      link.addEventListener("click", (event) => { event.preventDefault(); show(number); });
      const item = element("li");
      item.append(link);
      return item;
    }));
    found.textContent = !sought ? "" : all.length === 0
      ? "Not on this page, which has the newest top-level units only: see above."
      : all.length + (all.length === 1 ? " place" : " places") + (all.length > most ? ", the first " + most + " shown" : "")
        + ". Press Enter to show the first.";
    return all;
  };

  input.addEventListener("input", search);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const all = search();
    if (all.length) show(all[0][2]);
  });
  const set = (open) => () => {
    for (const each of document.querySelectorAll("#units details")) each.open = open;
  };
  document.getElementById("expand-all").addEventListener("click", set(true));
  document.getElementById("collapse-all").addEventListener("click", set(false));
  form.hidden = false;
})();
