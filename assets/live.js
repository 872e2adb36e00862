() => {
  // A slider that is let go, or a number that is typed, runs again what it changes: the page's own hidden buttons do it.
  const AGAIN = { "protect-budget": "live-both", "protect-perceptual_budget": "live-both" };
  const SETTLED = 200; // milliseconds until the widget has told the page its value
  let waiting;
  document.addEventListener("change", (event) => {
    const input = event.target.closest?.("#main-knobs input[type=range], #main-knobs input[type=number]");
    if (!input || !document.querySelector("#live input")?.checked) return;
    const knob = input.closest(".block")?.id;
    clearTimeout(waiting);
    waiting = setTimeout(() => document.getElementById(AGAIN[knob] ?? "live-purify")?.click(), SETTLED);
  });
  // A faint curve is an earlier run: a click, or Enter on it, takes it back.
  const back = (event) => {
    const ghost = event.target.closest?.("#curves [data-run]");
    if (!ghost || ghost.dataset.run === "0" || (event.type === "keydown" && event.key !== "Enter")) return;
    window.impressRun = ghost.dataset.run;
    document.getElementById("ghost")?.click();
  };
  document.addEventListener("click", back);
  document.addEventListener("keydown", back);
  document.addEventListener("click", (event) => {
    const handle = event.target.closest?.("#sheet");
    if (handle) handle.setAttribute("aria-expanded", String(document.getElementById("controls").classList.toggle("open")));
  });
}
