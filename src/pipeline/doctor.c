/* SPDX-License-Identifier: MIT */
/* The doctor: looks at machine, build, workspace and data, and says what it sees. Reaches no network, changes nothing. */
#include "core/platform.h"
#include "learn/ledger.h"
#include "pipeline/pipeline.h"

#include <cryptosmart/backend.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct csm_checks {
    csm_check *check;
    size_t count;
    size_t capacity;
};

size_t csm_checks_count(const csm_checks *checks) {
    return checks ? checks->count : 0;
}

const csm_check *csm_checks_at(const csm_checks *checks, size_t index) {
    return checks && index < checks->count ? &checks->check[index] : NULL;
}

void csm_checks_free(csm_checks *checks) {
    if (!checks) return;
    for (size_t i = 0; i < checks->count; i++) csm_dealloc((void *)(uintptr_t)checks->check[i].text);
    csm_dealloc(checks->check);
    csm_dealloc(checks);
}

/* Takes text, which csm_strformat made; NULL means that memory ran out. */
static csm_status note(csm_checks *checks, csm_log_level level, const char *name, char *text) {
    if (!text) return CSM_ENOMEM;
    if (checks->count == checks->capacity) {
        size_t capacity = checks->capacity ? 2 * checks->capacity : 16;
        csm_check *grown = csm_realloc_array(checks->check, capacity, sizeof *grown);
        if (!grown) {
            csm_dealloc(text);
            return CSM_ENOMEM;
        }
        checks->check = grown;
        checks->capacity = capacity;
    }
    checks->check[checks->count++] = (csm_check){.name = name, .text = text, .level = level};
    return CSM_OK;
}

static csm_status check_machine(csm_checks *checks) {
    uint32_t devices = 0;
    csm_status status = note(checks, CSM_LOG_INFO, "machine.processors",
                             csm_strformat("%u processors, kernels for %s", csm_platform_processors(),
                                           csm_backend_isa_name(csm_backend_isa())));
    if (status != CSM_OK) return status;
    if (!csm_backend_has_cuda())
        return note(checks, CSM_LOG_INFO, "machine.cuda",
                    csm_strdup("built without CUDA; the CPU computes everything"));
    if (csm_backend_device_count(&devices) != CSM_OK || devices == 0)
        return note(checks, CSM_LOG_WARN, "machine.cuda",
                    csm_strformat("built with CUDA, but no device: %s", csm_error_message()));
    for (uint32_t d = 0; status == CSM_OK && d < devices; d++) {
        csm_device_info info;
        if (csm_backend_device_info(&info, d) != CSM_OK)
            status = note(checks, CSM_LOG_WARN, "machine.cuda", csm_strdup(csm_error_message()));
        else
            status = note(checks, CSM_LOG_INFO, "machine.cuda",
                          csm_strformat("%s, %llu MiB, compute %d.%d, %s", info.name,
                                        (unsigned long long)(info.memory_bytes >> 20), info.compute_major,
                                        info.compute_minor,
                                        info.verified ? "verified" : "unverified on hardware"));
    }
    return status;
}

static csm_status check_config(csm_checks *checks, const csm_config *config) {
    char hash[CSM_HASH_TEXT];
    csm_status status = csm_config_check(config);
    if (status != CSM_OK) return note(checks, CSM_LOG_ERROR, "config", csm_strdup(csm_error_message()));
    status = csm_config_hash(hash, sizeof hash, config);
    if (status != CSM_OK) return status;
    return note(checks, CSM_LOG_INFO, "config",
                csm_strformat("whole and within its ranges, hash %.12s", hash));
}

static csm_status check_ledger(csm_checks *checks, csm_context *context, const csm_pipeline *p) {
    csm_ledger_head head;
    if (csm_learn_verify(&head, context, p->store) != CSM_OK)
        return note(checks, CSM_LOG_ERROR, "ledger", csm_strdup(csm_error_message()));
    return note(checks, CSM_LOG_INFO, "ledger",
                csm_strformat("%lld rows, chain whole, head %.12s", (long long)head.rows, head.hash));
}

