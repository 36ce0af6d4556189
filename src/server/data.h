/*
 * data.h: the data directory: made and checked at start, locked against a
 * second server, with the secrets that a first start makes in it.
 */
#ifndef SERVER_DATA_H
#define SERVER_DATA_H

#include "server/jwt.h"

#define DATA_PATH_MAX 1024

/* What is wrong, for the operator, in a sentence that names the path. */
struct data_error {
	char text[DATA_PATH_MAX + 256];
};

struct data {
	char path[DATA_PATH_MAX];
	int lock_fd;		/* holds the lock; -1: none */
	struct jwt_keys keys;
	/* Of mail tokens and the audit log's head; never in the database. */
	uint8_t account_key[JWT_KEY_LEN];
	struct buf cert_pem, key_pem;
};

/*
 * Makes the directory (0700) if need be, refuses one that is not ours alone,
 * takes its lock, and reads or makes jwt.key, account.key, tls.crt
 * and tls.key.
 *   cert, key  in  paths given by configuration, or empty
 *   names      in  for a certificate that is made
 * ERR_FORBIDDEN, ERR_CONFLICT, ERR_IO, ERR_FORMAT, with err_out filled in.
 */
MUST_USE enum err data_open(struct data *d, const char *path,
    const char *cert, const char *key, const char *names,
    struct data_error *err_out);
/* A certificate chain and its key (PEM), as they are in their files. */
struct data_cert {
	struct buf cert_pem, key_pem;
};
/*
 * Reads them anew.
 *   cert, key  in  as for data_open
 *   out        out on OK only; data_cert_fini
 * ERR_FORBIDDEN: others may read the key. ERR_VALIDATION, ERR_IO.
 */
MUST_USE enum err data_cert_read(const struct data *d, const char *cert,
    const char *key, struct data_cert *out, struct data_error *err_out);
void data_cert_fini(struct data_cert *c);	/* wipes; a zeroed one is fine */
/* The paths of the two, where they are not set those in the directory. */
#define DATA_FILE_MAX (DATA_PATH_MAX + 16)
void data_cert_paths(const struct data *d, const char *cert, const char *key,
    char cert_out[static DATA_FILE_MAX], char key_out[static DATA_FILE_MAX]);
/*
 * The keys of tokens beside jwt.key, which data_open has read.
 *   alg   in  "HS256", "RS256" or "EdDSA"
 *   key   in  path of the private key (PEM); empty: a file in the data
 *             directory, made (0600) when it is not there
 *   olds  in  paths of former public keys (PEM), comma separated
 * ERR_FORBIDDEN, ERR_FORMAT, ERR_VALIDATION, ERR_IO, ERR_PROVIDER.
 */
MUST_USE enum err data_tokens(struct data *d, const char *alg,
    const char *key, const char *olds, struct data_error *err_out);
/* Wipes the secrets, gives the lock back; a zeroed one (lock -1) is fine. */
void data_close(struct data *d);

#endif
