/*
 * import.h: accounts from elsewhere: the file of `nightjard user import`. JSON
 * lines, an object {"username","email","password_hash"} each; or CSV (RFC
 * 4180) whose first line names these columns in any order. UTF-8; empty lines
 * are passed over.
 */
#ifndef SERVER_IMPORT_H
#define SERVER_IMPORT_H

#include "base/arena.h"

#define IMPORT_FILE_MAX ((size_t)256 << 20)
#define IMPORT_ROWS_MAX ((size_t)1000000)
#define IMPORT_FAULTS_MAX 20
#define IMPORT_COST_MIN 10	/* of bcrypt; less is too easily guessed */

struct import_row {
	struct span username, email;	/* as they are kept */
	struct span key;		/* the name in lower case */
	struct span hash;
	size_t line;			/* from 1 */
};

struct import_fault {
	size_t line;			/* 0: the whole file */
	char field[64];			/* empty: the whole line */
	char message[128];
};

/* What a file has; faults: what is wrong, the first ones. */
struct import {
	struct import_row *rows;
	size_t rows_n, cap;
	struct import_fault faults[IMPORT_FAULTS_MAX];
	size_t faults_n;
};

/*
 * Reads and checks all of it, names and addresses that stand twice included.
 *   text  in   kept as long as out is used
 *   a     in   for rows and for text that is not as it stands in the file
 * ERR_VALIDATION: there are faults.  ERR_TOO_LARGE: a is full, or more than
 * IMPORT_ROWS_MAX rows.
 */
MUST_USE enum err import_read(struct span text, struct arena *a,
    struct import *out);
/* Adds a fault; beyond IMPORT_FAULTS_MAX it is dropped. */
void import_fault(struct import *im, size_t line, const char *field,
    const char *message);

#endif
