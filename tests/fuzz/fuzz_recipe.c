/* SPDX-License-Identifier: MIT */
#include <cryptosmart/fuse.h>

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Whatever is taken is written and read back as the same recipe. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    csm_recipe *recipe = NULL, *again = NULL;
    char *json = NULL;
    if (csm_fuse_recipe_parse(&recipe, (const char *)data, size)) {
        if (recipe) __builtin_trap();
        return 0;
    }
    if (csm_fuse_recipe_json(&json, recipe)) __builtin_trap();
    if (csm_fuse_recipe_parse(&again, json, strlen(json))) __builtin_trap();
    if (strcmp(csm_recipe_hash(recipe), csm_recipe_hash(again)) != 0) __builtin_trap();
    csm_fuse_text_free(json);
    csm_recipe_free(recipe);
    csm_recipe_free(again);
    return 0;
}
