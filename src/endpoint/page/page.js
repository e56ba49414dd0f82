// The page's script.
//
// - A token is in a variable here and nowhere else, or in cookies that no script can read: never in the browser's storage.
// - What a server or a user wrote becomes text, never markup: nothing here parses HTML.
// - Every failure ends in words on the page, where a screen reader announces them.

const find = (selector, within = document) => within.querySelector(selector);
const DAY = 24 * 60 * 60;
/** By how much this clock may be ahead of the server's. */
const AHEAD = 5 * 60;

let config = null;
let tokens = null;
let owner = null;

// The way to the server.

class Refused extends Error {
  constructor(status, words, fields = {}) {
    super(words);
    this.status = status;
    this.fields = fields;
  }
}

async function send(method, path, body) {
  const headers = {};
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (tokens) headers.Authorization = `Bearer ${tokens.access}`;
  try {
    return await fetch(new URL(path, document.baseURI), {
      method,
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
      cache: "no-store",
      redirect: "error",
      // Without them a browser answers no challenge of Basic with a prompt of its own.
      credentials: config?.cookies ? "same-origin" : "omit",
    });
  } catch {
    throw new Refused(0, "The server cannot be reached. Try again.");
  }
}

/** The JSON of an answer; where it is a refusal, throws it. */
async function read(answer) {
  if (answer.status === 204) return null;
  const body = await answer.json().catch(() => null);
  if (answer.ok && body !== null) return body;
  throw refusal(answer, body);
}

/** A request of somebody who is signed in. Once the access token is refused it is refreshed, and the request sent again. */
async function call(method, path, body) {
  let answer = await send(method, path, body);
  if (answer.status === 401 && (await refresh())) answer = await send(method, path, body);
  if (answer.status === 401) {
    showSignIn("Your sign-in has expired. Sign in again.");
    throw new Refused(401, "");
  }
  return read(answer);
}

let refreshing = null;

/** Whether there are new tokens. Requests that fail together refresh once. */
function refresh() {
  refreshing ??= renew().finally(() => (refreshing = null));
  return refreshing;
}

async function renew() {
  if (!config.refresh || (!config.cookies && !tokens?.refresh)) return false;
  const answer = await send("POST", config.refresh, config.cookies ? undefined : { refresh: tokens.refresh });
  if (answer.status === 401 || answer.status === 400) return false;
  const renewed = await read(answer);
  if (!config.cookies) tokens = { ...tokens, ...renewed };
  return true;
}

