/* Packages: whatever fails while one is installed, it is said; what the table lists is there. */
#include "node.h"

#include "base/fault.h"
#include "server/package.h"

#include <archive.h>
#include <archive_entry.h>
#include <unistd.h>

#define MANIFEST \
    "{\"name\":\"test.one\",\"version\":\"1.0.0\",\"fhirVersions\":[\"4.0.1\"],"                   \
    "\"dependencies\":{\"hl7.fhir.r4.core\":\"4.0.1\"}}"
#define SYSTEM(id)                                                                                 \
    "{\"resourceType\":\"CodeSystem\",\"id\":\"" id "\",\"url\":\"urn:test:" id "\",\"status\":"  \
    "\"active\",\"content\":\"complete\",\"concept\":[{\"code\":\"a\"}]}"
#define PROFILE                                                                                    \
    "{\"resourceType\":\"StructureDefinition\",\"id\":\"named\",\"url\":\"urn:test:named\","       \
    "\"name\":\"Named\",\"status\":\"active\",\"kind\":\"resource\",\"abstract\":false,"           \
    "\"type\":\"Patient\",\"baseDefinition\":"                                                     \
    "\"http://hl7.org/fhir/StructureDefinition/Patient\",\"derivation\":\"constraint\","           \
    "\"differential\":{\"element\":[{\"id\":\"Patient.name\",\"path\":\"Patient.name\","           \
    "\"min\":1}]}}"

static const struct {
    const char *name, *text;
} files[] = {
    {"package/package.json", MANIFEST},
    {"package/CodeSystem-one.json", SYSTEM("one")},
    {"package/CodeSystem-two.json", SYSTEM("two")},
    {"package/StructureDefinition-named.json", PROFILE},
};
#define RESOURCES (ARRAY_LEN(files) - 1)

static void write_package(const char *path)
{
    struct archive *a = archive_write_new();

    assert_int_equal(archive_write_add_filter_gzip(a), ARCHIVE_OK);
    assert_int_equal(archive_write_set_format_ustar(a), ARCHIVE_OK);
    assert_int_equal(archive_write_open_filename(a, path), ARCHIVE_OK);
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        struct archive_entry *e = archive_entry_new();
        size_t n = strlen(files[i].text);
        archive_entry_set_pathname(e, files[i].name);
        archive_entry_set_filetype(e, AE_IFREG);
        archive_entry_set_perm(e, 0644);
        archive_entry_set_size(e, (la_int64_t)n);
        assert_int_equal(archive_write_header(a, e), ARCHIVE_OK);
        assert_int_equal(archive_write_data(a, files[i].text, n), n);
        archive_entry_free(e);
    }
    archive_write_free(a);
}

struct run {
    struct node node;
    struct place place;
    char path[128];
    const char *paths[1];
    struct package_options options;
};

static void say(void *ctx, const char *text)
{
    (void)ctx;
    assert_non_null(text);
}

static void run_init(struct run *run)
{
    node_open(&run->node);
    run->place = (struct place){.api = run->node.api, .store = run->node.store};
    snprintf(run->path, sizeof run->path, "%s/one.tgz", run->node.dir);
    write_package(run->path);
    run->paths[0] = run->path;
    run->options = (struct package_options){.paths = run->paths, .n_paths = 1, .say = say};
}

struct listed {
    size_t n_packages, n_resources;
};

static void count(void *ctx, const char *name, size_t n)
{
    struct listed *l = ctx;

    assert_string_equal(name, "test.one#1.0.0");
    l->n_packages++;
    l->n_resources = n;
}

static struct listed list(struct run *run)
{
    struct listed l = {0};
    struct err err = {0};

    if (package_list(&run->place, count, &l, &err) < 0)
        fail_msg("%s (%s)", err.text, err.detail);
    return l;
}

static bool is_there(struct run *run, const char *type, const char *id)
{
    _cleanup_(store_txn_endp) struct store_txn *txn = NULL;
    struct access who = trust_system();
    struct err err = {0};
    struct row row;
    int r;

    assert_int_equal(store_begin(run->node.store, &who, &txn, &err), 0);
    r = store_get(txn, def_resource(str_c(type)), str_c(id), &row, &err);
    return r >= 0 && row.method != METHOD_DELETE;
}

static bool are_there(struct run *run)
{
    return is_there(run, "CodeSystem", "one") && is_there(run, "CodeSystem", "two") &&
           is_there(run, "StructureDefinition", "named");
}

static void take_away(struct run *run)
{
    struct err err = {0};
    size_t n;

    if (package_remove(run->node.api, run->node.store, STR("test.one"), &n, &err) < 0)
        fail_msg("%s (%s)", err.text, err.detail);
    assert_int_equal(n, RESOURCES);
    assert_int_equal(list(run).n_packages, 0);
    assert_false(is_there(run, "CodeSystem", "one"));
}

/* The table lists a package when all of it is there, and only then. */
static void failure_leaves_no_half(void **state)
{
    unsigned n_failed = 0, n_tried = 0;
    struct run run;

    (void)state;
    run_init(&run);
    FAULT_LOOP(false) {
        struct err err = {0};
        int r = package_install(&run.place, &run.options, &err);
        bool has_fired = fault_fired();
        struct listed l;

        fault_arm(0, false);
        l = list(&run);
        n_tried++;
        n_failed += r < 0;
        if (r < 0 && !err.text[0])
            fail_msg("failure %u says nothing", n_tried);
        if (r >= 0)
            assert_int_equal(l.n_packages, 1);
        if (l.n_packages) {
            assert_int_equal(l.n_resources, RESOURCES);
            assert_true(are_there(&run));
            take_away(&run);
        }
        if (has_fired) /* the loop asks whether it was reached */
            fault_arm(1, false), (void)fault_point("again");
    }
    print_message("%u points, %u of them an error\n", n_tried, n_failed);
    assert_true(n_failed > 50);
    node_close(&run.node);
}

/* Cut off anywhere, it is refused before anything of it is stored. */
static void damage_changes_nothing(void **state)
{
    struct run run;
    off_t size;
    FILE *f;

    (void)state;
    run_init(&run);
    f = fopen(run.path, "rb");
    assert_non_null(f);
    fseek(f, 0, SEEK_END);
    size = ftell(f);
    fclose(f);
    for (off_t cut = size - 1; cut > 0; cut -= 7) {
        struct err err = {0};
        assert_int_equal(truncate(run.path, cut), 0);
        assert_true(package_install(&run.place, &run.options, &err) < 0);
        assert_true(err.text[0] && strstr(err.text, "one.tgz"));
        assert_int_equal(list(&run).n_packages, 0);
        assert_false(is_there(&run, "CodeSystem", "one"));
    }
    node_close(&run.node);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(failure_leaves_no_half),
        cmocka_unit_test(damage_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
