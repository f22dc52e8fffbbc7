/* reload.c - SIGHUP: the files are read anew, and come into force or are refused. */
#include <errno.h>
#include <string.h>

#include "events.h"
#include "log.h"
#include "notify.h"
#include "superd.h"

/* In any case, whatever becomes of the reload: that is how logs are rotated. */
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

void
superd_reload(struct superd *superd)
{
	struct mistakes wrong = { .count = 0 };
	struct conf *conf;

	if (superd->state != STATE_SERVING) {
		superd_reopen_log(superd);
		return;
	}
	notify_reloading();
	conf = conf_load(superd->base, &wrong);
	superd->broken = wrong.fatal;
	if (conf != NULL && conf->blank && superd->count > 0) {
		event_error("%s: has nothing in it; to end all services, leave an empty [services]",
		    superd->base->file);
		conf_release(conf);
		conf = NULL;
	}
	if (conf == NULL || superd_apply(superd, conf) == -1) {
		superd_reopen_log(superd);
		tell_mistakes(&wrong);
		event_error("reload: the new configuration is refused; the old one stays in force");
		conf_release(conf);
	} else {
		tell_mistakes(&wrong);
	}
	mistakes_free(&wrong);
	if (superd->broken)
		superd_stop(superd);
	else
		notify_send("READY=1");
}
