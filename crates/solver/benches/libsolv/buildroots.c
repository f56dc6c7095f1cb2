/* Buildroots by libsolv: BINARY.xml.gz SOURCE.xml.gz GROUP EVERY. Tells the time to load and, for each source of
   which one in EVERY is taken, the mean processor time of its answer. */

#include <solv/pool.h>
#include <solv/repo.h>
#include <solv/repo_rpmmd.h>
#include <solv/solv_xfopen.h>
#include <solv/solver.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return now.tv_sec + now.tv_nsec / 1e9;
}

static Repo *load(Pool *pool, const char *path)
{
    Repo *repo = repo_create(pool, path);
    FILE *file = solv_xfopen(path, "r");
    if (!file || repo_add_rpmmd(repo, file, 0, 0)) {
        fprintf(stderr, "could not read %s\n", path);
        exit(1);
    }
    fclose(file);
    return repo;
}

int main(int count, char **arguments)
{
    if (count != 5) {
        fprintf(stderr, "usage: buildroots BINARY.xml.gz SOURCE.xml.gz GROUP EVERY\n");
        return 2;
    }
    double start = seconds();
    Pool *pool = pool_create();
    pool_setdisttype(pool, DISTTYPE_RPM);
    pool_setarch(pool, "x86_64");
    load(pool, arguments[1]);
    Repo *sources = load(pool, arguments[2]);
    pool_addfileprovides(pool);
    pool_createwhatprovides(pool);
    printf("libsolv, XML (gzip) to ready: %.2f s\n", seconds() - start);

    Queue group;
    queue_init(&group);
    FILE *names = fopen(arguments[3], "r");
    char name[256];
    while (names && fgets(name, sizeof name, names)) {
        name[strcspn(name, "\n")] = 0;
        queue_push2(&group, SOLVER_INSTALL | SOLVER_SOLVABLE_NAME, pool_str2id(pool, name, 1));
    }

    int every = atoi(arguments[4]), seen = 0, asked = 0, solved = 0;
    Id id;
    Solvable *source;
    start = seconds();
    FOR_REPO_SOLVABLES(sources, id, source) {
        if (seen++ % every)
            continue;
        Queue job, needs;
        queue_init_clone(&job, &group);
        queue_init(&needs);
        solvable_lookup_deparray(source, SOLVABLE_REQUIRES, &needs, -1);
        for (int at = 0; at < needs.count; at++)
            queue_push2(&job, SOLVER_INSTALL | SOLVER_SOLVABLE_PROVIDES, needs.elements[at]);
        Solver *solver = solver_create(pool);
        solver_set_flag(solver, SOLVER_FLAG_IGNORE_RECOMMENDED, 1);
        solved += solver_solve(solver, &job) == 0;
        asked++;
        solver_free(solver);
        queue_free(&needs);
        queue_free(&job);
    }
    printf("libsolv, one source: mean %.2f ms (%d asked, %d solved)\n",
           (seconds() - start) * 1e3 / asked, asked, solved);
    return 0;
}
