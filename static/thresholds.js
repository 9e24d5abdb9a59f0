/** Thresholds and limits that several modules share. */

/** Two output numbers count as different if they differ by more than this. It equals LEAST in gru_core/runs/trace.py. */
export const LEAST_DIFFERENCE = 0.01;
/** The smallest share that gets a label: half a percent. */
export const LEAST_SHARE = 0.005;
/** The largest number of columns that a tape shows as wide as a number. */
export const MOST_WIDE = 64;
/** The largest number of columns for which a tape has letters. With more columns the letters would not be legible. */
export const MOST_LABELLED = 128;
/** This number and larger numbers are printed with two digits, as in gru_core/cells/equations.py. */
export const LARGE = 1e4;
/** The possible numbers of decimals, in the order in which the page tries them, as in gru_core/cells/equations.py. */
export const DECIMALS = [2, 3, 4];
