(pictures, answer) => {
  // The finished example at once, before the page's own scripts have drawn it; gone when they have.
  const dark = new URLSearchParams(location.search).get("__theme") ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "");
  const poster = document.createElement("div");
  poster.id = "poster";
  poster.className = dark === "dark" ? "night" : "";
  poster.setAttribute("aria-hidden", "true"); // the page says the same, and says it better
  const name = Object.assign(document.createElement("strong"), { textContent: "IMPRESS" });
  const row = document.createElement("div");
  for (const [label, address] of pictures) {
    const figure = document.createElement("figure");
    const image = Object.assign(document.createElement("img"), { src: address, alt: "" });
    figure.append(image, Object.assign(document.createElement("figcaption"), { textContent: label }));
    row.append(figure);
  }
  poster.append(name, Object.assign(document.createElement("p"), { textContent: answer }), row);
  const drawn = () => {
    const last = document.querySelector("#pane-purified img");
    return document.querySelector("#run-both") && (!last || last.complete);
  };
  // As soon as there is a body: the page's scripts, which a slow line brings late, hold up everything that waits for them.
  const waiting = new MutationObserver(() => document.body && begin());
  const begin = () => {
    waiting.disconnect();
    document.body.append(poster);
    const looking = setInterval(() => drawn() && end(), 50);
    const end = () => {
      clearInterval(looking);
      poster.remove();
    };
    setTimeout(end, 20000);
  };
  waiting.observe(document.documentElement, { childList: true });
}
