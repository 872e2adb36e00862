() => {
  const press = (id) => {
    const button = document.getElementById(id);
    const ready = button && !button.disabled;
    if (ready) button.click();
    return ready;
  };
  const open = () => document.querySelector("#rooms [role=tab][aria-selected=true]")?.id ?? "";
  // Ctrl+Enter runs the section that one is writing in, or what the open room is for, and else the whole path.
  const runs = {
    "edit-area": "edit-run", "room-stress": "stress-run", "room-explore": "explore-run", "room-style": "style-run",
    "room-generate": "generate-run",
  };
  // Escape that closes something else stops no run; what that is has to be seen before it is closed.
  let closes = false;
  document.addEventListener("keydown", (event) => {
    closes = event.target.getAttribute?.("aria-expanded") === "true" || !!document.querySelector(".block.fullscreen");
  }, true);
  const stops = ["stop", "edit-stop", "stress-stop", "explore-stop", "style-stop", "generate-stop"];
  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      const area = Object.keys(runs).find((id) => event.target.closest?.("#" + id) || open() === id + "-button");
      press(area ? runs[area] : "run-both");
    } else if (event.key === "Escape" && !closes) {
      stops.some(press); // they are one: whichever is pressed, the visitor's job ends
    }
  });
  // Along a row of tabs the arrow keys move, as everywhere else.
  const along = { ArrowLeft: -1, ArrowRight: 1 };
  document.addEventListener("keydown", (event) => {
    const tab = along[event.key] && event.target.closest?.("[role=tablist] [role=tab]");
    if (!tab) return;
    const tabs = [...tab.closest("[role=tablist]").querySelectorAll("[role=tab]")].filter((one) => !one.disabled);
    tabs[(tabs.indexOf(tab) + along[event.key] + tabs.length) % tabs.length].focus();
  });
  // The buttons beside the picture belong to the story: whoever runs it from another room is taken there.
  document.addEventListener("click", (event) => {
    if (event.target.closest?.("#run-both, #run-protect, #run-purify")) press("room-story-button");
  });
}
