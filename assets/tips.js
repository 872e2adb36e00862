() => {
  // What a setting means is a tip of its widget: screen readers say it with the widget, a tap on the name opens it.
  let count = 0;
  const tip = () => {
    document.querySelectorAll("#main-knobs .block:not(.tipped), #edit-ask .block:not(.tipped)").forEach((block) => {
      const text = block.querySelector(".info-text");
      if (!text) return;
      block.classList.add("tipped");
      text.id = `tip-${++count}`;
      text.setAttribute("role", "tooltip");
      block.querySelectorAll("input, textarea").forEach((input) => input.setAttribute("aria-describedby", text.id));
    });
  };
  document.addEventListener("pointerup", (event) => {
    const open = document.querySelector(".tipped.told");
    const block = event.pointerType === "touch" && event.target.closest?.("[data-testid=block-info]")?.closest(".tipped");
    open?.classList.remove("told");
    if (block && block !== open) block.classList.add("told");
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") document.querySelectorAll(".tipped.told").forEach((one) => one.classList.remove("told"));
  });
  new MutationObserver(tip).observe(document.body, { childList: true, subtree: true });
  tip();
}
