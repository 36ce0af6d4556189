/*
 * shape_text.c: what a member has to be, in words, for error answers.
 */
#include "wire/shape.h"

static void
put_range(struct wr *w, uint64_t min, uint64_t max, const char *unit)
{
	wr_dec(w, min);
	if (max != min) {
		wr_str(w, " to ");
		wr_dec(w, max);
	}
	wr_str(w, unit);
}

static void
put_names(struct wr *w, const struct shape_names *e)
{
	wr_str(w, "must be one of");
	for (uint32_t i = 0; i < e->n; i++) {
		wr_str(w, i == 0 ? " " : ", ");
		wr_str(w, e->text[i]);
	}
}

static const char *
class_text(enum shape_class class)
{
	switch (class) {
	case SHAPE_USERNAME:
		return " of A-Z, a-z, 0-9 and _";
	case SHAPE_EMAIL:
		return " that is an e-mail address";
	case SHAPE_LABEL:
		return ", without control characters or outer spaces";
	case SHAPE_TOKEN:
		return " of visible ASCII";
	case SHAPE_ANY:
	default:
		return "";
	}
}

void
shape_text_row(const struct shape_row *r, struct wr *w)
{
	switch ((enum shape_kind)r->kind) {
	case SHAPE_STR:
	case SHAPE_PAT:
		wr_str(w, "must be a string of ");
		put_range(w, r->min, r->max, " characters");
		wr_str(w, class_text(r->class));
		break;
	case SHAPE_STRB:
		wr_str(w, "must be a string of ");
		put_range(w, r->min, r->max, " bytes");
		break;
	case SHAPE_B64:
	case SHAPE_B64TEXT:
		wr_str(w, "must be base64 of ");
		put_range(w, r->min, r->max, " bytes");
		break;
	case SHAPE_UUID:
		wr_str(w, "must be a UUID");
		break;
	case SHAPE_U32:
	case SHAPE_U53:
		wr_str(w, "must be an integer from ");
		put_range(w, r->min, r->max, "");
		break;
	case SHAPE_BOOL:
		wr_str(w, "must be true or false");
		break;
	case SHAPE_TIME:
		wr_str(w, "must be a time in UTC, such as "
		    "2026-01-31T12:00:00.000Z");
		break;
	case SHAPE_ENUM:
		put_names(w, r->names);
		break;
	case SHAPE_RAW:
		wr_str(w, "must be JSON of at most ");
		put_range(w, r->max, r->max, " bytes");
		break;
	case SHAPE_OBJ:
		wr_str(w, "must be an object");
		break;
	case SHAPE_LIST:
	case SHAPE_STRS:
	case SHAPE_B64S:
	case SHAPE_UUIDS:
	case SHAPE_U32S:
		wr_str(w, "must be a list of ");
		put_range(w, r->min, r->max, " entries");
		break;
	case SHAPE_MAP:
	case SHAPE_COUNTS:
		wr_str(w, "must be an object of ");
		put_range(w, r->min, r->max, " members");
		break;
	}
}

void
shape_text_item(const struct shape_row *r, struct wr *w)
{
	struct shape_row item = *r;

	item.min = r->item_min;
	item.max = r->item_max;
	switch ((enum shape_kind)r->kind) {
	case SHAPE_STRS:
		item.kind = SHAPE_STR;
		break;
	case SHAPE_B64S:
		item.kind = SHAPE_B64;
		break;
	case SHAPE_UUIDS:
		item.kind = SHAPE_UUID;
		break;
	case SHAPE_U32S:
		item.kind = SHAPE_U32;
		item.min = 0;
		item.max = SHAPE_U32_MAX;
		break;
	case SHAPE_MAP:
		item.kind = SHAPE_STRB;
		item.min = 0;
		break;
	case SHAPE_COUNTS:
		item.kind = SHAPE_U53;
		item.min = 0;
		item.max = SHAPE_U53_MAX;
		break;
	case SHAPE_LIST:
		item.kind = SHAPE_OBJ;
		break;
	case SHAPE_STR:
	case SHAPE_STRB:
	case SHAPE_PAT:
	case SHAPE_B64:
	case SHAPE_B64TEXT:
	case SHAPE_UUID:
	case SHAPE_U32:
	case SHAPE_U53:
	case SHAPE_BOOL:
	case SHAPE_TIME:
	case SHAPE_ENUM:
	case SHAPE_RAW:
	case SHAPE_OBJ:
		break;
	}
	shape_text_row(&item, w);
}
