/** The confusion matrix on the model card, as a picture and a table: how often held-out sequences of each label get each output. */

/** @import { Store } from "../store.js" */
/** @import { Confusion, State, Theme } from "../state.js" */
/** @import { Figure, PlotlyLibrary } from "../plot.js" */
import { finder, newElement, observeSize, setText } from "../elements.js";
import { drawConfusion } from "../plot.js";
import { createGuard } from "../store.js";

/**
 * Mount the confusion matrix. Return an object that receives Plotly once it has loaded.
 * @param {HTMLElement} figure
 * @param {Store} store
 * @param {Record<Theme, Figure>} figures
 */
export function mountConfusion(figure, store, figures) {
  const [caption, plot, head, body] = ["figcaption", ".matrix", "thead", "tbody"].map(finder(figure));
  const [isNew, isTold] = [createGuard(), createGuard()];
  /** @type {PlotlyLibrary | null} */
  let Plotly = null;
  let width = 0;

  /** @param {State} state */
  function update({ run, models, theme }) {
    const confusion = models.find(({ id }) => id === run.model)?.confusion;
    const { labels } = run.y;
    figure.hidden = confusion?.shares.length !== labels.length;
    if (!confusion || figure.hidden) return;
    if (isTold(confusion)) tell(labels, confusion);
    if (!Plotly || !width || !isNew(confusion, theme, width)) return;
    const font = parseFloat(getComputedStyle(plot).fontSize);
    drawConfusion(Plotly, plot, figures[theme], labels, confusion.shares, width, font);
  }

  /** Write the sentence and the table. @param {string[]} labels @param {Confusion} confusion */
  function tell(labels, { shares, totals, mistake: [i, k] }) {
    const percent = (/** @type {number} */ value) => `${(100 * value).toFixed(0)}%`;
    const most = `The most frequent mistake: for ${percent(shares[i][k])} of “${labels[i]}” the output is “${labels[k]}”.`;
    setText(
      caption,
      `Confusion matrix. A row is a correct label, a column is an output, and the numbers are percentages of the row. ${most}`,
    );
    plot.ariaLabel = `Confusion matrix of ${labels.length} labels. ${most}`;
    const header = (/** @type {string} */ text, /** @type {string} */ scope) =>
      newElement("th", { scope, textContent: text });
    head.replaceChildren(
      newElement(
        "tr",
        {},
        ["label", ...labels, "all"].map((text) => header(text, "col")),
      ),
    );
    body.replaceChildren(
      ...shares.map((row, i) =>
        newElement("tr", {}, [
          header(labels[i], "row"),
          ...row.map((share) => newElement("td", percent(share))),
          newElement("td", String(totals[i])),
        ]),
      ),
    );
  }

  store.subscribe(update);
  observeSize(plot, (newWidth) => {
    width = newWidth;
    update(store.get());
  });

  return {
    /** Receive Plotly once it has loaded, and draw with it from then on. @param {PlotlyLibrary} library */
    arrive(library) {
      Plotly = library;
      update(store.get());
    },
  };
}
