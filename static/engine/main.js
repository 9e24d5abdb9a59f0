/** The engine of a saved page. It is a separate script, because pages from a server do not need it. offline.js uses the engine. */

import { equations, ledger, run, sums, tell } from "./answers.js";
import { SequenceError } from "./encoders.js";
import { CHAOTIC } from "./forward.js";
import { readModel } from "./model.js";

const engine = { readModel, run, tell, answers: { sums, ledger, equations }, SequenceError, CHAOTIC };

/** @typedef {typeof engine} Engine */

Object.assign(/** @type {Element} */ (document.querySelector("#record")), { engine });
