// Click a heading: ascending, descending, and back to the order of the study. Empty cells stay last.
for (const table of document.querySelectorAll("table")) {
  const body = table.tBodies[0];
  const original = [...body.rows];
  const headings = [...table.tHead.rows[0].cells];
  headings.forEach((heading, column) => {
    heading.querySelector("button").addEventListener("click", () => {
      const before = heading.getAttribute("aria-sort");
      const after = { ascending: "descending", descending: null }[before];
      const order = after === undefined ? "ascending" : after;
      headings.forEach((other) => other.removeAttribute("aria-sort"));
      if (order) heading.setAttribute("aria-sort", order);
      const sign = order === "descending" ? -1 : 1;
      const key = (row) => row.cells[column].dataset.sort;
      const numeric = heading.classList.contains("number");
      const compare = (a, b) => {
        if (key(a) === "" || key(b) === "") return (key(a) === "") - (key(b) === "");
        return sign * (numeric ? key(a) - key(b) : key(a).localeCompare(key(b)));
      };
      body.append(...(order ? [...original].sort(compare) : original));
    });
  });
}

// Click a figure: it opens in a dialog as wide as the window, and grows by half a window a step (+ and -).
const zoom = document.getElementById("zoom");
const enlarged = zoom.querySelector(".sheet").appendChild(new Image());
const STEP = 1.5;
const MOST = 8;
const NARROW = 640; // pixels; a figure as wide as such a window cannot be read
let times = 1;
function zoomTo(wanted) {
  const sheet = enlarged.parentElement;
  const [x, y] = [sheet.scrollLeft + sheet.clientWidth / 2, sheet.scrollTop + sheet.clientHeight / 2];
  const before = times;
  times = Math.min(MOST, Math.max(1, wanted));
  enlarged.style.width = `${100 * times}%`;
  sheet.scrollLeft = (x * times) / before - sheet.clientWidth / 2; // what was in the middle stays there
  sheet.scrollTop = (y * times) / before - sheet.clientHeight / 2;
}
for (const frame of document.querySelectorAll(".frame"))
  frame.addEventListener("click", () => {
    const figure = frame.closest("figure");
    const picture = frame.querySelector("img");
    document.getElementById("zoom-title").textContent = figure.querySelector("h3").textContent;
    enlarged.src = picture.src;
    enlarged.alt = picture.alt;
    zoom.showModal();
    times = 1;
    zoomTo(innerWidth < NARROW ? 2.5 : 1);
    enlarged.parentElement.focus();
  });
document.getElementById("zoom-in").addEventListener("click", () => zoomTo(times * STEP));
document.getElementById("zoom-out").addEventListener("click", () => zoomTo(times / STEP));
document.getElementById("zoom-close").addEventListener("click", () => zoom.close());
enlarged.addEventListener("click", () => zoomTo(times >= MOST ? 1 : times * STEP));
zoom.addEventListener("keydown", (event) => {
  const change = { "+": STEP, "=": STEP, "-": 1 / STEP }[event.key];
  if (change && !event.ctrlKey && !event.metaKey) zoomTo(times * change);
});
addEventListener("beforeprint", () => {
  for (const details of document.querySelectorAll("details")) details.open = true;
});
