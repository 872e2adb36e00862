() => {
  // A link with settings in it: press the button that reads the address, as soon as the page has it. Pages without
  // such a link ask the server for nothing.
  const has = [...new URLSearchParams(location.search).keys()].some((key) => key.includes("."));
  if (!has) return;
  const started = Date.now();
  const timer = setInterval(() => {
    const button = document.getElementById("restore-link");
    if (button) button.click();
    if (button || Date.now() - started > 20000) clearInterval(timer);
  }, 200);
}
