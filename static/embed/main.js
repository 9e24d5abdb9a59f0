/** Define the element <gru-scope>. This file works as a module and as a classic script. */

import { define } from "./figure.js";

define();
