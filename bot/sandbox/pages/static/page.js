"use strict";
// Poll a small summary; when it changed, take in what is new without touching what is being written.
(() => {
  const live = document.getElementById("live");
  if (!live) return;
  const busy = document.getElementById("busy");
  const parts = ["live", "side", "acts", "runs"].map((id) => document.getElementById(id)).filter(Boolean);
  let pulse = live.dataset.pulse;

  // The HTML that each part came with, whatever a person has opened or chosen in it since.
  const source = new WeakMap();
  for (const part of parts) for (const each of part.children) source.set(each, each.outerHTML);

  // What a person has opened, chosen or reached stays so.
  function swap(old, fresh) {
    const open = new Set([...old.querySelectorAll("details[open] > summary")].map((each) => each.textContent));
    const chosen = new Map([...old.querySelectorAll("select")].map((each) => [each.name, each.value]));
    const focus = old.contains(document.activeElement) ? document.activeElement.id : "";
    old.replaceWith(fresh);
    for (const summary of fresh.querySelectorAll("details > summary")) {
      if (open.has(summary.textContent)) summary.parentElement.open = true;
    }
    for (const select of fresh.querySelectorAll("select")) {
      const value = chosen.get(select.name);
      if ([...select.options].some((each) => each.value === value && !each.disabled)) select.value = value;
    }
    for (const area of old.querySelectorAll("textarea[id]")) {
      const found = fresh.querySelector(`#${area.id}`);
      if (found) found.value = area.value;
    }
    if (focus) document.getElementById(focus)?.focus();
  }

  function renew(part, fresh) {
    const shown = [...part.children];
    const told = [...fresh.children];
    told.forEach((each, at) => {
      const html = each.outerHTML;
      if (at < shown.length && source.get(shown[at]) === html) return;
      source.set(each, html);
      if (at < shown.length) swap(shown[at], each);
      else part.append(each);
    });
    for (const each of shown.slice(told.length)) each.remove();
  }

  async function refresh() {
    const response = await fetch(location.pathname + location.search, { cache: "no-store" });
    const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
    for (const part of parts) {
      const found = fresh.getElementById(part.id);
      if (found) renew(part, found);
    }
  }

  async function beat() {
    try {
      const told = await (await fetch(live.dataset.pulseUrl, { cache: "no-store" })).json();
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
