() => {
  // Several files dropped on the picture, or chosen in its dialog, go to the button that takes several.
  const hand = (input, files) => {
    const several = new DataTransfer();
    [...files].forEach((file) => several.items.add(file));
    input.files = several.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
  };
  const catchThem = (event, files) => {
    if (!event.target.closest?.("#upload") || !files || files.length < 2) return;
    const input = document.querySelector("#input-area > input[type=file][multiple]");
    if (!input) return;  // the picture then takes the first of them
    event.preventDefault();
    event.stopImmediatePropagation();
    if (!input.disabled && !document.querySelector("#many-add")?.disabled) hand(input, files);
  };
  window.addEventListener("dragover", (event) => event.target.closest?.("#upload") && event.preventDefault(), true);
  window.addEventListener("drop", (event) => catchThem(event, event.dataTransfer?.files), true);
  window.addEventListener("change", (event) => catchThem(event, event.target.files), true);
  const allow = () => document.querySelector("#upload input[type=file]:not([multiple])")?.setAttribute("multiple", "");
  new MutationObserver(allow).observe(document.body, { childList: true, subtree: true });
  allow();
}
