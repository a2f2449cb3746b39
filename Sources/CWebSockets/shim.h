#ifndef SLIPSTREAM_CWEBSOCKETS_SHIM_H
#define SLIPSTREAM_CWEBSOCKETS_SHIM_H

#include <libwebsockets.h>

/* What the Swift importer cannot see: macros with casts, 64-bit option bits, and enums used as flags. */

enum { slipstream_headroom = LWS_PRE };

static inline uint64_t slipstream_server_options(void) {
    return LWS_SERVER_OPTION_EXPLICIT_VHOSTS | LWS_SERVER_OPTION_SKIP_SERVER_CANONICAL_NAME |
           LWS_SERVER_OPTION_FAIL_UPON_UNABLE_TO_BIND | LWS_SERVER_OPTION_FALLBACK_TO_APPLY_LISTEN_ACCEPT_CONFIG;
}

static inline uint64_t slipstream_client_options(void) {
    return LWS_SERVER_OPTION_EXPLICIT_VHOSTS | LWS_SERVER_OPTION_SKIP_SERVER_CANONICAL_NAME;
}

static inline uint64_t slipstream_disable_ipv6(void) { return LWS_SERVER_OPTION_DISABLE_IPV6; }

/* What a context's callbacks find their Swift owner by. The timer comes first: its callback gets only its address. */
struct slipstream_anchor {
    lws_sorted_usec_list_t timer;
    void *owner;
};

/* The library's own way to close shuts the connection as soon as its close frame is written; what the peer is still
 * sending then resets it, and the frame is lost with all that came before it. Sent like this the frame is only a frame. */
static inline int slipstream_write_close(struct lws *wsi, unsigned char *payload, size_t count) {
    return lws_write(wsi, payload, count, (enum lws_write_protocol)4);
}

/* Ends a connection at the next turn of the loop, without a closing handshake. */
static inline void slipstream_kill(struct lws *wsi) {
    lws_set_timeout(wsi, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_ASYNC);
}

#endif
