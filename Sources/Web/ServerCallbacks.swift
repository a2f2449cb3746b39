import CWebSockets
import Glibc

/// Every event of a server's connections comes through here, on the server's thread.
func serverCallback(
    _ wsi: OpaquePointer?, _ reason: lws_callback_reasons, _ user: UnsafeMutableRawPointer?,
    _ input: UnsafeMutableRawPointer?, _ count: Int
) -> Int32 {
    guard let wsi, let server = serverOwning(wsi) else { return 0 }
    switch reason {
    case LWS_CALLBACK_RECEIVE:
        return connection(of: wsi)?.messagePieceArrived(UnsafeRawBufferPointer(start: input, count: count)) ?? -1
    case LWS_CALLBACK_SERVER_WRITEABLE:
        return connection(of: wsi)?.socketWritable() ?? -1
    case LWS_CALLBACK_EVENT_WAIT_CANCELLED:
        server.interrupted()
        return 0
    case LWS_CALLBACK_HTTP:
        return makeConnection(of: wsi, server).requestArrived()
    case LWS_CALLBACK_HTTP_BODY:
        return connection(of: wsi)?.bodyArrived(UnsafeRawBufferPointer(start: input, count: count)) ?? -1
    case LWS_CALLBACK_HTTP_BODY_COMPLETION:
        return connection(of: wsi)?.bodyCompleted() ?? -1
    case LWS_CALLBACK_HTTP_WRITEABLE:
        return connection(of: wsi)?.writeAnswer() ?? -1
    case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE:
        return makeConnection(of: wsi, server).upgradeAsked(for: input.map(text) ?? "")
    case LWS_CALLBACK_ESTABLISHED:
        return connection(of: wsi)?.socketOpened() ?? -1
    case LWS_CALLBACK_FILTER_NETWORK_CONNECTION:
        return server.mayAccept() ? 0 : 1
    case LWS_CALLBACK_SERVER_NEW_CLIENT_INSTANTIATED:
        server.connectionCount += 1
        _ = makeConnection(of: wsi, server)
        return 0
    case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
        return connection(of: wsi)?.goodbyeArrived() ?? -1
    case LWS_CALLBACK_CLOSED:
        connection(of: wsi)?.socketClosed()
        return 0
    case LWS_CALLBACK_CLOSED_HTTP:
        connection(of: wsi)?.end()
        return 0
    case LWS_CALLBACK_WSI_DESTROY:
        destroyConnection(of: wsi, server)
        return 0
    default:
        return 0
    }
}

/// What came does not begin like HTTP: say so and hang up.
func malformedCallback(
    _ wsi: OpaquePointer?, _ reason: lws_callback_reasons, _ user: UnsafeMutableRawPointer?,
    _ input: UnsafeMutableRawPointer?, _ count: Int
) -> Int32 {
    guard let wsi, reason == LWS_CALLBACK_RAW_RX else { return 0 }
    let response = HTTPResponse.failure(400, "bad_request", "this is not an HTTP request")
    var bytes = response.head(closes: true) + response.body
    lws_write(wsi, &bytes, bytes.count, LWS_WRITE_HTTP)
    return lws_raw_transaction_completed(wsi)
}

func timerFired(_ timer: UnsafeMutablePointer<lws_sorted_usec_list_t>?) {
    guard let timer else { return }
    let anchor = UnsafeMutableRawPointer(timer).assumingMemoryBound(to: slipstream_anchor.self)
    guard let owner = anchor.pointee.owner else { return }
    Unmanaged<WebServer>.fromOpaque(owner).takeUnretainedValue().timerElapsed()
}

private func serverOwning(_ wsi: OpaquePointer) -> WebServer? {
    guard let anchor = lws_context_user(lws_get_context(wsi)) else { return nil }
    guard let owner = anchor.assumingMemoryBound(to: slipstream_anchor.self).pointee.owner else { return nil }
    return Unmanaged<WebServer>.fromOpaque(owner).takeUnretainedValue()
}

private func connection(of wsi: OpaquePointer) -> ServerConnection? {
    lws_get_opaque_user_data(wsi).map { Unmanaged<ServerConnection>.fromOpaque($0).takeUnretainedValue() }
}

private func makeConnection(of wsi: OpaquePointer, _ server: WebServer) -> ServerConnection {
    if let connection = connection(of: wsi) { return connection }
    let connection = ServerConnection(server: server, wsi: wsi)
    lws_set_opaque_user_data(wsi, Unmanaged.passRetained(connection).toOpaque())
    return connection
}

private func destroyConnection(of wsi: OpaquePointer, _ server: WebServer) {
    guard let pointer = lws_get_opaque_user_data(wsi) else { return }
    lws_set_opaque_user_data(wsi, nil)
    let connection = Unmanaged<ServerConnection>.fromOpaque(pointer).takeRetainedValue()
    connection.socketClosed()
    connection.end()
    server.connectionCount -= 1
}

private func text(_ pointer: UnsafeMutableRawPointer) -> String {
    String(cString: pointer.assumingMemoryBound(to: CChar.self))
}
