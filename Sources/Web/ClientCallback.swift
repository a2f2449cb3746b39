import CWebSockets

/// Every event of a client's connections comes through here, on the client's thread.
func clientCallback(
    _ wsi: OpaquePointer?, _ reason: lws_callback_reasons, _ user: UnsafeMutableRawPointer?,
    _ input: UnsafeMutableRawPointer?, _ count: Int
) -> Int32 {
    guard let wsi, let loop = loopOwning(wsi) else { return 0 }
    if reason == LWS_CALLBACK_EVENT_WAIT_CANCELLED {
        loop.interrupted()
        return 0
    }
    guard let pointer = lws_get_opaque_user_data(wsi) else { return 0 }
    let slot = Unmanaged<ClientSlot>.fromOpaque(pointer).takeUnretainedValue()
    switch reason {
    case LWS_CALLBACK_WSI_DESTROY:
        lws_set_opaque_user_data(wsi, nil)
        loop.destroyed(slot)
        return 0
    case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
        slot.connection.finish(.failed(reason: readable(input, count)))
        return 0
    case LWS_CALLBACK_TIMER:
        return slot.connection.timedOut()
    default:
        return slot.connection.event(reason, wsi, input, count)
    }
}

private func loopOwning(_ wsi: OpaquePointer) -> ClientLoop? {
    guard let anchor = lws_context_user(lws_get_context(wsi)) else { return nil }
    guard let owner = anchor.assumingMemoryBound(to: slipstream_anchor.self).pointee.owner else { return nil }
    return Unmanaged<ClientLoop>.fromOpaque(owner).takeUnretainedValue()
}

/// The library's words for a failed connection, put plainly. It does not tell a refusal from an unreachable host.
private func readable(_ input: UnsafeMutableRawPointer?, _ count: Int) -> String {
    let words = String(decoding: UnsafeRawBufferPointer(start: input, count: input == nil ? 0 : count), as: UTF8.self)
    return switch words {
    case "", "Unable to connect": "connection refused or host unreachable"
    case let words where words.contains("getaddrinfo") || words.contains("DNS"): "the host name is not known"
    case let words where words.contains("ws upgrade response not 101"): "there is no WebSocket at this path"
    default: words
    }
}
