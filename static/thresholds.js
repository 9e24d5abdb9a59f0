/** Thresholds and limits that several modules share. */

/** Two output numbers differ if they differ by more than this, as LEAST in gru_core/runs/trace.py. */
export const LEAST_DIFFERENCE = 0.01;
/** A share below half a percent: it is too small for a label. */
export const LEAST_SHARE = 0.005;
/** The most columns of a tape that are as wide as a number. */
export const MOST_WIDE = 64;
/** The most columns of a tape with letters. With more columns the letters would not be legible. */
export const MOST_LABELLED = 128;
/** Numbers from here on are printed with two digits, as in gru_core/cells/equations.py. */
export const LARGE = 1e4;
/** The possible numbers of decimals, in the order in which the page tries them, as in gru_core/cells/equations.py. */
export const DECIMALS = [2, 3, 4];
