// Asks for the page again every five seconds and puts in the sections that changed. What a reader is using stays.
"use strict";

const EVERY = 5000;
const PATIENCE = 15000;
const freshness = document.getElementById("freshness");
let lastGood = Date.now();

function inUse(section) {
  const selection = document.getSelection();
  const selecting = selection && !selection.isCollapsed && section.contains(selection.anchorNode);
  return section.contains(document.activeElement) || selecting;
}

function takeOver(fresh) {
  for (const section of document.querySelectorAll("[data-live]")) {
    const newer = fresh.getElementById(section.id);
    if (newer && newer.innerHTML !== section.innerHTML && !inUse(section)) {
      const left = [...section.querySelectorAll(".scroll")].map((box) => box.scrollLeft);
      const opened = new Set([...section.querySelectorAll("details[open]")].map((one) => one.dataset.key));
      section.replaceWith(document.adoptNode(newer));
      newer.querySelectorAll("details").forEach((one) => { one.open = opened.has(one.dataset.key); });
      newer.querySelectorAll(".scroll").forEach((box, index) => { box.scrollLeft = left[index] ?? 0; });
    }
  }
  const told = fresh.getElementById("freshness");
  if (told) freshness.replaceChildren(...told.cloneNode(true).childNodes);
}

async function refresh() {
  if (!document.hidden) {
    try {
      const answer = await fetch("/", { headers: { accept: "text/html" }, signal: AbortSignal.timeout(EVERY * 2) });
      if (!answer.ok) throw new Error(`the server answered ${answer.status}`);
      takeOver(new DOMParser().parseFromString(await answer.text(), "text/html"));
      lastGood = Date.now();
      document.body.classList.remove("stale");
      freshness.removeAttribute("role");
    } catch (error) {
      if (Date.now() - lastGood > PATIENCE) {
        freshness.setAttribute("role", "alert");
        const since = new Date(lastGood).toISOString().slice(0, 19).replace("T", " ");
        freshness.textContent = `Stale: nothing new since ${since} UTC (${error.message}). Is stonks up running?`;
        document.body.classList.add("stale");
      }
    }
  }
  setTimeout(refresh, EVERY);
}

setTimeout(refresh, EVERY);
document.addEventListener("visibilitychange", () => { lastGood = Date.now(); });
