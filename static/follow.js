/** Follow links: the address that opened the page, and the links that the visitor follows on the page. */

/** @import { Link } from "./link.js" */
/** @import { ModelEntry } from "./state.js" */
/** @import { Store } from "./store.js" */
import * as api from "./api.js";
import { pageCell } from "./cells.js";
import { follow, isChanged } from "./changes.js";
import { compact } from "./fragment.js";
import { frameKeys, isPartlyHere } from "./frame.js";
import { beyond, decode, encode, unfollowed, writeScenario } from "./link.js";
import { recording } from "./recording.js";
import { scenarioOf } from "./run.js";
import { addModel, focus, note } from "./state.js";

/** Return whether a model needs another page, because its cell is not this page's cell. @param {ModelEntry} entry */
export const elsewhere = ({ layers }) => !recording && layers[0].cell !== pageCell.cell;

/**
 * If a model's cell needs another page, go to that page. Return whether the cell needs another page.
 * @param {ModelEntry} entry
 * @param {string} [address] the query for the other page
 */
export function leave(entry, address = `?model=${encodeURIComponent(entry.id)}`) {
  if (elsewhere(entry)) compact(address).then(({ query, fragment }) => location.assign(query + frameKeys() + fragment));
  return elsewhere(entry);
}

/**
 * Set the cursor and the views from the page's address. The page already has the run of the model and the sequence, without changes.
 * Request a new run in three cases: the address changes the run, for example with clamps or weights; the sequence is in the
 * fragment, which the server does not see; or the page does not yet have the steps of a long run. Wait for this request.
 * @param {Store} store
 * @param {string} address
 * @param {() => Promise<void>} requestRun
 */
export async function followAddress(store, address, requestRun) {
  const link = decode(address);
  const { model, text, upto, error } = store.get();
  if (link.sequence && isPartlyHere()) {
    const notice = `${error} ${unfollowed(link.notices)}`.trim();
    store.update(follow, { ...link, model, text: link.sequence, upto, notice }, false);
    return requestRun();
  }
  const { run, received } = store.get();
  const T = run.T + (link.write?.steps ?? 0); // the page's run does not have the timesteps that the network writes
  const notice = `${error} ${unfollowed([...link.notices, ...beyond(link.focus, { ...run, T })])}`.trim();
  store.update(note, notice);
  store.update(focus, link.focus);
  if (isChanged(link) || link.against || link.h0 || link.write)
    store.update(follow, { ...link, model, text, upto, notice }, false);
  else if (received > 0) return;
  return requestRun();
}

/**
 * Return a function that follows a link without loading the page again. Keys that the link does not have get their default values.
 * @param {Store} store
 * @param {(there: boolean) => void} requestRun
 */
export function createLinkOpener(store, requestRun) {
  return /** @param {Link} link @param {number | null} [upto] the step after which the run ends */ async (
    { model, sequence, clamps, weights, against, h0, write, focus, notices },
    upto = null,
  ) => {
    if (model !== null && !store.get().models.some(({ id }) => id === model))
      await api.fetchModel(model).then(
        (entry) => store.update(addModel, entry),
        (error) => notices.push(error.message),
      );
    const { models, run, received } = store.get();
    const entry = models.find(({ id }) => id === model) ?? models[0];
    if (leave(entry, encode({ model: entry.id, sequence, clamps, weights, against, h0, write, focus, notices })))
      return;
    const text = sequence || entry.examples[0];
    const same =
      writeScenario(scenarioOf(run)) === writeScenario({ sequence: text, clamps, weights, against, h0, write });
    const onTape = same && run.model === entry.id && received === (upto ?? run.T);
    store.update(
      follow,
      { model: entry.id, text, clamps, weights, against, h0, write, focus, upto, notice: unfollowed(notices) },
      onTape,
    );
    requestRun(onTape); // another run may be on its way
  };
}
