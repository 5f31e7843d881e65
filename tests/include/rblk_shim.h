/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rblk_shim.h - the kernel facilities that kmod/core/ uses, for user space.
 *
 * Same names, same meaning; nothing that core/ does not use.
 */
#ifndef RBLK_SHIM_H
#define RBLK_SHIM_H

#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <linux/types.h>

typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
typedef __s64 s64;

#define U16_MAX	UINT16_MAX
#define U32_MAX	UINT32_MAX
#define U64_MAX	((u64)~0ULL)

#ifndef __packed
#define __packed	__attribute__((__packed__))
#endif
#ifndef fallthrough
#define fallthrough	__attribute__((__fallthrough__))
#endif
#ifdef __CHECKER__
#define __force		__attribute__((force))
#else
#define __force
#endif

#define ARRAY_SIZE(array)	(sizeof(array) / sizeof((array)[0]))
#define offsetofend(type, member) \
	(offsetof(type, member) + sizeof(((type *)0)->member))
#undef static_assert
#define static_assert(expr, ...)	assert_text(expr, ##__VA_ARGS__, #expr)
#define assert_text(expr, text, ...)	_Static_assert(expr, text)
#define BUILD_BUG_ON(cond)	static_assert(!(cond), #cond)

#define min(a, b) ({				\
	__typeof__(a) _min_a = (a);		\
	__typeof__(b) _min_b = (b);		\
	_min_a < _min_b ? _min_a : _min_b; })
#define max(a, b) ({				\
	__typeof__(a) _max_a = (a);		\
	__typeof__(b) _max_b = (b);		\
	_max_a > _max_b ? _max_a : _max_b; })
#define min_t(type, a, b)	min((type)(a), (type)(b))
#define max_t(type, a, b)	max((type)(a), (type)(b))

static inline u64 div_u64(u64 value, u32 by)
{
	return value / by;
}

static inline u64 div64_u64(u64 value, u64 by)
{
	return value / by;
}

/* Byte order */

static inline u16 le16_to_cpu(__le16 value)
{
	return le16toh((__force u16)value);
}

static inline u32 le32_to_cpu(__le32 value)
{
	return le32toh((__force u32)value);
}

static inline u64 le64_to_cpu(__le64 value)
{
	return le64toh((__force u64)value);
}

static inline __le16 cpu_to_le16(u16 value)
{
	return (__force __le16)htole16(value);
}

static inline __le32 cpu_to_le32(u32 value)
{
	return (__force __le32)htole32(value);
}

static inline __le64 cpu_to_le64(u64 value)
{
	return (__force __le64)htole64(value);
}

/* Checksum: the raw recurrence, without inversion before or after */

static inline u32 crc32c(u32 crc, const void *data, size_t bytes)
{
	const u8 *byte = data;

	while (bytes--) {
		crc ^= *byte++;
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78 : 0);
	}
	return crc;
}

/* Bits */

#define BITS_PER_LONG		(CHAR_BIT * sizeof(long))
#define BITS_TO_LONGS(bits)	(((bits) + BITS_PER_LONG - 1) / BITS_PER_LONG)

static inline bool test_bit(unsigned long bit, const unsigned long *map)
{
	return map[bit / BITS_PER_LONG] >> bit % BITS_PER_LONG & 1;
}

static inline void __set_bit(unsigned long bit, unsigned long *map)
{
	map[bit / BITS_PER_LONG] |= 1UL << bit % BITS_PER_LONG;
}

static inline void __clear_bit(unsigned long bit, unsigned long *map)
{
	map[bit / BITS_PER_LONG] &= ~(1UL << bit % BITS_PER_LONG);
}

static inline void bitmap_zero(unsigned long *map, unsigned int bits)
{
	memset(map, 0, BITS_TO_LONGS(bits) * sizeof(long));
}

static inline unsigned long find_next_bit(const unsigned long *map,
					  unsigned long size, unsigned long bit)
{
	while (bit < size && !test_bit(bit, map))
		bit++;
	return bit < size ? bit : size;
}

static inline unsigned long find_next_zero_bit(const unsigned long *map,
					       unsigned long size,
					       unsigned long bit)
{
	while (bit < size && test_bit(bit, map))
		bit++;
	return bit < size ? bit : size;
}

static inline unsigned int hweight16(unsigned int word)
{
	return __builtin_popcount(word & U16_MAX);
}

static inline unsigned int hweight_long(unsigned long word)
{
	return __builtin_popcountl(word);
}

static inline u32 hash_64(u64 value, unsigned int bits)
{
	return value * 0x61c8864680b583ebULL >> (64 - bits);
}

/* Lists with a one-pointer head */

struct hlist_node {
	struct hlist_node *next, **pprev;
};

struct hlist_head {
	struct hlist_node *first;
};

static inline void INIT_HLIST_HEAD(struct hlist_head *head)
{
	head->first = NULL;
}

static inline void INIT_HLIST_NODE(struct hlist_node *node)
{
	node->next = NULL;
	node->pprev = NULL;
}

static inline bool hlist_unhashed(const struct hlist_node *node)
{
	return !node->pprev;
}

static inline bool hlist_empty(const struct hlist_head *head)
{
	return !head->first;
}

static inline void hlist_add_head(struct hlist_node *node,
				  struct hlist_head *head)
{
	node->next = head->first;
	if (node->next)
		node->next->pprev = &node->next;
	head->first = node;
	node->pprev = &head->first;
}

static inline void hlist_del_init(struct hlist_node *node)
{
	if (hlist_unhashed(node))
		return;
	*node->pprev = node->next;
	if (node->next)
		node->next->pprev = node->pprev;
	INIT_HLIST_NODE(node);
}

#define container_of(ptr, type, member) \
	((type *)((char *)(ptr) - offsetof(type, member)))
#define hlist_entry_safe(ptr, type, member) ({			\
	struct hlist_node *_node = (ptr);			\
	_node ? container_of(_node, type, member) : NULL; })
#define hlist_for_each_entry(pos, head, member)					\
	for (pos = hlist_entry_safe((head)->first, __typeof__(*pos), member);	\
	     pos;								\
	     pos = hlist_entry_safe(pos->member.next, __typeof__(*pos), member))

#endif /* RBLK_SHIM_H */
