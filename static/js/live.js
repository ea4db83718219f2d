// Shows what changes while a page is open: seats on an event's page, the count of new messages on every page.
// Nothing depends on it: pages are whole without it, and everything it shows they show when loaded again.
//
// A page has one stream, and only while it is looked at. Each message carries a whole state, so one that was
// missed does no harm. While there is no stream the page asks now and then instead.

const inbox = document.querySelector("[data-live-inbox]");
const event = document.querySelector("[data-live-event]");
const map = document.querySelector("[data-live-map]");
const news = document.querySelector("[data-live-news]");

const SECONDS = 1000;
const between = (least, most) => (least + Math.random() * (most - least)) * SECONDS;

// --- What is shown

let version = Number(event?.dataset.version);

function showEvent(state) {
  if (state.version < version) return; // another process of the site may lag behind
  version = state.version;
  show("[data-live-badge]", state.words.badge);
  show("[data-live-seats]", state.words.seats);
  say("[data-live-changed]", event.dataset.panel && event.dataset.panel !== state.state);
  if (map && state.taken) showTaken(state.taken);
}

function showTaken(runs) {
  const taken = new Set();
  for (const [first, last] of runs) for (let seat = first; seat <= last; seat++) taken.add(seat);
  const lost = [];
  for (const box of map.querySelectorAll("label:not(.seat-own) > [name=seat_no]")) {
    const isTaken = taken.has(Number(box.value));
    if (isTaken === box.disabled) continue;
    const [before, after] = map.dataset.taken.split("__seat__");
    const name = box.ariaLabel;
    if (isTaken && box.checked) lost.push(name);
    if (isTaken) box.checked = false;
    if (isTaken && box === document.activeElement) map.focus(); // a disabled box cannot keep it
    box.disabled = isTaken;
    box.ariaLabel = isTaken ? before + name + after : name.slice(before.length, name.length - after.length);
  }
  if (lost.length) {
    const words = document.querySelector("[data-live-lost]");
    words.textContent = words.dataset.liveLost.replace("__seats__", lost.join("; "));
  }
}

let newest = news?.dataset.newest;

function showInbox(state) {
  const count = inbox.querySelector(".count");
  count.hidden = !state.unread;
  count.lastElementChild.textContent = state.unread > 99 ? "99+" : state.unread;
  newest ??= state.newest ?? "";
  say("[data-live-news]", state.newest && state.newest !== newest);
}

function show(place, words) {
  for (const element of document.querySelectorAll(place)) {
    if (element.innerHTML !== words) element.innerHTML = words;
  }
}

// A place with a <template> says what is in it, politely, or says nothing.
function say(place, isSo) {
  const element = document.querySelector(place);
  const template = element?.querySelector("template");
  if (!template || Boolean(isSo) === element.childElementCount > 1) return;
  element.replaceChildren(template, ...(isSo ? [template.content.cloneNode(true)] : []));
}

// --- Where it comes from

const part = map ? `?seats=${map.dataset.first}-${map.dataset.last}` : "";
const address = event ? event.dataset.liveEvent + part : inbox?.dataset.liveInbox;
const questions = [
  [event && event.dataset.state + part, showEvent],
  [inbox?.dataset.state, showInbox],
].filter(([url]) => url);
let stream, asking, connecting;
let patience = 2; // seconds until a server that was not there is tried again; more each time

function connect() {
  if (document.hidden || stream) return;
  stream = new EventSource(address);
  stream.addEventListener("events", (message) => showEvent(JSON.parse(message.data)));
  stream.addEventListener("people", (message) => showInbox(JSON.parse(message.data)));
  stream.addEventListener("open", () => {
    asking = clearTimeout(asking);
    patience = 2;
  });
  stream.addEventListener("error", () => {
    asking ??= setTimeout(ask, between(5, 9));
    if (stream.readyState !== EventSource.CLOSED) return; // it tries again by itself
    stream = undefined;
    connecting = setTimeout(connect, between(patience, 2 * patience));
    patience = Math.min(2 * patience, 30);
  });
}

function disconnect() {
  asking = clearTimeout(asking);
  clearTimeout(connecting);
  stream?.close();
  stream = undefined;
}

async function ask() {
  asking = undefined;
  for (const question of [...questions]) {
    const [url, showState] = question;
    const answer = await fetch(url, { cache: "no-cache" }).catch(() => undefined);
    if (answer?.ok) showState(await answer.json());
    if (answer?.status !== 403 && answer?.status !== 404) continue;
    if (question === questions[0]) return disconnect(); // what the page is about is not for us any more
    questions.pop(); // signed out elsewhere: the inbox is not
  }
  if (!document.hidden && stream?.readyState !== EventSource.OPEN) asking ??= setTimeout(ask, between(5, 9));
}

if (address) {
  document.addEventListener("visibilitychange", () => (document.hidden ? disconnect() : connect()));
  connect();
}
