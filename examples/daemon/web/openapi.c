/* SPDX-License-Identifier: MIT */
/* The OpenAPI 3.1 document: paths from the tables of routes, arguments and bodies; shapes of answers from openapi-schemas.json, which
 * is embedded with the dashboard's files and names its parts as the routes are named. */
#include "assets.h"
#include "request.h"

#include <ctype.h>
#include <string.h>

static json_t *value_schema(const route_value *v) {
    if (v->type == VALUE_INTEGER)
        return json_pack("{s:s,s:I,s:I}", "type", "integer", "minimum", (json_int_t)v->minimum, "maximum",
                         (json_int_t)v->maximum);
    return json_pack("{s:s,s:I,s:I}", "type", "string", "minLength", (json_int_t)v->minimum, "maxLength",
                     (json_int_t)v->maximum);
}

static json_t *parameters_of(const route *of) {
    json_t *list = json_array();
    for (const char *at = strchr(of->path, '{'); at; at = strchr(at + 1, '{')) {
        const char *end = strchr(at, '}');
        json_array_append_new(list,
                              json_pack("{s:s%,s:s,s:b,s:{s:s,s:i,s:i}}", "name", at + 1,
                                        (size_t)(end - at - 1), "in", "path", "required", 1, "schema", "type",
                                        "string", "minLength", 1, "maxLength", PATH_PARAMETER_BYTES - 1));
    }
    for (size_t i = 0; i < route_parameter_count; i++) {
        const route_value *v = &route_parameters[i];
        if (strcmp(v->route, of->name) == 0)
            json_array_append_new(list, json_pack("{s:s,s:s,s:s,s:o}", "name", v->name, "in", "query",
                                                  "description", v->text, "schema", value_schema(v)));
    }
    return list;
}

static json_t *body_of(const route *of) {
    json_t *properties = json_object(), *required = json_array();
    for (size_t i = 0; i < route_field_count; i++) {
        const route_value *v = &route_fields[i];
        if (strcmp(v->route, of->name) != 0) continue;
        json_t *schema = value_schema(v);
        json_object_set_new(schema, "description", json_string(v->text));
        json_object_set_new(properties, v->name, schema);
        if (v->required) json_array_append_new(required, json_string(v->name));
    }
    if (json_object_size(properties) == 0) {
        json_decref(properties);
        json_decref(required);
        return NULL;
    }
    return json_pack("{s:b,s:{s:{s:{s:s,s:b,s:o,s:o}}}}", "required", 1, "content", "application/json",
                     "schema", "type", "object", "additionalProperties", 0, "properties", properties,
                     "required", required);
}

static json_t *problem(const char *text) {
    return json_pack("{s:s,s:{s:{s:{s:s}}}}", "description", text, "content", "application/problem+json",
                     "schema", "$ref", "#/components/schemas/problem");
}

static const char *success(const route *of) {
    if (strcmp(of->name, "job_run") == 0 || strcmp(of->name, "run_cancel") == 0) return "202";
    if (strcmp(of->name, "token_add") == 0) return "201";
    return strcmp(of->method, "GET") == 0 || strcmp(of->name, "login") == 0 ? "200" : "204";
}

static json_t *content_of(const route *of, const json_t *schemas) {
    char reference[80];
    if (strcmp(of->name, "events") == 0)
        return json_pack("{s:{s:{s:s}}}", "text/event-stream", "schema", "type", "string");
    if (strcmp(of->name, "metrics") == 0 || strcmp(of->name, "healthz") == 0 ||
        strcmp(of->name, "readyz") == 0)
        return json_pack("{s:{s:{s:s}}}", "text/plain", "schema", "type", "string");
    if (!json_object_get(schemas, of->name)) return NULL;
    snprintf(reference, sizeof reference, "#/components/schemas/%s", of->name);
    json_t *content = json_pack("{s:{s:{s:s}}}", "application/json", "schema", "$ref", reference);
    if (strcmp(of->name, "ledger") == 0)
        json_object_set_new(content, "text/csv", json_pack("{s:{s:s}}", "schema", "type", "string"));
    return content;
}

static json_t *responses_of(const route *of, const json_t *schemas) {
    json_t *responses = json_object(), *good = json_pack("{s:s}", "description", of->summary);
    json_t *content = content_of(of, schemas);
    if (content) json_object_set_new(good, "content", content);
    json_object_set_new(responses, success(of), good);
    if (of->role != ROLE_NONE) {
        json_object_set_new(responses, "401", problem("Nobody is logged in"));
        json_object_set_new(responses, "403", problem("The role or the token's scopes do not cover this"));
    }
    json_object_set_new(responses, "default", problem("What went wrong"));
    return responses;
}

static json_t *operation_of(const route *of, const json_t *schemas) {
    json_t *operation =
        json_pack("{s:s,s:s,s:o,s:o,s:s}", "operationId", of->name, "summary", of->summary, "parameters",
                  parameters_of(of), "responses", responses_of(of, schemas), "x-role", role_name(of->role));
    json_t *body = body_of(of);
    if (body) json_object_set_new(operation, "requestBody", body);
    if (of->role == ROLE_NONE)
        json_object_set_new(operation, "security", json_array());
    else if (of->scope == SCOPE_SESSION)
        json_object_set_new(operation, "security", json_pack("[{s:[]}]", "session"));
    return operation;
}

static json_t *schemas_read(void) {
    for (size_t i = 0; i < asset_count; i++) {
        if (strcmp(assets[i].name, "openapi-schemas.json") == 0)
            return json_loadb((const char *)assets[i].bytes, assets[i].length, 0, NULL);
    }
    return NULL;
}

static json_t *paths_of(const json_t *schemas) {
    json_t *paths = json_object();
    char method[16];
    for (size_t i = 0; i < route_count; i++) {
        const route *of = &routes[i];
        if (strcmp(of->name, "page") == 0 || strcmp(of->name, "asset") == 0) continue;
        json_t *path = json_object_get(paths, of->path);
        if (!path) {
            path = json_object();
            json_object_set_new(paths, of->path, path);
        }
        snprintf(method, sizeof method, "%s", of->method);
        for (char *c = method; *c; c++) *c = (char)tolower((unsigned char)*c);
        json_object_set_new(path, method, operation_of(of, schemas));
    }
    return paths;
}

void route_openapi(request *r) {
    json_t *schemas = schemas_read();
    json_t *paths = schemas ? paths_of(schemas) : NULL;
    json_t *security = json_pack("{s:{s:s,s:s,s:s},s:{s:s,s:s}}", "session", "type", "apiKey", "in", "cookie",
                                 "name", "cryptosmart", "token", "type", "http", "scheme", "bearer");
    answer_json(
        r, 200,
        json_pack(
            "{s:s,s:{s:s,s:s,s:s,s:{s:s,s:s}},s:[{s:[]},{s:[]}],s:o,s:{s:o,s:o}}", "openapi", "3.1.0", "info",
            "title", "cryptosmartd", "version", csm_version(), "description",
            "Coins about to rise, with the evidence for each; or that there is none. Objects with numbers "
            "name in `from` the row of the catalogue that these come from.",
            "license", "name", "MIT", "identifier", "MIT", "security", "session", "token", "paths", paths,
            "components", "schemas", schemas, "securitySchemes", security));
}
