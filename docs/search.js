// On a page that was opened from disk, browsers start no worker and fetch no JSON. This class then replaces the worker of the search.
if (location.protocol === "file:") {
  const load = (name) =>
    new Promise((done) => {
      const src = `${base_url}/search/${name}`;
      document.head.append(Object.assign(document.createElement("script"), { src, onload: done }));
    });

  window.Worker = class {
    postMessage({ init, query }) {
      if (init) this.start();
      else this.onmessage({ data: { results: this.search(query) } });
    }

    async start() {
      await Promise.all(["lunr.js", "search_index.js"].map(load));
      const { config, docs } = searchIndex;
      lunr.tokenizer.separator = new RegExp(config.separator);
      this.index = lunr(function () {
        this.ref("location");
        for (const field of ["title", "text"]) this.field(field);
        for (const doc of docs) this.add(doc);
      });
      this.docs = new Map(docs.map((doc) => [doc.location, doc]));
      for (const data of [{ config }, { allowSearch: true }]) this.onmessage({ data });
    }

    search(query) {
      const results = this.index.search(query).map(({ ref }) => this.docs.get(ref));
      return results.map((doc) => ({ ...doc, summary: doc.text.slice(0, 200) }));
    }
  };
}
