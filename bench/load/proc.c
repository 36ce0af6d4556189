/*
 * proc.c: what a server has used, from /proc. exports load_*
 */
#include <unistd.h>

#include "load.h"

double
load_cpu_s(int pid)
{
	char path[64], text[1024];
	const char *at;
	long ticks = 0;
	size_t n;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	f = pid > 0 ? fopen(path, "r") : NULL;
	if (f == NULL)
		return 0;
	n = fread(text, 1, sizeof(text) - 1, f);
	fclose(f);
	text[n] = '\0';
	at = strrchr(text, ')');	/* fields after the name: proc(5) */
	for (int field = 2; at != NULL && field <= 15; field++) {
		at = strchr(at + 1, ' ');
		if (at != NULL && field >= 13)
			ticks += field == 13 || field == 14 ?
			    strtol(at, NULL, 10) : 0;
	}
	return (double)ticks / (double)sysconf(_SC_CLK_TCK);
}

uint64_t
load_rss(int pid)
{
	char path[64], line[256];
	uint64_t kib = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	f = pid > 0 ? fopen(path, "r") : NULL;
	if (f == NULL)
		return 0;
	while (fgets(line, sizeof(line), f) != NULL) {
		if (strncmp(line, "VmRSS:", 6) == 0)
			kib = strtoull(line + 6, NULL, 10);
	}
	fclose(f);
	return kib * 1024;
}
