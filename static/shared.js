// Load the scripts that the exported pages in a folder share. They are classic scripts, because a page opened as a file cannot load
// modules.
const { scripts = "" } = document.currentScript?.dataset ?? {};
for (const src of scripts.split(" ")) {
  const script = Object.assign(document.createElement("script"), { src, async: false });
  const [name] = src.split("?");
  script.onerror = () =>
    addEventListener("load", () =>
      document.querySelector("#error")?.append(`This page needs the file ${name} in its folder.`),
    );
  document.head.append(script);
}
