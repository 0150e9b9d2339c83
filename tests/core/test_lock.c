/* SPDX-License-Identifier: MIT */
#include "support.h"

#include <signal.h>
#include <sys/wait.h>

typedef struct place {
    char *folder;
    char *path;
} place;

static int new_place(void **state) {
    place *p = calloc(1, sizeof *p);
    p->folder = support_folder_new();
    p->path = support_path(p->folder, "lock");
    *state = p;
    return 0;
}

static int remove_place(void **state) {
    place *p = *state;
    csm_dealloc(p->path);
    support_folder_remove(p->folder);
    free(p);
    return 0;
}

static void a_lock_is_taken_once_and_again_after_its_release(void **state) {
    const place *p = *state;
    csm_lock *lock, *second;
    assert_ok(csm_lock_take(&lock, p->path));
    char *holder = csm_strformat("locked by process %d", (int)getpid());
    assert_fails(CSM_ELOCKED, holder, csm_lock_take(&second, p->path));
    assert_null(second);
    csm_lock_release(lock);
    assert_ok(csm_lock_take(&lock, p->path));
    csm_lock_release(lock);
    csm_lock_release(NULL);
    csm_dealloc(holder);
}

/* A child that takes the lock, says so through the pipe, and waits to be killed. */
static pid_t start_holder(const char *path) {
    int ready[2];
    assert_int_equal(pipe(ready), 0);
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        csm_lock *lock;
        const char answer = csm_lock_take(&lock, path) ? 'n' : 'y';
        if (write(ready[1], &answer, 1) != 1) _exit(1);
        for (;;) pause();
    }
    char answer = 0;
    assert_int_equal(read(ready[0], &answer, 1), 1);
    assert_int_equal(answer, 'y');
    close(ready[0]);
    close(ready[1]);
    return child;
}

static void a_lock_of_another_process_names_it_and_dies_with_it(void **state) {
    const place *p = *state;
    csm_lock *lock;
    const pid_t child = start_holder(p->path);
    char *holder = csm_strformat("locked by process %d", (int)child);
    assert_fails(CSM_ELOCKED, holder, csm_lock_take(&lock, p->path));
    csm_dealloc(holder);
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_ok(csm_lock_take(&lock, p->path));
    csm_lock_release(lock);
}

static void a_forked_child_cannot_release_its_parents_lock(void **state) {
    const place *p = *state;
    csm_lock *lock, *second;
    assert_ok(csm_lock_take(&lock, p->path));
    const pid_t child = fork();
    if (child == 0) {
        csm_lock_release(lock);
        _exit(0);
    }
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_fails(CSM_ELOCKED, "locked by process", csm_lock_take(&second, p->path));
    csm_lock_release(lock);
}

static void a_release_frees_the_lock_although_a_forked_child_still_runs(void **state) {
    const place *p = *state;
    csm_lock *lock;
    assert_ok(csm_lock_take(&lock, p->path));
    const pid_t child = fork();
    if (child == 0) {
        for (;;) pause();
    }
    csm_lock_release(lock);
    assert_ok(csm_lock_take(&lock, p->path));
    csm_lock_release(lock);
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, NULL, 0), child);
}

static void a_lock_in_no_folder_is_not_found(void **state) {
    const place *p = *state;
    csm_lock *lock;
    char *path = support_path(p->folder, "absent/lock");
    assert_fails(CSM_ENOTFOUND, path, csm_lock_take(&lock, path));
    csm_dealloc(path);
}

static void a_text_that_is_no_process_does_not_confuse(void **state) {
    const place *p = *state;
    csm_lock *lock, *second;
    assert_ok(csm_lock_take(&lock, p->path));
    FILE *file = fopen(p->path, "w");
    assert_non_null(file);
    fputs("garbage that is longer than any process id could be", file);
    fclose(file);
    assert_fails(CSM_ELOCKED, "locked by another process", csm_lock_take(&second, p->path));
    csm_lock_release(lock);
}

int main(void) {
#define AT_A_PLACE(test) cmocka_unit_test_setup_teardown(test, new_place, remove_place)
    const struct CMUnitTest tests[] = {
        AT_A_PLACE(a_lock_is_taken_once_and_again_after_its_release),
        AT_A_PLACE(a_lock_of_another_process_names_it_and_dies_with_it),
        AT_A_PLACE(a_forked_child_cannot_release_its_parents_lock),
        AT_A_PLACE(a_release_frees_the_lock_although_a_forked_child_still_runs),
        AT_A_PLACE(a_lock_in_no_folder_is_not_found),
        AT_A_PLACE(a_text_that_is_no_process_does_not_confuse),
    };
    return cmocka_run_group_tests_name("core.lock", tests, NULL, NULL);
}
