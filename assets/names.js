() => {
  // Gradio draws some widgets without a name or a role, on which screen readers fall silent: they are given here,
  // whenever such a widget is drawn anew.
  const give = () => {
    document.querySelectorAll("#examples button:not([aria-label])").forEach((button) => {
      const file = button.querySelector("img")?.src.split("/").pop() ?? "";
      const subject = decodeURIComponent(file).replace(/\d*\.\w+$/, "");
      if (subject) button.setAttribute("aria-label", `Example photograph: ${subject}`);
    });
    document.querySelectorAll("div.empty[aria-label]:not([role])").forEach((box) => box.setAttribute("role", "img"));
  };
  let waiting = false;
  new MutationObserver(() => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      give();
    });
  }).observe(document.body, { childList: true, subtree: true });
  give();
}
