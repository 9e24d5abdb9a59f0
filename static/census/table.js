/** The table of units. A click on a heading sorts the table. The buttons in each row open a moment of the unit in the Lab. */

/** @import { CensusUnit } from "../views/census.js" */
/** @import { Column } from "./columns.js" */
import { newButton, newElement } from "../elements.js";
import { columnsOf, sortedBy } from "./columns.js";

/** The title of each button in a row, by the name of the moment that the button opens in the Lab. */
const MOMENTS = {
  change: "the largest change of the state",
  "half-life": "the longest half-life",
  label: "the second label, shown most clearly",
  target: "the timestep that adds most to the correlation",
};

/**
 * Create the table of units.
 * @param {HTMLElement} head @param {HTMLElement} body @param {(unit: CensusUnit, moment: string) => void} open shows a moment in the Lab
 */
export function createTable(head, body, open) {
  /** @type {CensusUnit[]} */
  let units = [];
  let sorted = { column: 0, descending: false };

  function draw() {
    const columns = columnsOf(units);
    head.replaceChildren(
      ...columns.map(({ head: name, title }, i) => {
        const button = newButton(name, () => sort(i), { title: `Sort by ${title}` });
        const cell = newElement("th", { scope: "col" }, [button]);
        cell.ariaSort = sorted.column === i ? (sorted.descending ? "descending" : "ascending") : "none";
        return cell;
      }),
      newElement("th", { scope: "col", textContent: "see it in the Lab" }),
    );
    const rows = sortedBy(units, columns[sorted.column], sorted.descending);
    body.replaceChildren(...rows.map((unit) => rowOf(unit, columns)));
  }

  /** @param {number} column */
  function sort(column) {
    sorted = { column, descending: sorted.column === column ? !sorted.descending : column > 0 };
    draw();
    /** @type {HTMLElement} */ (head.children[column].firstElementChild).focus();
  }

  /** @param {CensusUnit} unit @param {readonly Column[]} columns */
  function rowOf(unit, columns) {
    const cells = columns.map(({ text }, i) => newElement(i ? "td" : "th", text(unit)));
    const buttons = Object.entries(MOMENTS)
      .filter(([name]) => unit.moments[name])
      .flatMap(([name, title]) => [newButton(name, () => open(unit, name), { title: `Show ${title}` }), " "]);
    return newElement("tr", { className: unit.dead ? "dead" : "" }, [...cells, newElement("td", {}, buttons)]);
  }

  return {
    /** Show new units, sorted by their number. @param {CensusUnit[]} shown */
    show(shown) {
      [units, sorted] = [shown, { column: 0, descending: false }];
      draw();
    },
  };
}
