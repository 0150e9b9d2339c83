/* SPDX-License-Identifier: MIT */
/* Any bytes as a URL: what follows "key=" or stands for '*' in "/bot*" never shows, and size is never exceeded. */
#include "net/internal.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const char *const names[] = {"key", "/bot*/x*", NULL};
    if (size < 1 || size > 4096) return 0;
    const size_t room = (size_t)data[0] + 1;
    char *url = malloc(size);
    char *text = malloc(room);
    if (!url || !text) goto done;
    memcpy(url, data + 1, size - 1);
    url[size - 1] = '\0';
    csm_net_redact(url, names, text, room);
    if (strlen(text) >= room) abort();
    const char *key = strstr(text, "?key=");
    if (key && key[5] && key[5] != '*' && !strchr("&;?#", key[5]) && !strstr(url, "@")) abort();
    const csm_net_request request = {.url = url};
    if (csm_net_scrub_text(text, room, &request, names) != CSM_OK) abort();
    bool loopback = false;
    char why[200];
    csm_url_allowed(&loopback, url, why, sizeof why);
done:
    free(url);
    free(text);
    return 0;
}
