// The composer: grows, previews, keeps a draft, and comes to the comment that
// is being answered.
import { $, $$, make, later, since } from "./dom.js";

/* ---- drafts, kept on this device only ---- */

export const drafts = {
  get(key) {
    try { return JSON.parse(localStorage.getItem("postil:draft:" + key)); } catch { return null; }
  },
  set(key, draft) {
    try { localStorage.setItem("postil:draft:" + key, JSON.stringify({ ...draft, at: Date.now() })); return true; } catch { return false; }
  },
  drop(key) {
    try { localStorage.removeItem("postil:draft:" + key); } catch { /* nothing was kept */ }
  },
};

// A draft that was sent goes when the page that follows shows it arrived: it
// points at the new comment, or says what happened. Otherwise it stays.
function sent(key) {
  try { sessionStorage.setItem("postil:sent", JSON.stringify({ key, at: Date.now() })); } catch { /* the draft stays */ }
}

(function settle() {
  let was = null;
  try {
    was = JSON.parse(sessionStorage.getItem("postil:sent"));
    sessionStorage.removeItem("postil:sent");
  } catch { /* nothing was sent */ }
  if (!was || Date.now() - was.at > 120_000 || $("[role=alert], .field-problem")) return;
  if (/^#c\d+$/.test(location.hash) || $(".message.notice")) drafts.drop(was.key);
})();

/* ---- preview ---- */

// fragment asks the server for the text as it will look, and counts its words.
// The answer is parsed by the browser as a document that runs nothing.
export function fragment(body, kind) {
  return new Promise((resolve, reject) => {
    const ask = new XMLHttpRequest();
    ask.open("POST", "/preview");
    ask.responseType = "document";
    ask.setRequestHeader("Content-Type", "application/x-www-form-urlencoded");
    ask.onload = () => {
      const body = ask.response?.body;
      if (!body) return reject(new Error("no document"));
      const text = $("[data-words]", body);
      resolve({ nodes: [...(text ?? body).childNodes].map((n) => document.importNode(n, true)), words: text?.dataset.words });
    };
    ask.onerror = () => reject(new Error("no connection"));
    ask.send(new URLSearchParams({ body, kind }));
  });
}

/* ---- Markdown by buttons and keys ---- */

function insert(area, text) {
  area.focus();
  if (!document.execCommand("insertText", false, text)) area.setRangeText(text, area.selectionStart, area.selectionEnd, "end");
}

function wrap(area, before, after = before) {
  const { selectionStart: from, selectionEnd: to } = area;
  const text = area.value.slice(from, to);
  insert(area, before + text + after);
  area.setSelectionRange(from + before.length, from + before.length + text.length);
}

function link(area) {
  const text = area.value.slice(area.selectionStart, area.selectionEnd);
  const start = area.selectionStart;
  if (/^https?:\/\/\S+$/.test(text)) {
    insert(area, `[](${text})`);
    area.setSelectionRange(start + 1, start + 1);
  } else {
    insert(area, `[${text}](https://)`);
    area.setSelectionRange(start + text.length + 3, start + text.length + 11);
  }
}

function quote(area) {
  const text = area.value.slice(area.selectionStart, area.selectionEnd);
  insert(area, text.split("\n").map((l) => "> " + l).join("\n"));
}

const marks = [
  ["Bold", "b", (a) => wrap(a, "**")],
  ["Italic", "i", (a) => wrap(a, "*")],
  ["Link", "k", link],
  ["Quote", "", quote],
  ["Code", "", (a) => (a.value.slice(a.selectionStart, a.selectionEnd).includes("\n") ? wrap(a, "```\n", "\n```") : wrap(a, "`"))],
];

export function keys(area, form) {
  area.addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey) return;
    const mark = marks.find(([, key]) => key && key === event.key.toLowerCase());
    if (mark) {
      event.preventDefault();
      mark[2](area);
    } else if (event.key === "Enter") {
      event.preventDefault();
      form.requestSubmit($("button.main", form));
    }
  });
}

export function toolbar(area, label) {
  const bar = make("div", { role: "toolbar", "aria-label": label });
  for (const [name, key, apply] of marks) {
    bar.append(make("button", { type: "button", title: key ? `${name} (Ctrl+${key.toUpperCase()})` : name, click: () => apply(area), tabindex: bar.childElementCount ? "-1" : "0" }, name));
  }
  bar.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const all = [...bar.children];
    if (!step) return;
    const next = all[(all.indexOf(document.activeElement) + step + all.length) % all.length];
    all.forEach((b) => (b.tabIndex = b === next ? 0 : -1));
    next.focus();
  });
  return bar;
}

/* ---- the composer ---- */

const form = $("[data-composer]");
if (form) compose(form);

