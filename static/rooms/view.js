/** The display of a room's views in a student's figure. */

/** @import { Figure, LessonControl } from "../lesson/lesson.js" */
/** @import { View } from "./requests.js" */
import { watchTouches } from "./touches.js";

/**
 * Return functions that show the room's views in the figure.
 * @param {Figure} figure
 * @param {LessonControl | null} lesson the lesson, if the page is a lesson
 * @param {string} shape the shape of the views that this page can show
 */
export function createView(figure, lesson, shape) {
  const [page] = shape.split("|");
  const isTouched = watchTouches();
  let shown = figure.address();

  return {
    /** Return the view of the page. @returns {View} */
    current: () => ({ page, link: figure.address(), step: lesson?.step() ?? null, upto: figure.upto() }),

    /**
     * Show a view of the room. If the lesson's step must be fetched first, show the view only if `isWanted()` is then still true.
     * @param {View} view
     * @param {() => boolean} isWanted
     */
    async show(view, isWanted) {
      if (view.shape !== shape) return location.reload(); // the view needs another page, which the server then sends
      if (lesson && view.step && lesson.step() !== view.step) {
        await lesson.fetchStep(view.step);
        if (!isWanted()) return;
        lesson.go(view.step);
      }
      lesson?.cover(Boolean(view.covered));
      figure.show(view.link, view.upto);
      shown = figure.address();
    },

    /** Return whether the student has just changed the room's view. */
    isChanged: () => isTouched() && figure.address() !== shown,
  };
}