/** What the server says is wrong, in whichever of the crate's formats. */
function refusal(answer, body) {
  if (answer.status === 429) {
    const seconds = answer.headers.get("Retry-After");
    return new Refused(429, seconds ? `Too many requests. Try again in ${seconds} s.` : "Too many requests. Try again later.");
  }
  if (answer.status >= 500 || typeof body !== "object" || body === null) {
    return new Refused(answer.status, "The server could not do this. Try again later.");
  }
  const fields = {};
  let words = body.detail ?? body.message ?? "";
  for (const error of Array.isArray(body.errors) ? body.errors : []) {
    const field = error.attr ?? error.pointer?.replace(/^#\//, "");
    if (field) fields[field] ??= error.detail;
    else words ||= error.detail;
  }
  for (const [field, details] of Object.entries(body.details ?? body)) {
    if (Array.isArray(details) && typeof details[0] === "string") fields[field] ??= details[0];
  }
  return new Refused(answer.status, String(words || "The server refused this."), fields);
}

// What is on the page.

/** The name stays for whoever has to sign in again, and goes with whoever signed out. */
function showSignIn(words = "") {
  tokens = owner = null;
  if (words === "") find("#name").value = "";
  find("#password").value = "";
  say("");
  for (const dialog of document.querySelectorAll("dialog[open]")) dialog.close();
  find("#account").hidden = find("#keys").hidden = true;
  find("#list").replaceChildren();
  find("#sign-in").hidden = false;
  alertWith(words);
  find(find("#name").value === "" ? "#name" : "#password").focus();
}

async function showKeys() {
  owner = await call("GET", config.owner);
  await listKeys();
  find("#sign-in").hidden = true;
  find("#account").hidden = find("#keys").hidden = false;
  find("#who").textContent = owner.name;
  find("#facts").replaceChildren(...owner.facts.map(({ label, value }) => fact(label, value)));
  find("#facts").hidden = owner.facts.length === 0;
  find("#create-scopes .choices").replaceChildren(...owner.scopes.map(choice));
  find("#create-scopes").hidden = owner.scopes.length === 0;
  alertWith("");
}

async function listKeys() {
  const answer = await call("GET", config.keys);
  const keys = (Array.isArray(answer) ? answer : (answer.results ?? [])).toReversed();
  find("#list").replaceChildren(...keys.map(row));
  find("#empty").hidden = keys.length > 0;
  find("#keys-title").textContent = keys.length ? `Your keys (${keys.length})` : "Your keys";
}

function row(key) {
  const row = find("#row").content.cloneNode(true);
  find("h3", row).textContent = key.name;
  const details = [
    ["Begins with", key.prefix && code(key.prefix)],
    ["Created", moment(key.created, "—")],
    [isPast(key.expires_at) ? "Expired" : "Expires", moment(key.expires_at, "never")],
    ["Last used", moment(key.last_used, "never")],
    ["Scopes", key.scopes?.join(", ")],
    ["Rate limit", key.rate && inWords(key.rate)],
  ];
  find("dl", row).append(...details.filter(([, value]) => value).map(([label, value]) => fact(label, value)));
  for (const button of row.querySelectorAll("button")) {
    button.setAttribute("aria-label", `${button.textContent} ${key.name}`);
    button.addEventListener("click", () => ask[button.dataset.does](key));
  }
  find("[data-does=rotate]", row).hidden = isPast(key.expires_at);
  return row;
}

function fact(label, value) {
  const [pair, term, description] = ["div", "dt", "dd"].map((name) => document.createElement(name));
  term.textContent = label;
  description.append(value);
  pair.append(term, description);
  return pair;
}

function code(text) {
  const element = document.createElement("code");
  element.textContent = text;
  return element;
}

function moment(text, otherwise) {
  const time = new Date(text ?? NaN);
  if (Number.isNaN(time.valueOf())) return otherwise;
  const element = document.createElement("time");
  element.dateTime = text;
  element.textContent = time.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
  return element;
}

/** `2000/day` → `2000 per day` */
const inWords = (rate) => rate.replace("/", " per ");

/** A scope to tick. None is ticked at first: a key can do what it is given. */
function choice({ scope, label }) {
  const [line, input, words] = ["label", "input", "span"].map((tag) => document.createElement(tag));
  Object.assign(input, { type: "checkbox", value: scope });
  input.setAttribute("aria-describedby", "create-scopes-failure");
  words.textContent = label;
  line.append(input, words);
  return line;
}

const isPast = (text) => Boolean(text) && new Date(text) <= new Date();

function alertWith(words) {
  find("#alert").textContent = words;
  find("#alert").hidden = words === "";
}

/** Said by a screen reader. Emptied first, so that the same words twice are said twice. */
function say(words, region = find("#status")) {
  region.textContent = "";
  requestAnimationFrame(() => (region.textContent = words));
}

// Forms: one submission at a time, what is wrong beside its field, the focus on the first that is wrong.

function onSubmit(form, inputs, submit) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = find("[type=submit]", form);
    if (button.getAttribute("aria-disabled") === "true") return;
    button.setAttribute("aria-disabled", "true");
    clearFailures(form);
    try {
      await submit();
    } catch (error) {
      showFailures(form, inputs(), error);
    } finally {
      button.removeAttribute("aria-disabled");
    }
  });
}

function clearFailures(form) {
  for (const place of form.querySelectorAll(".failure")) place.textContent = "";
  for (const input of form.querySelectorAll("[aria-invalid]")) input.removeAttribute("aria-invalid");
}

function showFailures(form, inputs, error) {
  if (!(error instanceof Refused)) throw error;
  const wrong = Object.entries(error.fields).filter(([field]) => inputs[field]);
  for (const [field, words] of wrong) {
    const input = inputs[field];
    input.setAttribute("aria-invalid", "true");
    find(`#${input.getAttribute("aria-describedby").split(" ").at(-1)}`).textContent = words;
  }
  // A field that this form does not have is said as well.
  const others = Object.entries(error.fields).filter(([field]) => !inputs[field]);
  const rest = others.map(([field, words]) => `${field}: ${words}`);
  if (rest.length || !wrong.length) find(".failure[role=alert]", form).textContent = rest.join(" ") || error.message;
  if (wrong.length) inputs[wrong[0][0]].focus();
}

