/** The direction in which a unit reads. The last `backward_units` units of a bidirectional layer read the sequence from its end. */

/** The number of units of a layer, and how many of them read backward. @typedef {{H: number, backward_units: number}} Sizes */

/** Return whether a unit reads the sequence from its end. @param {Sizes} layer @param {number} unit from 0 */
export const isBackward = ({ H, backward_units }, unit) => unit >= H - backward_units;

/**
 * Return the number of a unit, counted from 1. In a bidirectional layer an arrow shows the unit's direction: "3 →", "5 ←".
 * @param {Sizes} layer @param {number} unit from 0
 */
export const unitName = (layer, unit) =>
  layer.backward_units ? `${unit + 1} ${isBackward(layer, unit) ? "←" : "→"}` : String(unit + 1);

/** Return the step that a unit reads just before `step`. @param {Sizes} layer @param {number} unit from 0 @param {number} step */
export const stepBefore = (layer, unit, step) => step + (isBackward(layer, unit) ? 1 : -1);

/**
 * Return whether `step` is the first step that a unit reads.
 * @param {{T: number}} run @param {Sizes} layer @param {number} unit from 0 @param {number} step
 */
export const isFirstRead = ({ T }, layer, unit, step) => step === (isBackward(layer, unit) ? T : 1);

/** Return the units that read in the same direction as a unit. @param {Sizes} layer @param {number} unit from 0 @returns {number[]} */
export function unitsAlong(layer, unit) {
  const units = Array.from({ length: layer.H }, (_, other) => other);
  return units.filter((other) => isBackward(layer, other) === isBackward(layer, unit));
}
