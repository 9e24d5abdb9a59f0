/** The engine of a saved page, in a script of its own, so that a page from a server does not load it. offline.js finds it. */

import { equations, ledger, run, sums, tell } from "./answers.js";
import { SequenceError } from "./encoders.js";
import { CHAOTIC } from "./forward.js";
import { readModel } from "./model.js";

const engine = { readModel, run, tell, answers: { sums, ledger, equations }, SequenceError, CHAOTIC };

/** @typedef {typeof engine} Engine */

Object.assign(/** @type {Element} */ (document.querySelector("#record")), { engine });
