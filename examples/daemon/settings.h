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

/* Reads files, then the environment. All faults of all files are in failure_text(), one a line, as FILE:LINE:COLUMN. */
csm_status settings_load(csm_config **out, const settings_source *source);
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
