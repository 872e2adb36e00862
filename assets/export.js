() => {
  // The curves as files: every value as CSV, the drawing as SVG with its colours inside, and that as PNG.
  const GAP = 14;
  const TITLE = 24;
  const LOOK = ["fill", "stroke", "stroke-width", "stroke-dasharray", "stroke-linejoin", "opacity", "font-family", "font-size", "font-weight"];
  const SHARP = 3; // pixels of the PNG for one of the drawing
  const svg = (name, facts) => {
    const made = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [fact, value] of Object.entries(facts)) made.setAttribute(fact, value);
    return made;
  };
  const save = (content, kind, ending) => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(content instanceof Blob ? content : new Blob([content], { type: kind }));
    link.download = `impress-curves.${ending}`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  };
  // A copy that looks alike elsewhere: what the style sheets say is written into it, what is not shown is left out.
  const copy = (element) => {
    const made = element.cloneNode(false);
    ["class", "tabindex", "role", "data-scrub", "data-pane", "data-run", "data-age"].forEach((name) => made.removeAttribute(name));
    const style = getComputedStyle(element);
    if (element.tagName !== "title" && element.tagName !== "g") LOOK.forEach((name) => made.setAttribute(name, style.getPropertyValue(name)));
    for (const child of element.childNodes) {
      if (child.nodeType === Node.TEXT_NODE) made.append(child.textContent);
      else if (getComputedStyle(child).display !== "none" && !child.classList.contains("cursor")) made.append(copy(child));
    }
    return made;
  };
  // What the curves lie on: the nearest ground that is not transparent.
  const paperOf = (element) => {
    const ground = getComputedStyle(element).backgroundColor;
    return ground !== "rgba(0, 0, 0, 0)" || !element.parentElement ? ground : paperOf(element.parentElement);
  };
  const drawing = () => {
    const figures = [...document.querySelectorAll("#curves figure")];
    const box = figures[0].querySelector("svg").viewBox.baseVal;
    const size = [figures.length * (box.width + GAP) - GAP, box.height + TITLE];
    const whole = svg("svg", { xmlns: "http://www.w3.org/2000/svg", width: size[0], height: size[1], viewBox: `0 0 ${size[0]} ${size[1]}` });
    whole.append(svg("rect", { width: size[0], height: size[1], fill: paperOf(document.getElementById("curves")) }));
    figures.forEach((figure, number) => {
      const name = figure.querySelector("strong");
      const style = getComputedStyle(name);
      const title = svg("text", { x: number * (box.width + GAP) + 42, y: TITLE - 8, fill: style.color, "font-family": style.fontFamily, "font-size": 14, "font-weight": 700 });
      title.textContent = name.textContent;
      const part = copy(figure.querySelector("svg"));
      for (const [fact, value] of Object.entries({ x: number * (box.width + GAP), y: TITLE, width: box.width, height: box.height })) part.setAttribute(fact, value);
      whole.append(title, part);
    });
    return { text: new XMLSerializer().serializeToString(whole), size };
  };
  const ways = {
    csv: () => save(document.querySelector("#curves [data-csv]").dataset.csv, "text/csv", "csv"),
    svg: () => save(drawing().text, "image/svg+xml", "svg"),
    png: () => {
      const { text, size } = drawing();
      const image = new Image();
      image.onload = () => {
        const canvas = document.createElement("canvas");
        [canvas.width, canvas.height] = size.map((side) => side * SHARP);
        canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
        canvas.toBlob((blob) => save(blob, "image/png", "png"));
      };
      image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
    },
  };
  document.addEventListener("click", (event) => ways[event.target.closest?.("#save-curves button")?.dataset.as]?.());
}
