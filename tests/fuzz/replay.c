/* SPDX-License-Identifier: MIT */
/*
 * Runs a fuzz target over files and folders of files, once each: replay [-OPTION...] PATH... Ends 1 when there was
 * nothing to run, because a replay of nothing proves nothing. Options are libFuzzer's and are ignored.
 */
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int run_file(const char *path, size_t size) {
    FILE *file = fopen(path, "rb");
    /* exactly as large as the input, so that AddressSanitizer sees a read past its end */
    uint8_t *data = malloc(size ? size : 1);
    int ok = file && data && fread(data, 1, size, file) == size;
    if (ok)
        LLVMFuzzerTestOneInput(data, size);
    else
        fprintf(stderr, "replay: cannot read %s: %s\n", path, strerror(errno));
    free(data);
    if (file) fclose(file);
    return ok ? 0 : -1;
}

/* Inputs run, or -1. */
static long run_path(const char *path) {
    struct stat about;
    if (stat(path, &about) != 0) {
        fprintf(stderr, "replay: %s: %s\n", path, strerror(errno));
        return -1;
    }
    if (!S_ISDIR(about.st_mode)) return run_file(path, (size_t)about.st_size) == 0 ? 1 : -1;
    struct dirent **names = NULL;
    int count = scandir(path, &names, NULL, alphasort);
    long total = 0;
    for (int i = 0; i < count; i++) {
        if (names[i]->d_name[0] != '.' && total >= 0) {
            char inner[4096];
            int length = snprintf(inner, sizeof inner, "%s/%s", path, names[i]->d_name);
            long ran = length > 0 && (size_t)length < sizeof inner ? run_path(inner) : -1;
            total = ran < 0 ? -1 : total + ran;
        }
        free(names[i]);
    }
    free(names);
    return count < 0 ? -1 : total;
}

int main(int argc, char **argv) {
    long total = 0;
    for (int i = 1; i < argc; i++) {
        if (argv[i][0] == '-') continue;
        long ran = run_path(argv[i]);
        if (ran < 0) return 1;
        total += ran;
    }
    printf("replayed %ld inputs\n", total);
    return total > 0 ? 0 : 1;
}
