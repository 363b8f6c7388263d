#include "http/client.h"

#include "base/fault.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void init(void)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
}

static size_t take(char *p, size_t size, size_t n, void *ctx)
{
    struct sb *out = ctx;

    sb_put(out, p, size * n);
    return out->failed ? 0 : size * n;
}

/* CURLOPT_OPENSOCKETFUNCTION of requests to public addresses only. */
static curl_socket_t open_public(void *ctx, curlsocktype purpose, struct curl_sockaddr *to)
{
    bool *is_refused = ctx;

    (void)purpose;
    if (http_address_is_public(&to->addr))
        return socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
    *is_refused = true;
    return CURL_SOCKET_BAD;
}

static bool set_up(CURL *curl, const struct http_client_request *req, struct curl_slist *headers,
                   struct sb *body, bool *is_refused)
{
    long seconds = req->seconds ? req->seconds : HTTP_CLIENT_SECONDS;
    bool ok = curl_easy_setopt(curl, CURLOPT_URL, req->url) == CURLE_OK &&
              curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK &&
              curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
              curl_easy_setopt(curl, CURLOPT_TIMEOUT, seconds) == CURLE_OK &&
              curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers) == CURLE_OK &&
              curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take) == CURLE_OK &&
              curl_easy_setopt(curl, CURLOPT_WRITEDATA, body) == CURLE_OK;

    if (ok && req->public_only)
        ok = curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, open_public) == CURLE_OK &&
             curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, is_refused) == CURLE_OK;
    if (ok && req->ca_file)
        ok = curl_easy_setopt(curl, CURLOPT_CAINFO, req->ca_file) == CURLE_OK;
    if (ok && req->body.p)
        ok = curl_easy_setopt(curl, CURLOPT_POST, 1L) == CURLE_OK &&
             curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)req->body.n) ==
                 CURLE_OK &&
             curl_easy_setopt(curl, CURLOPT_POSTFIELDS, req->body.p) == CURLE_OK;
    return ok;
}

static int failed(CURLcode code, const struct http_client_request *req, const struct sb *body,
                  bool is_refused, struct err *err)
{
    if (is_refused)
        return err_set(err, ERR_FORBIDDEN, "%s leads to an address that is not a public one",
                       req->url);
    if (code == CURLE_OPERATION_TIMEDOUT)
        return err_set(err, ERR_TIMEOUT, "%s did not answer in time", req->url);
    if (code == CURLE_WRITE_ERROR && body->failed)
        return err_set(err, ERR_TOO_LONG, "the answer of %s is longer than %zu bytes", req->url,
                       body->max);
    if (code == CURLE_OUT_OF_MEMORY)
        return err_no_memory(err);
    return err_set(err, ERR_BUSY, "%s cannot be asked: %s", req->url, curl_easy_strerror(code));
}

static bool add_header(struct curl_slist **list, const char *header)
{
    struct curl_slist *more = curl_slist_append(*list, header);

    if (more)
        *list = more;
    return more;
}

static bool add_headers(const struct http_client_request *req, struct curl_slist **ret)
{
    char type[256];
    bool ok = true;

    if (req->content_type) {
        snprintf(type, sizeof type, "Content-Type: %s", req->content_type);
        ok = add_header(ret, type);
    }
    for (const char *const *one = req->headers; ok && one && *one; one++)
        ok = add_header(ret, *one);
    return ok;
}

int http_client(const struct http_client_request *req, int *ret_status, struct sb *ret_body,
                struct err *err)
{
    struct curl_slist *headers = NULL;
    CURL *curl;
    CURLcode code = CURLE_OUT_OF_MEMORY;
    bool is_refused = false;
    long status = 0;

    pthread_once(&once, init);
    curl = fault_point("curl") ? NULL : curl_easy_init();
    if (curl && add_headers(req, &headers) && set_up(curl, req, headers, ret_body, &is_refused))
        code = curl_easy_perform(curl);
    if (code == CURLE_OK)
        curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_cleanup(curl);
    curl_slist_free_all(headers);
    if (code != CURLE_OK)
        return failed(code, req, ret_body, is_refused, err);
    *ret_status = (int)status;
    return 0;
}
