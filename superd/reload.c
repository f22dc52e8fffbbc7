/*
 * reload.c - see reload.h.  Read it from superd_reload upwards: rehearse,
 * rehearsed, turn_due for each step, end.
 */
#include <errno.h>
#include <string.h>

#include "events.h"
#include "log.h"
#include "memory.h"
#include "names.h"
#include "notify.h"
#include "superd.h"

void
superd_reopen_log(const struct superd *superd)
{
	const struct settings *settings = &superd->conf->settings;

	if (log_open(conf_log_place(superd->base, superd->conf), settings->log_format,
	    superd->base->verbose ? LOG_LEVEL_DEBUG : settings->log_level) == -1)
		event_error("%s: %s; the log goes on where it was", settings->log, strerror(errno));
}

static void
tell_mistakes(const struct mistakes *wrong)
{
	for (const struct mistake *m = wrong->first; m != NULL; m = m->next)
		event_error("%s", m->text);
	for (const struct mistake *m = wrong->first_warning; m != NULL; m = m->next)
		event_warning("%s", m->text);
}

/* What it holds at whichever step. */
static void
forget(struct reload *reload, struct loop *loop)
{
	timer_stop(loop, &reload->turn);
	if (reload->draft != NULL)
		reload->conf = conf_end(reload->draft);
	reload->draft = NULL;
	conf_release(reload->conf);
	reload->conf = NULL;
	rehearsal_end(&reload->rehearsal);
	mistakes_free(&reload->wrong);
	reload->under_way = false;
}

static void	begin(struct superd *);

/* reload->conf, if there is any, comes into force or is refused. */
static void
end(struct superd *superd)
{
	struct reload *reload = &superd->reload;
	const struct conf *conf = reload->conf;
	bool taken = false;

	superd->broken = reload->wrong.fatal;
	if (conf != NULL && conf->blank && superd->count > 0)
		event_error("%s: has nothing in it; to end all services, leave an empty [services]",
		    superd->base->file);
	else if (conf != NULL)
		taken = superd_apply(superd, reload->conf) == 0;
	if (taken)
		reload->conf = NULL;
	tell_mistakes(&reload->wrong);
	if (taken)
		superd_drain(superd);	/* whoever sees what is logged comes too late for the old addresses */
	else
		event_error("reload: the new configuration is refused; the old one stays in force");
	forget(reload, &superd->loop);
	memory_give_back();
	if (superd->broken) {
		superd_stop(superd);
		return;
	}
	notify_send("READY=1");
	if (reload->again)
		begin(superd);
}

static void	rehearse(struct superd *);
static void	turn_due(struct timer *);

static void
next_turn(struct superd *superd)
{
	struct timer *turn = &superd->reload.turn;

	if (timer_start(&superd->loop, turn, 0, turn_due) == -1)
		turn_due(turn);		/* no memory for a timer */
}

/* The next step of loading, or what comes behind the last one. */
static void
turn_due(struct timer *timer)
{
	struct superd *superd = container_of(timer, struct superd, reload.turn);
	struct reload *reload = &superd->reload;
	bool more, strayed;

	if (reload->draft == NULL) {
		end(superd);
		return;
	}
	more = conf_step(reload->draft);
	strayed = names_strayed();
	if (more && !strayed && !reload->wrong.fatal) {
		next_turn(superd);
		return;
	}
	reload->conf = conf_end(reload->draft);
	reload->draft = NULL;
	rehearsal_end(&reload->rehearsal);
	if (reload->wrong.fatal) {
		end(superd);		/* like this superd serves nobody */
	} else if (strayed && superd->loop.now < reload->until) {
		mistakes_free(&reload->wrong);	/* it is about files that are gone */
		rehearse(superd);
	} else {
		next_turn(superd);
	}
}

static void
tell_trouble(struct superd *superd, const char *trouble)
{
	mistakes_add(&superd->reload.wrong, (struct place){ .file = superd->base->file }, NULL, NULL,
	    "a child could not read and check it: %s", trouble);
}

static void
rehearsed(struct rehearsal *rehearsal, const char *trouble)
{
	struct superd *superd = container_of(rehearsal, struct superd, reload.rehearsal);
	struct reload *reload = &superd->reload;

	if (trouble != NULL)
		tell_trouble(superd, trouble);
	else if ((reload->draft = conf_begin(superd->base, &reload->wrong)) != NULL)
		names_replay(rehearsal->bytes, rehearsal->len);
	next_turn(superd);
}

static void
rehearse(struct superd *superd)
{
	struct reload *reload = &superd->reload;
	uint64_t now = superd->loop.now;

	if (rehearsal_start(&reload->rehearsal, &superd->loop, superd->base,
	    reload->until > now ? reload->until - now : 0, rehearsed) == 0)
		return;
	tell_trouble(superd, strerror(errno));
	next_turn(superd);
}

static void
begin(struct superd *superd)
{
	struct reload *reload = &superd->reload;

	notify_reloading();
	reload->under_way = true;
	reload->again = false;
	reload->until = superd->loop.now + NAMES_MS;
	rehearse(superd);
}

void
superd_reload(struct superd *superd)
{
	struct reload *reload = &superd->reload;

	superd_reopen_log(superd);
	if (superd->state != STATE_SERVING)
		return;
	if (reload->under_way)
		reload->again = true;
	else
		begin(superd);
}

void
superd_reload_abandon(struct superd *superd)
{
	if (superd->reload.under_way)
		forget(&superd->reload, &superd->loop);
}
