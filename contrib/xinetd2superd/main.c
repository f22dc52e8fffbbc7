/*
 * xinetd2superd: writes a superd.ini that does what a xinetd.conf says, and
 * tells what it cannot keep; xinetd2superd(1) lists attribute by attribute what
 * becomes of it. The output depends on the files read alone: no user, program
 * or port is looked up, superd -t does that.
 */
#include "xinetd2superd.h"

#include <string.h>
#include <unistd.h>

static const char usage[] =
    "usage: xinetd2superd [-f] [FILE]\n"
    "  writes what /etc/xinetd.conf, or FILE, says as a superd.ini to standard output,\n"
    "  and tells on standard error what cannot be kept\n"
    "  -f  enables services also where a restriction of theirs is lost\n"
    "  -h  this help\n"
    "exit status: 0 all is kept, 1 not all, 2 nothing was written, 64 usage\n";

static void
put_head(const char *path, const struct entry *files)
{
	comment(stdout, "superd.ini(5), made by xinetd2superd(1) from %s", path);
	puts(
	    ";\n"
	    "; What superd does in another way than xinetd, for every service below:\n"
	    "; - What a program writes to standard error goes to superd's log and not to the\n"
	    ";   client; \"stderr = socket\" brings that back.\n"
	    "; - A program gets a short environment (PATH, TZ, LANG, the user's HOME, USER,\n"
	    ";   LOGNAME, SHELL, and who the client is) and not all that the daemon has,\n"
	    ";   unless passenv said what; pass_env names more.\n"
	    "; - The groups that the user is in are set; xinetd did that with groups = yes.\n"
	    "; - Beyond cps, only what is too much is refused; the service is not closed to\n"
	    ";   everybody for some seconds.\n"
	    "; - hosts.allow(5) and hosts.deny(5) are not asked; allow and deny are.\n"
	    "; - Refusals are always logged.");
	if (files->notes != NULL)
		puts(";\n; Not read:");
	for (const struct note *note = files->notes; note != NULL; note = note->next)
		comment(stdout, "- %s:%u: %s: %s", note->at.file, note->at.line, note->attribute,
		    note->text);
}

/* What xinetd does where nothing is said, so that the sections need not repeat it. */
static void
put_defaults(struct section *section)
{
	fputs(
	    "\n[defaults]\n"
	    "; Programs may gain rights, by set-user-id files and sudo(8) for instance, as\n"
	    "; with xinetd; take this out where none needs to.\n"
	    "no_new_privs = no\n"
	    "; As xinetd does; \"queue\" lets clients wait instead.\n"
	    "when_full = refuse\n",
	    stdout);
	if (!own(section, A_INSTANCES))
		puts("max_sessions = unlimited");
	put_limits(section);
	if (!own(section, A_CPS) && !own(section, A_LEAKY_BUCKET))
		puts(
		    "; The cps of xinetd where it is not given.\n"
		    "rate = 50/s");
	if (own(section, A_UMASK))
		put_umask(section);
	if (!own(section, A_LOG_ON_SUCCESS))
		puts("; xinetd logs nothing of sessions where log_on_success is not given.");
	put_logs(section);
	if (parse_yes_no(section, A_V6ONLY, false))
		lose(section, A_V6ONLY,
		    "has no effect here with xinetd; listen = tcp6:PORT would have it");
	if (own(section, A_GROUPS) && !parse_yes_no(section, A_GROUPS, true))
		lose(section, A_GROUPS, "superd sets the groups that the user is in");
	if (own(section, A_MDNS))
		lose(section, A_MDNS, "superd announces nothing");
}

static void
put_common(const struct xinetd *all)
{
	struct section section = { .entry = &all->defaults,
		.defaults = &all->defaults,
		.name = "defaults",
		.body = stdout,
		.reasons = stdout };

	if (all->defaults.attribute[A_LOG_TYPE].given) {
		puts("\n[superd]");
		put_log(&section);
	}
	put_defaults(&section);
	tell_notes(&section);
}

int
main(int argc, char *argv[])
{
	struct xinetd all = { .first = NULL };
	const char *path = "/etc/xinetd.conf";
	bool force = false, wrong = false;
	int option;

	while ((option = getopt(argc, argv, "fh")) != -1)
		if (option == 'f') {
			force = true;
		} else if (option == 'h') {
			fputs(usage, stdout);
			return 0;
		} else {
			wrong = true;
		}
	if (wrong || argc - optind > 1) {
		fputs(usage, stderr);
		return 64;
	}
	if (optind < argc)
		path = argv[optind];
	if (!read_configuration(&all, path))
		return 2;
	put_head(path, &all.files);
	put_common(&all);
	for (const struct entry *entry = all.first; entry != NULL; entry = entry->next)
		convert(&all, entry, force);
	give_all_back();
	if (fflush(stdout) == EOF || ferror(stdout)) {
		fputs("xinetd2superd: standard output cannot be written\n", stderr);
		return 2;
	}
	return told;
}
