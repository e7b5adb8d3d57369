// One key per decision. The buttons and links do the work; keys press them.
import { $, $$ } from "./dom.js";

const keys = $("#keys");
const at = () => $(".queue-list .at a");
const all = $$(".queue-list > ol > li > a");

function move(step) {
  const next = all[all.indexOf(at()) + step];
  if (next) next.click();
  else if (step > 0) $(".queue-list a[rel=next]")?.click();
}

const press = (value) => $(`[data-decide] button[value=${value}]`)?.click();

const actions = {
  j: () => move(1),
  k: () => move(-1),
  a: () => press("approve"),
  s: () => press("spam"),
  r: () => {
    const reason = $("#reason");
    if (!reason) return;
    if (reason.value || $("#reason-text")?.value) press("reject");
    else reason.focus();
  },
  x: () => $(".queue-list .at input")?.click(),
  u: () => $("[data-undo] button")?.click(),
  "?": () => (keys.open ? keys.close() : keys.showModal()),
};

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  const typing = event.target.closest?.("input:not([type=checkbox]), textarea, select");
  if (typing && event.key === "Escape") typing.blur();
  if (typing && !(typing.id === "reason" && event.key === "r")) return;
  if (keys?.open && event.key !== "?") return;
  const act = actions[event.key];
  if (!act) return;
  event.preventDefault();
  act();
});

// Where the list stands beside the comment, the chosen one stays in view.
const chosen = at()?.closest("li");
if (chosen && matchMedia("(min-width: 64rem)").matches && chosen.getBoundingClientRect().bottom > innerHeight) chosen.scrollIntoView({ block: "center" });

// Ticks come along to the next page, once: moving to another comment loads one.
const ticks = "postil:ticks";
const ticked = () => $$(".queue-list li > input:checked");
const tell = () => {
  const label = $("[data-ticked]");
  if (label) label.textContent = `${ticked().length} ticked`;
};
let kept = [];
try {
  kept = sessionStorage.getItem(ticks)?.split(" ") ?? [];
  sessionStorage.removeItem(ticks);
} catch { /* no storage: ticks stay on this page */ }
for (const box of $$(".queue-list li > input")) if (kept.includes(box.value)) box.checked = true;
tell();
$(".queue-list")?.addEventListener("change", tell);
const keep = () => {
  try { sessionStorage.setItem(ticks, ticked().map((box) => box.value).join(" ")); } catch { /* as above */ }
};
document.addEventListener("click", (event) => event.target.closest?.(".queue-list li > a") && keep());
document.addEventListener("submit", (event) => event.target.matches("[data-decide]") && keep());

// A decision twice is a decision too many.
document.addEventListener("submit", (event) => {
  if (!event.target.matches("[data-decide], #bulk, [data-undo]")) return;
  if (event.target.dataset.sent) return event.preventDefault();
  event.target.dataset.sent = "1";
});
addEventListener("pageshow", () => $$("form[data-sent]").forEach((f) => delete f.dataset.sent));
