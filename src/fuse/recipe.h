/* SPDX-License-Identifier: MIT */
#ifndef CSM_FUSE_RECIPE_H
#define CSM_FUSE_RECIPE_H

#include "fuse/formula.h"

struct csm_recipe {
    char *name;
    size_t count;
    csm_feature *features;
    size_t memory;            /* the most of any feature */
    char hash[CSM_HASH_TEXT]; /* of the canonical JSON */
};

/* An empty recipe with room for `capacity` features. */
csm_status csm_recipe_new(csm_recipe **out, const char *name, size_t capacity);
/* Takes the feature's fields (name copied), checks them and computes its memory. The recipe must have room. */
csm_status csm_recipe_add(csm_recipe *recipe, const csm_feature *feature);
/* Computes memory and hash; an empty recipe and features of one name are refused. */
csm_status csm_recipe_seal(csm_recipe *recipe);
csm_status csm_recipe_copy(csm_recipe **out, const csm_recipe *recipe);
bool csm_recipe_uses(const csm_recipe *recipe, const char *group);

#endif
