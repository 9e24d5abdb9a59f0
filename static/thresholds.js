/** Thresholds that several modules share. */

/** Two output numbers differ if they differ by more than this, as LEAST in gru_core/runs/trace.py. */
export const LEAST_DIFFERENCE = 0.01;
/** A share below half a percent: it is too small for a label. */
export const LEAST_SHARE = 0.005;
