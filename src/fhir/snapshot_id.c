/* snapshot_id.c - the id that an element of a differential has, or would have.
 *
 * An id says which slices an element is within; its path does not. Elements without a usable id are
 * read by their order, as the elements of a snapshot are: what comes behind a slice and is below
 * its path is within it. Source: http://hl7.org/fhir/R4/elementdefinition.html#id.
 */
#include "fhir/snapshot_int.h"

static size_t count_dots(struct str path)
{
    size_t n = 0;

    for (size_t i = 0; i < path.n; i++)
        n += path.p[i] == '.';
    return n;
}

static struct str name_of(struct str part)
{
    ptrdiff_t colon = str_find(part, ':');

    return colon < 0 ? part : str_head(part, (size_t)colon);
}

/* How many bytes of the id before are of the elements around `path`, slices with them. */
static size_t shared(struct str before, struct str path, size_t *ret_of_path)
{
    struct str id = before, rest = path, part, name;
    size_t n = 0, of_path = 0;

    while (str_split(&rest, '.', &name) && rest.p && id.p && str_split(&id, '.', &part) &&
           str_eq(name_of(part), name)) {
        n += part.n + 1;
        of_path += name.n + 1;
    }
    *ret_of_path = of_path;
    return MIN(n, before.n);
}

static struct str id_by_order(struct making *m, struct str path, struct str slice)
{
    size_t of_path, n = shared(m->last_id, path, &of_path);
    struct str rest = str_from(path, of_path);
    bool has_dot = !n || m->last_id.p[n - 1] == '.';

    return arena_fmt(m->a, "%.*s%s%.*s%s%.*s", (int)n, n ? m->last_id.p : "", has_dot ? "" : ".",
                     STR_ARG(rest), slice.n ? ":" : "", (int)slice.n, slice.n ? slice.p : "");
}

int snapshot_id(struct making *m, yyjson_val *over, struct str *ret)
{
    struct str id = js_get_str(over, "id"), path = js_get_str(over, "path");
    struct str slice = js_get_str(over, "sliceName");

    if (!path.n)
        return err_set(m->err, ERR_PROCESSING,
                       "the snapshot of %.*s cannot be made: an element of its differential has no "
                       "path",
                       STR_ARG(m->url));
    if (id.n > SNAPSHOT_PATH_MAX || path.n > SNAPSHOT_PATH_MAX || slice.n > SNAPSHOT_PATH_MAX)
        return err_set(m->err, ERR_PROCESSING,
                       "the snapshot of %.*s cannot be made: an element's id is too long",
                       STR_ARG(m->url));
    /* Ids that are no paths with slices were in use before R4. */
    if (!id.n || count_dots(id) != count_dots(path))
        id = id_by_order(m, path, slice);
    if (!id.p)
        return err_no_memory(m->err);
    m->last_id = id;
    *ret = id;
    return 0;
}
