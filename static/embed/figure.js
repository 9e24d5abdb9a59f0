/**
 * The element <gru-scope>: a figure in the page of another site. The figure shows an exported page, or the page of a server, in a
 * frame. The frame separates the styles, the scripts and the storage of both pages, and works under a strict CSP.
 *
 * - `src` is the address of the page. In place of `src`, `file` can name an exported page in the folder of this script, or the property
 *   `page` can contain the HTML of an exported page.
 * - `theme` is "light" or "dark". Without it the figure has the theme of the page behind it.
 * - `height` is the height in pixels until the figure reports its own height. `label` is the name for screen readers.
 * - The property `link` is the link to the current view, and `set({t: "4"})` changes keys of this link. The event "change" follows
 *   each change.
 *
 * The content of the element, such as a link or a picture, is for readers without scripts.
 */

import { themeBehind, watchTheme } from "./theme.js";

/** The figure shrinks only if it is at least this many pixels too high. This keeps the page still if the figure loses a line of text. */
const SLACK = 60;

/** The timeouts for the figure's first report, in milliseconds: after loading starts, and after the frame has loaded. */
const [TO_LOAD, TO_REPORT] = [30_000, 3_000];

/**
 * The permissions of an exported page in the frame. An exported page gets no access to this page or to its storage. A server's page
 * has no sandbox, because it needs its own origin for requests. A page opened from disk has no sandbox, because it needs its own
 * origin for files.
 */
const SANDBOX = "allow-scripts allow-popups allow-popups-to-escape-sandbox allow-downloads allow-forms";

/** The address of this script, or "" if it was loaded as a module. */
const SCRIPT = /** @type {HTMLScriptElement | null} */ (document.currentScript)?.src ?? "";

export class Figure extends HTMLElement {
  static observedAttributes = ["src", "file", "theme"];

  /** The HTML of an exported page. */
  page = "";

  /** The link to the current view, or "" until the figure has reported it. */
  link = "";

  /** @type {Record<string, string>} the keys to set as soon as the figure reports its link */
  #wanted = {};
  #root = this.attachShadow({ mode: "open" });
  #frame = document.createElement("iframe");
  #message = document.createElement("p");
  #height = 0;
  #width = 0;
  #timer = 0;
  /** @type {AbortController | null} */
  #connection = null;

