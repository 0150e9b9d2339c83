// The REST API. A failure is an Error with the problem's text and status.

let csrf = "";

async function call(method, path, body) {
  const headers = {};
  if (method !== "GET") headers["X-CSRF-Token"] = csrf;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const answer = await fetch(path.startsWith("/") ? path : "/api/v1/" + path,
    { method, headers, body: body === undefined ? undefined : JSON.stringify(body), credentials: "same-origin" });
  const type = answer.headers.get("Content-Type") || "";
  const document = type.includes("json") ? await answer.json() : null;
  if (!answer.ok) {
    const error = new Error(document && document.detail ? document.detail : answer.statusText);
    error.status = answer.status;
    throw error;
  }
  if (document && document.csrf) csrf = document.csrf;
  return document;
}

export const get = (path) => call("GET", path);
export const post = (path, body) => call("POST", path, body);
export const put = (path, body) => call("PUT", path, body);
export const remove = (path) => call("DELETE", path);
// A part of a panel that may be refused or absent: null instead of an error, unless the session is over.
export async function maybe(path) {
  try {
    return await get(path);
  } catch (error) {
    if (error.status === 401) throw error;
    return null;
  }
}
