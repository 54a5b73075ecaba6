"use strict";
// Poll a small summary; when it changed, take the new discussion in without touching the forms.
(() => {
  const live = document.getElementById("live");
  if (!live) return;
  const page = location.pathname;
  const busy = document.getElementById("busy");
  let pulse = live.dataset.pulse;

  async function refresh() {
    const response = await fetch(page + location.search, { cache: "no-store" });
    const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
    const open = new Set([...live.querySelectorAll("details[open] > summary")].map((each) => each.textContent));
    for (const id of ["live", "side"]) {
      document.getElementById(id).replaceChildren(...fresh.getElementById(id).childNodes);
    }
    for (const summary of live.querySelectorAll("details > summary")) {
      if (open.has(summary.textContent)) summary.parentElement.open = true;
    }
  }

  async function beat() {
    try {
      const told = await (await fetch(page + "/pulse", { cache: "no-store" })).json();
      if (told.pulse !== pulse) {
        await refresh();
        pulse = told.pulse;
      }
      const words = told.busy ? "The bot is at work…" : "";
      if (busy.textContent !== words) busy.textContent = words;
    } catch {
      busy.textContent = "The sandbox does not answer.";
    }
    setTimeout(beat, 700);
  }
  beat();
})();
