/* kinds.c: the table of the kinds of values. */
#include "store/kinds.h"

const struct kind_info kind_rows[KIND_ROW_MAX] = {
#define KIND(name, type, kind, nullable) { #name, kind, nullable, sizeof(type) },
	KINDS(KIND)
#undef KIND
};
