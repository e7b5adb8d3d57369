// The editor: the page beside its source, and nothing typed is lost.
import { $, make, later, since } from "./dom.js";
import { drafts, fragment, keys, toolbar } from "./write.js";

const form = $("[data-editor]");
if (form) edit(form);

function edit(form) {
  const area = $("#body", form);
  const pane = $("#preview", form);
  const state = $(".save-state", form);
  const total = $("[data-count]", form);
  const key = "article:" + form.dataset.editor;
  const fields = ["title", "standfirst", "body", "tags", "slug"];
  const values = () => Object.fromEntries(fields.filter((n) => form.elements[n]).map((n) => [n, form.elements[n].value]));
  const before = JSON.stringify(values());
  const failed = Boolean($("[role=alert], .conflict, .field-problem"));
  let leaving = false;
  const dirty = () => failed || JSON.stringify(values()) !== before;

  /* the page */
  let asked = 0;
  async function draw() {
    const turn = ++asked;
    if (!area.value.trim()) {
      pane.replaceChildren(make("p", { class: "empty" }, "The page appears here as you write."));
      return;
    }
    try {
      const { nodes, words } = await fragment(area.value, "article");
      if (turn !== asked) return;
      const top = pane.scrollTop;
      pane.replaceChildren(...nodes);
      pane.scrollTop = top;
      if (words) total.textContent = `${words} words.`;
    } catch {
      say("The preview needs a connection. Your text is kept on this device.");
    }
  }
  const redraw = later(400, draw);
  draw();

  /* scrolling: whichever side is under the hand leads */
  let leader = area;
  for (const side of [area, pane]) {
    for (const type of ["pointerenter", "focusin", "wheel", "touchstart"]) side.addEventListener(type, () => (leader = side), { passive: true });
    side.addEventListener("scroll", () => {
      if (leader !== side) return;
      const other = side === area ? pane : area;
      const room = side.scrollHeight - side.clientHeight;
      if (room > 0) other.scrollTop = (side.scrollTop / room) * (other.scrollHeight - other.clientHeight);
    }, { passive: true });
  }

  /* the draft */
  const say = (...parts) => state.replaceChildren(...parts);
  const keep = later(500, () => {
    if (!dirty()) return say("");
    const kept = drafts.set(key, { ...values(), revision: form.dataset.revision });
    say(kept ? "Not saved yet. A draft is kept on this device." : "Not saved yet.");
  });
  const differs = (draft) => fields.some((n) => form.elements[n] && draft[n] !== undefined && draft[n].trim() !== form.elements[n].value.trim());
  if (!failed) for (const k of [key, "article:new"]) {
    const kept = drafts.get(k);
    if (kept && (k === key ? !differs(kept) : kept.body.trim() === area.value.trim())) drafts.drop(k); // it was saved
  }
  const old = drafts.get(key);
  if (old && !failed && differs(old)) {
    const stale = old.revision !== form.dataset.revision;
    say(`A draft from ${since(new Date(old.at))} is kept here${stale ? ", begun on another revision" : ""}. `,
      make("button", { type: "button", class: "link", click: use }, "Use it"), " ",
      make("button", { type: "button", class: "link", click: () => { drafts.drop(key); say(""); } }, "Discard it"));
  }
  function use() {
    for (const n of fields) if (form.elements[n] && old[n] !== undefined) form.elements[n].value = old[n];
    draw();
    keep();
  }

  form.addEventListener("input", (event) => {
    if (event.target === area) redraw();
    keep();
  });
  keys(area, form);
  area.closest(".field").querySelector("label").after(make("div", { class: "tools" }, toolbar(area, "Markdown")));
  $("button[value=preview]", form).hidden = true;

  form.addEventListener("submit", () => {
    leaving = true;
    drafts.set(key, { ...values(), revision: form.dataset.revision });
    say("Saving…");
  });
  addEventListener("pageshow", () => (leaving = false));
  addEventListener("beforeunload", (event) => {
    if (!leaving && dirty()) event.preventDefault();
  });
  addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "s") {
      event.preventDefault();
      form.requestSubmit($("button[value=save]", form));
    }
  });

  /* times are UTC in the form; say what that is here */
  const when = form.elements.publish_at;
  if (when) {
    const here = make("p", { class: "hint" });
    when.after(here);
    const tell = () => {
      const date = new Date(when.value + "Z");
      here.textContent = isNaN(date) ? "" : date.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" }) + " where you are.";
    };
    when.addEventListener("input", tell);
    tell();
  }
}
