#include "cli/cli.h"

#include "base/js.h"
#include "fhir/xml.h"

#include <string.h>
#include <unistd.h>

#define ARENA_MAX MIB(1024)

static const struct cli_option options[] = {
    {"to", "FORMAT", "xml or json; default: the one that FILE is not", CLI_STRING, false, NULL, 0,
     0},
    {"pretty", NULL, "indent what is written", CLI_FLAG, false, NULL, 0, 0},
    {"out", "FILE", "where it goes, - is standard output", CLI_STRING, false, "-", 0, 0},
};

static int write_json(struct sb *out, yyjson_val *root, bool pretty, struct err *err)
{
    if (pretty)
        js_write_pretty(out, root);
    else
        js_write(out, root);
    sb_char(out, '\n');
    return sb_ok(out, err);
}

/* Whatever comes is JSON in between. */
static int convert(struct str text, bool to_xml, bool pretty, struct sb *out, struct err *err)
{
    _cleanup_(sb_done) struct sb json = sb_make(XML_BYTES_MAX);
    _cleanup_(arena_done) struct arena a;
    yyjson_val *root = NULL;
    int r = 0;

    arena_init(&a, ARENA_MAX);
    if (xml_is_likely(text)) {
        r = xml_read(&a, text, &json, err);
        text = sb_view(&json);
    }
    if (r == 0)
        r = js_parse(&a, text, &root, err);
    if (r < 0)
        return r;
    if (!to_xml)
        return write_json(out, root, pretty, err);
    r = xml_write(out, &a, root, pretty, err);
    if (r == 0 && !pretty)
        sb_char(out, '\n');
    return r < 0 ? r : sb_ok(out, err);
}

static int run(const struct cli_args *args, struct err *err)
{
    _cleanup_(sb_done) struct sb text = sb_make(XML_BYTES_MAX), out = sb_make(XML_BYTES_MAX);
    const char *to = cli_string(args, "to"), *name = args->operands[0];
    bool to_xml;
    int r, fd;

    if (to && strcmp(to, "xml") != 0 && strcmp(to, "json") != 0)
        return err_set(err, ERR_VALUE, "--to must be xml or json, not \"%s\"", to);
    r = cli_input(name, &text, err);
    if (r < 0)
        return r;
    to_xml = to ? strcmp(to, "xml") == 0 : !xml_is_likely(sb_view(&text));
    r = convert(sb_view(&text), to_xml, cli_flag(args, "pretty"), &out, err);
    if (r < 0) {
        struct err why = *err;
        return err_set(err, r, "%s: %.400s", name, why.text);
    }
    r = cli_output_open(cli_string(args, "out"), &fd, err);
    if (r < 0)
        return r;
    r = cli_output_close(fd, cli_write(fd, sb_view(&out), err), err);
    return r < 0 ? r : 0;
}

const struct cli_command cmd_convert = {
    .name = "convert",
    .summary = "turn a resource from JSON into XML or back",
    .about = "Reads one resource, a Bundle for instance, as JSON or XML, and writes it in the\n"
             "other format, or in that of --to. - is standard input. Nothing is lost on the\n"
             "way; whether the resource is valid is not asked.",
    .operands = "FILE",
    .operands_min = 1,
    .operands_max = 1,
    .options = options,
    .n_options = ARRAY_LEN(options),
    .run = run,
};
