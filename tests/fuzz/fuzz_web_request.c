/* SPDX-License-Identifier: MIT */
/* What the dashboard's server makes of a request before anyone is asked who he is: path, query argument, JSON body, scopes. The
 * first byte chooses a route, the rest is path, argument and body, cut at line feeds. */
#include <cryptosmart/cryptosmart.h> /* what it parses for needs the stages that touch network and disk */
#include <stdlib.h>
#include <string.h>

/* the tables and parsers stand alone: every route's function is an empty one here */
#define ROUTE(name, method, path, role, scope, flags, summary)                                               \
    void route_##name(struct request *r);                                                                    \
    void route_##name(struct request *r) {                                                                   \
        (void)r;                                                                                             \
    }
struct request;
#include "../../examples/daemon/web/routes.def"
#undef ROUTE
#include "../../examples/daemon/web/routes.c"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *part_of(const uint8_t **data, size_t *size) {
    const uint8_t *end = memchr(*data, '\n', *size);
    const size_t length = end ? (size_t)(end - *data) : *size;
    char *part = malloc(length + 1);
    if (!part) abort();
    memcpy(part, *data, length);
    part[length] = 0;
    *data += length + (end != NULL);
    *size -= length + (end != NULL);
    return part;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char text[300], allowed[80];
    path_match match;
    if (size == 0) return 0;
    const route *of = &routes[data[0] % route_count];
    data++;
    size--;
    char *path = part_of(&data, &size), *name = part_of(&data, &size), *value = part_of(&data, &size);
    const route *found = route_find(of->method, path, &match, allowed, sizeof allowed);
    if (found && strcmp(found->method, of->method) != 0) abort();
    for (size_t i = 0; found && i < match.count; i++) {
        if (strlen(match.value[i]) == 0 || strchr(match.value[i], '/')) abort();
    }
    argument_good(of, name, value, text, sizeof text);
    json_t *body = body_parse(of, (const char *)data, size, text, sizeof text);
    if (body && !json_is_object(body)) abort();
    json_decref(body);
    free(path);
    free(name);
    free(value);
    return 0;
}