const required = (input) => {
  if (input.value.trim() === "") throw new Refused(400, "", { [input.id]: "Fill this in." });
  return input.value;
};

// Expiries.

function fillExpiries(select) {
  const days = [7, 30, 90, 365].filter((days) => !config.longest || days * DAY <= config.longest);
  const choices = days.map((days) => [days * DAY, days === 365 ? "in a year" : `in ${days} days`]);
  choices.push(["day", "on a day of your choice"]);
  if (!config.must_expire) choices.push(["never", "never"]);
  select.replaceChildren(...choices.map(([value, label]) => new Option(label, value)));
  select.value = String(30 * DAY);
  if (select.selectedIndex < 0) select.selectedIndex = 0;
}

/** The chosen expiry (RFC 3339), `undefined` for none. */
function expiry(select, day) {
  if (select.value === "never") return undefined;
  if (select.value !== "day") {
    // The server counts from its own time, and refuses what is a moment longer than the longest.
    const longest = config.longest ? config.longest - AHEAD : Infinity;
    return new Date(Date.now() + Math.min(Number(select.value), longest) * 1000).toISOString();
  }
  const [year, month, date] = required(day).split("-").map(Number);
  return new Date(year, month - 1, date, 23, 59, 59).toISOString();
}

function dayFollows(select, dialog) {
  const show = () => (find("[data-day]", dialog).hidden = select.value !== "day");
  select.addEventListener("change", show);
  return show;
}

// Dialogs. Closing one puts the focus back on what opened it, which the browser does.

const ask = {
  rotate: (key) => open(find("#rotate"), key),
  revoke: (key) => open(find("#revoke"), key),
};

function open(dialog, key) {
  const form = find("form", dialog);
  clearFailures(form);
  form.reset();
  for (const select of dialog.querySelectorAll("select[id$=-expiry]")) {
    fillExpiries(select);
    select.dispatchEvent(new Event("change"));
  }
  if (key) find("strong", dialog).textContent = key.name;
  dialog.key = key;
  dialog.showModal();
}

/** Shows a key that was just made. It is taken off the page when the dialog closes. */
function showOnce(secret) {
  const dialog = find("#shown");
  find("#shown-key").value = secret;
  find("#shown-facts").replaceChildren(...owner.facts.map(copyField));
  find(".said", dialog).textContent = "";
  dialog.showModal();
  find("[data-copies=shown-key]").focus();
}

function copyField({ label, value }, index) {
  const [field, name, line, input, button] = ["div", "label", "div", "input", "button"].map((tag) => document.createElement(tag));
  Object.assign(field, { className: "field" });
  Object.assign(input, { id: `shown-fact-${index}`, readOnly: true, value });
  Object.assign(name, { htmlFor: input.id, textContent: label });
  Object.assign(line, { className: "copy" });
  Object.assign(button, { type: "button", textContent: "Copy" });
  button.dataset.copies = input.id;
  named(button, label);
  line.append(input, button);
  field.append(name, line);
  return field;
}

const named = (button, label) => button.setAttribute("aria-label", `${button.textContent} ${label}`);

async function copy(id) {
  const input = find(`#${id}`);
  const label = input.labels[0].textContent;
  const said = find("#shown .said");
  try {
    await navigator.clipboard.writeText(input.value);
    say(`${label} copied.`, said);
  } catch {
    // No permission, or not a secure context.
    input.select();
    say(`${label} selected: copy it with your keyboard.`, said);
  }
}

// What the buttons do.

async function signIn() {
  const answer = await send("POST", config.sign_in, {
    [config.name_field]: required(find("#name")),
    [config.password_field]: required(find("#password")),
  });
  // The server knows no other word than "user name" for what this page calls as its owner likes.
  if (answer.status === 401) throw new Refused(401, `${config.name_label} or password is wrong.`);
  const answered = await read(answer);
  if (!config.cookies) tokens = { access: answered.access, refresh: answered.refresh };
  find("#password").value = "";
  await showKeys();
  say("You are signed in.");
  find("#keys-title").focus();
}

