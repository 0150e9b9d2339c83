// One's own password and tokens; for admins, everyone's roles.

import { get, post, put, remove } from "./api.js";
import { h, table } from "./dom.js";
import { ago, time } from "./format.js";
import { t } from "./text.js";

let secret = null; // of a token just made: shown once

const field = (id, label, attributes) => [h("label", { for: id }, label), h("input", { id, name: id, ...attributes })];
const value = (id) => document.getElementById(id).value;

function form(host, label, fields, act) {
  const failed = h("p", { class: "error", role: "alert" });
  const submit = async (event) => {
    event.preventDefault();
    failed.textContent = "";
    try {
      await act();
      event.target.reset();
      host.tell(t("done"));
      host.again();
    } catch (error) {
      failed.textContent = error.message;
    }
  };
  return h("form", { onsubmit: submit }, fields, failed, h("p", {}, h("button", { type: "submit" }, label)));
}

async function act(host, promise) {
  try {
    await promise;
    host.tell(t("done"));
  } catch (error) {
    host.tell(error.message);
  }
  host.again();
}

function password(host) {
  return h("section", {}, h("h2", {}, t("change password")), form(host, t("change password"), [field("present", t("present password"), { type: "password", autocomplete: "current-password", required: true }),
    field("fresh", t("new password"), { type: "password", autocomplete: "new-password", minlength: 10, required: true })], () => post("password", { password: value("present"), new_password: value("fresh") })));
}

function tokens(list, host) {
  const held = list.filter((x) => !x.revoked);
  return h("section", {}, h("h2", {}, t("tokens")), h("p", { class: "small soft" }, t("tokens text")),
    secret ? h("div", { class: "note" }, h("p", {}, t("token once")), h("pre", {}, secret)) : null,
    held.length ? table(t("tokens"), [[t("name")], [t("scopes")], [t("made")], [t("expires")], [t("last used")], [t("action")]], held.map((x) => [x.name, x.scope, time(x.created, "day"), time(x.expires, "day"), ago(x.used),
      h("button", { "aria-label": `${t("revoke")}: ${x.name}`, onclick: () => act(host, remove("tokens/" + x.id)) }, t("revoke"))]), "full") : null,
    form(host, t("make token"), [field("token_name", t("token name"), { required: true, maxlength: 64 }), field("token_scopes", t("scopes"), { required: true, value: "read", maxlength: 64 })], async () => {
      secret = (await post("tokens", { name: value("token_name"), scopes: value("token_scopes") })).token;
    }));
}

function users(list, host) {
  const roles = ["viewer", "operator", "admin"];
  const choose = (u) => h("select", { "aria-label": `${t("role")}: ${u.name}`, onchange: (e) => act(host, put(`users/${u.name}/role`, { role: e.target.value })) },
    roles.map((r) => h("option", { value: r, selected: r === u.role }, t("role " + r))));
  return h("section", {}, h("h2", {}, t("users")), table(t("users"), [[t("name")], [t("role")], [t("made")], [t("last seen")], [t("action")]], list.map((u) => [u.name, choose(u), time(u.created, "day"), ago(u.seen),
    h("button", { "aria-label": `${t("remove")}: ${u.name}`, onclick: () => act(host, remove("users/" + u.name)) }, t("remove"))]), "full"),
  h("h3", {}, t("add user")), form(host, t("add user"), [field("new_user", t("name"), { required: true, maxlength: 32, autocomplete: "off" }), h("label", { for: "new_role" }, t("role")),
    h("select", { id: "new_role" }, roles.map((r) => h("option", { value: r }, t("role " + r)))), field("new_user_password", t("password"), { type: "password", required: true, minlength: 10, autocomplete: "new-password" })],
  () => post("users", { user: value("new_user"), role: value("new_role"), password: value("new_user_password") })));
}

export const account = {
  load: async (rest, session) => { const [own, all] = await Promise.all([get("tokens"), session.role === "admin" ? get("users") : null]); return { own: own.tokens, all: all && all.users, secret }; },
  draw: (d, host) => {
    const page = [h("div", { class: "head" }, h("h1", {}, t("account")), h("p", { class: "lede" }, host.session.user, " · ", t("role " + host.session.role))),
      d.all ? users(d.all, host) : null, h("div", { class: "split" }, password(host), tokens(d.own, host))];
    return page;
  },
};
