() => {
  // One zoom for all pictures of the story, so that the same place is seen in each; a magnified pixel stays a square.
  const PICTURES = "#panes img, #edits img, #difference img";
  const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  const STRIDE = 0.05;
  let zoom = 1;
  let place = [0.5, 0.5]; // of the picture, from its top left corner

  // The picture lies in its frame as large as it fits; where, in pixels of the frame.
  const lie = (image) => {
    const frame = [image.clientWidth, image.clientHeight];
    const size = [image.naturalWidth, image.naturalHeight];
    const scale = Math.min(frame[0] / size[0], frame[1] / size[1]);
    return { size: size.map((side) => side * scale), corner: size.map((side, i) => (frame[i] - side * scale) / 2) };
  };
  const draw = (image) => {
    if (!image.naturalWidth) return;
    const { size, corner } = lie(image);
    image.style.transformOrigin = place.map((part, i) => `${corner[i] + part * size[i]}px`).join(" ");
    image.style.transform = zoom > 1 ? `scale(${zoom})` : "";
  };
  const drawAll = () => {
    document.querySelectorAll(PICTURES).forEach(draw);
    document.getElementById("result-area")?.parentElement?.classList.toggle("zoomed", zoom > 1);
    document.querySelectorAll("#zoom button").forEach((button) => {
      button.setAttribute("aria-pressed", String(Number(button.dataset.zoom) === zoom));
    });
    const said = document.querySelector("#zoom output");
    const percent = place.map((part) => `${Math.round(100 * part)} %`);
    if (said) said.textContent = zoom > 1 ? `around ${percent[0]} from the left, ${percent[1]} from the top` : "";
  };
  const move = (to) => {
    place = to.map((part) => Math.min(1, Math.max(0, part)));
    drawAll();
  };

  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("#zoom button");
    if (!button) return;
    zoom = Number(button.dataset.zoom);
    drawAll();
  });
  document.addEventListener("pointermove", (event) => {
    const image = zoom > 1 && event.target.matches?.(PICTURES) ? event.target : null;
    if (!image?.naturalWidth) return;
    const { size, corner } = lie(image);
    const frame = image.parentElement.getBoundingClientRect(); // the picture itself is magnified
    move([event.clientX - frame.left - corner[0], event.clientY - frame.top - corner[1]].map((at, i) => at / size[i]));
  });
  document.addEventListener("keydown", (event) => {
    const step = zoom > 1 && event.target.closest?.("#zoom") ? ARROWS[event.key] : null;
    if (!step) return;
    event.preventDefault();
    move(place.map((part, i) => part + STRIDE * step[i]));
  });
  // A preview replaces the picture while a job runs; it is magnified like the one before. `load` does not bubble.
  document.addEventListener("load", (event) => event.target.matches?.(PICTURES) && draw(event.target), true);
  window.addEventListener("resize", drawAll);
}
