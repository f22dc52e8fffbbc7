/*
 * hours.c - see hours.h.  A week is a row of minutes, Monday's first.  What is
 * kept of it is where it turns from closed to open and back: two bytes each, 22
 * for office hours.
 */
#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "hours.h"

#define DAY	(24 * 60)
#define WEEK	(7 * DAY)
#define BLANKS	", \t"

/* Open from the first edge to the second, from the third to the fourth ... */
struct hours {
	uint16_t	count;		/* even */
	uint16_t	edges[];	/* minutes of the week, rising, 0 to WEEK */
};

struct draft {
	bool		 open[WEEK];
	const char	*waiting;	/* days whose span has not come yet, as last written, or NULL */
	uint8_t		 days;		/* those, a bit each */
	bool		 named;		/* some span has named its days */
};

/* "08:00-18:00" on some days; the end is 0 for midnight where it lies on the next day. */
struct piece {
	uint16_t	begin, end;	/* minutes of the day */
	uint8_t		days;		/* a bit each, Monday's the lowest */
};

static const char *const day_names[] = { "Monday", "Tuesday", "Wednesday", "Thursday", "Friday",
	"Saturday", "Sunday" };

/* "Mon" or "Monday" in any case; -1: no day. */
static int
parse_day(const char *text, size_t len)
{
	for (int day = 0; day < 7; day++)
		if ((len == 3 || len == strlen(day_names[day])) &&
		    strncasecmp(text, day_names[day], len) == 0)
			return day;
	return -1;
}

static const char *
add_days(struct arena *arena, const char *text, struct draft *draft)
{
	size_t len = strcspn(text, "-");
	int first = parse_day(text, len), last = first;

	if (text[len] == '-')
		last = parse_day(text + len + 1, strlen(text + len + 1));
	if (first == -1 || last == -1)
		return arena_print(arena, "'%s' is not HH:MM-HH:MM, nor a day or days as in Mon-Fri "
		    "(Mon Tue Wed Thu Fri Sat Sun)", text);
	while (first != last) {
		draft->days |= (uint8_t)(1 << first);
		first = (first + 1) % 7;
	}
	draft->days |= (uint8_t)(1 << last);
	draft->waiting = text;
	draft->named = true;
	return NULL;
}

/* "8:00", "08:00" to "24:00"; the minute of the day and what follows, or NULL. */
static const char *
parse_time(const char *text, int *minute)
{
	int hours, minutes;
	size_t digits = strspn(text, "0123456789");

	if (digits < 1 || digits > 2 || text[digits] != ':' ||
	    strspn(text + digits + 1, "0123456789") != 2)
		return NULL;
	hours = digits == 1 ? text[0] - '0' : (text[0] - '0') * 10 + text[1] - '0';
	text += digits + 1;
	minutes = (text[0] - '0') * 10 + text[1] - '0';
	*minute = hours * 60 + minutes;
	return minutes < 60 && *minute <= DAY ? text + 2 : NULL;
}

static const char *
add_span(struct arena *arena, const char *text, struct draft *draft)
{
	int begin, end;
	const char *at = parse_time(text, &begin);

	if (at == NULL || *at != '-' || (at = parse_time(at + 1, &end)) == NULL || *at != '\0')
		return arena_print(arena, "'%s' is not HH:MM-HH:MM (00:00 to 24:00)", text);
	if (begin == DAY)
		return arena_print(arena, "'%s' begins at 24:00: write 00:00, on the day after", text);
	if (begin == end)
		return arena_print(arena, "'%s' ends when it begins: write 00:00-24:00 for the whole day", text);
	if (draft->waiting == NULL && draft->named)
		return arena_print(arena, "'%s' does not say on which days, as the span before it does: "
		    "name them again, or write Mon-Sun for every day", text);
	if (end < begin)
		end += DAY;
	for (int day = 0; day < 7; day++)
		for (int minute = begin; minute < end; minute++)
			if (draft->waiting == NULL || (draft->days & 1 << day) != 0)
				draft->open[(day * DAY + minute) % WEEK] = true;
	draft->waiting = NULL;
	draft->days = 0;
	return NULL;
}

/* Writes down where the week turns; counts only, where there is no place for it. */
static unsigned
find_edges(const struct draft *draft, uint16_t *edges)
{
	unsigned count = 0;
	bool open = false;

	for (unsigned minute = 0; minute <= WEEK; minute++)
		if (open != (minute < WEEK && draft->open[minute])) {
			open = !open;
			if (edges != NULL)
				edges[count] = (uint16_t)minute;
			count++;
		}
	return count;
}

