/* tls_files and what contexts are made of: blocks, folders, and everything that can be wrong. */
#include "tests/unit/proxy/papers.h"

#include <errno.h>
#include <openssl/pem.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void
a_block_keeps_everything(void **state)
{
	struct papers p;
	struct tls_files *files = tls_files_new(), *copy;
	const struct tls_file *file;
	void *block;
	size_t len;

	papers_init(&p);
	papers_write(&p, "b.pem", "bytes\0more", 10);
	papers_write(&p, "b.pem.key", "k", 1);
	papers_write(&p, "a.pem", "", 0);
	tls_files_get(files, papers_path(&p, "b.pem"));
	tls_files_get(files, papers_path(&p, "missing"));
	tls_files_get(files, p.dir);
	block = tls_files_pack(files, &len);
	for (size_t cut = 0; cut < len; cut += 7)
		tls_files_free(tls_files_unpack(block, cut));
	copy = tls_files_unpack(block, len);
	tls_files_wipe(block, len);
	assert_non_null(copy);

	file = tls_files_get(copy, papers_path(&p, "b.pem"));
	assert_int_equal(file->error, 0);
	assert_int_equal(file->len, 10);
	assert_memory_equal(file->data, "bytes\0more", 10);
	assert_int_equal(tls_files_get(copy, papers_path(&p, "missing"))->error, ENOENT);
	/* Nobody has asked for it before: the copy does not look. */
	assert_int_equal(tls_files_get(copy, papers_path(&p, "a.pem"))->error, ENOENT);
	file = tls_files_get(copy, p.dir);
	assert_true(file->directory);
	assert_int_equal(file->len, sizeof "a.pem\0b.pem\0ca.pem");
	assert_memory_equal(file->data, "a.pem\0b.pem\0ca.pem", file->len);
	tls_files_free(files);
	tls_files_free(copy);
	papers_fini(&p);
}

static void
what_is_no_file_is_not_read(void **state)
{
	struct tls_files *files = tls_files_new();

	assert_int_equal(tls_files_get(files, "/dev/zero")->error, EINVAL);
	tls_files_free(files);
	assert_null(tls_files_unpack("nonsense", 8));
	assert_null(tls_files_unpack("", 0));
}

/* One frontend with one bind. */
struct front {
	struct conf conf;
	struct conf_proxy proxy;
	struct conf_bind bind;
	struct conf_file certs[2];
};

static void
front_init(struct front *f)
{
	memset(f, 0, sizeof *f);
	f->conf = (struct conf){ .proxies = &f->proxy, .proxies_n = 1 };
	f->proxy = (struct conf_proxy){ .name = "f", .binds = &f->bind, .binds_n = 1 };
	f->bind = (struct conf_bind){
		.text = ":443",
		.tls = { .on = true, .certs = f->certs, .certs_n = 1 },
	};
}

/* Makes it, which must fail for one reason, with these words. */
static void
assert_refused(struct papers *p, struct front *f, const char *words)
{
	assert_null(papers_tls(p, &f->conf));
	assert_int_equal(p->report.errors, 1);
	if (!strstr(p->report.messages[0].text, words))
		fail_msg("`%s' does not say `%s'", p->report.messages[0].text, words);
}

/* The authority's key, encrypted. */
static void
write_locked(const struct papers *p, const char *name)
{
	BIO *bio = BIO_new_file(papers_path(p, name), "w");

	assert_int_equal(PEM_write_bio_PKCS8PrivateKey(bio, p->ca_key, EVP_aes_256_cbc(), "secret",
						       6, NULL, NULL),
			 1);
	BIO_free(bio);
}

