// What the scripts share.

export const $ = (selector, root = document) => root.querySelector(selector);
export const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];

// make builds an element by hand: no markup is ever parsed from a string.
export function make(tag, attributes = {}, ...children) {
  const el = document.createElement(tag);
  for (const [key, value] of Object.entries(attributes)) {
    if (key === "click") el.addEventListener("click", value);
    else if (value !== false) el.setAttribute(key, value === true ? "" : value);
  }
  el.append(...children);
  return el;
}

// once runs fn after the calls have stopped for ms.
export function later(ms, fn) {
  let timer;
  return (...args) => {
    clearTimeout(timer);
    timer = setTimeout(fn, ms, ...args);
  };
}

const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
const steps = [[60, "second", 1], [3600, "minute", 60], [86400, "hour", 3600], [30 * 86400, "day", 86400]];

export function since(date) {
  const age = (Date.now() - date) / 1000;
  if (Math.abs(age) < 45) return "just now";
  for (const [limit, unit, size] of steps) {
    if (Math.abs(age) < limit) return relative.format(-Math.round(age / size), unit);
  }
  return date.toLocaleDateString("en-GB", { day: "numeric", month: "long", year: "numeric" });
}
