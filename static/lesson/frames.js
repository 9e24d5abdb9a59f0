// The outer page of a saved lesson with several pages. Its frame shows the page that the current step needs.
const { pages, shapes } = /** @type {{pages: Record<string, string>, shapes: string[]}} */ (
  JSON.parse(document.querySelector("#pages")?.textContent ?? "")
);

/** @type {HTMLIFrameElement | undefined} */
let frame;

// Create a new frame each time: navigation in an existing frame would add entries to the browser's history.
function show() {
  const step = Number(location.hash.slice(1)) || 1;
  frame?.remove();
  frame = Object.assign(document.createElement("iframe"), {
    title: document.title,
    name: `step-${step}`,
    srcdoc: pages[shapes[step - 1]],
  });
  document.body.append(frame);
}

addEventListener("message", ({ data, source }) => {
  if (source !== frame?.contentWindow || !["gruscope-step", "gruscope-at"].includes(data?.type)) return;
  history.pushState(null, "", `#${data.step}`);
  if (data.type === "gruscope-step") show();
});
addEventListener("popstate", show);
show();
