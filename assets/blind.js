() => {
  // The blind comparison: its buttons are pressed by the arrow keys too, while they are in sight; and each question is
  // answered once: until the next pictures are there, whose address is another one, nothing more is taken.
  const keys = { ArrowLeft: "blind-say-left", ArrowDown: "blind-say-original", ArrowRight: "blind-say-right" };
  const elsewhere = "input, textarea, select, [role=tab], [contenteditable=true], dialog";
  const LONGEST = 5000; // ms: an answer that was lost on its way can be given again
  document.addEventListener("keydown", (event) => {
    const button = document.getElementById(keys[event.key]);
    const box = button?.getBoundingClientRect();
    if (!box?.height || box.bottom < 0 || box.top > innerHeight || event.target.closest?.(elsewhere)) return;
    if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    event.preventDefault();
    if (!event.repeat) button.click();
  });
  let taken = { picture: "", at: 0 };
  window.addEventListener("click", (event) => {
    if (!event.target.closest?.("[id^=blind-say-]")) return;
    const picture = document.querySelector("#blind-left img")?.src ?? "";
    if (picture === taken.picture && Date.now() - taken.at < LONGEST) event.stopPropagation();
    else taken = { picture, at: Date.now() };
  }, true);
}
