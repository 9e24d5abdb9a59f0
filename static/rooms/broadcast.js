/** Send the view of this page to the class, one request at a time. After each request only the newest view is sent. */

/** @import { View } from "./requests.js" */
import { compact } from "../fragment.js";
import { LONGEST } from "../link.js";

const PAUSE = 120; // ms between two views; only the newest view matters
const AGAIN = 1000; // ms until a view that did not arrive is sent again

/** Return whether the link of a view is short enough for a room. @param {View} view */
export const fits = ({ link }) => link.length <= LONGEST;

/**
 * Return a view that fits into a room: `view` itself or, if its link is too long, a shortened copy that is marked as `behind`.
 * @param {View} view @returns {Promise<View>}
 */
export const fitted = async (view) =>
  fits(view) ? view : { ...view, link: (await compact(view.link)).query, upto: null, behind: true };

/** Return a key that is equal for views that look the same. @param {View} view */
export const keyOf = ({ page, link, step, upto }) => JSON.stringify([page, link, step, upto]);

/**
 * Return functions that send the view of this page after each change.
 * @param {() => View | null} current the view of this page; null if there is nothing to send
 * @param {(view: View) => Promise<boolean>} send resolves to whether the server accepted the view
 */
export function createBroadcast(current, send) {
  let sent = "";
  let sending = false;

  /** Send the view if the class does not have it yet. */
  async function update() {
    const view = sending ? null : current();
    if (!view || keyOf(view) === sent) return;
    sending = true;
    sent = keyOf(view);
    const arrived = await send(view);
    if (!arrived) sent = "";
    setTimeout(
      () => {
        sending = false;
        update();
      },
      arrived ? PAUSE : AGAIN,
    );
  }

  return {
    update,
    /** Record that the class already has a view. @param {View} view */
    note: (view) => (sent = keyOf(view)),
  };
}
