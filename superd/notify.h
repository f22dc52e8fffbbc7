/*
 * notify.h - the two ends of systemd's protocol for daemons, of use to any
 * supervisor: sd_notify(3) and sockets passed by LISTEN_FDS (sd_listen_fds(3)).
 */
#ifndef NOTIFY_H
#define NOTIFY_H

/* Tells $NOTIFY_SOCKET, where there is one; never waits. */
void	notify_send(const char *state);
/* RELOADING=1, with the time that sd_notify(3) asks for. */
void	notify_reloading(void);

/*
 * Moves the sockets that were passed to descriptors that are out of the way,
 * closes everything else above standard error, and takes the variables out of
 * the environment.
 */
void	notify_take_sockets(void);
/* The next of them that is not taken yet, from *at, which begins at 0; -1: no more. */
int	notify_next_socket(int *at);
/* It has found its listener, or is closed. */
void	notify_socket_taken(int fd);

#endif
