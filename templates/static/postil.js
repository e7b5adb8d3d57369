// What every page gains from a script. All of it works without.
import { $, $$, make, since } from "./dom.js";

/* ---- times ---- */

function showTimes() {
  for (const el of $$("time[data-ago]")) {
    const date = new Date(el.dateTime);
    if (!isNaN(date)) el.textContent = since(date);
  }
}
showTimes();
setInterval(() => document.hidden || showTimes(), 60_000);

/* ---- messages ---- */

($("main [aria-invalid=true]") ?? $("#problem"))?.focus();

/* ---- where one is in the text ---- */

const toc = $("[data-progress]");
if (toc) {
  const links = new Map($$("a", toc).map((a) => [decodeURIComponent(a.hash.slice(1)), a]));
  const heads = [...links.keys()].map((id) => document.getElementById(id)).filter(Boolean);
  const mark = () => {
    const line = innerHeight * 0.3;
    let at = null;
    for (const head of heads) if (head.getBoundingClientRect().top < line) at = head.id;
    for (const [id, a] of links) {
      if (id === at) a.setAttribute("aria-current", "location");
      else a.removeAttribute("aria-current");
    }
  };
  let asked = false;
  addEventListener("scroll", () => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => { asked = false; mark(); });
  }, { passive: true });
  mark();
}

/* ---- links to comments ---- */

if (navigator.clipboard && isSecureContext) {
  for (const row of $$(".comment > .comment-actions > .more")) {
    const link = $(".permalink", row.closest(".comment"));
    if (!link) continue;
    const button = make("button", { type: "button", click: () => copy(button, link.href) }, "Copy link");
    row.append(button);
  }
}

async function copy(button, text) {
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = "Copied";
  } catch {
    location.href = text;
    return;
  }
  setTimeout(() => (button.textContent = "Copy link"), 2000);
}

/* ---- votes ---- */

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.matches("[data-vote]") || !event.submitter) return;
  event.preventDefault();
  vote(form, event.submitter);
});

async function vote(form, button) {
  if (form.dataset.busy) return;
  form.dataset.busy = "1";
  const before = Number(form.dataset.mine);
  const value = Number(button.value);
  const score = $("[data-score]", form);
  const was = Number(score.textContent.replace("−", "-"));
  showVote(form, value);
  if (!isNaN(was)) showScore(score, was + value - before);
  try {
    const answer = await fetch(`/api/v1/comments/${form.dataset.vote}/vote`, value === 0
      ? { method: "DELETE" }
      : { method: "PUT", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ value }) });
    if (!answer.ok) throw new Error(answer.status);
    const now = await answer.json().catch(() => null);
    if (Number.isInteger(now?.score)) showScore(score, now.score);
  } catch {
    form.append(make("input", { type: "hidden", name: "value", value: String(value) }));
    form.submit();
    return;
  }
  delete form.dataset.busy;
}

function showVote(form, mine) {
  form.dataset.mine = mine;
  for (const [name, own] of [["up", 1], ["down", -1]]) {
    const button = $("." + name, form);
    button.setAttribute("aria-pressed", String(mine === own));
    button.value = mine === own ? "0" : String(own);
  }
}

function showScore(el, n) {
  el.textContent = Math.abs(n) < 1000 ? String(n).replace("-", "−") : el.textContent;
}

/* ---- threads ---- */

// Coming to a comment opens whatever hides it.
function reveal() {
  const target = /^#c\d+$/.test(location.hash) && document.getElementById(location.hash.slice(1));
  if (!target) return;
  for (let el = target.parentElement; el; el = el.parentElement) if (el.localName === "details") el.open = true;
}
addEventListener("hashchange", reveal);
reveal();

/* ---- writing ---- */

if ($("[data-composer]") || sessionStorage.getItem("postil:sent")) import("./write.js");