async function signOut() {
  try {
    if (config.sign_out) await call("POST", config.sign_out);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    // Who is told that the sign-in has expired is signed out, too.
    if (error.status !== 401) return alertWith(`You are still signed in. ${error.message}`);
  }
  showSignIn();
  say("You are signed out.");
}

async function create() {
  const name = required(find("#create-name"));
  const expires_at = expiry(find("#create-expiry"), find("#create-day"));
  const ticked = [...document.querySelectorAll("#create-scopes input:checked")];
  const made = await call("POST", config.keys, {
    name,
    expires_at,
    scopes: ticked.length ? ticked.map(({ value }) => value) : undefined,
    rate: find("#create-rate").value || undefined,
  });
  find("#create").close();
  showOnce(made[config.secret_field]);
  await listKeys();
}

async function rotate() {
  const { key } = find("#rotate");
  const change = config.must_expire
    ? { expires_at: expiry(find("#rotate-expiry"), find("#rotate-day")) }
    : { overlap: Number(find("#rotate-overlap").value) };
  const made = await call("POST", `${config.keys}${encodeURIComponent(key.id)}/rotate/`, change);
  find("#rotate").close();
  showOnce(made[config.secret_field]);
  await listKeys();
}

async function revoke() {
  const { key } = find("#revoke");
  await call("DELETE", `${config.keys}${encodeURIComponent(key.id)}/`);
  find("#revoke").close();
  await listKeys();
  say(`${key.name} is revoked.`);
  find("#keys-title").focus();
}

function wire() {
  const form = (id) => find(`#${id} form`);
  find("label[for=name]").textContent = config.name_label;
  named(find("[data-copies=shown-key]"), "API key");
  find("[data-overlap]").hidden = config.must_expire;
  find("[data-expiry]").hidden = !config.must_expire;
  const rates = config.rates.map((rate) => new Option(inWords(rate), rate));
  find("#create-rate").replaceChildren(new Option("the usual one", ""), ...rates);
  find("[data-rate]").hidden = rates.length === 0;

  onSubmit(form("sign-in"), () => {
    const [name, password] = [find("#name"), find("#password")];
    return { name, password, [config.name_field]: name, [config.password_field]: password };
  }, signIn);
  onSubmit(form("create"), () => ({
    name: find("#create-name"),
    "create-name": find("#create-name"),
    expires_at: find("#create-expiry"),
    "create-day": find("#create-day"),
    scopes: find("#create-scopes input"),
    rate: find("#create-rate"),
  }), create);
  onSubmit(form("rotate"), () => ({ expires_at: find("#rotate-expiry"), "rotate-day": find("#rotate-day") }), rotate);
  onSubmit(form("revoke"), () => ({}), revoke);
  dayFollows(find("#create-expiry"), find("#create"));
  dayFollows(find("#rotate-expiry"), find("#rotate"));

  find("#sign-out").addEventListener("click", signOut);
  find("#create-open").addEventListener("click", () => open(find("#create")));
  for (const button of document.querySelectorAll("[data-does=close]")) {
    button.addEventListener("click", () => button.closest("dialog").close());
  }
  const shown = find("#shown");
  shown.addEventListener("click", ({ target }) => target.dataset.copies && copy(target.dataset.copies));
  // A slip of the Escape key must not cost the only sight of a key.
  shown.addEventListener("cancel", (event) => event.preventDefault());
  shown.addEventListener("keydown", (event) => event.key === "Escape" && event.preventDefault());
  onSubmit(form("shown"), () => ({}), async () => shown.close());
  shown.addEventListener("close", () => {
    find("#shown-key").value = "";
    find("#create-open").focus();
  });
}

async function start() {
  config = await read(await send("GET", "config.json"));
  document.title = find("h1").textContent = config.title;
  wire();
  if (!config.cookies) return showSignIn();
  // Cookies may still be good.
  const answer = await send("GET", config.owner);
  if (answer.status === 401 && !(await refresh())) return showSignIn();
  await showKeys();
}

start().catch((error) => {
  if (!(error instanceof Refused)) throw error;
  if (error.status !== 401) alertWith(error.message);
});
