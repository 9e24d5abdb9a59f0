/** The common parts of all experiments: the header's tools, the settings in the address, and the page's lesson or room. */

/** @import { Controls } from "./controls.js" */
import { lesson, room } from "../boot.js";
import { finder, setText } from "../elements.js";
import { address, home } from "../frame.js";
import { announceHeight } from "../host.js";
import { mountLesson } from "../lesson/lesson.js";
import { unfollowed } from "../link.js";
import { mountRoom } from "../rooms/room.js";
import { mountHelp } from "../views/help.js";
import { mountKeyboard } from "../views/keyboard.js";
import { mountShare } from "../views/share.js";
import { mountExport } from "./export.js";
import { mountEntries } from "./history.js";
import { mountDisplay } from "../display.js";
import { mountTheme } from "./theme.js";

const find = finder(document);
const dialog = (/** @type {string} */ selector) => /** @type {HTMLDialogElement} */ (find(selector));

/**
 * Mount the common parts of an experiment's page, and set the controls to the values of the link. Call this function after the page's
 * own parts have subscribed to the controls.
 * @param {Controls} controls
 * @param {() => Record<string, string | number | null>[]} rows returns the results of the runs on this page, a row for each training
 */
export function mountExperiment(controls, rows) {
  const { experiment } = find("main").dataset;
  const path = `compare/${experiment}`;
  const notice = find("#notice");
  const show = (/** @type {string} */ query) => setText(notice, unfollowed(controls.read(query)));

  mountKeyboard(document);
  mountTheme(find("#theme"));
  mountDisplay(find("#display"));
  mountShare(find("#share-open"), dialog("#share"), home, path, controls.address);
  mountHelp(find("#help-open"), dialog("#help"));
  mountExport(document.querySelector("#export-open"), dialog("#export"), String(experiment), rows);
  const open = /** @type {HTMLAnchorElement | null} */ (document.querySelector("#open-app"));
  controls.subscribe(() => open && (open.href = home + path + controls.address()));
  announceHeight();
  show(address());
  const figure = {
    show,
    address: controls.address,
    upto: () => null,
    subscribe: (/** @type {() => void} */ listener) => controls.subscribe(listener),
  };
  mountRoom(figure, mountLesson(figure));
  if (!lesson && !room) mountEntries(controls, show);
}
