/* SPDX-License-Identifier: MIT */
/* The tables of routes, and what parses paths, arguments and bodies by them. Knows no connection: the fuzz targets call it. */
#include "request.h"

#include <stdlib.h>
#include <string.h>

const route routes[] = {
#define ROUTE(name, method, path, role, scope, flags, summary)                                               \
    {#name, #method, path, summary, ROLE_##role, SCOPE_##scope, flags, route_##name},
#include "routes.def"
#undef ROUTE
};
const size_t route_count = sizeof routes / sizeof *routes;

const route_value route_parameters[] = {
#define PARAMETER(route, name, type, minimum, maximum, text)                                                 \
    {#route, #name, text, minimum, maximum, VALUE_##type, 0},
#include "parameters.def"
#undef PARAMETER
};
const size_t route_parameter_count = sizeof route_parameters / sizeof *route_parameters;

const route_value route_fields[] = {
#define FIELD(route, name, type, required, minimum, maximum, text)                                           \
    {#route, #name, text, minimum, maximum, VALUE_##type, required},
#include "fields.def"
#undef FIELD
};
const size_t route_field_count = sizeof route_fields / sizeof *route_fields;

/* ---- paths ---- */

static bool good_part(const char *part, size_t length) {
    if (length == 0 || length >= PATH_PARAMETER_BYTES) return false;
    for (size_t i = 0; i < length; i++) {
        if (part[i] <= ' ' || part[i] > '~') return false;
    }
    return true;
}

bool path_matches(const char *pattern, const char *path, path_match *out) {
    out->count = 0;
    while (*pattern) {
        if (*pattern != '{') {
            if (*pattern++ != *path++) return false;
            continue;
        }
        const size_t length = strcspn(path, "/");
        if (!good_part(path, length) || out->count == PATH_PARAMETERS) return false;
        memcpy(out->value[out->count], path, length);
        out->value[out->count++][length] = 0;
        path += length;
        pattern = strchr(pattern, '}') + 1;
    }
    return *path == 0;
}

const route *route_find(const char *method, const char *path, path_match *out, char *allowed, size_t size) {
    const char *wanted = strcmp(method, "HEAD") == 0 ? "GET" : method;
    const route *found = NULL;
    path_match match;
    size_t used = 0;
    *allowed = 0;
    for (size_t i = 0; i < route_count; i++) {
        if (!path_matches(routes[i].path, path, &match)) continue;
        if (!found && strcmp(routes[i].method, wanted) == 0) {
            found = &routes[i];
            *out = match;
        }
        const char *name = strcmp(routes[i].method, "GET") == 0 ? "GET, HEAD" : routes[i].method;
        if (used < size)
            used += (size_t)snprintf(allowed + used, size - used, "%s%s", used ? ", " : "", name);
    }
    return found;
}

/* ---- values ---- */

static const route_value *find_value(const route_value *values, size_t count, const char *route_name,
                                     const char *name) {
    for (size_t i = 0; i < count; i++) {
        if (strcmp(values[i].route, route_name) == 0 && strcmp(values[i].name, name) == 0) return &values[i];
    }
    return NULL;
}

static bool integer_in(const route_value *v, const char *text) {
    char *end = NULL;
    const size_t length = strlen(text);
    if (length == 0 || length > 18 || strspn(text, "0123456789") != length) return false;
    const long long value = strtoll(text, &end, 10);
    return *end == 0 && value >= v->minimum && value <= v->maximum;
}

static bool length_in(const route_value *v, size_t length) {
    return length >= (size_t)v->minimum && length <= (size_t)v->maximum;
}

bool argument_good(const route *of, const char *name, const char *value, char *text, size_t size) {
    const route_value *v = find_value(route_parameters, route_parameter_count, of->name, name);
    if (!v) {
        snprintf(text, size, "there is no argument '%.40s' here", name);
        return false;
    }
    const bool good =
        value && (v->type == VALUE_INTEGER ? integer_in(v, value) : length_in(v, strlen(value)));
    if (!good) snprintf(text, size, "the argument '%s' is out of range: %s", v->name, v->text);
    return good;
}

static bool member_good(const route_value *v, const json_t *value) {
    if (v->type == VALUE_INTEGER)
        return json_is_integer(value) && json_integer_value(value) >= v->minimum &&
               json_integer_value(value) <= v->maximum;
    /* a NUL inside would cut the text short for everything behind */
    return json_is_string(value) && length_in(v, json_string_length(value)) &&
           strlen(json_string_value(value)) == json_string_length(value);
}

static bool body_good(const route *of, json_t *body, char *text, size_t size) {
    const char *name;
    json_t *value;
    if (!json_is_object(body)) {
        snprintf(text, size, "the body is no JSON object");
        return false;
    }
    json_object_foreach(body, name, value) {
        const route_value *v = find_value(route_fields, route_field_count, of->name, name);
        if (!v)
            snprintf(text, size, "there is no member '%.40s' here", name);
        else if (!member_good(v, value))
            snprintf(text, size, "the member '%s' is of the wrong type or size: %s", v->name, v->text);
        else
            continue;
        return false;
    }
    for (size_t i = 0; i < route_field_count; i++) {
        const route_value *v = &route_fields[i];
        if (strcmp(v->route, of->name) == 0 && v->required && !json_object_get(body, v->name)) {
            snprintf(text, size, "the member '%s' is missing: %s", v->name, v->text);
            return false;
        }
    }
    return true;
}

json_t *body_parse(const route *of, const char *bytes, size_t length, char *text, size_t size) {
    json_error_t error;
    json_t *body = json_loadb(bytes, length, JSON_REJECT_DUPLICATES, &error);
    if (!body) {
        snprintf(text, size, "the body is no JSON: %.100s", error.text);
        return NULL;
    }
    if (body_good(of, body, text, size)) return body;
    json_decref(body);
    return NULL;
}
