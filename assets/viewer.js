() => {
  // One picture, as large as the screen: a key for each, the original while a key is held, two blinking, fading into
  // each other, or what differs between them, amplified.
  const PANES = ["#pane-original", "#pane-protected", "#pane-reconstructed", "#pane-purified", "#edit-of-original", "#edit-of-protected", "#edit-of-purified"];
  const BLINK = 350; // milliseconds
  const find = (part) => document.querySelector(`#viewer ${part}`);
  const sourceOf = (number) => document.querySelector(`${PANES[number]} img`)?.src;
  let chosen = 3;
  let look = "one";
  let held = false; // the original, as long as the key is down
  let turned = false; // which of two blinking pictures is seen
  let blinking = null;

  const other = () => Number(find("select").value);
  const draw = () => {
    const [under, over] = [find(".under"), find(".over")];
    const pair = held ? [0, 0] : look === "one" ? [chosen, chosen] : [other(), chosen];
    const sources = pair.map(sourceOf);
    if (under.getAttribute("src") !== sources[0]) under.src = sources[0] ?? "";
    if (over.getAttribute("src") !== sources[1]) over.src = sources[1] ?? "";
    const plain = held || look === "one";
    const amount = Number(find("input[type=range]").value);
    over.style.opacity = plain ? 1 : look === "fade" ? amount / 100 : look === "blink" ? Number(!turned) : 1;
    over.style.mixBlendMode = !plain && look === "difference" ? "difference" : "normal";
    find(".stage").style.filter = !plain && look === "difference" ? `brightness(${amount})` : "";
    document.querySelectorAll("#viewer [data-number]").forEach((button) => {
      const number = Number(button.dataset.number);
      button.disabled = !sourceOf(number);
      button.setAttribute("aria-pressed", String(number === (held ? 0 : chosen)));
    });
    document.querySelectorAll("#viewer [data-look]").forEach((button) => button.setAttribute("aria-pressed", String(button.dataset.look === look)));
    const name = (number) => find(`[data-number="${number}"] span`).textContent;
    find("output").textContent = held ? name(0) : look === "one" ? name(chosen) : `${name(chosen)} / ${name(other())}`;
  };
  const amounts = { fade: 50, difference: 8 }; // what was set last, of each
  const choose = (way) => {
    if (look in amounts && find("").open) amounts[look] = Number(find("input[type=range]").value);
    look = way;
    clearInterval(blinking);
    turned = false;
    blinking = way === "blink" ? setInterval(() => { turned = !turned; draw(); }, BLINK) : null;
    const range = find("input[type=range]");
    find(".pair").classList.toggle("off", way === "one");
    find(".amount").classList.toggle("off", way !== "fade" && way !== "difference");
    [range.min, range.max] = way === "difference" ? [1, 32] : [0, 100];
    range.value = amounts[way] ?? 50;
    range.setAttribute("aria-label", find(`[data-look="${way}"]`).textContent);
    draw();
  };
  const show = (number) => {
    if (!sourceOf(number)) return;
    chosen = number;
    if (!find("").open) {
      find("").showModal();
      choose("one");
      find(`[data-number="${number}"]`).focus();
    }
    draw();
  };
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("#closer, #viewer button");
    if (!button) return;
    if (button.id === "closer") show(sourceOf(3) ? 3 : 0);
    else if (button.dataset.number) show(Number(button.dataset.number));
    else if (button.dataset.look) choose(button.dataset.look);
    else if (button.dataset.full) document.fullscreenElement ? document.exitFullscreen() : find(".viewer").requestFullscreen();
    else find("").close();
  });
  document.addEventListener("input", (event) => event.target.closest?.("#viewer") && draw());
  // Keys: numbers on the whole page, wherever nothing is being written; the others while the large picture is open.
  const written = (target) => target.closest?.("input:not([type=range]):not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable=true]");
  let before = "one"; // how it was looked at when a key was held
  document.addEventListener("keydown", (event) => {
    const open = find("")?.open;
    if (open && event.key === "Escape") event.stopPropagation(); // it closes this, and stops no run
    if (event.ctrlKey || event.metaKey || event.altKey || written(event.target)) return;
    const number = "1234567".indexOf(event.key);
    if (number >= 0 && (open || document.querySelector("#room-story-button[aria-selected=true]"))) show(number);
    if (!open) return;
    if (event.key === " " || event.key.toLowerCase() === "b") {
      event.preventDefault();
      if (event.repeat) return;
      if (event.key === " ") held = true; // also on a button: Enter presses that
      else {
        before = look;
        choose("blink");
      }
      draw();
    }
    if (event.repeat) return;
    if (event.key.toLowerCase() === "f") choose("fade");
    if (event.key.toLowerCase() === "d") choose("difference");
  }, true);
  document.addEventListener("keyup", (event) => {
    if (!find("")?.open) return;
    if (event.key === " ") {
      event.preventDefault();
      held = false;
      draw();
    }
    if (event.key.toLowerCase() === "b") choose(before === "blink" ? "one" : before);
  }, true);
  // A key that is let go in another window is never let go here.
  window.addEventListener("blur", () => { if (held) { held = false; draw(); } });
  // The list of pictures takes keys for its own choosing: once it has chosen, they are the picture's again.
  document.addEventListener("change", (event) => event.target.matches?.("#viewer select") && event.target.blur());
  // `close` does not bubble. Whatever is drawn on the page meanwhile is drawn here too.
  document.addEventListener("close", (event) => {
    if (event.target.id !== "viewer") return;
    clearInterval(blinking);
    held = false;
  }, true);
  document.addEventListener("load", (event) => find("")?.open && event.target.matches?.("#panes img, #edits img") && draw(), true);
}
