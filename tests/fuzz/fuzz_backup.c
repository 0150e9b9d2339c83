/* SPDX-License-Identifier: MIT */
/* backup.json of a backup: what is read is written and read again as the same. */
#include "store/backup.h"
#include "store/manifest.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    csm_backup_list list, again;
    csm_buffer first = {0}, second = {0};
    if (csm_backup_list_parse(&list, size > 0 ? (const char *)data : "", size)) return 0;
    for (size_t i = 0; i < list.count; i++) {
        if (!csm_path_is_plain(list.files[i].path)) __builtin_trap();
    }
    if (csm_backup_list_format(&first, &list)) __builtin_trap();
    if (csm_backup_list_parse(&again, first.data, first.length)) __builtin_trap();
    if (csm_backup_list_format(&second, &again)) __builtin_trap();
    if (first.length != second.length || memcmp(first.data, second.data, first.length) != 0) __builtin_trap();
    csm_buffer_free(&second);
    csm_buffer_free(&first);
    csm_backup_list_free(&again);
    csm_backup_list_free(&list);
    return 0;
}