static csm_status check_store(csm_checks *checks, csm_context *context, const csm_pipeline *p) {
    uint64_t findings = 0;
    csm_status status = csm_store_verify(&findings, p->store, context);
    if (status == CSM_ECANCELLED || status == CSM_ENOMEM) return status;
    if (status != CSM_OK || findings > 0)
        return note(
            checks, CSM_LOG_ERROR, "store",
            csm_strformat("%llu faults; the first: %s", (unsigned long long)findings, csm_error_message()));
    return note(checks, CSM_LOG_INFO, "store", csm_strdup("every hash and row holds"));
}

static csm_status check_data(csm_checks *checks, const csm_pipeline *p) {
    csm_pipeline_status s;
    char first[CSM_TIME_TEXT], last[CSM_TIME_TEXT];
    if (csm_pipeline_status_report(&s, p) != CSM_OK)
        return note(checks, CSM_LOG_ERROR, "data", csm_strdup(csm_error_message()));
    if (s.rows == 0)
        return note(checks, CSM_LOG_WARN, "data",
                    csm_strdup("the workspace holds no records: ingest or import"));
    csm_status status =
        note(checks, CSM_LOG_INFO, "data",
             csm_strformat("%zu markets, %zu modelled, %llu records, bars %s .. %s", s.markets, s.universe,
                           (unsigned long long)s.rows, csm_time_format(s.first, first, sizeof first),
                           csm_time_format(s.last, last, sizeof last)));
    if (status == CSM_OK)
        status = note(checks, CSM_LOG_INFO, "recipe",
                      csm_strformat("%s: its name ends with the groups that have no source", s.recipe));
    if (status == CSM_OK && s.trained == CSM_TIME_MIN)
        status = note(checks, CSM_LOG_WARN, "model", csm_strdup("nothing was trained yet"));
    else if (status == CSM_OK)
        status =
            note(checks, CSM_LOG_INFO, "model",
                 csm_strformat("champion trained as of %s", csm_time_format(s.trained, first, sizeof first)));
    return status;
}

/* The gate at its own horizon: a line for each condition that fails. */
static csm_status check_gate(csm_checks *checks, const csm_pipeline *p) {
    csm_gate_report gate;
    if (csm_pipeline_gate(&gate, p, p->settings.rank.horizon) != CSM_OK)
        return note(checks, CSM_LOG_ERROR, "gate", csm_strdup(csm_error_message()));
    for (char *end = strchr(gate.text, '\n'); end; end = strchr(end, '\n')) *end = end[1] ? ';' : 0;
    return note(checks, gate.open ? CSM_LOG_INFO : CSM_LOG_WARN, "gate",
                csm_strformat("%s%s%s", gate.open ? "open" : "shut", gate.text[0] ? ": " : "", gate.text));
}

static csm_status check_workspace(csm_checks *checks, csm_context *context, const csm_config *config,
                                  const char *workspace) {
    csm_pipeline *p = NULL;
    csm_status status = csm_pipeline_open(&p, context, config, workspace, CSM_STORE_READ);
    if (status == CSM_ENOTFOUND)
        return note(checks, CSM_LOG_WARN, "workspace", csm_strformat("%s does not exist yet", workspace));
    if (status != CSM_OK) return note(checks, CSM_LOG_ERROR, "workspace", csm_strdup(csm_error_message()));
    status = note(checks, CSM_LOG_INFO, "workspace", csm_strformat("%s opens", workspace));
    if (status == CSM_OK) status = check_store(checks, context, p);
    if (status == CSM_OK) status = check_ledger(checks, context, p);
    if (status == CSM_OK) status = check_data(checks, p);
    if (status == CSM_OK) status = check_gate(checks, p);
    csm_pipeline_free(p);
    return status;
}

csm_status csm_pipeline_doctor(csm_checks **out, csm_context *context, const csm_config *config,
                               const char *workspace) {
    if (!out || !context || !config || !workspace)
        return csm_fail(CSM_EINVAL, "doctor: out, context, config and workspace are required");
    csm_checks *checks = csm_alloc_array(1, sizeof *checks);
    if (!checks) return CSM_ENOMEM;
    csm_status status =
        note(checks, CSM_LOG_INFO, "library", csm_strformat("libcryptosmart %s", csm_version()));
    if (status == CSM_OK) status = check_machine(checks);
    if (status == CSM_OK) status = check_config(checks, config);
    if (status == CSM_OK) status = check_workspace(checks, context, config, workspace);
    if (status != CSM_OK) {
        csm_checks_free(checks);
        return status;
    }
    *out = checks;
    return CSM_OK;
}
