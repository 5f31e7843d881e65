// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A driver for fuzzers where libFuzzer is not: replays every file of the
 * directories that are named, then as many mutations of them as -n says.
 * Repeatable: the same files and number give the same inputs.
 */
#include <dirent.h>
#include <string.h>
#include "fuzz.h"
#include "prng.h"

#define INPUTS_MAX	4096
#define SIZE_MAX_BYTES	8192

struct input {
	size_t size;
	uint8_t *bytes;
};

static struct input inputs[INPUTS_MAX];
static size_t nr_inputs;

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static void load_file(const char *path)
{
	struct input *input = &inputs[nr_inputs];
	FILE *file = fopen(path, "rb");

	if (!file || nr_inputs == INPUTS_MAX) {
		fprintf(stderr, "cannot take %s\n", path);
		exit(1);
	}
	input->bytes = malloc(SIZE_MAX_BYTES);
	input->size = fread(input->bytes, 1, SIZE_MAX_BYTES, file);
	fclose(file);
	nr_inputs++;
}

static void load_directory(const char *path)
{
	struct dirent **entries;
	char name[4096];
	int i, nr = scandir(path, &entries, NULL, by_name);

	if (nr < 0) {
		fprintf(stderr, "cannot read %s\n", path);
		exit(1);
	}
	for (i = 0; i < nr; i++) {
		if (entries[i]->d_name[0] != '.') {
			snprintf(name, sizeof(name), "%s/%s", path,
				 entries[i]->d_name);
			load_file(name);
		}
		free(entries[i]);
	}
	free(entries);
}

/* Put one of the numbers that code gets wrong somewhere. */
static void plant_number(uint8_t *bytes, size_t size, __u64 *rnd)
{
	static const __u64 numbers[] = {
		0, 1, 2, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128, 512,
		1 << 20, 1 << 22, (1 << 20) + 512, 0xffff, 0xffffffff,
		1ULL << 53, 1ULL << 63, ~0ULL - 1, ~0ULL,
	};
	__u64 number = numbers[prng_below(rnd, sizeof(numbers) / 8)];
	size_t width = 1ULL << prng_below(rnd, 4);

	if (size >= width)
		memcpy(bytes + prng_below(rnd, size - width + 1), &number, width);
}

/* Copy a piece of another input, or of this one, over or into this one. */
static size_t splice(uint8_t *bytes, size_t size, __u64 *rnd)
{
	const struct input *other = &inputs[prng_below(rnd, nr_inputs)];
	size_t from = prng_below(rnd, other->size + 1);
	size_t length = prng_below(rnd, other->size - from + 1);
	size_t to = prng_below(rnd, size + 1);

	if (to + length > SIZE_MAX_BYTES)
		length = SIZE_MAX_BYTES - to;
	memmove(bytes + to, other->bytes + from, length);
	return to + length > size || prng_below(rnd, 2) ? to + length : size;
}

static size_t cut(uint8_t *bytes, size_t size, __u64 *rnd)
{
	size_t from = prng_below(rnd, size + 1);
	size_t length = prng_below(rnd, size - from + 1);

	memmove(bytes + from, bytes + from + length, size - from - length);
	return size - length;
}

static size_t mutate(uint8_t *bytes, size_t size, __u64 *rnd)
{
	__u64 rounds = 1 + prng_below(rnd, 4);

	while (rounds--) {
		switch (size ? prng_below(rnd, 8) : 7) {
		case 0:
		case 1:
			bytes[prng_below(rnd, size)] ^= 1U << prng_below(rnd, 8);
			break;
		case 2:
		case 3:
			bytes[prng_below(rnd, size)] = prng_next(rnd);
			break;
		case 4:
		case 5:
			plant_number(bytes, size, rnd);
			break;
		case 6:
			size = cut(bytes, size, rnd);
			break;
		default:
			size = splice(bytes, size, rnd);
			break;
		}
	}
	return size;
}

int main(int argc, char **argv)
{
	static uint8_t bytes[SIZE_MAX_BYTES];
	unsigned long runs = 0, i;
	__u64 rnd = 1;
	int arg;

	for (arg = 1; arg < argc; arg++) {
		if (!strcmp(argv[arg], "-n") && arg + 1 < argc)
			runs = strtoul(argv[++arg], NULL, 0);
		else
			load_directory(argv[arg]);
	}
	if (!nr_inputs) {
		fprintf(stderr, "usage: %s [-n RUNS] DIRECTORY...\n", argv[0]);
		return 2;
	}
	for (i = 0; i < nr_inputs; i++)
		LLVMFuzzerTestOneInput(inputs[i].bytes, inputs[i].size);
	for (i = 0; i < runs; i++) {
		const struct input *input = &inputs[prng_below(&rnd, nr_inputs)];

		memcpy(bytes, input->bytes, input->size);
		LLVMFuzzerTestOneInput(bytes, mutate(bytes, input->size, &rnd));
	}
	printf("%s: %zu inputs, %lu mutations\n", argv[0], nr_inputs, runs);
	for (i = 0; i < nr_inputs; i++)
		free(inputs[i].bytes);
	return 0;
}
