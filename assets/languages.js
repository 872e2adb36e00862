(tables) => {
  // The page in another language: a table of it has every English text as a key. `{}` in a key is whatever stands there,
  // and is looked up itself, `{=}` what is a name and stays as it is, `{#}` a number; paragraphs with markup inside are looked up whole.
  const asked = new URLSearchParams(location.search).get("__lang") ?? navigator.language ?? "";
  const language = asked.slice(0, 2).toLowerCase();
  const table = tables[language];
  if (!table) return;
  document.documentElement.lang = language;

  const ATTRIBUTES = ["title", "aria-label", "placeholder", "alt"];
  const WHOLE = "p, li, h1, h2, h3, summary, .info-text";
  const LEFT = "script, style, textarea, code, pre, kbd, [translate=no], " +
    "#style-sets .grid-wrap, #gallery .grid-wrap, #edit-examples .gallery, #generate-examples .gallery, #knob-prompt";
  const JOINTS = ["; ", " · ", ": ", ", "];
  const DEEP = 4;
  const SAME = /^[a-z-]+ [\d.]+$|^\S+\.\w{3,4}$/; // a purifier in the words of a chain, and the name of a file
  const escaped = (text) => text.replace(/[.*+?^$()|[\]\\]/g, "\\$&").replaceAll("{}", "(.*?)").replaceAll("{=}", "(.*?)").replaceAll("{#}", "([-+−\\d.,%∞×e]+)");
  const patterns = Object.entries(table)
    .filter(([key]) => /\{[#=]?\}/.test(key))
    .map(([key, value]) => [new RegExp(`^${escaped(key)}$`, "s"), value, key.length, key.match(/\{[#=]?\}/g)])
    .sort((a, b) => b[2] - a[2]);
  const KEPT = 2000; // a day's running status lines are no reason to grow without end
  const seen = new Map();
  const missing = (window.impressUntold = new Set()); // what the table lacks: the tests ask for it

  const known = (text, depth = 0) => {
    if (!/\p{L}{2}/u.test(text)) return text;
    if (Object.hasOwn(table, text)) return table[text];
    if (depth > DEEP) return null;
    for (const [pattern, value, , kinds] of patterns) {
      const found = pattern.exec(text);
      if (!found) continue;
      const parts = found.slice(1).map((part, index) => (kinds[index] === "{=}" ? part : known(part, depth + 1) ?? part));
      return value.replace(/\{[#=]?\}/g, () => parts.shift());
    }
    if (SAME.test(text)) return text;
    const [, rank, name] = /^(\d+) (.+)$/.exec(text) ?? [];
    const ranked = name ? known(name, depth + 1) : null;
    if (ranked !== null) return `${rank} ${ranked}`;
    for (const joint of JOINTS) {
      if (!text.includes(joint)) continue;
      const parts = text.split(joint).map((part) => known(part, depth + 1));
      if (parts.every((part) => part !== null)) return parts.join(joint);
    }
    return null;
  };
  const tell = (text) => {
    const words = text.replace(/\s+/g, " ").trim();
    if (!words) return text;
    if (!seen.has(words)) {
      const said = known(words);
      if (seen.size > KEPT) seen.clear();
      if (missing.size > KEPT) missing.clear();
      if (said === null) missing.add(words);
      seen.set(words, said ?? words);
    }
    return text.match(/^\s*/)[0] + seen.get(words) + text.match(/\s*$/)[0];
  };

  const done = new WeakMap(); // of a text node or an element what it was given
  const tellNode = (node) => {
    if (done.get(node) === node.data || node.parentElement?.closest(LEFT)) return;
    const said = tell(node.data);
    done.set(node, said);
    if (said !== node.data) node.data = said;
  };
  const tellElement = (element) => {
    if (element.closest(LEFT)) return;
    for (const name of ATTRIBUTES) {
      const text = element.getAttribute(name);
      const mine = done.get(element) ?? done.set(element, {}).get(element);
      if (!text || mine[name] === text) continue;
      mine[name] = tell(text);
      if (mine[name] !== text) element.setAttribute(name, mine[name]);
    }
    if (!element.firstElementChild || !element.matches(WHOLE)) return;
    const whole = element.innerHTML.replace(/\s+/g, " ").replace(/<!--.*?-->/g, "").trim();
    if (Object.hasOwn(table, whole)) {
      element.innerHTML = table[whole];
      const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
      while (walker.nextNode()) done.set(walker.currentNode, walker.currentNode.data);
    }
  };
  const walk = (root) => {
    if (root.nodeType === Node.TEXT_NODE) return tellNode(root);
    if (root.nodeType !== Node.ELEMENT_NODE) return;
    const walker = document.createTreeWalker(root, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT);
    for (let node = root; node; node = walker.nextNode()) {
      if (node.nodeType === Node.TEXT_NODE) tellNode(node);
      else tellElement(node);
    }
  };
  const listed = new WeakMap(); // of a list's box what it was given
  // A list shows what is chosen as the value of its box, which is no text of the page.
  const tellLists = () =>
    document.querySelectorAll("input[role=listbox][readonly], input[role=combobox][readonly]").forEach((box) => {
      if (listed.get(box) === box.value) return;
      box.value = known(box.value) ?? box.value;
      listed.set(box, box.value);
    });
  new MutationObserver((changes) => {
    for (const change of changes) {
      if (change.type === "childList") change.addedNodes.forEach(walk);
      else walk(change.target);
    }
  }).observe(document.body, { childList: true, subtree: true, characterData: true, attributes: true, attributeFilter: ATTRIBUTES });
  walk(document.body);
  setInterval(tellLists, 300);
}
