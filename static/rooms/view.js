/** A student's figure as a view of the room. */

/** @import { Figure, LessonControl } from "../lesson/lesson.js" */
/** @import { View } from "./requests.js" */
import { watchTouches } from "./touches.js";

/**
 * @param {Figure} figure
 * @param {LessonControl | null} lesson on a lesson's page
 * @param {string} shape of the views that this page can show
 */
export function createView(figure, lesson, shape) {
  const [page] = shape.split("|");
  const isTouched = watchTouches();
  let shown = figure.address();

  return {
    /** What the page shows. @returns {View} */
    current: () => ({ page, link: figure.address(), step: lesson?.step() ?? null, upto: figure.upto() }),

    /** Show a view of the room, unless `isWanted` no longer holds once its lesson step has arrived. @param {View} view @param {() => boolean} isWanted */
    async show(view, isWanted) {
      if (view.shape !== shape) return location.reload(); // another kind of page, which comes as the teacher has it
      if (lesson && view.step && lesson.step() !== view.step) {
        await lesson.fetchStep(view.step);
        if (!isWanted()) return;
        lesson.go(view.step);
      }
      figure.show(view.link, view.upto);
      shown = figure.address();
    },

    /** Whether the student has just changed what the room showed. */
    isChanged: () => isTouched() && figure.address() !== shown,
  };
}
