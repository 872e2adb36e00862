() => {
  // Which room is open, for the style sheet. A selector that looks for the chosen tab itself (:has) makes the browser
  // style the whole page anew at every change of anything in it: a quarter of a second in a short run.
  const [bench, rooms] = ["bench", "rooms"].map((id) => document.getElementById(id));
  const tell = () => {
    const open = rooms.querySelector("[role=tab][id^=room-][aria-selected=true]");
    const name = open?.id.replace(/^room-|-button$/g, "") ?? ""; // none where a narrow window keeps it in its menu
    if (bench.dataset.room !== name) bench.dataset.room = name;
  };
  const looked = { subtree: true, childList: true, attributes: true, attributeFilter: ["aria-selected"] };
  new MutationObserver(tell).observe(rooms, looked);
  tell();
}
