() => {
  // The blind comparison: its buttons are pressed by the arrow keys too, while its pictures are in sight; and each
  // question is answered once: until the next pictures are there, whose address is another one, nothing more is taken.
  const keys = { ArrowLeft: "blind-say-left", ArrowDown: "blind-say-original", ArrowRight: "blind-say-right" };
  const elsewhere = "input, textarea, select, [role=tab], [contenteditable=true], dialog";
  const LONGEST = 5000; // ms: an answer that was lost on its way can be given again
  const picture = () => document.querySelector("#blind-left img");
  const inSight = () => {
    const box = picture()?.getBoundingClientRect();
    if (document.querySelector("#blind-pictures .fullscreen")) return false; // only one of them is
    const there = box?.height ? document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2) : null;
    return Boolean(there) && there.closest("#blind-left") !== null;
  };
  document.addEventListener("keydown", (event) => {
    const button = document.getElementById(keys[event.key]);
    if (!button || event.target.closest?.(elsewhere) || !inSight()) return;
    if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    event.preventDefault();
    if (!event.repeat) button.click();
  });
  let taken = { source: "", at: 0 };
  window.addEventListener("click", (event) => {
    if (!event.target.closest?.("[id^=blind-say-]")) return;
    const source = picture()?.src ?? "";
    if (source === taken.source && Date.now() - taken.at < LONGEST) event.stopPropagation();
    else taken = { source, at: Date.now() };
  }, true);
}
