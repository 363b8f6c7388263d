/* Notes against the example that is published with the Go implementation of the format, and keys of
 * our own; everything that is no note is refused. */
#include "../test.h"

#include "trust/audit/note.h"

#include <stdlib.h>
#include <unistd.h>

#define PETER "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
#define TEXT                                                                                       \
    "If you think cryptography is the answer to your problem,\n"                                   \
    "then you don't know what your problem is.\n"
#define LINE                                                                                       \
    "\xe2\x80\x94 PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXg"   \
    "KvqfqdngotpRZb6KE6RyyBwJnAM=\n"

static void test_published(void **state)
{
    struct sb again = sb_make(KIB(1));
    struct note_key key;
    struct note note;
    struct err err;

    (void)state;
    assert_int_equal(note_key_parse(STR(PETER), &key, &err), 0);
    note_key_write(&again, &key);
    assert_true(str_eq(sb_view(&again), STR(PETER)));
    assert_int_equal(note_parse(STR(TEXT "\n" LINE), &note, &err), 0);
    assert_true(str_eq(note.text, STR(TEXT)));
    assert_int_equal(note_check(&note, &key, NULL, &err), 1);
    /* the text is another: the signature is false */
    assert_int_equal(note_parse(STR("x" TEXT "\n" LINE), &note, &err), 0);
    assert_int_equal(note_check(&note, &key, NULL, &err), ERR_FORBIDDEN);
    sb_done(&again);
}

static void test_signing(void **state)
{
    static const enum note_kind kinds[] = {NOTE_ED25519, NOTE_COSIGNATURE};
    static const struct str text = STR("a/log\n3\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n");
    char path[] = "/tmp/carnet-note-XXXXXX";
    struct err err;

    (void)state;
    assert_non_null(mkdtemp(path));
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        _cleanup_(note_signer_freep) struct note_signer *signer = NULL, *loaded = NULL;
        _cleanup_(sb_done) struct sb b = sb_make(KIB(8)), file = sb_make(KIB(1));
        _cleanup_(sb_done) struct sb picked = sb_make(KIB(1));
        int64_t when = 0;
        struct note note;

        sb_fmt(&file, "%s/key%zu", path, i);
        sb_char(&file, '\0');
        assert_int_equal(note_signer_make(STR("who/ever"), kinds[i], &signer, &err), 0);
        assert_int_equal(note_signer_save(signer, file.p, NULL, &err), 0);
        assert_int_equal(note_signer_save(signer, file.p, NULL, &err),
                         ERR_NO_STORE); /* there is one */
        assert_int_equal(note_signer_load(file.p, NULL, STR("who/ever"), kinds[i], &loaded, &err),
                         0);
        sb_str(&b, text);
        sb_char(&b, '\n');
        sb_lit(&b, LINE); /* somebody else's */
        assert_int_equal(note_sign(loaded, text, 1700000000, &b, &err), 0);
        assert_int_equal(note_parse(sb_view(&b), &note, &err), 0);
        assert_int_equal(note_check(&note, note_signer_key(signer), &when, &err), 1);
        assert_int_equal(when, kinds[i] == NOTE_COSIGNATURE ? 1700000000 : 0);
        note_pick(&note, note_signer_key(signer), &picked);
        assert_true(str_ends(note.signatures, sb_view(&picked)) && picked.n);
        unlink(file.p);
    }
    rmdir(path);
}

static void test_heads(void **state)
{
    static const char *const bad[] = {
        "",
        "log\n3\n",
        "log\n03\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
        "log\n-3\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
        "log\n3\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB=\n", /* written otherwise */
        "log\n3\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n",
        "\n3\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
        "log\n3\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\n",
        "log\n3\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\nextension",
        "log\n18446744073709551615\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
    };
    struct sb out = sb_make(KIB(1));
    struct head head;
    struct err err;
    struct str good = STR("log\n3\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n");

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(head_parse(str_c(bad[i]), &head, &err), ERR_SYNTAX);
    assert_int_equal(head_parse(good, &head, &err), 0);
    assert_int_equal(head.size, 3);
    head_write(&out, &head);
    assert_true(str_eq(sb_view(&out), good));
    assert_int_equal(head_parse(STR("log\n3\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\nmore\n"),
                                &head, &err),
                     0);
    sb_done(&out);
}

static void test_no_notes(void **state)
{
    static const char *const bad[] = {
        "",
        "\n",
        "\n\n",
        "text\n",
        "text\n\n",
        "text\n\nno dash\n",
        "text\n\n\xe2\x80\x94 name c2ln", /* no newline */
        "te\txt\n\n\xe2\x80\x94 name c2ln\n",
    };
    static const char *const keys[] = {
        "",
        "name",
        "name+00000000",
        "name+00000000+AAAA",
        "PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "Peter Neumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+c74f20a3+Ahpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
    };
    struct note_key key;
    struct note note;
    struct err err;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(note_parse(str_c(bad[i]), &note, &err), ERR_SYNTAX);
    for (size_t i = 0; i < ARRAY_LEN(keys); i++)
        assert_int_equal(note_key_parse(str_c(keys[i]), &key, &err), ERR_VALUE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_published),
        cmocka_unit_test(test_signing),
        cmocka_unit_test(test_heads),
        cmocka_unit_test(test_no_notes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