const char *
hours_parse(struct arena *arena, const char *text, const struct hours **result)
{
	struct draft draft = { .waiting = NULL };
	const char *wrong = NULL;
	struct hours *hours;
	unsigned count, words = 0;
	char *word;

	*result = NULL;
	for (text += strspn(text, BLANKS); *text != '\0'; text += strspn(text, BLANKS), words++) {
		size_t len = strcspn(text, BLANKS);

		if (words == 0 && strcasecmp(text, "always") == 0)
			return NULL;
		if ((word = arena_text_of(arena, text, len)) == NULL)
			return "out of memory";
		if ((wrong = (isdigit((unsigned char)*word) ? add_span : add_days)(arena, word, &draft)) != NULL)
			return wrong;
		text += len;
	}
	if (words == 0)
		return "no hours: write 08:00-18:00, Mon-Fri 08:00-18:00 or 'always'";
	if (draft.waiting != NULL)
		return arena_print(arena, "'%s' has no hours: write %s 00:00-24:00 for the whole day",
		    draft.waiting, draft.waiting);
	count = find_edges(&draft, NULL);
	if ((hours = arena_take(arena, sizeof *hours + count * sizeof *hours->edges)) == NULL)
		return "out of memory";
	hours->count = (uint16_t)find_edges(&draft, hours->edges);
	*result = hours;
	return NULL;
}

bool
hours_contain(const struct hours *hours, int weekday, int minute)
{
	unsigned at = (unsigned)((weekday + 6) % 7 * DAY + minute);
	unsigned from = 0, to;

	if (hours == NULL)
		return true;
	for (to = hours->count; from < to;) {	/* how many edges are not behind this minute */
		unsigned middle = (from + to) / 2;

		if (hours->edges[middle] <= at)
			from = middle + 1;
		else
			to = middle;
	}
	return from % 2 == 1;
}

static void
add_piece(struct piece *pieces, unsigned *count, unsigned at, unsigned length)
{
	struct piece piece = { (uint16_t)(at % DAY), (uint16_t)((at + length) % DAY),
		(uint8_t)(1 << at / DAY % 7) };
	unsigned i = 0;

	while (i < *count && (pieces[i].begin != piece.begin || pieces[i].end != piece.end))
		i++;
	if (i == *count)
		pieces[(*count)++] = piece;
	else
		pieces[i].days |= piece.days;
}

/* Cuts the open times into what one HH:MM-HH:MM can say, less than a day or a whole one. */
static unsigned
find_pieces(const struct hours *hours, struct piece *pieces)
{
	bool joined = hours->count > 2 && hours->edges[0] == 0 && hours->edges[hours->count - 1] == WEEK;
	unsigned count = 0;

	for (unsigned i = joined ? 2 : 0; i < hours->count; i += 2) {
		unsigned at = hours->edges[i], end = hours->edges[i + 1];

		if (joined && i + 2 == hours->count)	/* goes on on Monday */
			end += hours->edges[1];
		while (at < end) {
			unsigned length = end - at < DAY ? end - at : DAY - at % DAY;

			add_piece(pieces, &count, at, length);
			at += length;
		}
	}
	return count;
}

/* "Mon-Fri,Sun ", or nothing for every day. */
static size_t
print_days(char *text, size_t size, uint8_t days)
{
	size_t used = 0;

	for (int first = 0; first < 7 && days != 0x7f; first++) {
		int last = first;

		if ((days & 1 << first) == 0)
			continue;
		while (last < 6 && (days & 1 << (last + 1)) != 0)
			last++;
		used += (size_t)snprintf(text + used, size - used, "%s%.3s", used == 0 ? "" : ",", day_names[first]);
		if (last > first)
			used += (size_t)snprintf(text + used, size - used, "-%.3s", day_names[last]);
		first = last;
	}
	if (used > 0)
		used += (size_t)snprintf(text + used, size - used, " ");
	return used;
}

static size_t
print_piece(char *text, size_t size, const struct piece *piece)
{
	unsigned end = piece->end == 0 ? DAY : piece->end;
	size_t used = print_days(text, size, piece->days);

	return used + (size_t)snprintf(text + used, size - used, "%02u:%02u-%02u:%02u",
	    piece->begin / 60u, piece->begin % 60u, end / 60, end % 60);
}

const char *
hours_text(const struct hours *hours, struct arena *arena)
{
	enum { PIECE_BYTES = sizeof "Mon-Tue,Thu-Fri,Sun 00:00-24:00, " };
	struct piece *pieces;
	unsigned count;
	size_t used = 0, size;
	char *text;

	if (hours == NULL)
		return "always";
	if ((pieces = arena_take(arena, (hours->count / 2u + 7) * sizeof *pieces)) == NULL)
		return NULL;
	count = find_pieces(hours, pieces);
	size = count * PIECE_BYTES;
	if ((text = arena_take(arena, size)) == NULL)
		return NULL;
	/* Those of every day come first: behind others they would have to name their days. */
	for (int every = 1; every >= 0; every--)
		for (unsigned i = 0; i < count; i++)
			if ((pieces[i].days == 0x7f) == every) {
				used += (size_t)snprintf(text + used, size - used, "%s", used == 0 ? "" : ", ");
				used += print_piece(text + used, size - used, &pieces[i]);
			}
	return text;
}