  connectedCallback() {
    const { signal } = (this.#connection = new AbortController());
    this.style.display ||= "block";
    this.#frame.title = this.getAttribute("label") ?? "GRU Scope";
    this.#frame.allow = "clipboard-write";
    this.#frame.style.cssText = "display: block; width: 100%; border: 0";
    this.#message.role = "alert";
    this.#message.style.cssText = "padding: 1em; border: 1px solid; border-radius: 4px";
    this.#message.hidden = true;
    this.#fit(this.#height || Number(this.getAttribute("height") ?? 640));
    this.#root.replaceChildren(this.#message, this.#frame);
    this.style.minHeight = ""; // a page can reserve the room until this script has loaded
    addEventListener("message", this.#receive, { signal });
    this.#frame.addEventListener("load", () => this.#wait(TO_REPORT), { signal });
    watchTheme(this.#sendTheme, signal);
    // A figure far down the page loads when the reader scrolls near it.
    const near = new IntersectionObserver(
      (entries) => {
        if (!entries.some(({ isIntersecting }) => isIntersecting)) return;
        near.disconnect();
        this.#load();
      },
      { rootMargin: "800px" },
    );
    near.observe(this);
    signal.addEventListener("abort", () => near.disconnect());
  }

  disconnectedCallback() {
    clearTimeout(this.#timer);
    this.#connection?.abort();
    if (this.link) this.#wanted = Object.fromEntries(new URLSearchParams(this.link));
  }

  /** @param {string} name @param {string | null} before */
  attributeChangedCallback(name, before) {
    if (!this.#connection || before === null) return;
    if (name === "theme") this.#sendTheme();
    else this.#load();
  }

  /** Set keys of the link, such as `t` and `sequence`. An empty value removes a key. @param {Record<string, string>} keys */
  set(keys) {
    if (!this.link) Object.assign(this.#wanted, keys);
    else this.#send({ link: this.#linkWith(keys) });
  }

  /** The address of the page, or null if the figure has the page's HTML. @returns {URL | null} */
  get #address() {
    const [file, src] = [this.getAttribute("file"), this.getAttribute("src")];
    if (file) return new URL(file, SCRIPT || document.baseURI);
    return src ? new URL(src, document.baseURI) : null;
  }

  get #theme() {
    return this.getAttribute("theme") ?? themeBehind(this);
  }

  #load() {
    this.#wait(TO_LOAD);
    const address = this.#address;
    if (this.page || (address && isFile(address))) this.#frame.setAttribute("sandbox", SANDBOX);
    if (this.page) {
      this.#frame.srcdoc = this.page.replace("<html ", `<html data-theme="${this.#theme}" `);
    } else if (address) {
      address.searchParams.set("theme", this.#theme);
      this.#frame.src = address.href;
    }
  }

  /** @param {object} message */
  #send = (message) => this.#frame.contentWindow?.postMessage({ type: "gruscope", ...message }, "*");

  #sendTheme = () => this.#send({ theme: this.#theme });

  /** @param {MessageEvent} event */
  #receive = ({ data, source }) => {
    if (source !== this.#frame.contentWindow || data?.type !== "gruscope") return;
    this.#show(true);
    if (data.height) this.#fit(data.height);
    if (typeof data.link !== "string") return;
    this.link = data.link;
    if (data.ready) {
      this.#sendTheme();
      const wanted = this.#linkWith(this.#wanted);
      this.#wanted = {};
      if (wanted !== this.link) return this.#send({ link: wanted });
    }
    this.dispatchEvent(new CustomEvent("change", { detail: { link: this.link } }));
  };

  /** Return the current link with new values for some keys. @param {Record<string, string>} keys */
  #linkWith(keys) {
    const query = new URLSearchParams(this.link);
    for (const [key, value] of Object.entries(keys)) {
      if (value) query.set(key, value);
      else query.delete(key);
    }
    // The escapes are the same as in the figure's own links, so that equal links are equal strings.
    return `?${query}`.replaceAll(/%2C|%40|%3D/g, decodeURIComponent);
  }

  /** @param {number} height */
  #fit(height) {
    const width = this.clientWidth;
    if (width === this.#width && height <= this.#height && height > this.#height - SLACK) return;
    [this.#width, this.#height] = [width, height];
    this.#frame.style.height = `${height}px`;
  }

  /** @param {number} patience in milliseconds */
  #wait(patience) {
    clearTimeout(this.#timer);
    if (this.link) return;
    this.#timer = setTimeout(() => this.#show(false), patience);
  }

  /** Show the figure or, if it did not load, the reason and a link. @param {boolean} loaded */
  #show(loaded) {
    clearTimeout(this.#timer);
    if (this.#message.hidden === loaded) return;
    this.#message.hidden = loaded;
    this.#frame.hidden = !loaded;
    this.#frame.style.display = loaded ? "block" : "none";
    const address = this.#address;
    const host = address?.host || "the file";
    this.#message.textContent = address
      ? `This figure did not load. Either ${host} does not answer, or ${host} does not allow this page to show the figure, or this page’s own Content-Security-Policy does not allow frames from ${host} (frame-src). `
      : "This figure did not load, because this page does not allow scripts in frames.";
    if (!address) return;
    const link = Object.assign(document.createElement("a"), { href: address.href, target: "_blank", rel: "noopener" });
    link.textContent = "Open the figure in a new tab";
    this.#message.append(link);
  }
}

/** Define the element, unless the page has already defined it. */
export function define() {
  if (!customElements.get("gru-scope")) customElements.define("gru-scope", Figure);
}

/** Return whether an address leads to an exported page on a web server: an .html file that is not opened from disk. @param {URL} address */
const isFile = ({ pathname, protocol }) => pathname.endsWith(".html") && protocol !== "file:";
