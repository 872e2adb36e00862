() => {
  const press = (id) => {
    const button = document.getElementById(id);
    if (button && !button.disabled) button.click();
  };
  // Ctrl+Enter runs the section that one is writing in, and else the whole path.
  const runs = { "edit-area": "edit-run", "generate-area": "generate-run" };
  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      const area = Object.keys(runs).find((id) => event.target.closest?.("#" + id));
      press(area ? runs[area] : "run-both");
    } else if (event.key === "Escape") {
      press("stop");
    }
  });
}
