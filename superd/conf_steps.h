/*
 * conf_steps.h - conf_load in steps, for who has something else to do in
 * between: a reload.
 */
#ifndef CONF_STEPS_H
#define CONF_STEPS_H

#include "conf.h"

struct draft;

/* NULL, with a mistake: no memory. */
struct draft *conf_begin(const struct conf_base *, struct mistakes *wrong);
/* False: all is done. */
bool	conf_step(struct draft *);
/* As conf_load.  It may come earlier, to give up; then its result is of no use. */
struct conf *conf_end(struct draft *);

#endif