function compose(form) {
  const area = $("textarea", form);
  const note = $(".composer-note", form);
  const max = Number(form.dataset.max) || 0;
  const say = (...parts) => note.replaceChildren(...parts);
  let parent = "";
  const key = () => form.dataset.draft + (parent && ":" + parent);

  // Where field-sizing is unknown the rows grow instead.
  const grow = CSS.supports("field-sizing", "content") ? () => {} : () => {
    while (area.scrollHeight > area.clientHeight && area.rows < 40) area.rows++;
  };

  const keep = later(500, () => {
    if (!form.dataset.draft) return;
    if (!area.value.trim()) { drafts.drop(key()); count(); return; }
    const kept = drafts.set(key(), { body: area.value });
    count(kept ? "Draft kept on this device." : "");
  });

  function count(otherwise = "") {
    const left = max - [...area.value].length;
    if (max && left < 0) say(`${-left} characters too long.`);
    else if (max && left < max / 10) say(`${left} characters left.`);
    else say(otherwise);
  }

  function restore() {
    const draft = form.dataset.draft && drafts.get(key());
    if (!draft?.body || area.value === draft.body || (area.value.trim() && form.dataset.composer !== "save")) return;
    const before = area.value;
    area.value = draft.body;
    grow();
    say(`Your draft from ${since(new Date(draft.at))}. `, make("button", { type: "button", class: "link", click: () => {
      area.value = before;
      drafts.drop(key());
      say();
      area.focus();
    } }, "Discard it"));
  }

  area.addEventListener("input", () => { grow(); keep(); });
  keys(area, form);
  grow();
  restore();
  tabs(form, area);

  form.addEventListener("submit", (event) => {
    if (event.submitter?.value === "preview") return;
    if (form.dataset.draft) {
      drafts.set(key(), { body: area.value });
      sent(key());
    }
    setTimeout(() => $$("button", form).forEach((b) => (b.disabled = true)));
  });
  addEventListener("pageshow", () => $$("button", form).forEach((b) => (b.disabled = false)));

  if (form.dataset.composer === "post") answerInPlace(form, area, (id) => {
    if (area.value.trim()) drafts.set(key(), { body: area.value });
    parent = id;
    area.value = "";
    say();
    restore();
  });
}

// tabs puts "Write" and "Preview" above the text; they replace the button that
// asks for a new page.
function tabs(form, area) {
  const panel = make("div", { class: "preview comment-text", role: "tabpanel", id: "composer-panel", "aria-labelledby": "tab-preview", tabindex: "0", hidden: true });
  const write = make("button", { type: "button", role: "tab", id: "tab-write", "aria-selected": "true", "aria-controls": "composer-body" }, "Write");
  const preview = make("button", { type: "button", role: "tab", id: "tab-preview", "aria-selected": "false", "aria-controls": "composer-panel", tabindex: "-1" }, "Preview");
  const bar = toolbar(area, "Markdown");
  const list = make("div", { role: "tablist", "aria-label": "Composer" }, write, preview);
  const field = area.closest(".field");
  field.before(make("div", { class: "tools" }, list, bar));
  field.after(panel);
  $("button[value=preview]", form).hidden = true;
  $(".preview:not([role=tabpanel])", form)?.remove();

  async function show(previewing) {
    for (const [tab, on] of [[write, !previewing], [preview, previewing]]) {
      tab.setAttribute("aria-selected", String(on));
      tab.tabIndex = on ? 0 : -1;
    }
    field.hidden = bar.hidden = previewing;
    panel.hidden = !previewing;
    if (!previewing) return;
    try {
      panel.replaceChildren(...(area.value.trim() ? (await fragment(area.value, "comment")).nodes : ["Nothing to show yet."]));
    } catch {
      panel.replaceChildren("The preview needs a connection. Your text is kept.");
    }
  }
  write.addEventListener("click", () => { show(false); area.focus(); });
  preview.addEventListener("click", () => show(true));
  list.addEventListener("keydown", (event) => {
    if (!["ArrowRight", "ArrowLeft"].includes(event.key)) return;
    const other = document.activeElement === write ? preview : write;
    show(other === preview);
    other.focus();
  });
  area.addEventListener("invalid", () => show(false));
}

// answerInPlace brings the composer below the comment instead of following the
// link, and takes it back on "Cancel".
function answerInPlace(form, area, change) {
  const composer = form.closest(".composer");
  const title = $("h2", composer);
  const words = title.textContent;
  const label = $(`label[for="${area.id}"]`, form);
  const fixed = $("[name=parent_id]", form);
  if (fixed) return;
  const home = document.createComment("composer");
  const hidden = make("input", { type: "hidden", name: "parent_id" });
  let opener;
  const cancel = make("button", { type: "button", class: "link", click: back }, "Cancel");
  composer.before(home);

  function back() {
    home.after(composer);
    title.textContent = label.textContent = words;
    hidden.remove();
    cancel.remove();
    change("");
    opener?.focus();
  }

  document.addEventListener("click", (event) => {
    const reply = event.target.closest?.("a.reply");
    if (!reply || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    const id = reply.getAttribute("href").match(/^\/comments\/(\d+)\?reply/)?.[1];
    const comment = reply.closest(".comment");
    if (!id || !comment) return;
    event.preventDefault();
    const chosen = quoted(comment);
    opener = reply;
    reply.closest(".comment-actions").after(composer);
    title.textContent = label.textContent = "Reply to " + ($(".person", comment)?.textContent ?? "this comment");
    hidden.value = id;
    form.prepend(hidden);
    $(".composer-note", form).before(cancel);
    change(id);
    if (chosen && !area.value.includes(chosen)) {
      area.value = chosen + "\n\n" + area.value;
      area.dispatchEvent(new Event("input"));
    }
    area.focus({ preventScroll: true });
    composer.scrollIntoView({ block: "nearest" });
  });
}

// quoted is the selection inside a comment's text as a Markdown quotation.
function quoted(comment) {
  const selection = getSelection();
  const text = selection.toString().trim();
  const inside = text && $(":scope > .comment-text", comment)?.contains(selection.anchorNode);
  return inside ? text.split("\n").map((l) => "> " + l).join("\n") : "";
}