static void
every_fault_has_its_reason(void **state)
{
	struct papers p;
	struct front f;
	char *a, *b;

	papers_init(&p);
	front_init(&f);
	papers_issue(&p, "a", "DNS:a.example.org");
	papers_issue(&p, "b", "DNS:b.example.org");
	a = papers_read(&p, "a.pem");
	b = papers_read(&p, "b.pem");

	f.certs[0] = papers_file(&p, "nowhere.pem");
	assert_refused(&p, &f, "No such file or directory");

	f.certs[0] = papers_file(&p, "text.pem");
	papers_write(&p, "text.pem", "hello\n", 6);
	assert_refused(&p, &f, "there is no certificate in it");

	f.certs[0] = papers_file(&p, "ca.pem");
	assert_refused(&p, &f, "there is no key");

	/* a's certificate with b's key beside it. */
	f.certs[0] = papers_file(&p, "mixed.pem");
	papers_write(&p, "mixed.pem", a, (size_t)(strstr(a, "-----BEGIN PRIVATE") - a));
	papers_write(&p, "mixed.pem.key", strstr(b, "-----BEGIN PRIVATE"),
		     strlen(strstr(b, "-----BEGIN PRIVATE")));
	assert_refused(&p, &f, "its key belongs to another certificate");

	write_locked(&p, "mixed.pem.key");
	assert_refused(&p, &f, "its key is encrypted");

	papers_write(&p, "mixed.pem.key", "", 0);
	assert_refused(&p, &f, "there is no key in the .key file");

	f.certs[0] = papers_file(&p, "cut.pem");
	papers_write(&p, "cut.pem", a, 200);
	assert_refused(&p, &f, "is broken");

	f.certs[0] = papers_file(&p, "a.pem");
	papers_write(&p, "a.pem.ocsp", "x", 1);
	assert_refused(&p, &f, "no OCSP response");
	unlink(papers_path(&p, "a.pem.ocsp"));

	f.bind.tls.ciphers = "NO-SUCH";
	assert_refused(&p, &f, "`ciphers NO-SUCH`");
	f.bind.tls.ciphers = NULL;
	f.bind.tls.min_version = f.bind.tls.max_version = CONF_TLS_1_2;
	f.bind.tls.no_tlsv12 = true;
	assert_refused(&p, &f, "no version of TLS");
	f.bind.tls.no_tlsv12 = false;
	f.bind.tls.ca = papers_file(&p, "text.pem");
	assert_refused(&p, &f, "there is no certificate in it");
	f.bind.tls.ca.path = NULL;
	f.bind.tls.alpn = "h2,,x";
	assert_refused(&p, &f, "no list of protocols");
	papers_fini(&p);
}

static void
all_faults_are_told_in_one_run(void **state)
{
	struct papers p;
	struct front f;

	papers_init(&p);
	front_init(&f);
	f.certs[0] = papers_file(&p, "one.pem");
	f.certs[1] = papers_file(&p, "two.pem");
	f.bind.tls.certs_n = 2;
	assert_null(papers_tls(&p, &f.conf));
	assert_int_equal(p.report.errors, 2);
	papers_fini(&p);
}

/* The list is taken, or (`why`) refused. */
static void
assert_list(struct papers *p, struct front *f, const char *text, const char *why)
{
	papers_write(p, "list", text, strlen(text));
	if (why) {
		assert_refused(p, f, why);
	} else {
		struct tls *tls = papers_tls(p, &f->conf);

		assert_non_null(tls);
		tls_free(tls);
	}
}

static void
a_folder_and_a_list_are_certificates(void **state)
{
	static const char list[] = "# certificates\n\nc.pem *.example.org !no.example.org\nb.pem\n";
	struct papers p;
	struct front f;
	struct tls *tls;

	papers_init(&p);
	front_init(&f);
	papers_issue(&p, "b", "DNS:b.example.org");
	papers_issue(&p, "c", "DNS:c.example.org");
	unlink(papers_path(&p, "ca.pem"));
	f.certs[0].path = p.dir;
	tls = papers_tls(&p, &f.conf);
	assert_non_null(tls);
	assert_non_null(tls_of_bind(tls, 0, 0));
	tls_free(tls);

	papers_write(&p, "list", list, sizeof list - 1);
	f.certs[0] = papers_file(&p, "list");
	f.certs[0].list = true;
	f.conf.crt_base = p.dir;
	tls = papers_tls(&p, &f.conf);
	assert_non_null(tls);
	tls_free(tls);

	assert_list(&p, &f, "\nb.pem [alpn h2 verify none] b.example.org\n", NULL);
	assert_list(&p, &f, "b.pem [alpn h2,,x]\n", "no list of protocols");
	assert_list(&p, &f, "b.pem [verify required]\n", "`verify` needs a `ca-file`");
	assert_list(&p, &f, "b.pem [ciphers NONE]\n", "`ciphers NONE`");
	assert_list(&p, &f, "\n\nb.pem [verify maybe]\n", "list:3: `verify`: it has no such value");
	assert_list(&p, &f, "b.pem [verify required ca-file none.pem]\n", "none.pem: No such file");
	papers_fini(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_block_keeps_everything),
		cmocka_unit_test(what_is_no_file_is_not_read),
		cmocka_unit_test(every_fault_has_its_reason),
		cmocka_unit_test(all_faults_are_told_in_one_run),
		cmocka_unit_test(a_folder_and_a_list_are_certificates),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
