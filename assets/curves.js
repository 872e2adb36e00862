() => {
  // Curves under the pointer: the values of every line at that step, and the picture that was kept of it.
  const SIDES = { left: 42, right: 104, top: 8, bottom: 24 }; // ui/curves.py draws with these
  const shorten = (value) => (value === 0 ? "0" : Math.abs(value) < 1e-3 ? value.toExponential(0) : Number(value.toPrecision(3)));

  // Every plot is drawn on both scales: its button shows the one or the other, and what is drawn anew keeps the choice.
  const flipped = new Set();
  const scaleOf = (svg) => svg.querySelector(svg.closest("figure").classList.contains("flipped") ? ".flip-scale" : ".own-scale");
  const keepScales = () => {
    document.querySelectorAll(".chart .flip").forEach((button) => {
      const figure = button.closest("figure");
      const flip = flipped.has(button.dataset.panel);
      if (figure.classList.contains("flipped") === flip) return;
      figure.classList.toggle("flipped", flip);
      button.setAttribute("aria-pressed", String(button.getAttribute("aria-pressed") !== "true"));
    });
  };
  document.addEventListener("click", (event) => {
    const panel = event.target.closest?.(".chart .flip")?.dataset.panel;
    if (!panel) return;
    if (!flipped.delete(panel)) flipped.add(panel);
    keepScales();
  });
  new MutationObserver(keepScales).observe(document.body, { childList: true, subtree: true });

  const plot = (svg) => {
    const frame = scaleOf(svg)?.querySelector(".frame[data-last]");
    if (!frame) return null;
    const box = svg.viewBox.baseVal;
    const [low, high, last] = ["low", "high", "last"].map((name) => Number(frame.dataset[name]));
    const width = box.width - SIDES.left - SIDES.right;
    const height = box.height - SIDES.top - SIDES.bottom;
    const log = frame.dataset.log === "true";
    return {
      box, last,
      step: (x) => Math.min(last, Math.max(0, Math.round(((x - SIDES.left) / width) * last))),
      at: (step) => SIDES.left + (width * step) / last,
      value: (y) => {
        const share = (box.height - SIDES.bottom - y) / height;
        return log ? low * (high / low) ** share : low + share * (high - low);
      },
    };
  };
  const linesOf = (svg) =>
    [...scaleOf(svg).querySelectorAll(".line:not(.ghost)")].map((line) => {
      const name = [...line.classList].find((one) => one.startsWith("line-")).slice(5).replaceAll("-", " ");
      return [name, line.getAttribute("points").split(" ").map((pair) => pair.split(",").map(Number))];
    });

  let shown = null; // the pane whose picture stands in for a step's, and its own
  const restore = () => {
    if (shown) shown.image.src = shown.own;
    shown = null;
  };
  const scrub = (svg, step) => {
    const kept = JSON.parse(svg.dataset.scrub || "[]");
    const image = document.querySelector(`#pane-${svg.dataset.pane} img`);
    if (!kept.length || !image || document.querySelector("#run-status .running")) return;
    const nearest = kept.reduce((a, b) => (Math.abs(b[0] - step) < Math.abs(a[0] - step) ? b : a));
    shown ??= { image, own: image.src };
    if (nearest[0] >= plot(svg).last) image.src = shown.own;
    else image.src = new URL(nearest[1], document.baseURI).href;
  };
  document.addEventListener("pointermove", (event) => {
    const svg = event.target.closest?.("#curves svg");
    document.querySelectorAll("#curves .cursor").forEach((one) => one.remove());
    if (!svg || !plot(svg)) {
      document.querySelectorAll("#curves .readout").forEach((one) => (one.textContent = ""));
      restore();
      return;
    }
    const seen = plot(svg);
    const rect = svg.getBoundingClientRect();
    const step = seen.step(((event.clientX - rect.left) / rect.width) * seen.box.width);
    const told = linesOf(svg).flatMap(([name, points]) => {
      const [x, y] = points.reduce((a, b) => (Math.abs(b[0] - seen.at(step)) < Math.abs(a[0] - seen.at(step)) ? b : a));
      return x - seen.at(step) < -6 ? [] : [`${name} ${shorten(seen.value(y))}`];
    });
    const cursor = document.createElementNS("http://www.w3.org/2000/svg", "line");
    cursor.setAttribute("class", "cursor");
    for (const [name, value] of [["x1", seen.at(step)], ["x2", seen.at(step)], ["y1", SIDES.top], ["y2", seen.box.height - SIDES.bottom]]) cursor.setAttribute(name, value);
    svg.append(cursor);
    svg.closest("figure").querySelector(".readout").textContent = `step ${step}: ${told.join(" · ")}`;
    scrub(svg, step);
  });
}
