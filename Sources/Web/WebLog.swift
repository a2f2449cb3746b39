import CWebSockets

/// The library's own messages, which go nowhere by default: what matters reaches the callers as errors and events.
package enum WebLog {
    /// Runs once, before the first context is made.
    static let silenced: Void = lws_set_log_level(0, nil)

    /// Sends the library's errors, warnings and notices to standard error, to look into the library itself.
    package static func showLibraryMessages() {
        silenced
        lws_set_log_level(LLL_ERR | LLL_WARN | LLL_NOTICE, nil)
    }
}
