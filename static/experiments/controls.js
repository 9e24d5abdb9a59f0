/**
 * The settings of an experiment, as the keys of its address. The controls of a form define the settings: the name of a control is the
 * key, and the initial value of the control is the default. The address leaves out a value that equals the default.
 *
 *     compare/gap?gap=100&b=-2&cells=lstm,gru&v=1
 */

import { VERSION } from "../link.js";

/** @typedef {HTMLInputElement | HTMLSelectElement} Field */
/** @typedef {ReturnType<typeof createControls>} Controls */

/**
 * Return functions that read and set the choices in a form.
 * @param {HTMLFormElement} form has radio buttons, check boxes, sliders and selects. Check boxes with the same name are a list, and at
 *   least one of them is always checked.
 */
export function createControls(form) {
  const fields = /** @type {Field[]} */ (
    [...form.elements].filter(
      (field) => (field instanceof HTMLInputElement || field instanceof HTMLSelectElement) && field.name,
    )
  );
  const names = [...new Set(fields.map(({ name }) => name))];
  /** @param {string} name */
  const fieldsOf = (name) => fields.filter((field) => field.name === name);
  /** @param {string} name */
  const valueOf = (name) =>
    fieldsOf(name)
      .filter((field) => !isBox(field) || field.checked)
      .map(({ value }) => value)
      .join(",");
  const values = () => Object.fromEntries(names.map((name) => [name, valueOf(name)]));
  const defaults = values();
  /** @type {((name: string) => void)[]} */
  const listeners = [];
  const notify = (/** @type {string} */ name) => listeners.forEach((listener) => listener(name));

  // A control can be outside of the form, so each control has its own listener.
  for (const field of fields)
    field.addEventListener("input", () => {
      if (isBox(field) && !valueOf(field.name)) field.checked = true;
      notify(field.name);
    });
  form.addEventListener("submit", (event) => event.preventDefault());

  /** Set controls to new values. @param {Record<string, string>} changed @returns {string[]} a sentence about each invalid value */
  function write(changed) {
    const notices = [];
    for (const [name, value] of Object.entries(changed)) {
      const fields = fieldsOf(name);
      if (put(fields, value)) continue;
      put(fields, defaults[name]);
      notices.push(`“${name}” must be ${allowed(fields)}.`);
    }
    return notices;
  }

  return {
    values,
    /** Return the settings as the query of a link, which starts with "?". */
    address() {
      const keys = Object.entries(values()).filter(([name, value]) => value !== defaults[name]);
      return `?${new URLSearchParams([...keys, ["v", VERSION]])}`.replaceAll("%2C", ",");
    },
    /** Set all controls to the values of a query. @param {string} query @returns {string[]} notices about invalid values */
    read(query) {
      const keys = new URLSearchParams(query);
      const notices = write(Object.fromEntries(names.map((name) => [name, keys.get(name) ?? defaults[name]])));
      if ((keys.get("v") ?? VERSION) !== VERSION) notices.push("Another version of GRU Scope made this link.");
      notify("");
      return notices;
    },
    /** Set some controls as if the visitor had changed them. @param {Record<string, string>} changed */
    set(changed) {
      write(changed);
      notify(Object.keys(changed).join());
    },
    /**
     * Add a listener. The listener receives the name of the control that the visitor changed, or "" after a link was read.
     * @param {(name: string) => void} listener
     */
    subscribe: (listener) => listeners.push(listener),
  };
}

/** Return whether a field is a radio button or a check box. @param {Field} field @returns {field is HTMLInputElement} */
const isBox = (field) => isInput(field) && ["radio", "checkbox"].includes(field.type);

/** @param {Field} field @returns {field is HTMLInputElement} */
const isInput = (field) => field instanceof HTMLInputElement;

/**
 * Set fields that share a name to a value. Return whether the value is valid for these fields.
 * @param {Field[]} fields @param {string} value
 */
function put(fields, value) {
  const [field] = fields;
  if (!isBox(field)) {
    field.value = value;
    return isInput(field) ? value !== "" && Number(field.value) === Number(value) : field.value === value;
  }
  const chosen = field.type === "radio" ? [value] : value.split(",");
  if (!chosen.every((option) => fields.some((field) => field.value === option))) return false;
  for (const box of fields) if (isBox(box)) box.checked = chosen.includes(box.value);
  return true;
}

/** Describe the valid values of fields that share a name. @param {Field[]} fields */
function allowed(fields) {
  const [field] = fields;
  if (field.type === "range") {
    const { min, max, step } = /** @type {HTMLInputElement} */ (field);
    return `from ${min} to ${max} in steps of ${step || 1}`;
  }
  const values = (isInput(field) ? fields : [...field.options]).map(({ value }) => value);
  return `${field.type === "checkbox" ? "some" : "one"} of ${values.join(", ")}`;
}
