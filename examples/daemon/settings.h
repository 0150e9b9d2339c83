/* SPDX-License-Identifier: MIT */
/* The configuration of the daemon: the library's options and the daemon.* and alert.* ones, from the same YAML files and
 * environment, read once into typed values. */
#ifndef DAEMON_SETTINGS_H
#define DAEMON_SETTINGS_H

#include <cryptosmart/cryptosmart.h>
#include <stdbool.h>
#include <stdio.h>

#define SETTINGS_FILES 16

/* Where the configuration comes from; kept for SIGHUP and for children. */
typedef struct settings_source {
    const char *files[SETTINGS_FILES];
    int file_count;
} settings_source;

/* Reads files, then the environment. All faults of all of them are in failure_text(), one a line, as FILE:LINE:COLUMN; *out then
 * holds what could be read, so that a caller can go on looking for faults. */
csm_status settings_load(csm_config **out, const settings_source *source);
/* What no single option shows. Faults are added to `text`, one a line; false when there are any. */
bool settings_check(const csm_config *config, const settings_source *source, char *text, size_t size);
/* Adds a line "FILE:LINE: NAME: ..." to text, with the place where an option was set, if a file sets it. */
void settings_fault(char *text, size_t size, const settings_source *source, const char *name,
                    const char *format, ...) CSM_PRINTF(5, 6);
/* Prints every daemon option with its range, default and sentence. */
void settings_print(FILE *out);

/* Values of a loaded configuration. A wrong name is a defect of the caller and gives the type's zero. */
const char *settings_text(const csm_config *config, const char *name);
int64_t settings_integer(const csm_config *config, const char *name);
double settings_real(const csm_config *config, const char *name);
csm_time settings_duration(const csm_config *config, const char *name);
bool settings_boolean(const csm_config *config, const char *name);
/* Item `index` of a list into text, without blanks around it; false past the end. */
bool settings_item(const csm_config *config, const char *name, size_t index, char *text, size_t size);

#endif
