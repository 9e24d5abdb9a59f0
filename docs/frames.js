// Each demo says how tall its page is, and gets that much room.
addEventListener("message", ({ data, source }) => {
  if (data?.type !== "gruscope" || !data.height) return;
  for (const frame of document.querySelectorAll("iframe")) if (frame.contentWindow === source) frame.height = data.height;
});
