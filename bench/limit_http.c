/* limit_http - how many answers of these very bytes a second can libmicrohttpd send at all?
 *
 *     limit_http PORT BODY-FILE [NAME VALUE]...
 *
 * Every GET gets one reply object made at the start: the bytes of BODY-FILE and the given headers
 * (the harness passes those of Carnet's own reply). Nothing is looked up, formatted or copied.
 */
#include "limit_server.h"

#include <stdio.h>
#include <stdlib.h>

static enum MHD_Result answer(void *ctx, struct MHD_Connection *c, const char *url,
                              const char *method, const char *version, const char *upload,
                              size_t *upload_size, void **state)
{
    (void)url;
    (void)method;
    (void)version;
    (void)upload;
    (void)upload_size;
    static int seen;
    if (!*state) { /* answering at the first call would close the connection */
        *state = &seen;
        return MHD_YES;
    }
    return MHD_queue_response(c, 200, ctx);
}

static char *slurp(const char *path, size_t *ret_n)
{
    FILE *f = fopen(path, "rb");
    if (!f)
        return NULL;
    fseek(f, 0, SEEK_END);
    long n = ftell(f);
    rewind(f);
    char *p = n > 0 ? malloc((size_t)n) : NULL;
    if (p && fread(p, 1, (size_t)n, f) != (size_t)n) {
        free(p);
        p = NULL;
    }
    fclose(f);
    *ret_n = (size_t)n;
    return p;
}

int main(int argc, char **argv)
{
    if (argc < 3 || argc % 2 == 0) {
        fprintf(stderr, "usage: limit_http PORT BODY-FILE [NAME VALUE]...\n");
        return 2;
    }
    size_t n = 0;
    char *body = slurp(argv[2], &n);
    if (!body) {
        fprintf(stderr, "limit_http: cannot read %s\n", argv[2]);
        return 1;
    }
    struct MHD_Response *r = MHD_create_response_from_buffer(n, body, MHD_RESPMEM_PERSISTENT);
    for (int i = 3; i < argc; i += 2)
        MHD_add_response_header(r, argv[i], argv[i + 1]);
    int status = limit_serve((unsigned short)strtol(argv[1], NULL, 10), answer, r);
    MHD_destroy_response(r);
    free(body);
    return status;
}
